"""When a feed is polled again: as often as its stories come, and never too late for one of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.feeds.cadence import LONGEST, SHORTEST, Rhythm, learn, next_poll, rest, settle

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def every(gap: timedelta, count: int, *, newest: timedelta | None = None) -> list[datetime]:
    """The dates of so many entries, `gap` apart."""
    return [NOW - (newest if newest is not None else gap) - n * gap for n in range(count)]


def minutes(
    *,
    interval: float | None = None,
    failures: int = 0,
    retry_after: int | None = None,
    gone: bool = False,
    jitter: float = 0.0,
) -> float:
    due = next_poll(
        NOW,
        interval=None if interval is None else interval * MINUTE,
        failures=failures,
        retry_after=None if retry_after is None else retry_after * MINUTE,
        gone=gone,
        jitter=jitter,
    )
    return (due - NOW) / MINUTE


# --------------------------------------------------------------- what is learned


def test_a_feed_is_asked_twice_while_two_stories_come() -> None:
    assert learn(every(24 * MINUTE, 10), NOW).interval == 12 * MINUTE
    assert learn(every(HOUR, 10), NOW).interval == HOUR / 2


def test_a_document_that_reaches_back_a_little_is_asked_four_times_within_that() -> None:
    # three at once, then nothing: the gaps between them are long, the document is short
    assert learn([NOW - HOUR, NOW - 2 * HOUR, NOW], NOW).interval == HOUR / 2
    assert learn([NOW - 10 * MINUTE, NOW - 40 * MINUTE], NOW).interval == 10 * MINUTE


def test_a_busy_feed_is_asked_every_five_minutes_at_most() -> None:
    assert learn(every(MINUTE, 50), NOW).interval == SHORTEST


def test_a_feed_that_is_silent_for_long_is_asked_less_often() -> None:
    assert learn(every(HOUR, 10, newest=30 * HOUR), NOW).interval == 3 * HOUR
    assert learn(every(HOUR, 10, newest=400 * DAY), NOW).interval == LONGEST
    assert learn([NOW - 20 * HOUR], NOW).interval == 2 * HOUR


def test_what_somebody_pinned_does_not_lengthen_the_document() -> None:
    pinned = NOW - 3000 * DAY
    document = [*every(40 * MINUTE, 9), pinned]
    assert learn(document, NOW).reach == 9 * 40 * MINUTE


def test_stories_that_came_in_one_moment_are_one_beat() -> None:
    batches = [NOW - n * 4 * HOUR for n in range(1, 6) for _ in range(10)]
    assert learn(batches, NOW).interval == 2 * HOUR


def test_a_feed_without_dates_is_polled_every_quarter_of_an_hour() -> None:
    assert learn([], NOW) == learn([None, None], NOW) == Rhythm(interval=15 * MINUTE, reach=None)


def test_dates_that_lie_ahead_teach_nothing() -> None:
    assert learn([NOW + HOUR, NOW + 2 * HOUR], NOW) == learn([], NOW)


@given(
    ages=st.lists(st.floats(0, 10_000_000), max_size=30),
    wish=st.none() | st.floats(0, 1_000_000),
)
def test_no_story_is_lost_to_politeness(ages: list[float], wish: float | None) -> None:
    rhythm = learn([NOW - timedelta(seconds=age) for age in ages], NOW)
    settled = settle(rhythm, None if wish is None else timedelta(seconds=wish))
    assert SHORTEST <= settled <= LONGEST
    if rhythm.reach is not None:
        assert settled <= max(rhythm.reach / 2, SHORTEST)


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        ((None, None), 30 * MINUTE),
        ((MINUTE, None), 30 * MINUTE),
        ((HOUR, None), HOUR),
        ((HOUR, 2 * HOUR), 2 * HOUR),
        ((40 * HOUR,), 5 * HOUR),  # half of what it reaches back
    ],
)
def test_the_longest_wish_counts_within_limits(
    wishes: tuple[timedelta | None, ...], expected: timedelta
) -> None:
    assert settle(Rhythm(interval=30 * MINUTE, reach=10 * HOUR), *wishes) == expected


def test_a_wish_for_a_document_of_unknown_reach_counts_up_to_an_hour() -> None:
    assert settle(Rhythm(interval=15 * MINUTE, reach=None), 12 * HOUR) == HOUR


def test_a_document_that_did_not_change_keeps_its_rhythm_until_it_is_silent_for_long() -> None:
    assert rest(20 * MINUTE, changed_at=None, now=NOW) == 20 * MINUTE
    assert rest(20 * MINUTE, changed_at=NOW - HOUR, now=NOW) == 20 * MINUTE
    assert rest(20 * MINUTE, changed_at=NOW - 20 * HOUR, now=NOW) == 2 * HOUR
    assert rest(20 * MINUTE, changed_at=NOW - 900 * DAY, now=NOW) == LONGEST
    assert rest(None, changed_at=NOW + DAY, now=NOW) == 15 * MINUTE


# --------------------------------------------------------------- when


def test_what_was_learned_is_kept_to() -> None:
    assert minutes() == 15
    assert minutes(interval=42) == 42


@pytest.mark.parametrize(("failures", "wait"), [(1, 30), (2, 60), (4, 240), (5, 360), (9999, 360)])
def test_each_failure_doubles_the_wait_up_to_six_hours(failures: int, wait: int) -> None:
    assert minutes(failures=failures) == wait


def test_what_the_server_asks_for_counts_up_to_a_day() -> None:
    assert minutes(failures=1, retry_after=600) == 600
    assert minutes(failures=1, retry_after=1) == 30
    assert minutes(failures=1, retry_after=100_000) == 24 * 60


def test_a_feed_that_is_gone_is_left_alone_for_a_month() -> None:
    assert minutes(failures=1, gone=True) == 30 * 24 * 60


def test_jitter_adds_up_to_a_tenth() -> None:
    assert minutes(jitter=1.0) == 16.5
    assert minutes(jitter=0.5) == 15.75
