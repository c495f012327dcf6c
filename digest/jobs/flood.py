"""Says when new articles are too many to be news, and does with them what the operator says.

A site that moved, or whose software was changed, may call all that it ever published new. Readers
must not get it all again, so it is held, and the operator is asked.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from digest.errors import DigestError
from digest.jobs.world import World
from digest.model.article import NewArticle
from digest.model.feed import Feed
from digest.store import floods
from digest.store.dialect import lock_articles
from digest.store.engine import Connection
from digest.store.floods import Flood, Outcome

log = logging.getLogger("digest.flood")

#: fewer are never held
LEAST = 10
#: so many times the usual is still news
TIMES = 5
#: ... and so many times the busiest day: a weekly paper publishes an issue at once
TIMES_BUSIEST = 2
#: what is usual is learned from so many days
LEARNED = timedelta(days=30)
#: the articles of a feed that we just met tell its rhythm if they reach back so far
_SHORTEST = 0.25

_DAY = timedelta(days=1)


def is_flood(
    new: int, usual_per_day: float, days_since_last_read: float, busiest_day: int = 0
) -> bool:
    """True when so many new articles are no news; an outage makes room for a catch-up."""
    usual = max(usual_per_day, 1.0) * max(days_since_last_read, 1.0)
    return new >= LEAST and new > max(TIMES * usual, TIMES_BUSIEST * busiest_day)


def usual_per_day(dates: Sequence[datetime], *, now: datetime) -> float:
    """How many articles a day these were, whose dates lie within `LEARNED`."""
    if not dates:
        return 0.0
    reach = max((now - min(dates)) / _DAY, _SHORTEST)
    return len(dates) / min(reach, LEARNED / _DAY)


async def hold(
    connection: Connection, feed: Feed, new: Sequence[NewArticle], *, now: datetime
) -> tuple[int | None, frozenset[str]]:
    """Decide which new articles of a poll are held: the flood's id, and their keys.

    While a flood of the feed stands, what may belong to it joins it: all but what was clearly
    published since.
    """
    stands = next(iter(await floods.standing(connection, feed.id)), None) if new else None
    late = [
        each for each in new if stands and each.published_at and stands.began_at < each.published_at
    ]
    asked = late if stands else list(new)
    flows, usual = await _measure(connection, feed, len(asked), now=now)
    if stands:
        keys = {each.key for each in new} - (set() if flows else {each.key for each in late})
        if keys:
            await floods.grow(connection, stands.id, count=len(keys))
            _tell(feed, len(keys))
        return stands.id, frozenset(keys)
    if not flows:
        return None, frozenset()
    begun = await floods.begin(connection, feed.id, count=len(new), usual=usual, now=now)
    _tell(feed, len(new))
    return begun, frozenset(each.key for each in new)


async def _measure(
    connection: Connection, feed: Feed, new: int, *, now: datetime
) -> tuple[bool, float]:
    """Whether so many are a flood, and how many were usual for the time since the last read."""
    if new < LEAST:
        return False, 0.0
    # what is usual is what it was then: nothing is known of the time since
    read = feed.failing_since or feed.last_polled_at or now
    dates = await floods.dates(connection, feed.id, since=read - LEARNED)
    usual, days = usual_per_day(dates, now=read), (now - read) / _DAY
    busiest = max(Counter(each.date() for each in dates).values(), default=0)
    return is_flood(new, usual, days, busiest), usual * max(days, 1.0)


def _tell(feed: Feed, count: int) -> None:
    log.warning(
        "feed=%s status=held articles=%d: more than can be new; `digest feed held` lists them,"
        " `digest feed release %s` lets them be told, `digest feed drop %s` does not",
        feed.url,
        count,
        feed.url,
        feed.url,
    )


# --------------------------------------------------------------- the operator's word


async def held(world: World) -> list[Flood]:
    """What waits for the operator's word, the longest wait first."""
    async with world.store.read() as connection:
        return await floods.standing(connection)


async def end(world: World, url: str, outcome: Outcome) -> int:
    """Let what is held of a feed be told, or never; return how many articles that were.

    Raises DigestError when nothing of the feed is held.
    """
    async with world.store.write() as connection:
        await lock_articles(connection)
        mine = [each for each in await floods.standing(connection) if each.url == url]
        if not mine:
            raise DigestError(f"nothing of {url} is held; `digest feed held` says what is")
        counts = [
            await floods.end(connection, each.id, outcome, now=world.clock()) for each in mine
        ]
    log.info("feed=%s status=%s articles=%d", url, outcome, sum(counts))
    return sum(counts)
