"""When a feed is polled again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from digest.feeds.cadence import next_poll

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def minutes(
    *,
    ttl: int | None = None,
    failures: int = 0,
    retry_after: int | None = None,
    gone: bool = False,
    jitter: float = 0.0,
) -> float:
    due = next_poll(
        NOW,
        ttl=None if ttl is None else timedelta(minutes=ttl),
        failures=failures,
        retry_after=None if retry_after is None else timedelta(minutes=retry_after),
        gone=gone,
        jitter=jitter,
    )
    return (due - NOW) / timedelta(minutes=1)


def test_a_feed_is_polled_every_quarter_of_an_hour() -> None:
    assert minutes() == 15


@pytest.mark.parametrize(("ttl", "wait"), [(0, 5), (1, 5), (30, 30), (360, 360), (10_000, 360)])
def test_the_publishers_wish_counts_within_limits(ttl: int, wait: int) -> None:
    assert minutes(ttl=ttl) == wait


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
