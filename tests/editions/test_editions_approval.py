"""When a draft is shown, when its edition goes out, and what pins bring a story to a place."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from digest.editions.approval import goes_at, is_overtaken, put, slot_to_show
from digest.model.edition import Slot
from digest.model.newsletter import FeedSource, Newsletter, Schedule, Sender
from digest.model.policy import Approval
from digest.model.proof import Proof, ProofState

LAST = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
#: 07:00 in Berlin on the next day
SLOT = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
BEFORE = timedelta(minutes=45)
SENDING = Approval(before=BEFORE, editors=("chef@stadtblatt.example",))
HOLDING = replace(SENDING, silence="hold")
DAILY = Schedule(name="daily", cron="0 7 * * *")
EDITED = Newsletter(
    slug="stadtblatt",
    title="Stadtblatt",
    description="",
    sender=Sender(name="Stadtblatt", address="post@stadtblatt.example"),
    reply_to=None,
    language="de",
    timezone="Europe/Berlin",
    theme="plain",
    address="Am Markt 1",
    imprint_url=None,
    feeds=(FeedSource(url="https://stadtblatt.example/feed"),),
    schedules=(DAILY,),
    limit=20,
    approval=SENDING,
)


def a_proof(
    state: ProofState = ProofState.OPEN,
    *,
    made_at: datetime = SLOT - BEFORE,
    told_at: datetime | None = None,
) -> Proof:
    return Proof(
        id=1,
        slot=Slot(newsletter="stadtblatt", schedule="daily", at=SLOT),
        made_at=made_at,
        ref=bytes(12),
        state=state,
        lead="",
        shown=(1,),
        known=frozenset({1}),
        told_at=told_at,
    )


def test_a_draft_is_shown_so_long_before_its_slot() -> None:
    def shown(now: datetime) -> datetime | None:
        return slot_to_show(EDITED, DAILY, last=LAST, now=now)

    assert shown(SLOT - BEFORE - timedelta(seconds=1)) is None
    assert shown(SLOT - BEFORE) == SLOT
    assert shown(SLOT - timedelta(seconds=1)) == SLOT
    # nobody could show it before: it is shown late
    assert shown(SLOT + timedelta(hours=3)) == SLOT
    # the next one is near: that is the one to be shown
    assert shown(SLOT + timedelta(hours=23, minutes=30)) == SLOT + timedelta(days=1)
    assert slot_to_show(replace(EDITED, approval=None), DAILY, last=LAST, now=SLOT) is None


def test_a_slot_that_was_sent_early_is_not_shown_again() -> None:
    now = SLOT - timedelta(minutes=10)
    assert slot_to_show(EDITED, DAILY, last=SLOT, now=now) is None


def test_editors_of_a_quick_rhythm_have_the_time_between_two_slots() -> None:
    hourly = Schedule(name="hourly", cron="0 * * * *")
    slow = replace(EDITED, schedules=(hourly,), approval=replace(HOLDING, before=BEFORE * 4))
    now = SLOT + timedelta(minutes=1)
    assert slot_to_show(slow, hourly, last=SLOT, now=now) == SLOT + timedelta(hours=1)


@pytest.mark.parametrize(
    ("state", "silent", "expected"),
    [
        (ProofState.OPEN, "send", SLOT),
        (ProofState.OPEN, "hold", None),
        (ProofState.HELD, "send", None),
        (ProofState.APPROVED, "hold", SLOT),
        (ProofState.RELEASED, "hold", SLOT - BEFORE),
        (ProofState.PASSED, "send", None),
    ],
)
def test_what_was_said_says_when_it_goes(
    state: ProofState, silent: str, expected: datetime | None
) -> None:
    approval = HOLDING if silent == "hold" else SENDING
    assert goes_at(a_proof(state), approval) == expected


def test_editors_who_were_told_late_have_their_time() -> None:
    late = SLOT + timedelta(hours=2)
    assert goes_at(a_proof(made_at=late), SENDING) == late + BEFORE
    # made in time, and the relay took the mail two hours later
    assert goes_at(a_proof(told_at=late), SENDING) == late + BEFORE
    # a little late is in time
    soon = SLOT - BEFORE + timedelta(minutes=5)
    assert goes_at(a_proof(told_at=soon), SENDING) == SLOT


def test_a_proof_is_overtaken_by_the_next_slot_and_by_a_week() -> None:
    held = a_proof(ProofState.HELD)
    assert not is_overtaken(held, EDITED, DAILY, now=SLOT + timedelta(hours=23))
    assert is_overtaken(held, EDITED, DAILY, now=SLOT + timedelta(days=1))
    monthly = Schedule(name="monthly", cron="0 7 24 * *")
    rare = replace(EDITED, schedules=(monthly,), approval=HOLDING)
    assert not is_overtaken(held, rare, monthly, now=SLOT + timedelta(days=6))
    assert is_overtaken(held, rare, monthly, now=SLOT + timedelta(days=7))


def test_a_story_is_put_where_it_shall_stand_by_as_few_pins_as_can_be() -> None:
    order = [10, 20, 30, 40]
    assert put(order, {}, 30, 1) == {30: 1}
    assert put(order, {}, 30, 2) == {10: 1, 30: 2}
    assert put(order, {}, 10, 3) == {20: 1, 30: 2, 10: 3}
    # what is pinned stays before the rest
    assert put(order, {10: 1, 20: 2}, 40, 1) == {40: 1, 10: 2, 20: 3}
    assert put(order, {10: 1, 20: 7}, 10, 2) == {20: 1, 10: 2}
    # one that was left out, and a place that is none
    assert put(order, {}, 50, 1) == {50: 1}
    assert put(order, {}, 20, 999) == {10: 1, 30: 2, 40: 3, 20: 4}
    assert put([], {}, 50, 3) == {50: 1}
