"""What becomes of a row after an attempt, and whether it goes into anybody's record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from digest.deliveries.settle import Settled, settle
from digest.model.delivery import (
    Bounced,
    Claim,
    Deferred,
    DeliveryState,
    Outcome,
    Reply,
    Sent,
    Uncertain,
)
from digest.model.report import Cause

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
OWN_FAULTS = (Cause.BLOCKED, Cause.MESSAGE, Cause.PROTOCOL)


def settled(
    outcome: Outcome,
    *,
    notice: bool = False,
    age: timedelta = timedelta(),
    hold: bool = False,
    attempts: int = 0,
    expiry: timedelta = timedelta(days=2),
) -> Settled:
    claim = Claim(
        id=1,
        edition_id=None if notice else 7,
        notice="confirm" if notice else None,
        subscription_id=1,
        attempts=attempts,
        created_at=NOW - age,
    )
    return settle(outcome, claim, now=NOW, spread=0.5, hold=hold, expiry=expiry)


def refused(cause: Cause, code: int = 550) -> Bounced:
    return Bounced(reply=Reply(code=code, enhanced=None, text="no"), cause=cause)


def later(cause: Cause = Cause.PASSING, code: int = 450) -> Deferred:
    return Deferred(reply=Reply(code=code, enhanced=None, text="later"), cause=cause)


def test_a_sent_one_is_over_and_nobody_is_blamed() -> None:
    found = settled(Sent(reply=Reply(code=250, enhanced=None, text="ok")))
    assert (found.state, found.due_at, found.cause, found.counts) == (
        DeliveryState.SENT,
        None,
        None,
        False,
    )


@pytest.mark.parametrize(
    "cause", [Cause.GONE, Cause.CLOSED, Cause.NOWHERE, Cause.REFUSED, Cause.FULL]
)
@pytest.mark.parametrize("notice", [True, False])
def test_a_refusal_of_the_reader_ends_it_and_counts(cause: Cause, *, notice: bool) -> None:
    found = settled(refused(cause), notice=notice)
    assert (found.state, found.due_at, found.counts) == (DeliveryState.BOUNCED, None, True)


@pytest.mark.parametrize("cause", OWN_FAULTS)
def test_a_refusal_of_ours_waits_for_us(cause: Cause) -> None:
    found = settled(refused(cause))
    assert found.state is DeliveryState.DEFERRED
    assert found.due_at == NOW + timedelta(minutes=5)
    assert found.counts is (cause is Cause.BLOCKED)


def test_service_mail_waits_where_the_sender_is_blocked_and_ends_where_itself_is_refused() -> None:
    assert settled(refused(Cause.BLOCKED), notice=True).state is DeliveryState.DEFERRED
    assert settled(refused(Cause.MESSAGE), notice=True).state is DeliveryState.BOUNCED
    assert settled(refused(Cause.PROTOCOL), notice=True).state is DeliveryState.BOUNCED


def test_what_waits_expires_on_its_curve_and_only_then_counts() -> None:
    fresh, stale = settled(later()), settled(later(), age=timedelta(days=2))
    assert (fresh.state, fresh.counts) == (DeliveryState.DEFERRED, False)
    assert (stale.state, stale.due_at, stale.counts) == (DeliveryState.EXPIRED, None, True)
    longer = settled(later(), age=timedelta(days=2), expiry=timedelta(days=5))
    assert longer.state is DeliveryState.DEFERRED


def test_a_server_that_leaves_costs_nobodys_standing_even_when_it_never_comes_back() -> None:
    for age in (timedelta(), timedelta(days=2)):
        for cause in (Cause.PASSING, Cause.FULL):
            found = settled(later(cause, code=421), age=age)
            assert (found.cause, found.counts) == (None, False)
    # but it may leave because of our pace
    assert settled(later(Cause.PACE, code=421)).cause is Cause.PACE


def test_a_doubt_waits_or_is_held_and_is_never_the_readers() -> None:
    unheard = Uncertain(reason="hung up")
    waits, held = settled(unheard), settled(unheard, hold=True)
    assert (waits.state, waits.due_at) == (DeliveryState.UNCERTAIN, NOW + timedelta(minutes=5))
    assert (held.state, held.due_at) == (DeliveryState.UNCERTAIN, None)
    assert (waits.doubtful, held.doubtful, waits.counts, held.counts) == (True, True, False, False)
    old = settled(unheard, age=timedelta(days=2))
    assert (old.state, old.doubtful, old.counts) == (DeliveryState.EXPIRED, True, False)
    assert settled(unheard, age=timedelta(days=99), hold=True).state is DeliveryState.UNCERTAIN
