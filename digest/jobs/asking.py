"""Turns a feed's time that has come into its answer and the time of the next one; stores nothing.

Each host has a few turns of its own, so that one that hangs keeps nobody else waiting, and when it
has wasted enough of our time its other feeds are put off to the next round.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import urlsplit

from digest.feeds.cadence import learn, next_poll, rest, settle
from digest.feeds.headers import http_date
from digest.jobs.reading import Read, our_fault, read_aside
from digest.jobs.world import World
from digest.model.feed import Feed, FeedFailure, Fetched, Unchanged
from digest.store.feeds import Place

log = logging.getLogger("digest.gather")

#: feeds that are asked at once, in all and of one host
POLLS = 128
A_HOST = 2
#: how many seconds of failures one host may cost a round
PATIENCE = 40.0
PUT_OFF = "its host kept us waiting too long with other feeds; it is asked again in some minutes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Same:
    """The server sent the very bytes of the last time."""

    answer: Fetched


Answer = Read | Same | Unchanged | FeedFailure


@dataclass(slots=True)
class _Host:
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(A_HOST))
    #: seconds that went into what failed
    wasted: float = 0.0


class Turns:
    """Who may ask now, in one round of polls."""

    def __init__(self) -> None:
        self._all = asyncio.Semaphore(POLLS)
        self._hosts: defaultdict[str, _Host] = defaultdict(_Host)

    @asynccontextmanager
    async def of(self, url: str) -> AsyncIterator[_Host]:
        """Wait for a turn at the host of `url`."""
        host = self._hosts[urlsplit(url).netloc]
        # the host's own turn first: who waits for that holds none of those for all
        async with host.turns, self._all:
            yield host


async def ask(world: World, feed: Feed, turns: Turns) -> Answer | None:
    """Fetch and read one feed; touches no database. A fault of ours stops no other feed either.

    None: its host has had its time in this round.
    """
    try:
        answer = await _fetch(world, feed, turns)
        if not isinstance(answer, Fetched):
            return answer
        if feed.body_hash == hash_of(answer):
            return Same(answer=answer)
        return await read_aside(replace(answer, known_as=feed.url), world.clock())
    except Exception as problem:
        # whatever it is, it is this feed's trouble alone
        log.debug("feed=%s", feed.url, exc_info=problem)
        return our_fault(problem)


async def _fetch(
    world: World, feed: Feed, turns: Turns
) -> Fetched | Unchanged | FeedFailure | None:
    async with turns.of(feed.address) as host:
        if host.wasted >= PATIENCE:
            return None
        now = asyncio.get_running_loop().time
        began = now()
        known = feed.is_asked_again
        answer = await world.fetcher.fetch(
            feed.address,
            etag=feed.etag if known else None,
            last_modified=feed.last_modified if known else None,
        )
        if isinstance(answer, FeedFailure):
            host.wasted += now() - began
        return answer


def hash_of(answer: Fetched) -> str:
    """By what the same bytes are known."""
    return sha256(answer.body).hexdigest()


def place_of(feed: Feed, answer: Read | Same | Unchanged) -> Place:
    """Where the feed is asked next time.

    A new address is asked without the validators of the old one: a 304 from there would say that
    nothing came after a date of another document.
    """
    fetched = answer if isinstance(answer, Unchanged) else answer.answer
    address = fetched.moved_to or feed.address
    moved_to = None if address == feed.url else address
    if isinstance(fetched, Fetched):
        return Place(moved_to=moved_to, etag=fetched.etag, last_modified=fetched.last_modified)
    if fetched.moved_to is not None:
        return Place(moved_to=moved_to)
    return Place(moved_to=moved_to, etag=feed.etag, last_modified=feed.last_modified)


def learned(read: Read, now: datetime) -> timedelta:
    """The interval that suits a document."""
    dates = [each.published_at or each.updated_at for each in read.parsed.entries]
    return settle(learn(dates, now), read.parsed.ttl, read.answer.max_age)


def after(world: World, interval: timedelta) -> datetime:
    """The time of the poll after one that went well."""
    return next_poll(world.clock(), interval=interval, jitter=world.chance.random())


def after_nothing_new(world: World, feed: Feed) -> datetime:
    """The time of the poll after one that brought what we have."""
    changed_at = http_date(feed.last_modified)
    return after(world, rest(feed.interval, changed_at=changed_at, now=world.clock()))


def after_failure(world: World, feed: Feed, failure: FeedFailure, *, gone: bool) -> datetime:
    """The time of the poll after one that failed."""
    return next_poll(
        world.clock(),
        interval=feed.interval,
        failures=feed.failures + 1,
        retry_after=failure.retry_after,
        gone=gone,
        jitter=world.chance.random(),
    )
