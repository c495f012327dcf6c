"""What a reader sees and does behind the link to his settings; what is junk is never our fault."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select, update
from web_visit import HARBOUR, HOME, NOW, STADTBLATT, Clock, Visit, visit

from digest.app import open_app
from digest.jobs import join
from digest.model.newsletter import Topic
from digest.model.subscriber import Subscription, SubscriptionState
from digest.settings import Settings
from digest.store.spool import Goodbye, Spool
from digest.store.tables import deliveries, metadata
from digest.web.app import make_web

CITY = replace(
    STADTBLATT,
    topics=(
        Topic(name="chips", title="Chips & more", words=("chip*",)),
        Topic(name="robots", title="<b>Robots</b>", words=("robot*",)),
    ),
)
ACTIVE, GONE = SubscriptionState.ACTIVE, SubscriptionState.UNSUBSCRIBED
NEW = "anna.neu@elsewhere.example"


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Visit]:
    async with visit(tmp_path, CITY, HARBOUR) as opened:
        opened.client.headers["accept-language"] = "en"
        yield opened


@asynccontextmanager
async def both(database_url: str, folder: Path) -> AsyncIterator[Visit]:
    """The same on a database of either kind."""
    settings = Settings.model_validate(
        {
            "database_url": database_url,
            "secret_key": "a secret that is long enough for tests",
            "public_url": HOME,
            "outbox": str(folder / "outbox"),
            "templates_dir": folder / "templates",
            "journal": None,
            "spool": folder / "digest.spool",
        }
    )
    clock = Clock()
    async with open_app(settings, (CITY, HARBOUR), clock=clock) as world:
        served = make_web(world)
        transport = httpx.ASGITransport(app=served, raise_app_exceptions=False)
        english = {"accept-language": "en"}
        async with httpx.AsyncClient(transport=transport, base_url=HOME, headers=english) as one:
            yield Visit(world=world, web=served, client=one, clock=clock)


async def also(web: Visit) -> Subscription:
    """The same person reads the other newsletter too."""
    return await join.admit(
        web.world, address="anna@example.org", newsletter=HARBOUR, door="cli", detail="a test"
    )


async def city(web: Visit, address: str = "anna@example.org") -> Subscription:
    return next(each for each in await web.all_of(address) if each.newsletter == CITY.slug)


def said(answer: httpx.Response, role: str = "status") -> str:
    """The one line that tells what came of it."""
    found = re.findall(rf'<p class="alert" role="{role}">\s*([^<]*)', answer.text)
    assert len(found) == 1, answer.text
    return " ".join(found[0].split())


def forms(page: str) -> list[str]:
    return re.findall(r"<form\b.*?</form>", page, re.DOTALL)


async def everything(web: Visit) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    async with web.world.store.read() as connection:
        return {
            table.name: [tuple(row) for row in await connection.execute(select(table))]
            for table in metadata.sorted_tables
        }


# --------------------------------------------------------------- the page


async def test_all_that_one_reads_stands_on_one_page_each_with_its_own_form(web: Visit) -> None:
    one, two = await web.admit(), await also(web)
    for path in map(web.preferences_path, (one, two)):
        page = (await web.get(path)).text
        titles = re.findall(r"<h2[^>]*>([^<]*)</h2>", page)
        assert titles == [CITY.title, HARBOUR.title, "About you"]
        for each in (one, two):
            assert f'action="{web.preferences_path(each)}"' in page
            assert f'action="{web.unsubscribe_path(each)}"' in page
    assert len(page.encode()) < 30_000


async def test_only_what_is_offered_can_be_chosen(web: Visit) -> None:
    await web.admit()
    there = await also(web)
    page = (await web.get(web.preferences_path(there))).text
    first, second = page.split('<section class="part"')[1:3]
    assert 'value="chips" checked' in first
    assert 'value="other" checked' in first
    assert "&lt;b&gt;Robots" in first
    assert 'name="frequency"' in first
    assert 'name="topic"' not in second
    assert 'name="frequency"' not in second
    assert 'name="hour"' in second


async def test_the_next_edition_is_told_by_the_hour_and_the_zone_of_the_reader(web: Visit) -> None:
    path = web.preferences_path(await web.admit())
    page = (await web.get(path)).text
    assert "The next edition comes on Tuesday, 24 November 2026 at 07:00." in page
    await web.post(path, hour="18")
    page = (await web.get(path)).text
    assert "The next edition comes on Tuesday, 24 November 2026 at 18:00." in page
    assert "next on Monday, 30 November 2026 at 18:00" in page
    # 07:00 in Berlin is 15:00 in Tokyo: 9 o'clock there is the next morning
    await web.post(path, hour="9", timezone="Asia/Tokyo")
    page = (await web.get(path)).text
    assert "The next edition comes on Wednesday, 25 November 2026 at 09:00." in page
    assert "Times are those of Asia/Tokyo." in page


async def test_an_edition_that_waits_for_the_hour_is_the_next_one(web: Visit) -> None:
    path = web.preferences_path(await web.admit())
    await web.post(path, hour="18")
    web.clock.at = NOW + timedelta(days=1)
    await web.publish("Today's")
    evening = (NOW + timedelta(days=1)).replace(hour=17, minute=0)
    async with web.world.store.write() as connection:
        await connection.execute(update(deliveries).values(due_at=evening))
    page = (await web.get(path)).text
    assert "The next edition comes on Tuesday, 24 November 2026 at 18:00." in page


async def test_several_a_day_have_no_hour(tmp_path: Path) -> None:
    hourly = replace(HARBOUR, schedules=(replace(HARBOUR.schedules[0], cron="0 * * * *"),))
    async with visit(tmp_path, hourly) as web:
        found = await join.admit(
            web.world, address="anna@example.org", newsletter=hourly, door="cli", detail="a test"
        )
        assert 'name="hour"' not in (await web.get(web.preferences_path(found))).text


# --------------------------------------------------------------- saving


async def test_what_is_saved_is_said_and_shown(web: Visit) -> None:
    path = web.preferences_path(await web.admit())
    answer = await web.client.post(
        path, data={"frequency": "weekly", "hour": "6", "topics": "shown", "topic": ["chips"]}
    )
    assert said(answer) == "Saved. It counts from the next mail on."
    found = await web.known()
    assert (found.frequency, found.hour, found.topics) == ("weekly", 6, ("chips",))
    assert 'value="weekly" checked' in answer.text
    assert 'value="chips" checked' in answer.text
    assert 'value="robots">' in answer.text
    assert re.search(r'<option selected value="6">', answer.text)


async def test_no_topic_ticked_means_all_and_that_is_said(web: Visit) -> None:
    path = web.preferences_path(await web.admit())
    await web.post(path, topics="shown", topic="chips")
    answer = await web.post(path, topics="shown")
    assert "articles about all of them come" in said(answer)
    assert (await web.known()).topics == ()


async def test_a_form_without_topics_leaves_them(web: Visit) -> None:
    path = web.preferences_path(await web.admit())
    await web.post(path, topics="shown", topic="chips")
    await web.post(path, frequency="weekly")
    await web.post(path, language="en", timezone="Asia/Tokyo")
    found = await web.known()
    assert (found.topics, found.frequency) == (("chips",), "weekly")
    assert (found.subscriber.language, found.subscriber.timezone) == ("en", "Asia/Tokyo")
    await web.post(path, timezone="")
    assert (await web.known()).subscriber.timezone is None


@pytest.mark.parametrize(
    "fields",
    [
        {"frequency": "never"},
        {"topics": "shown", "topic": "cheese"},
        {"hour": "24"},
        {"language": "tlh"},
        {"timezone": "Mars/Base"},
        {"do": "frequency"},
        {"do": "frequency", "frequency": "never"},
        {"do": "pause"},
        {"do": "pause", "weeks": "3"},
        {"do": "pause", "until": "2026-11-23"},
        {"do": "less"},
        {"do": "less", "topic": "cheese"},
        {"do": "nonsense"},
        {"frequency": "weekly", "hour": "x"},
    ],
)
async def test_what_cannot_be_is_said_in_one_line_and_changes_nothing(
    web: Visit, fields: dict[str, str]
) -> None:
    await web.admit()
    before = await everything(web)
    answer = await web.post(web.preferences_path(await web.known()), **fields)
    assert answer.status_code == 422
    assert said(answer, "alert").endswith("Nothing was changed.")
    assert await everything(web) == before


# --------------------------------------------------------------- one change, one button

CONTROLS = (
    "?do=frequency&frequency=weekly",
    "?do=pause",
    "?do=pause&weeks=2",
    "?do=less&topic=chips",
    "?do=less&topic=other",
    "?do=erase",
)


async def press(web: Visit, path: str, query: str) -> httpx.Response:
    """Open a link and press its one button."""
    page = (await web.get(path + query)).text
    (form,) = forms(page)
    assert form.count("<button") == 1
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    action = re.findall(r'action="([^"]*)"', form)
    return await web.post(action[0], **fields)


@pytest.mark.parametrize("query", CONTROLS)
async def test_a_link_for_one_change_leads_to_one_button_that_says_so(
    web: Visit, query: str
) -> None:
    path = web.preferences_path(await web.admit())
    before = await everything(web)
    page = (await web.get(path + query)).text
    assert await everything(web) == before
    assert "After one click" in page
    assert f'href="{path}"' in page  # all settings
    assert (await press(web, path, query)).status_code == 200
    assert await everything(web) != before


async def test_weekly_instead_and_back(web: Visit) -> None:
    path = web.preferences_path(await web.admit())
    answer = await press(web, path, CONTROLS[0])
    assert said(answer) == "From now on, “Stadtblatt am Morgen” comes weekly."
    assert (await web.known()).frequency == "weekly"
    (undo,) = forms(answer.text)
    await web.post(path, **dict(re.findall(r'name="(\w+)" value="([^"]*)"', undo)))
    assert (await web.known()).frequency == "daily"


async def test_a_pause_and_its_end(web: Visit) -> None:
    path = web.preferences_path(await web.admit())
    answer = await press(web, path, "?do=pause&weeks=2")
    assert "pauses until Monday, 7 December 2026" in said(answer)
    assert (await web.known()).paused_until == NOW + timedelta(weeks=2)
    page = (await web.get(path)).text
    assert "Paused until Monday, 7 December 2026." in page
    assert "Go on now" in page
    answer = await web.post(path, do="resume", at="settings")
    assert "comes again" in said(answer)
    assert "Paused until" not in answer.text
    assert (await web.known()).paused_until is None


async def test_a_pause_until_a_day_ends_when_that_day_begins(web: Visit) -> None:
    path = web.preferences_path(await web.admit())
    answer = await web.post(path, do="pause", weeks="2", until="2026-12-24", at="settings")
    assert "until Thursday, 24 December 2026" in said(answer)
    assert "The next edition comes on Thursday, 24 December 2026 at 07:00." in answer.text


async def test_less_of_a_topic_and_back(web: Visit) -> None:
    path = web.preferences_path(await web.admit())
    answer = await press(web, path, "?do=less&topic=robots")
    assert "“&lt;b&gt;Robots&lt;/b&gt;” are left out for you" in said(answer)
    assert (await web.known()).topics == ("chips", "other")
    (undo,) = forms(answer.text)
    fields = re.findall(r'name="(\w+)" value="([^"]*)"', undo)
    topics = [value for name, value in fields if name == "topic"]
    answer = await web.client.post(path, data={**dict(fields), "topic": topics})
    assert (await web.known()).topics == ()


@pytest.mark.parametrize(
    "query",
    [
        "?do=frequency",
        "?do=frequency&frequency=never",
        "?do=less",
        "?do=less&topic=cheese",
        "?do=less&topic=%00",
    ],
)
async def test_a_link_for_what_is_not_offered_leads_to_the_settings(web: Visit, query: str) -> None:
    answer = await web.get(web.preferences_path(await web.admit()) + query)
    assert answer.status_code == 200
    assert "Nothing was changed" in said(answer, "alert")
    assert "Your settings" in answer.text


async def test_the_last_topic_cannot_be_left_out(web: Visit) -> None:
    path = web.preferences_path(await web.admit())
    await web.post(path, topics="shown", topic="chips")
    for answer in (
        await web.get(path + "?do=less&topic=chips"),
        await web.post(path, do="less", topic="chips"),
    ):
        assert "the only topic" in said(answer, "alert")
    assert (await web.known()).topics == ("chips",)


# --------------------------------------------------------------- leaving, and coming back


async def test_who_left_comes_back_with_one_button_for_a_day(web: Visit) -> None:
    active = await web.admit()
    path = web.preferences_path(active)
    await web.post(web.unsubscribe_path(active))
    assert "Get it again" in (await web.get(path)).text
    answer = await press(web, path, "?do=return&frequency=weekly")
    assert said(answer) == "Welcome back. “Stadtblatt am Morgen” comes again, weekly."
    assert (await web.known()).state is ACTIVE
    record = await web.record()
    assert record[-1].kind == "returned"
    assert record[-1].detail.startswith("With this button you ask for “Stadtblatt am Morgen” again")


async def test_after_a_day_one_signs_up_again(web: Visit) -> None:
    active = await web.admit()
    path = web.preferences_path(active)
    await web.post(web.unsubscribe_path(active))
    web.clock.at += timedelta(hours=24, seconds=1)
    for answer in (await web.get(path + "?do=return"), await web.get(path)):
        assert "Get it again" not in answer.text
        assert f'href="/{CITY.slug}"' in answer.text
    answer = await web.post(path, do="return")
    assert (answer.status_code, said(answer, "alert")) == (
        422,
        "That is not possible any more. Nothing was changed.",
    )
    assert (await web.known()).state is GONE


async def test_one_leaves_everything_with_one_button(web: Visit) -> None:
    path = web.preferences_path(await web.admit())
    assert 'value="leave"' not in (await web.get(path)).text
    await also(web)
    assert 'value="leave"' in (await web.get(path)).text
    answer = await web.post(path, do="leave")
    assert said(answer) == "You have left. Nothing more comes to you from us."
    assert {each.state for each in await web.all_of("anna@example.org")} == {GONE}
    assert answer.text.count("Get it again") == 2


# --------------------------------------------------------------- moving


async def test_the_answer_to_a_change_of_address_is_the_same_whatever_is_there(web: Visit) -> None:
    path = web.preferences_path(await web.admit())
    await web.admit("reads@elsewhere.example")
    pages = set()
    for address in (NEW, "reads@elsewhere.example", "anna@example.org", "impossible", NEW, "x@y"):
        web.clock.at += timedelta(minutes=1)
        answer = await web.post(path, do="move", address=address)
        assert answer.status_code == 200
        pages.add(answer.text.replace(address, "it"))
    assert len(pages) == 1


async def test_the_whole_way_to_a_new_address(web: Visit) -> None:
    path = web.preferences_path(await web.admit())
    await also(web)
    await web.post(path, do="move", address=NEW)
    waiting = await city(web, NEW)
    await web.get(web.confirm_path(waiting))
    assert (await city(web)).state is ACTIVE
    answer = await web.post(web.confirm_path(waiting))
    assert answer.status_code == 200
    assert {each.state for each in await web.all_of("anna@example.org")} == {GONE}
    assert {each.state for each in await web.all_of(NEW)} == {ACTIVE}
    page = (await web.get(path)).text
    assert "does not come to anna@example.org now" in page
    assert NEW not in page


# --------------------------------------------------------------- one's data


async def test_one_takes_ones_data_along(web: Visit) -> None:
    path = web.preferences_path(await web.admit())
    answer = await web.post(path, do="export")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["cache-control"] == "no-store"
    assert "anna@example.org" in str(json.loads(answer.text))


async def test_who_is_erased_is_told_so_and_his_link_is_dead(web: Visit) -> None:
    active = await web.admit()
    path = web.preferences_path(active)
    answer = await press(web, path, "?do=erase")
    assert "Everything about you is deleted" in answer.text
    assert "anna@example.org" not in str(await everything(web))
    for dead in (await web.get(path), await web.post(path, do="erase"), await web.post(path)):
        assert dead.status_code == 404
        assert "This link does not work any more" in dead.text


async def test_who_left_long_ago_may_still_have_his_data_and_be_erased(web: Visit) -> None:
    active = await web.admit()
    await web.post(web.unsubscribe_path(active))
    web.clock.at += timedelta(days=30)
    path = web.preferences_path(active)
    page = (await web.get(path)).text
    assert 'value="export"' in page
    assert "do=erase" in page
    assert (await web.post(path, do="export")).status_code == 200
    assert (await web.post(path, do="erase")).status_code == 200


# --------------------------------------------------------------- what must never happen


async def test_looking_changes_nothing_whatever_is_asked_for(web: Visit) -> None:
    active = await web.admit()
    gone = await web.admit("bert@example.org")
    await web.post(web.unsubscribe_path(gone))
    before = await everything(web)
    acts = ("save", "resume", "return", "move", "export", "erase", "leave", "nonsense")
    queries = ["", *CONTROLS, *(f"?do={each}&address={NEW}&weeks=2" for each in acts)]
    for path in map(web.preferences_path, (active, gone)):
        for query in queries:
            for method in ("GET", "HEAD"):
                answer = await web.client.request(method, path + query)
                assert answer.status_code in {200, 405}
                assert "set-cookie" not in answer.headers
    assert await everything(web) == before


async def test_a_token_for_something_else_opens_nothing(web: Visit) -> None:
    active = await web.admit()
    wrong = [
        web.unsubscribe_path(active).rpartition("/")[2],
        web.confirm_path(active).rpartition("/")[2],
        web.preferences_path(active)[-38:-1],
        "%00",
        "x" * 5000,
    ]
    before = await everything(web)
    for token in wrong:
        for do in ("save", "pause", "leave", "move", "export", "erase", "return"):
            answer = await web.post(f"/preferences/{token}", do=do, weeks="2", address=NEW)
            assert answer.status_code == 404
        assert (await web.get(f"/preferences/{token}?do=erase")).status_code == 404
    assert await everything(web) == before


JUNK = ("", "\0", "a\0b", "\ud800", "x" * 4000, "-1", "9" * 400, "Ω≈ç", "'; --", "{{7*7}}", "\r\n")
FIELDS = ("frequency", "topic", "hour", "language", "timezone", "weeks", "until", "address", "at")
ACTS = ("save", "frequency", "pause", "less", "return", "move")


async def test_junk_is_never_our_fault(database_url: str, tmp_path: Path) -> None:
    async with both(database_url, tmp_path) as web:
        path = web.preferences_path(await web.admit())
        for junk in JUNK:
            sent = junk.encode("utf-8", "surrogatepass")
            fields = dict.fromkeys(FIELDS, sent)
            for do in (*ACTS, junk):
                body = {"do": do.encode("utf-8", "surrogatepass"), "topics": b"shown", **fields}
                answer = await web.client.post(path, data=body)
                assert answer.status_code < 500, (do, junk)
                query = {"do": do.encode("utf-8", "surrogatepass"), **fields}
                answer = await web.client.get(path, params=query)
                assert answer.status_code < 500, (do, junk)
        for raw in (b"\0\xff", b"do=%ff%fe", b"a=b&" * 100, b"do=save;" * 99):
            kind = {"content-type": "application/x-www-form-urlencoded"}
            assert (await web.client.post(path, content=raw, headers=kind)).status_code < 500
            kind = {"content-type": "multipart/form-data; boundary=x"}
            assert (await web.client.post(path, content=raw, headers=kind)).status_code < 500
        files = {"do": ("a.txt", b"save"), "topic": ("b.txt", b"chips")}
        assert (await web.client.post(path, files=files)).status_code < 500


async def test_what_is_sent_twice_at_once_is_done_once(database_url: str, tmp_path: Path) -> None:
    async with both(database_url, tmp_path) as web:
        path = web.preferences_path(await web.admit())
        for fields in (
            {"frequency": "weekly"},
            {"do": "pause", "weeks": "2"},
            {"do": "resume"},
            {"do": "less", "topic": "chips"},
            {"do": "move", "address": NEW},
            {"do": "leave"},
            {"do": "return"},
        ):
            answers = await asyncio.gather(*(web.post(path, **fields) for _ in range(4)))
            assert {each.status_code for each in answers} == {200}
        assert [event.kind for event in await web.record()] == [
            "operator",
            "changed",
            "paused",
            "resumed",
            "changed",
            "moving",
            "unsubscribed",
            "returned",
        ]
        answers = await asyncio.gather(*(web.post(path, do="erase") for _ in range(4)))
        assert {each.status_code for each in answers} <= {200, 404}


async def test_a_wish_to_leave_that_waits_in_the_spool_comes_before_the_next_choice(
    web: Visit,
) -> None:
    found = await web.admit()
    Spool(web.world.spool).append(Goodbye(ref=found.ref, at=web.clock.at, door="web"))
    path = web.preferences_path(found)
    await web.post(path, do="frequency", frequency="weekly")
    assert (await web.known()).state is SubscriptionState.UNSUBSCRIBED
    await web.post(path, do="return", frequency="weekly")
    known = await web.known()
    assert (known.state, known.frequency) == (SubscriptionState.ACTIVE, "weekly")
