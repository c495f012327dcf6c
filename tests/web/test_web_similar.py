"""Following a story on the web: one answer for every address, none for junk, buttons that stop."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from browsing import browser, needs_chromium
from sqlalchemy import func, select
from web_visit import HARBOUR, STADTBLATT, Visit, visit

from digest.jobs import follow
from digest.jobs.write_following import confirm_path, stop_path
from digest.model.follow import FOLLOWS_ONLY, Follow, FollowMode, FollowState
from digest.model.newsletter import FeedSource
from digest.model.subscriber import SubscriptionState
from digest.service import open_door, serving
from digest.store import follows, suppressions
from digest.store.tables import deliveries
from digest.subscribers.address import address_key

TITLE = "Neue Fähre <script>alert(1)</script> im Hafen"
URL = "https://stadtblatt.example/0"


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Visit]:
    async with visit(tmp_path) as opened:
        opened.web.state.beat = 0
        await opened.publish(TITLE, "Zweites")
        yield opened


async def mails(web: Visit) -> int:
    async with web.world.store.read() as connection:
        query = select(func.count()).where(deliveries.c.notice.is_not(None))
        return int((await connection.execute(query)).scalar_one())


async def ask(web: Visit, email: str = "anna@example.org", **more: str) -> httpx.Response:
    """As a person does: he opens the page, types and presses the button."""
    opened = await web.get("/follow?newsletter=stadtblatt&article=1&lang=en")
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', opened.text))
    web.clock.at += timedelta(seconds=4)
    return await web.post("/follow?lang=en", **{**form, "email": email, "mode": "prompt", **more})


async def mine(web: Visit, address: str = "anna@example.org") -> Follow:
    async with web.world.store.read() as connection:
        (found,) = await follows.of_subscription(connection, (await web.known(address)).id)
        return found


async def test_the_page_names_the_story_and_is_safe_and_plain(web: Visit) -> None:
    for path in (
        "/follow?newsletter=stadtblatt&article=1&lang=en",
        f"/follow?newsletter=stadtblatt&url={URL}&lang=en",
        "/follow?article=1&lang=en",
    ):
        answer = await web.get(path)
        assert answer.status_code == 200
        assert "Neue Fähre &lt;script&gt;" in answer.text
        assert "<script" not in answer.text
        assert 'name="mode" value="digest"' in answer.text


async def test_a_wish_is_confirmed_behind_the_link_and_recorded_with_its_words(web: Visit) -> None:
    assert (await ask(web, mode="digest")).status_code == 200
    wish = await mine(web)
    assert (wish.state, wish.mode) == (FollowState.PENDING, FollowMode.DIGEST)
    path = confirm_path(web.world, wish)
    shown = await web.get(f"{path}?lang=en")
    assert "Do you want news like “Neue Fähre" in shown.text
    assert (await mine(web)).state is FollowState.PENDING  # GET changes nothing
    assert (await web.post(f"{path}?lang=en")).status_code == 200
    assert (await mine(web)).state is FollowState.ACTIVE
    known = await web.known()
    assert (known.state, known.frequency) == (SubscriptionState.ACTIVE, FOLLOWS_ONLY)
    asked, confirmed = await web.record()
    assert (asked.kind, confirmed.kind) == ("requested", "confirmed")
    assert asked.door == "web"
    assert "With “Follow” you ask" in asked.detail
    assert confirmed.detail in shown.text.replace("&lt;", "<").replace("&gt;", ">")
    again = await web.post(f"{path}?lang=en")
    assert again.status_code == 200
    assert len(await web.record()) == 2


async def test_the_answer_is_the_same_whatever_is_known_of_the_address(web: Visit) -> None:
    await web.admit("reader@example.org")
    known_as = web.world.signer.suppression_hash(address_key("closed@example.org"))
    async with web.world.store.write() as connection:
        await suppressions.suppress(connection, known_as, reason="asked", now=web.clock())
    pages = []
    for name in ("stranger", "reader", "closed", "stranger"):
        answer = await ask(web, f"{name}@example.org")
        pages.append((answer.status_code, answer.text.replace(name, "X")))
    answer = await ask(web, "this is none")
    pages.append((answer.status_code, answer.text.replace("this is none", "X@example.org")))
    assert len(set(pages)) == 1
    assert await mails(web) == 2


async def test_machines_get_the_usual_answer_and_nothing_more(web: Visit) -> None:
    assert (await ask(web, website="https://spam.example")).status_code == 200
    opened = await web.get("/follow?article=1")
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', opened.text))
    assert (await web.post("/follow", **form, email="bot@example.org")).status_code == 200
    assert await mails(web) == 0


async def test_a_crowd_is_asked_for_work_that_leads_back_here(web: Visit) -> None:
    for number in range(60):
        answer = await web.post("/follow?lang=en", article="1", email=f"r{number}@example.org")
        if answer.status_code == 429:
            break
    assert answer.status_code == 429
    assert 'action="/follow?lang=en"' in answer.text
    assert 'name="article" value="1"' in answer.text


@pytest.mark.parametrize(
    "said",
    [
        "999999",
        "0",
        "-1",
        "1 OR 1=1",
        "javascript:alert(1)",
        "https://elsewhere.example/0",
        "https://stadtblatt.example/" + "a" * 3900,
        "\u0000",
        "http://[::1",
        "../../etc/passwd",
        "9" * 400,
        "",
    ],
)
async def test_an_unknown_story_is_not_found_and_nobody_is_written_to(
    web: Visit, said: str
) -> None:
    answer = await web.post(
        "/follow?lang=en", newsletter="stadtblatt", article=said, email="anna@example.org"
    )
    assert answer.status_code == 404
    assert "<script" not in answer.text
    shown = await web.client.get("/follow", params={"newsletter": "stadtblatt", "url": said})
    assert shown.status_code == 404
    assert await mails(web) == 0


async def test_more_than_a_form_holds_is_refused(web: Visit) -> None:
    answer = await web.post("/follow", article="a" * 10_000, email="anna@example.org")
    assert answer.status_code in {400, 404}
    answer = await web.post("/follow", article="1", email="a" * 100_000)
    assert answer.status_code == 400
    assert await mails(web) == 0


async def test_a_story_of_another_newsletter_or_of_one_that_offers_none_is_not_found(
    web: Visit,
) -> None:
    elsewhere = replace(HARBOUR, feeds=(FeedSource(url="https://harbour.example/feed"),))
    web.offer(STADTBLATT, elsewhere)
    for slug, status in (("stadtblatt", 200), ("harbour", 404), ("nothing", 404)):
        path = f"/follow?newsletter={slug}&article=1"
        assert (await web.get(path)).status_code == status
    assert (await web.get("/follow?article=1")).status_code == 404  # which one is meant?
    web.offer(replace(STADTBLATT, follow=False))
    assert (await web.get("/follow?article=1")).status_code == 404


async def test_links_that_are_forged_old_or_for_another_purpose_lead_nowhere(web: Visit) -> None:
    await ask(web)
    wish, signer = await mine(web), web.world.signer
    token = signer.follow_token(wish.ref, wish.nonce)
    known = await web.known()
    for bad in (
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        signer.stop_token(wish.ref),
        signer.unsubscribe_token(known.ref),
        "x" * 38,
        "x",
    ):
        assert (await web.post(f"/follow/confirm/{bad}")).status_code == 404
    for bad in (token, signer.preferences_token(known.ref), signer.stop_token(bytes(12)), "x"):
        assert (await web.post(f"/follow/stop/{bad}")).status_code == 404
    assert (await mine(web)).state is FollowState.PENDING
    assert (await web.post(f"/unsubscribe/{token}")).status_code == 404
    web.clock.at += timedelta(days=7, minutes=1)
    assert (await web.get(f"/follow/confirm/{token}")).status_code == 404
    assert (await web.post(f"/follow/confirm/{token}")).status_code == 404
    assert (await mine(web)).state is FollowState.PENDING


async def test_a_reader_stops_just_this_behind_the_link_and_in_his_settings(web: Visit) -> None:
    reader = await web.admit()
    await ask(web)
    wish = await mine(web)
    confirmed = await web.post(f"{confirm_path(web.world, wish)}?lang=en")
    stop = stop_path(web.world, wish.ref)
    assert stop in confirmed.text
    settings = await web.get(f"{web.preferences_path(reader)}?lang=en")
    assert f'action="{stop}?lang=en"' in settings.text
    assert "Neue Fähre &lt;script&gt;" in settings.text
    shown = await web.get(f"{stop}?lang=en")
    assert "Stop just this" in shown.text
    assert (await mine(web)).state is FollowState.ACTIVE  # GET changes nothing
    for _ in range(2):
        stopped = await web.post(f"{stop}?lang=en")
        assert stopped.status_code == 200
        assert "You do not follow this any more" in stopped.text
    assert (await web.known()).state is SubscriptionState.ACTIVE
    settings = await web.get(f"{web.preferences_path(reader)}?lang=en")
    assert stop not in settings.text


async def test_who_only_follows_sees_so_and_may_choose_the_newsletter(web: Visit) -> None:
    await ask(web)
    await web.post(confirm_path(web.world, await mine(web)))
    known = await web.known()
    path = f"{web.preferences_path(known)}?lang=en"
    shown = await web.get(path)
    assert "Only what you follow comes to anna@example.org." in shown.text
    assert 'name="frequency" value="follows" checked' in shown.text
    assert (await web.post(path, frequency="follows")).status_code == 200
    assert (await web.known()).frequency == FOLLOWS_ONLY
    assert (await web.post(path, frequency="weekly")).status_code == 200
    assert (await web.known()).frequency == "weekly"
    assert (await web.get(web.unsubscribe_path(known))).status_code == 200


async def test_a_wish_without_an_address_comes_back_with_what_was_chosen(web: Visit) -> None:
    answer = await ask(web, email="", mode="digest")
    assert answer.status_code == 422
    assert 'value="digest" checked' in answer.text


async def test_a_form_of_another_site_says_so_in_the_record(web: Visit) -> None:
    await web.post("/follow", newsletter="stadtblatt", article=URL, email="anna@example.org")
    (asked,) = await web.record()
    assert asked.door == "form"
    assert asked.detail.startswith("not our own form")
    found = await follow.look(
        web.world, confirm_path(web.world, await mine(web)).rpartition("/")[2]
    )
    assert found.follow.url == URL


@needs_chromium
async def test_on_a_small_screen_and_without_scripts_the_form_works(web: Visit) -> None:
    door = open_door("127.0.0.1", 0)
    home = f"http://127.0.0.1:{door.getsockname()[1]}"
    async with serving(web.web, door), browser() as chromium:
        context = await chromium.new_context(
            viewport={"width": 375, "height": 700}, java_script_enabled=False
        )
        page = await context.new_page()
        for lang in ("de", "en"):
            await page.goto(f"{home}/follow?article=1&lang={lang}")
            box = await page.locator("form.box").bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 375
        web.clock.at += timedelta(seconds=4)
        await page.fill("#email", "anna@example.org")
        await page.check("input[value=digest]")
        await page.click("form.box button")
        assert "mailbox" in await page.inner_text("h1")
        await context.close()
    assert (await mine(web)).mode is FollowMode.DIGEST
