"""Polls the feeds whose time has come and keeps their new articles; one bad feed stops no other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from digest.articles.make import make_articles
from digest.feeds.cadence import next_poll
from digest.feeds.parse import parse
from digest.jobs.world import World
from digest.model.article import NewArticle
from digest.model.feed import Feed, FeedFailure, Fetched, ParsedFeed, Unchanged
from digest.model.newsletter import Newsletter
from digest.store import articles, feeds
from digest.store.engine import Connection

log = logging.getLogger("digest.gather")

#: polls under way at once; more would only wait for the parser
POLLS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """What one poll brought."""

    url: str
    status: Literal["ok", "unchanged", "error"]
    new: int = 0
    error: str | None = None


async def gather(
    world: World,
    newsletters: Iterable[Newsletter],
    *,
    only_due: bool = True,
    told: Callable[[Poll], None] = lambda _: None,
) -> list[Poll]:
    """Poll the feeds of these newsletters, those that are due or all, and tell each outcome."""
    urls = _urls(newsletters)
    now = world.clock()
    async with world.store.write() as connection:
        await feeds.know(connection, urls, now=now)
        due = await feeds.find(connection, urls, due_at=now if only_due else None)
    due.sort(key=lambda feed: urls.index(feed.url))  # told in the operator's order
    turns = asyncio.Semaphore(POLLS)

    async def take(feed: Feed) -> Poll:
        async with turns:
            poll = await poll_feed(world, feed)
        told(poll)
        return poll

    return list(await asyncio.gather(*(take(feed) for feed in due)))


def _urls(newsletters: Iterable[Newsletter]) -> Sequence[str]:
    return list(dict.fromkeys(source.url for each in newsletters for source in each.feeds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A document that came, and the articles made of it."""

    answer: Fetched
    parsed: ParsedFeed
    found: tuple[NewArticle, ...]


async def poll_feed(world: World, feed: Feed) -> Poll:
    """Ask one feed what is new, keep it, and say how that went."""
    answer = await ask(world, feed)
    async with world.store.write() as connection:
        poll = await keep(connection, world, feed, answer)
    log.info("feed=%s status=%s new=%d%s", poll.url, poll.status, poll.new, _why(poll))
    return poll


def _why(poll: Poll) -> str:
    return f" error={poll.error!r}" if poll.error else ""


async def ask(world: World, feed: Feed) -> Read | Unchanged | FeedFailure:
    """Fetch and read one feed; touches no database. A fault of ours stops no other feed either."""
    try:
        answer = await world.fetcher.fetch(
            feed.url, etag=feed.etag, last_modified=feed.last_modified
        )
        if not isinstance(answer, Fetched):
            return answer
        # off the loop: a large feed takes a tenth of a second to read
        return await asyncio.to_thread(_read, answer, world.clock())
    except Exception as problem:  # noqa: BLE001 -- whatever it is, it is this feed's trouble alone
        return _our_fault(feed, problem)


def _our_fault(feed: Feed, problem: Exception) -> FeedFailure:
    log.debug("feed=%s", feed.url, exc_info=problem)
    return FeedFailure(reason=f"our own fault: {type(problem).__name__}: {problem}")


def _read(answer: Fetched, now: datetime) -> Read | FeedFailure:
    parsed = parse(answer.body, url=answer.url, content_type=answer.content_type)
    if isinstance(parsed, FeedFailure):
        return parsed
    found = make_articles(parsed, feed_url=answer.url, now=now)
    return Read(answer=answer, parsed=parsed, found=found)


async def keep(
    connection: Connection, world: World, feed: Feed, answer: Read | Unchanged | FeedFailure
) -> Poll:
    """Write down what a feed answered, in the caller's transaction.

    What the database will not take of one feed is taken back alone and counted as its failure.
    """
    match answer:
        case Read():
            try:
                async with connection.begin_nested():
                    return await _keep_read(connection, world, feed, answer)
            except Exception as problem:
                if connection.invalidated:  # it is the database that is gone
                    raise
                return await keep(connection, world, feed, _our_fault(feed, problem))
        case Unchanged():
            when = _next_poll(world)
            await feeds.record_unchanged(connection, feed.id, now=world.clock(), next_poll_at=when)
            return Poll(url=feed.url, status="unchanged")
        case FeedFailure():
            when = _next_poll(world, failures=feed.failures + 1, failure=answer)
            await feeds.record_failure(
                connection, feed, now=world.clock(), next_poll_at=when, error=answer.reason
            )
            return Poll(url=feed.url, status="error", error=answer.reason)


async def _keep_read(connection: Connection, world: World, feed: Feed, read: Read) -> Poll:
    now, window = world.clock(), world.first_window
    first = await feeds.is_first_read(connection, feed.id)
    new = await articles.keep(
        connection,
        feed.id,
        read.found,
        now=now,
        fresh_since=now - window if window is not None else None,
        all_fresh=not first or window is None,
    )
    await feeds.record_read(
        connection,
        feed.id,
        now=now,
        next_poll_at=_next_poll(world, ttl=read.parsed.ttl),
        title=read.parsed.title,
        etag=read.answer.etag,
        last_modified=read.answer.last_modified,
        moved_to=read.answer.moved_to,
        first=first,
    )
    return Poll(url=feed.url, status="ok", new=new)


def _next_poll(
    world: World,
    *,
    ttl: timedelta | None = None,
    failures: int = 0,
    failure: FeedFailure | None = None,
) -> datetime:
    return next_poll(
        world.clock(),
        ttl=ttl,
        failures=failures,
        retry_after=failure.retry_after if failure else None,
        gone=failure.gone if failure else False,
        jitter=world.chance.random(),
    )
