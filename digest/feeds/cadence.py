"""Turns the rhythm that a feed shows into the time of its next poll; reads no clock, rolls no dice.

The first duty is to lose no story: however long its publisher asks us to wait, a document is read
again before half of what it reaches back has gone by.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median_low

#: for a feed that says nothing of its rhythm
USUAL = timedelta(minutes=15)
SHORTEST = timedelta(minutes=5)
LONGEST = timedelta(hours=6)
#: the longest that a wish counts for where nobody knows how far the document reaches back
UNSURE = timedelta(hours=1)
#: a server that asks for more than this is not believed
LONGEST_ASKED = timedelta(hours=24)
AFTER_GONE = timedelta(days=30)
SPREAD = 0.1

#: polls while a document reaches back once, and while two stories lie apart
_IN_REACH = 4
_IN_GAP = 2
#: a feed that was silent for so long is asked again after a tenth of that
_SILENT = 10
#: today's rhythm, not that of the archive
_NEWEST = 20
#: from so many entries on, the oldest tenth is taken for what somebody pinned there
_ENOUGH = 5
_TWO = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often a feed is worth asking by itself."""

    interval: timedelta
    #: how far back its document goes; None where that cannot be told
    reach: timedelta | None


def learn(dates: Iterable[datetime | None], now: datetime) -> Rhythm:
    """The rhythm of a document, by the dates of its entries.

    It is asked four times while it reaches back once and twice while two stories come; after a
    tenth of its silence when it is silent; between 5 minutes and 6 hours.
    """
    known = sorted({each for each in dates if each is not None and each <= now}, reverse=True)
    if not known:
        return Rhythm(interval=USUAL, reach=None)
    silence = (now - known[0]) / _SILENT
    if len(known) < _TWO:
        return Rhythm(interval=_within(max(USUAL, silence)), reach=None)
    pinned = (len(known) - 1) // 10 + 1 if len(known) >= _ENOUGH else 0
    reach = now - known[-1 - pinned]
    gaps = sorted(later - earlier for later, earlier in pairwise(known[:_NEWEST]))
    often = max(median_low(gaps) / _IN_GAP, silence)
    return Rhythm(interval=_within(min(often, reach / _IN_REACH)), reach=reach)


def settle(rhythm: Rhythm, *wishes: timedelta | None) -> timedelta:
    """The interval after the publisher's wishes (ttl, Cache-Control): the longest one counts.

    Never beyond half of what the document reaches back, nor 6 hours.
    """
    wish = max((each for each in wishes if each is not None), default=rhythm.interval)
    most = UNSURE if rhythm.reach is None else rhythm.reach / 2
    return _within(max(rhythm.interval, min(wish, most)))


def rest(interval: timedelta | None, *, changed_at: datetime | None, now: datetime) -> timedelta:
    """The wait for a document that did not change: as learned, longer when it is silent for long.

    `changed_at` is when its server says that it was changed last.
    """
    silence = (now - changed_at) / _SILENT if changed_at is not None else timedelta(0)
    return _within(max(interval or USUAL, silence))


def next_poll(
    now: datetime,
    *,
    interval: timedelta | None,
    failures: int = 0,
    retry_after: timedelta | None = None,
    gone: bool = False,
    jitter: float,
) -> datetime:
    """When to poll again.

    `interval` is what was learned, `failures` counts the polls that failed in a row (each doubles
    the wait, up to 6 hours), `retry_after` is what the server asked for (up to a day), `gone` that
    it said 410 (a month). `jitter` between 0 and 1 spreads feeds that would come due together: it
    adds up to a tenth.
    """
    wait = AFTER_GONE if gone else _doubled(interval or USUAL, failures)
    if retry_after is not None:
        wait = max(wait, min(retry_after, LONGEST_ASKED))
    return now + wait * (1 + SPREAD * jitter)


def _doubled(wait: timedelta, failures: int) -> timedelta:
    doublings = min(failures, 16)  # more would overflow, and 6 hours are reached long before
    return min(wait * (1 << doublings), LONGEST)


def _within(wait: timedelta) -> timedelta:
    return min(max(wait, SHORTEST), LONGEST)
