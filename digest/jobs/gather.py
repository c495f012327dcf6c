"""Polls the feeds whose time has come and keeps their new articles; one bad feed stops no other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from digest.jobs import asking, clerk
from digest.jobs.asking import Answer, Turns, ask
from digest.jobs.audit import look_for_gone
from digest.jobs.enrich import enrich
from digest.jobs.fill import Filled, Gap, fill, find_gap, record
from digest.jobs.keep import Taken, take_in
from digest.jobs.push import note_hub
from digest.jobs.reading import Read, our_fault
from digest.jobs.world import World
from digest.model.feed import Feed, FeedFailure, Unchanged
from digest.model.newsletter import Newsletter
from digest.store import feeds
from digest.store.dialect import lock_articles
from digest.store.engine import Connection

log = logging.getLogger("digest.gather")

#: feeds that are asked now are due for nobody else; for so long, should we be killed meanwhile
CLAIM = timedelta(minutes=5)
#: gaps that are filled at once
FILLS = 16
#: how long pages are asked whether they are gone, seconds
GONE_SECONDS = 60.0
#: how long pages are read for the articles of one poll, seconds
ENRICH_SECONDS = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """What one poll brought."""

    url: str
    status: Literal["ok", "unchanged", "error"]
    new: int = 0
    error: str | None = None
    #: new articles that wait for the operator's word
    held: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What was written down of a poll."""

    poll: Poll
    #: the new articles
    ids: tuple[int, ...] = ()


async def gather(
    world: World,
    newsletters: Iterable[Newsletter],
    *,
    only_due: bool = True,
    retired: bool = False,
    told: Callable[[Poll], None] = lambda _: None,
) -> list[Poll]:
    """Poll the feeds of these newsletters, those that are due or all, and tell each outcome.

    With `retired` those too that said that they are gone for good.
    """
    urls = _urls(newsletters)
    now = world.clock()
    async with world.store.write() as connection:
        await lock_articles(connection)
        await feeds.know(connection, urls, now=now)
        due = await feeds.find(connection, urls, due_at=now if only_due else None, retired=retired)
        await feeds.put_off(connection, [feed.id for feed in due], until=now + CLAIM)
    due.sort(key=lambda feed: urls.index(feed.url))  # told in the operator's order
    round_ = _Round(world)

    async def take(feed: Feed) -> Poll:
        kept = await round_.poll(feed)
        told(kept.poll)
        await _enrich(world, feed, kept.ids)
        return kept.poll

    # whatever the database does not take of one, all others are heard first
    polls = await asyncio.gather(*(take(feed) for feed in due), return_exceptions=True)
    for poll in polls:
        if isinstance(poll, BaseException):
            raise poll
    return [poll for poll in polls if not isinstance(poll, BaseException)]


def _urls(newsletters: Iterable[Newsletter]) -> Sequence[str]:
    return list(dict.fromkeys(source.url for each in newsletters for source in each.feeds))


async def _enrich(world: World, feed: Feed, ids: Sequence[int]) -> None:
    """Read the pages of new articles; they are kept already, so that failure costs nothing."""
    if not ids:
        return
    try:
        async with asyncio.timeout(ENRICH_SECONDS):
            await enrich(world, world.source(feed.url), ids)
    except TimeoutError:
        log.info("feed=%s pages=late after=%gs", feed.url, ENRICH_SECONDS)
    except Exception:
        log.warning("feed=%s pages=failed", feed.url, exc_info=True)


class _Round:
    """Polls that go on at once: their turns at hosts, and one hand that writes for all."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._turns = Turns()
        self._fills = asyncio.Semaphore(FILLS)
        self._clerk = clerk.Clerk(world.store)

    async def poll(self, feed: Feed) -> Kept:
        """Ask one feed what is new, keep it, and say how that went."""
        answer = await ask(self._world, feed, self._turns)
        if answer is None:
            return Kept(poll=Poll(url=feed.url, status="error", error=asking.PUT_OFF))
        gap, filled = await self._fill(feed, answer)
        kept: list[Kept] = []

        async def entry(connection: Connection) -> bool:
            # before any row: processes that poll the same feeds would wait for each other
            await lock_articles(connection)
            kept.append(await keep(connection, self._world, feed, answer, gap=gap, filled=filled))
            return True

        await self._clerk.write(entry)
        poll = kept[-1].poll
        log.info("feed=%s status=%s new=%d%s", poll.url, poll.status, poll.new, _why(poll))
        await self._look_for_gone(feed, answer)
        return kept[-1]

    async def _look_for_gone(self, feed: Feed, answer: Answer) -> None:
        """Take back what its publisher took back; all else of the poll is kept already."""
        if not isinstance(answer, Read):
            return
        try:
            async with asyncio.timeout(GONE_SECONDS), self._fills:
                await look_for_gone(self._world, feed, answer.found)
        except TimeoutError:
            log.info("feed=%s gone=late after=%gs", feed.url, GONE_SECONDS)
        except Exception:
            log.warning("feed=%s gone=failed", feed.url, exc_info=True)

    async def _fill(self, feed: Feed, answer: Answer) -> tuple[Gap | None, Filled | None]:
        """What lies between the document and what we held; no transaction is open meanwhile."""
        if not isinstance(answer, Read):
            return None, None
        world = self._world
        try:
            async with world.store.read() as connection:
                first = await feeds.is_first_read(connection, feed.id)
                window = world.first_window
                since = world.clock() - window if window is not None else None
                gap = await find_gap(connection, feed, answer.found, first=first, since_first=since)
            if gap is None:
                return None, None
            async with self._fills:
                return gap, await fill(world, feed, answer.parsed, gap)
        except Exception:
            # what the document itself holds is kept all the same
            log.warning("feed=%s gap=failed", feed.url, exc_info=True)
            return None, None


def _why(poll: Poll) -> str:
    held = f" held={poll.held}" if poll.held else ""
    return held + (f" error={poll.error!r}" if poll.error else "")


async def keep(
    connection: Connection,
    world: World,
    feed: Feed,
    answer: Answer,
    *,
    gap: Gap | None = None,
    filled: Filled | None = None,
) -> Kept:
    """Write down what a feed answered, in the caller's transaction.

    What the database will not take of one feed is taken back alone and counted as its failure.
    """
    match answer:
        case Read():
            try:
                async with connection.begin_nested():
                    taken = await _keep_read(
                        connection, world, feed, answer, gap=gap, filled=filled
                    )
            except Exception as problem:
                if connection.invalidated:  # it is the database that is gone
                    raise
                log.debug("feed=%s", feed.url, exc_info=problem)
                return await keep(connection, world, feed, our_fault(problem))
            poll = Poll(url=feed.url, status="ok", new=taken.new, held=taken.held)
            return Kept(poll=poll, ids=taken.ids)
        case Unchanged() | asking.Same():
            await feeds.record_unchanged(
                connection,
                feed.id,
                now=world.clock(),
                next_poll_at=asking.after_nothing_new(world, feed),
                place=asking.place_of(feed, answer),
            )
            return Kept(poll=Poll(url=feed.url, status="unchanged"))
        case FeedFailure():
            await _keep_failure(connection, world, feed, answer)
            return Kept(poll=Poll(url=feed.url, status="error", error=answer.reason))


async def _keep_read(
    connection: Connection,
    world: World,
    feed: Feed,
    read: Read,
    *,
    gap: Gap | None,
    filled: Filled | None,
) -> Taken:
    now = world.clock()
    first = await feeds.is_first_read(connection, feed.id)
    others = filled.found if filled else ()
    taken = await take_in(connection, world, feed, read.found, first=first, filled=others)
    if gap is not None and filled is not None:
        await record(connection, feed, gap, filled, now=now)
    await note_hub(connection, world, feed, read.parsed, headers=read.answer.headers)
    interval = asking.learned(read, now)
    await feeds.record_read(
        connection,
        feed.id,
        now=now,
        next_poll_at=asking.after(world, interval),
        title=read.parsed.title,
        place=asking.place_of(feed, read),
        # an empty document says nothing of what is old
        first=first and bool(read.found),
        interval=interval,
        body_hash=asking.hash_of(read.answer),
        site_url=read.parsed.site_url,
        language=read.parsed.language,
    )
    return taken


async def _keep_failure(
    connection: Connection, world: World, feed: Feed, failure: FeedFailure
) -> None:
    retires = failure.gone and feed.address == feed.url
    await feeds.record_failure(
        connection,
        feed,
        now=world.clock(),
        next_poll_at=asking.after_failure(world, feed, failure, gone=retires),
        error=failure.reason,
        retired=retires,
    )
    if retires and feed.retired_at is None:
        log.warning("feed=%s status=retired reason=%r", feed.url, failure.reason)
