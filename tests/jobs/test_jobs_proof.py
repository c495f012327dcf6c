"""The editors see each draft before its slot; silence, a hold and a release do what they say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from editors import (
    BEFORE,
    CHIEF,
    DEPUTY,
    EDITED,
    HOLDING,
    SENDING,
    SLOT,
    Crash,
    Desk,
    open_desk,
)
from jobs_world import DAILY, WEEKLY, Clock, admit, bring, ledger, open_world, reply, sqlite
from loopback import Item, Site

from digest.errors import LinkRefused, RelayAway
from digest.jobs import desk as editing
from digest.jobs.desk import Refusal
from digest.jobs.gather import gather
from digest.jobs.hand_out import hand_out
from digest.jobs.proof import draw, wants_news
from digest.jobs.publish import publish_due, publish_now
from digest.model.delivery import Bounced, Deferred
from digest.model.newsletter import FeedSource, Newsletter
from digest.model.proof import ProofState
from digest.scheduler import publish_all_due, show_drafts

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def desk(database_url: str, clock: Clock) -> AsyncIterator[Desk]:
    async with open_desk(database_url, clock) as one:
        yield one


# --------------------------------------------------------------- silence


async def test_the_draft_comes_so_long_before_its_slot_and_silence_sends_it(desk: Desk) -> None:
    await admit(desk.world, "anna")
    await bring(desk.world, "Eins", "Zwei")
    assert await desk.at(SLOT - BEFORE - MINUTE) == []
    assert desk.post.taken == []
    assert await desk.at(SLOT - BEFORE) == []
    (mail,) = desk.post.mails
    assert (mail["To"], mail["Subject"]) == (CHIEF, "Proof: Eins (+1 more)")
    said = desk.post.said()
    assert said.index("1. Eins") < said.index("2. Zwei")
    assert "rank 0.53: freshness 0.53" in said
    assert "07:00 unless you hold it" in said.replace("\n", " ")
    # told once, and nothing goes before its time
    assert await desk.at(SLOT - MINUTE) == []
    assert (len(desk.post.taken), await ledger(desk.world)) == (1, [])
    assert not await desk.due()
    assert await desk.at(SLOT) == [["Eins", "Zwei"]]
    assert await desk.tick() == []
    assert await desk.outcomes() == [("daily", SLOT, "edition")]
    assert await desk.proofs() == []


@pytest.mark.parametrize("newsletter", [EDITED, HOLDING], ids=["send", "hold"])
async def test_where_nothing_is_new_there_is_no_proof_and_no_waiting(
    tmp_path: Path, clock: Clock, newsletter: Newsletter
) -> None:
    async with open_desk(sqlite(tmp_path), clock, newsletter) as desk:
        assert await desk.at(SLOT - MINUTE) == []
        assert await desk.at(SLOT) == []
        assert (desk.post.taken, await desk.proofs()) == ([], [])
        assert await desk.outcomes() == [("daily", SLOT, "nothing new")]


async def test_silence_that_holds_waits_for_a_release(database_url: str, clock: Clock) -> None:
    async with open_desk(database_url, clock, HOLDING) as desk:
        await bring(desk.world, "Eins")
        await desk.at(SLOT - BEFORE)
        assert "does not go out before you let it" in desk.post.said().replace("\n", " ")
        for hour in range(3):
            assert await desk.at(SLOT + timedelta(hours=hour)) == []
            assert not await desk.due()
        await editing.decide(desk.world, desk.link(), ProofState.APPROVED)
        assert await desk.due()
        assert await desk.tick() == [["Eins"]]
        assert await desk.outcomes() == [("daily", SLOT, "edition")]


async def test_what_came_after_the_draft_goes_out_unseen_by_nobody(desk: Desk) -> None:
    await bring(desk.world, "Eins")
    await desk.at(SLOT - BEFORE)
    desk.clock.forward(minutes=5)
    await bring(desk.world, "Ungesehen")
    assert await desk.at(SLOT) == [["Eins"]]
    await desk.at(SLOT + DAY - BEFORE)
    assert await desk.at(SLOT + DAY) == [["Ungesehen"]]


async def test_nothing_is_lost_that_came_while_a_draft_was_held_for_days(
    tmp_path: Path, clock: Clock
) -> None:
    weekly = replace(HOLDING, schedules=(WEEKLY,))
    slot = SLOT + 6 * DAY
    async with open_desk(sqlite(tmp_path), clock, weekly) as desk:
        await bring(desk.world, "Eins")
        await desk.at(slot - BEFORE)
        await desk.at(slot + timedelta(hours=1))
        await bring(desk.world, "Indessen")
        await desk.at(slot + 4 * DAY)
        await editing.decide(desk.world, desk.link(), ProofState.RELEASED)
        assert await desk.tick() == [["Eins"]]
        await desk.at(slot + 7 * DAY - BEFORE)
        assert "1. Indessen" in desk.post.said()


# --------------------------------------------------------------- the editors' word


async def test_a_held_edition_waits_and_goes_when_it_is_released(desk: Desk) -> None:
    await bring(desk.world, "Eins")
    await desk.at(SLOT - BEFORE)
    token = desk.link()
    held = await editing.decide(desk.world, token, ProofState.HELD)
    assert not isinstance(held, Refusal)
    assert held.goes_at is None
    assert await desk.at(SLOT + timedelta(hours=2)) == []
    assert await editing.decide(desk.world, token, ProofState.APPROVED) not in list(Refusal)
    assert await desk.tick() == [["Eins"]]
    assert await editing.decide(desk.world, token, ProofState.HELD) is Refusal.OVER


async def test_a_hold_that_is_taken_back_in_time_changes_nothing(desk: Desk) -> None:
    await bring(desk.world, "Eins")
    await desk.at(SLOT - BEFORE)
    await editing.decide(desk.world, desk.link(), ProofState.HELD)
    await editing.decide(desk.world, desk.link(), ProofState.APPROVED)
    assert await desk.at(SLOT - MINUTE) == []
    assert await desk.at(SLOT) == [["Eins"]]


async def test_send_now_makes_the_edition_of_that_slot_once(desk: Desk) -> None:
    await bring(desk.world, "Eins")
    await desk.at(SLOT - BEFORE)
    await editing.decide(desk.world, desk.link(), ProofState.RELEASED)
    desk.clock.forward(minutes=1)
    assert await desk.due()
    both = await asyncio.gather(*(publish_due(desk.world, desk.newsletter) for _ in range(3)))
    assert sum(map(len, both)) == 1
    assert await desk.outcomes() == [("daily", SLOT, "edition")]
    await bring(desk.world, "Zwei")
    assert await desk.at(SLOT) == []
    await desk.at(SLOT + DAY - BEFORE)
    assert await desk.at(SLOT + DAY) == [["Zwei"]]


async def test_a_held_slot_that_the_next_one_overtakes_gives_its_stories_to_it(
    desk: Desk,
) -> None:
    await bring(desk.world, "Eins")
    await desk.at(SLOT - BEFORE)
    old = desk.link()
    await editing.decide(desk.world, old, ProofState.HELD)
    await editing.write_lead(desk.world, old, "Guten Morgen")
    assert await desk.at(SLOT) == []
    await desk.at(SLOT + DAY - BEFORE)
    assert desk.link() != old
    assert await desk.at(SLOT + DAY) == [["Eins"]]
    assert await editing.decide(desk.world, old, ProofState.RELEASED) is Refusal.OVER
    assert (await editing.look(desk.world, old)).over
    assert await desk.tick() == []
    assert await desk.outcomes() == [("daily", SLOT + DAY, "edition")]


async def test_two_editors_at_once_the_last_word_counts(desk: Desk) -> None:
    await bring(desk.world, "Eins")
    await desk.at(SLOT - BEFORE)
    token = desk.link()
    said = (ProofState.HELD, ProofState.APPROVED, ProofState.RELEASED)
    await asyncio.gather(*(editing.decide(desk.world, token, each) for each in said))
    assert (await desk.proofs())[0].state in said
    await editing.decide(desk.world, token, ProofState.HELD)
    assert await desk.at(SLOT) == []


async def test_a_send_by_hand_asks_no_editor_and_leaves_the_slot_nothing(desk: Desk) -> None:
    await bring(desk.world, "Eins")
    await desk.at(SLOT - BEFORE)
    await editing.decide(desk.world, desk.link(), ProofState.HELD)
    assert await publish_now(desk.world, desk.newsletter, DAILY) is not None
    found = await editing.look(desk.world, desk.link())
    assert found.draft is None
    await editing.decide(desk.world, desk.link(), ProofState.APPROVED)
    assert await desk.at(SLOT) == []
    assert await desk.proofs() == []


async def test_each_rhythm_has_its_own_proof(database_url: str, clock: Clock) -> None:
    both = replace(EDITED, schedules=(DAILY, WEEKLY))
    monday = SLOT + 6 * DAY
    async with open_desk(database_url, clock, both) as desk:
        clock.at = monday - timedelta(hours=2)
        await desk.tick()
        await bring(desk.world, "Eins")
        await desk.at(monday - BEFORE)
        daily, weekly = sorted(await desk.proofs(), key=lambda each: each.slot.schedule)
        assert (daily.slot.schedule, weekly.slot.schedule) == ("daily", "weekly")
        assert len(desk.post.taken) == 2
        token = desk.world.signer.proof_token(daily.ref)
        await editing.decide(desk.world, token, ProofState.HELD)
        assert await desk.at(monday) == [["Eins"]]
        assert [each[0] for each in await desk.outcomes()][-1] == "weekly"


# --------------------------------------------------------------- when things break


async def test_a_service_that_was_down_over_the_slot_gives_the_editors_their_time(
    desk: Desk,
) -> None:
    await bring(desk.world, "Eins")
    late = SLOT + timedelta(hours=2)
    assert await desk.at(late) == []
    assert "09:45 unless you hold it" in desk.post.said().replace("\n", " ")
    assert await desk.at(late + BEFORE - MINUTE) == []
    assert await desk.at(late + BEFORE) == [["Eins"]]
    assert await desk.outcomes() == [("daily", SLOT, "edition")]


async def test_a_late_draft_that_the_next_slot_is_near_to_is_that_ones(desk: Desk) -> None:
    await bring(desk.world, "Eins")
    near = SLOT + DAY - timedelta(minutes=20)
    assert await desk.at(near) == []
    assert not await desk.due()
    assert [each.slot.at for each in await desk.proofs()] == [SLOT + DAY]
    assert await desk.at(SLOT + DAY) == []  # twenty minutes are too few
    assert await desk.at(near + BEFORE) == [["Eins"]]


async def test_news_in_the_last_minute_of_an_empty_window_are_seen_first(desk: Desk) -> None:
    await desk.at(SLOT - BEFORE)
    desk.clock.at = SLOT
    await bring(desk.world, "Eins")
    # the draft is not made yet: whoever publishes finds something that nobody saw
    assert await publish_due(desk.world, desk.newsletter) == []
    assert await desk.outcomes() == []
    assert await desk.tick() == []
    assert len(desk.post.taken) == 1
    assert await desk.at(SLOT + BEFORE) == [["Eins"]]


async def test_a_restart_between_forgets_nothing(database_url: str, clock: Clock) -> None:
    async with open_desk(database_url, clock) as desk:
        await bring(desk.world, "Eins")
        await desk.at(SLOT - BEFORE)
        token = desk.link()
        await editing.decide(desk.world, token, ProofState.HELD)
        await editing.write_lead(desk.world, token, "Guten Morgen")
    async with open_desk(database_url, clock) as desk:
        assert await desk.at(SLOT) == []
        assert desk.post.taken == []
        (proof,) = await desk.proofs()
        assert (proof.state, proof.lead) == (ProofState.HELD, "Guten Morgen")
        await editing.decide(desk.world, token, ProofState.APPROVED)
        assert await desk.tick() == [["Eins"]]


async def test_a_crash_after_the_mail_repeats_it_with_the_same_message_id(
    database_url: str, clock: Clock
) -> None:
    async with open_desk(database_url, clock) as desk:
        await bring(desk.world, "Eins")
        clock.at = SLOT - BEFORE
        desk.post.answers[CHIEF] = [Crash()]
        with pytest.raises(Crash):
            await desk.tick()
        first = desk.post.taken[0].data
    async with open_desk(database_url, clock) as desk:  # its first tick tells
        assert [each.data for each in desk.post.taken] == [first]
        await desk.tick()
        assert len(desk.post.taken) == 1


async def test_a_mail_that_the_relay_does_not_take_comes_later(desk: Desk) -> None:
    await bring(desk.world, "Eins")
    desk.post.answers[CHIEF] = [
        RelayAway("nobody there"),
        Deferred(reply=reply("451 4.7.1 later")),
    ]
    await desk.at(SLOT - BEFORE)
    await desk.at(SLOT - BEFORE + MINUTE)
    assert desk.post.taken == []
    await desk.at(SLOT - BEFORE + 2 * MINUTE)
    assert len(desk.post.taken) == 1
    assert await desk.at(SLOT) == [["Eins"]]


async def test_editors_who_hear_of_it_at_the_slot_have_their_time(desk: Desk) -> None:
    await bring(desk.world, "Eins")
    desk.post.answers[CHIEF] = [RelayAway("nobody there")] * 2
    await desk.at(SLOT - BEFORE)
    await desk.at(SLOT - 20 * MINUTE)
    await desk.at(SLOT - 5 * MINUTE)
    assert len(desk.post.taken) == 1
    assert await desk.at(SLOT) == []
    assert await desk.at(SLOT - 5 * MINUTE + BEFORE) == [["Eins"]]


async def test_a_mailbox_that_takes_nothing_stops_no_newsletter_whose_silence_sends(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    await bring(desk.world, "Eins")
    desk.post.answers[CHIEF] = [Deferred(reply=reply("452 4.2.2 full"))] * 9
    await desk.at(SLOT - BEFORE)
    assert await desk.at(SLOT) == [["Eins"]]
    assert "editor=chef@stadtblatt.example status=deferred" in caplog.text


async def test_one_editor_whose_mailbox_is_gone_keeps_no_other_from_his_mail(
    tmp_path: Path, clock: Clock
) -> None:
    two = replace(EDITED, approval=replace(SENDING, editors=(CHIEF, DEPUTY)))
    async with open_desk(sqlite(tmp_path), clock, two) as desk:
        await bring(desk.world, "Eins")
        desk.post.answers[CHIEF] = [Bounced(reply=reply("550 5.1.1 who"))]
        await desk.at(SLOT - BEFORE)
        await desk.at(SLOT - BEFORE + MINUTE)
        assert [each["To"] for each in desk.post.mails] == [DEPUTY]


async def test_two_processes_make_one_proof(database_url: str, clock: Clock) -> None:
    async with open_desk(database_url, clock) as desk, open_world(database_url, clock, EDITED) as b:
        await bring(desk.world, "Eins")
        clock.at = SLOT - BEFORE
        other = replace(b, transport=desk.post)
        made = await asyncio.gather(*(draw(each, EDITED) for each in (desk.world, other) * 2))
        assert sum(map(len, made)) == 1
        await hand_out(desk.world, EDITED)
        await hand_out(other, EDITED)
        assert len(desk.post.taken) == 1


async def test_feeds_are_asked_once_when_the_time_of_a_draft_begins(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_desk(sqlite(tmp_path), clock) as desk:
        await bring(desk.world, "Eins")
        assert not await wants_news(desk.world, desk.newsletter)
        clock.at = SLOT - BEFORE
        assert await wants_news(desk.world, desk.newsletter)
        await desk.tick()
        assert not await wants_news(desk.world, desk.newsletter)


async def test_a_newsletter_whose_editors_left_goes_its_own_way(desk: Desk) -> None:
    await bring(desk.world, "Eins")
    await desk.at(SLOT - BEFORE)
    token = desk.link()
    await editing.decide(desk.world, token, ProofState.HELD)
    free = replace(EDITED, approval=None)
    desk.world = replace(desk.world, newsletters=(free,))
    assert await desk.at(SLOT) == [["Eins"]]
    with pytest.raises(LinkRefused):
        await editing.look(desk.world, token)


async def test_the_clock_wakes_it_all_with_feeds_polled_for_the_draft(
    tmp_path: Path, clock: Clock, site: Site
) -> None:
    early = Item("Früh", clock() - timedelta(hours=1))
    served = replace(EDITED, feeds=(FeedSource(url=site.feed("/feed", early)),))
    never = asyncio.Event()
    async with open_desk(sqlite(tmp_path), clock, served) as desk:
        await gather(desk.world, [served])
        clock.at = SLOT - BEFORE
        site.feed("/feed", early, Item("Spät", clock() - MINUTE))
        for _ in range(3):
            await show_drafts(desk.world, never)
        assert site.asked.count("/feed") == 2
        assert "Spät" in desk.post.said()
        assert len(desk.post.taken) == 1
        await publish_all_due(desk.world, never)
        assert not never.is_set()
        await editing.decide(desk.world, desk.link(), ProofState.HELD)
        clock.at = SLOT
        await publish_all_due(desk.world, never)
        assert site.asked.count("/feed") == 2  # nothing is asked while nothing may go out
        await editing.decide(desk.world, desk.link(), ProofState.APPROVED)
        await publish_all_due(desk.world, never)
        assert never.is_set()
        assert await desk.outcomes() == [("daily", SLOT, "edition")]


async def test_all_that_editors_say_is_in_the_edition(desk: Desk) -> None:
    await bring(desk.world, "Eins", "Zwei", "Drei")
    await desk.at(SLOT - BEFORE)
    token = desk.link()
    one, two, three = (await desk.proofs())[0].shown
    await asyncio.gather(
        editing.place(desk.world, token, three, 1),
        editing.retitle(desk.world, token, two, "Zwei und mehr"),
        editing.drop(desk.world, token, one),
        editing.write_lead(desk.world, token, "Guten Morgen"),
    )
    desk.clock.at = SLOT
    (made,) = await publish_due(desk.world, desk.newsletter)
    assert [each.title for each in made.draft.articles] == ["Drei", "Zwei und mehr"]
    assert made.draft.lead == "Guten Morgen"
