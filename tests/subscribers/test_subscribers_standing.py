"""Whether we go on writing to an address: weights that fade."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from digest.model.report import Cause
from digest.subscribers.standing import LIMIT, Bounce, is_dead, score

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def ago(cause: Cause, *days: float) -> list[Bounce]:
    return [Bounce(cause=cause, at=NOW - timedelta(days=each)) for each in days]


def dead(*bounces: list[Bounce]) -> bool:
    return is_dead([each for some in bounces for each in some], now=NOW)


def test_one_mailbox_that_is_not_there_is_enough() -> None:
    assert dead(ago(Cause.GONE, 0))
    assert not dead()


def test_a_closed_mailbox_wants_a_second_within_thirty_days() -> None:
    assert not dead(ago(Cause.CLOSED, 0))
    assert dead(ago(Cause.CLOSED, 30, 0))
    assert not dead(ago(Cause.CLOSED, 60, 0))


def test_a_missing_domain_wants_a_third() -> None:
    assert not dead(ago(Cause.NOWHERE, 7, 0))
    assert dead(ago(Cause.NOWHERE, 14, 7, 0))


def test_what_nobody_explains_wants_a_third_over_two_weeks() -> None:
    assert not dead(ago(Cause.REFUSED, 14, 0))
    assert dead(ago(Cause.REFUSED, 14, 7, 0))
    assert not dead(ago(Cause.REFUSED, 13, 7, 0))
    assert not dead(ago(Cause.REFUSED, *range(13)))


@pytest.mark.parametrize("cause", [Cause.FULL, Cause.PASSING])
def test_a_full_mailbox_wants_two_weeks_of_failing_each_day(cause: Cause) -> None:
    assert not dead(ago(cause, *range(10)))
    assert not dead(ago(cause, 21, 14, 7, 0))
    assert dead(ago(cause, *range(15)))


@pytest.mark.parametrize("cause", [Cause.FULL, Cause.PASSING, Cause.REFUSED])
def test_nobody_is_closed_out_by_one_bad_week(cause: Cause) -> None:
    week = ago(cause, *(n / 2 for n in range(14)))
    assert not dead(week)
    # nor because something was odd in spring as well
    assert not dead(week, ago(Cause.PASSING, 200))
    assert not dead(week, ago(Cause.REFUSED, 200))


@pytest.mark.parametrize("cause", [Cause.BLOCKED, Cause.MESSAGE, Cause.PROTOCOL, Cause.PACE])
def test_the_senders_own_troubles_weigh_nothing(cause: Cause) -> None:
    assert score(ago(cause, *range(30)), now=NOW) == 0
    assert not dead(ago(cause, *range(30)))
    # and they do not make a bad week longer
    assert not dead(ago(cause, 20), ago(Cause.REFUSED, 3, 2, 1, 0))


def test_a_weight_halves_in_a_month_and_is_whole_in_the_future() -> None:
    (whole, half, coming) = (score(ago(Cause.GONE, days), now=NOW) for days in (0, 30, -1))
    assert half == pytest.approx(whole / 2)
    assert coming == whole > LIMIT


def test_whoever_failed_in_spring_has_a_clean_record_in_autumn() -> None:
    assert not dead(ago(Cause.CLOSED, 200, 199), ago(Cause.CLOSED, 0))
    assert not dead(ago(Cause.REFUSED, *range(180, 200)), ago(Cause.REFUSED, 0))
