from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from web_visit import HARBOUR, STADTBLATT, Visit, visit

from digest.model.subscriber import SubscriptionState


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Visit]:
    async with visit(tmp_path) as opened:
        yield opened


async def test_opening_a_link_changes_nothing_however_it_is_opened(web: Visit) -> None:
    pending, active = await web.ask(), await web.admit("bert@example.org")
    paths = [
        web.confirm_path(pending),
        web.unsubscribe_path(active),
        web.preferences_path(active),
        web.unsubscribe_path(pending),
        web.preferences_path(pending),
    ]
    for path in paths:
        for method in ("GET", "HEAD", "GET", "OPTIONS", "PUT", "DELETE"):
            await web.client.request(method, path)
    assert await web.known() == pending
    assert await web.known("bert@example.org") == active


async def test_a_page_behind_a_link_has_a_button(web: Visit) -> None:
    pending = await web.ask()
    page = await web.get(web.confirm_path(pending))
    assert page.status_code == 200
    assert '<form method="post">' in page.text
    assert "anna@example.org" in page.text


async def test_the_button_confirms_and_again_is_no_harm(web: Visit) -> None:
    pending = await web.ask()
    for _ in range(2):
        answer = await web.post(web.confirm_path(pending))
        assert answer.status_code == 200
        assert "Sie haben abonniert" in answer.text
        assert "am Dienstag, 24. November 2026, um 07:00 Uhr" in answer.text
    assert (await web.known()).state is SubscriptionState.ACTIVE
    assert [event.kind for event in await web.record()] == ["requested", "confirmed"]
    assert "Sie haben abonniert" in (await web.get(web.confirm_path(pending))).text


async def test_a_confirm_link_does_not_bring_back_who_left(web: Visit) -> None:
    pending = await web.ask()
    await web.post(web.confirm_path(pending))
    await web.post(web.unsubscribe_path(pending))
    assert (await web.get(web.confirm_path(pending))).status_code == 404
    assert (await web.post(web.confirm_path(pending))).status_code == 404
    assert (await web.known()).state is SubscriptionState.UNSUBSCRIBED


@pytest.mark.parametrize("kind", ["urlencoded", "multipart", "nothing", "button", "nonsense"])
async def test_one_post_ends_the_subscription_whatever_it_holds(web: Visit, kind: str) -> None:
    path = web.unsubscribe_path(await web.admit())
    if kind == "urlencoded":
        answer = await web.client.post(path, data={"List-Unsubscribe": "One-Click"})
    elif kind == "multipart":
        answer = await web.client.post(path, files={"List-Unsubscribe": (None, "One-Click")})
    elif kind == "nonsense":
        kinds = {"content-type": "multipart/form-data; boundary=x"}
        answer = await web.client.post(path, content=b"\0\xff", headers=kinds)
    else:
        answer = await web.client.post(path)
    assert answer.status_code == 200
    assert answer.headers.get("location") is None
    assert answer.headers.get("set-cookie") is None
    assert (await web.known()).state is SubscriptionState.UNSUBSCRIBED


async def test_the_record_says_whether_a_mail_program_or_the_page_did_it(web: Visit) -> None:
    await web.admit()
    await web.post(web.unsubscribe_path(await web.known()), **{"List-Unsubscribe": "One-Click"})
    await web.post(web.unsubscribe_path(await web.admit("bert@example.org")))
    doors = [(await web.record(who))[-1].door for who in ("anna@example.org", "bert@example.org")]
    assert doors == ["mail", "web"]


async def test_unsubscribing_again_is_answered_in_the_same_way(web: Visit) -> None:
    path = web.unsubscribe_path(await web.admit())
    first, second = await web.post(path), await web.post(path)
    assert (first.status_code, first.text) == (second.status_code, second.text)
    assert "Sie haben abbestellt" in (await web.get(path)).text
    assert [event.kind for event in await web.record()].count("unsubscribed") == 1


async def test_the_reader_chooses_rhythm_and_language(web: Visit) -> None:
    path = web.preferences_path(await web.admit())
    answer = await web.post(path, frequency="weekly", language="en")
    assert answer.status_code == 200
    assert "Gespeichert" in answer.text
    known = await web.known()
    assert (known.frequency, known.subscriber.language) == ("weekly", "en")
    assert 'value="weekly" checked' in (await web.get(path)).text


async def test_a_choice_that_is_not_offered_leaves_things_as_they_are(web: Visit) -> None:
    before = await web.admit()
    await web.post(web.preferences_path(before), frequency="hourly", language="tlh")
    assert await web.known() == before


async def test_one_leaves_from_the_settings_with_one_click(web: Visit) -> None:
    active = await web.admit()
    page = (await web.get(web.preferences_path(active))).text
    assert f'<form method="post" action="{web.unsubscribe_path(active)}">' in page


async def test_who_is_not_subscribed_has_nothing_to_set(web: Visit) -> None:
    page = (await web.get(web.preferences_path(await web.ask()))).text
    assert "kommt zurzeit nicht an anna@example.org" in page


async def test_wrong_links_are_answered_alike(web: Visit) -> None:
    active, pending = await web.admit("bert@example.org"), await web.ask()
    signer = web.world.signer
    wrong = [
        "x",
        "%00%ff",
        signer.confirm_token(pending.ref, bytes(16)),
        signer.unsubscribe_token(bytes(12)),
        web.unsubscribe_path(active).rpartition("/")[2][:-1],
    ]
    texts = set()
    for purpose in ("confirm", "unsubscribe", "preferences"):
        for token in wrong:
            for method in ("GET", "POST"):
                answer = await web.client.request(method, f"/{purpose}/{token}?lang=de")
                assert answer.status_code == 404
                texts.add(answer.text.partition("<h1>")[2].partition("</main>")[0])
    assert len(texts) == 1
    assert "Dieser Link gilt nicht mehr" in texts.pop()


async def test_a_token_of_one_purpose_opens_no_other_page(web: Visit) -> None:
    active = await web.admit()
    token = web.preferences_path(active).rpartition("/")[2]
    assert (await web.post(f"/unsubscribe/{token}")).status_code == 404
    assert (await web.known()).state is SubscriptionState.ACTIVE


async def test_pages_with_a_token_are_kept_by_nobody(web: Visit) -> None:
    active = await web.admit()
    for path in (web.unsubscribe_path(active), web.preferences_path(active), "/confirm/x"):
        headers = (await web.get(path)).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-robots-tag"] == "noindex"
        assert headers["referrer-policy"] == "no-referrer"


async def test_one_can_leave_a_newsletter_that_was_given_up(web: Visit) -> None:
    active = await web.admit()
    web.offer(HARBOUR)
    assert (await web.get(web.preferences_path(active))).status_code == 200
    assert (await web.get(web.unsubscribe_path(active))).status_code == 200
    assert (await web.post(web.unsubscribe_path(active))).status_code == 200
    assert (await web.known()).state is SubscriptionState.UNSUBSCRIBED


async def test_who_chose_a_rhythm_that_was_given_up_reads_the_default_one(web: Visit) -> None:
    active = await web.admit()
    await web.post(web.preferences_path(active), frequency="weekly")
    web.offer(replace(STADTBLATT, schedules=STADTBLATT.schedules[:1]))
    page = (await web.get(web.preferences_path(active))).text
    assert "am Dienstag, 24. November 2026, um 07:00 Uhr" in page
