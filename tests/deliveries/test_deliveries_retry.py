from datetime import UTC, datetime, timedelta

import pytest

from digest.deliveries.retry import next_attempt

BORN = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def waits(spread: float) -> list[timedelta]:
    """Every wait of a delivery that is deferred until it expires."""
    now = BORN
    found: list[timedelta] = []
    while at := next_attempt(attempts=len(found) + 1, created_at=BORN, now=now, spread=spread):
        found.append(at - now)
        now = at
    return found


def test_the_waits_grow_to_four_hours_and_end_within_two_days() -> None:
    first = [timedelta(minutes=each) for each in (5, 15, 30, 60, 120)]
    assert waits(0.5) == first + [timedelta(hours=4)] * 11
    assert sum(waits(0.5), timedelta()) <= timedelta(days=2) < sum(waits(0.5), timedelta(hours=4))


@pytest.mark.parametrize(("spread", "seconds"), [(0.0, 270), (0.5, 300), (1.0, 330)])
def test_what_failed_together_comes_back_apart(spread: float, seconds: int) -> None:
    at = next_attempt(attempts=1, created_at=BORN, now=BORN, spread=spread)
    assert at == BORN + timedelta(seconds=seconds)


def test_the_last_moment_still_counts_and_the_next_does_not() -> None:
    expiry = timedelta(minutes=5)
    late = BORN + timedelta(microseconds=1)
    at = next_attempt(attempts=1, created_at=BORN, now=BORN, spread=0.5, expiry=expiry)
    assert at == BORN + expiry
    assert next_attempt(attempts=1, created_at=BORN, now=late, spread=0.5, expiry=expiry) is None


@pytest.mark.parametrize(("attempts", "spread"), [(0, 0.5), (1, -0.1), (1, 1.1)])
def test_a_wrong_question_is_refused(attempts: int, spread: float) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        next_attempt(attempts=attempts, created_at=BORN, now=BORN, spread=spread)
