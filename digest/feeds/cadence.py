"""Turns how a poll went into the time of the next one; reads no clock and rolls no dice."""

from __future__ import annotations

from datetime import datetime, timedelta

USUAL = timedelta(minutes=15)
SHORTEST = timedelta(minutes=5)
LONGEST = timedelta(hours=6)
#: a server that asks for more than this is not believed
LONGEST_ASKED = timedelta(hours=24)
AFTER_GONE = timedelta(days=30)
SPREAD = 0.1


def next_poll(
    now: datetime,
    *,
    ttl: timedelta | None,
    failures: int,
    retry_after: timedelta | None,
    gone: bool,
    jitter: float,
) -> datetime:
    """When to poll again.

    `ttl` is the publisher's wish (kept between 5 minutes and 6 hours), `failures` counts the polls
    that failed in a row (each doubles the wait, up to 6 hours), `retry_after` is what the server
    asked for (up to a day), `gone` that it said 410 (a month). `jitter` between 0 and 1 spreads
    feeds that would come due together: it adds up to a tenth.
    """
    wait = AFTER_GONE if gone else _wait(ttl, failures)
    if retry_after is not None:
        wait = max(wait, min(retry_after, LONGEST_ASKED))
    return now + wait * (1 + SPREAD * jitter)


def _wait(ttl: timedelta | None, failures: int) -> timedelta:
    wait = USUAL if ttl is None else min(max(ttl, SHORTEST), LONGEST)
    doublings = min(failures, 16)  # more would overflow, and 6 hours are reached long before
    return min(wait * (1 << doublings), LONGEST)
