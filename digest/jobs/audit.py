"""Compares what we hold with what sites say that they published, once a day a feed, and politely.

What a site names and we lack is taken in; what its publisher took back is not told any more. Only
a page that answers 404 or 410 takes an article back: nothing is lost for any other reason.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus

from digest.feeds.backfill import hosts_of, is_own, reaches_back
from digest.jobs.fill import SECONDS
from digest.jobs.keep import take_in
from digest.jobs.reading import Read, read_aside
from digest.jobs.ways import Asking, Page, news, signs, wordpress_posts
from digest.jobs.world import World
from digest.model.article import NewArticle
from digest.model.feed import Feed, FeedFailure, Fetched, ParsedFeed
from digest.store import articles, gaps
from digest.store.engine import Connection
from digest.store.gaps import Tally
from digest.store.signs import lead

log = logging.getLogger("digest.audit")

#: what is counted
DAY = timedelta(hours=24)
#: a feed is counted again after so long, so that no hour of a day is left out
EVERY = timedelta(hours=20)
#: feeds that are counted at once
AT_ONCE = 4
#: pages that are asked for at a time, to learn whether they are gone
GONE = 5
_TAKEN_BACK = frozenset((HTTPStatus.NOT_FOUND, HTTPStatus.GONE))


async def audit_due(world: World) -> list[Tally]:
    """Count what the feeds published whose count is a day old; the new counts.

    One feed's trouble is its own: what cannot be counted is written down as that, and waits a day.
    """
    now = world.clock()
    urls = [source.url for each in world.newsletters for source in each.feeds]
    async with world.store.read() as connection:
        due = await gaps.uncounted(connection, urls, before=now - EVERY)
    turns = asyncio.Semaphore(AT_ONCE)

    async def take(feed: Feed, first_read_at: datetime) -> Tally:
        reach = world.first_window or DAY
        since = max(now - DAY, first_read_at - reach)
        async with turns:
            return await _audit(world, feed, since=since, now=now)

    return list(await asyncio.gather(*(take(*each) for each in due)))


async def _audit(world: World, feed: Feed, *, since: datetime, now: datetime) -> Tally:
    listed: tuple[NewArticle, ...] = ()
    how = ""
    try:
        async with asyncio.timeout(SECONDS):
            read = await _read_feed(world, feed)
            if read is not None:
                listed, how = await _listed(world, feed, read.parsed, since)
                # what the site lists reaches further back than what its feed shows
                await look_for_gone(world, feed, listed or read.found)
    except TimeoutError:
        log.info("feed=%s audit=unfinished after %g s", feed.url, SECONDS)
    except Exception:
        log.warning("feed=%s audit=failed", feed.url, exc_info=True)
    async with world.store.write() as connection:
        tally = await _count(connection, world, feed, listed, how, since=since, now=now)
        await gaps.tell(connection, tally)
    log.info("feed=%s published=%d held=%d by=%r", feed.url, tally.published, tally.held, tally.how)
    return tally


async def _read_feed(world: World, feed: Feed) -> Read | None:
    """The whole document as it is now: without validators, for 304 would show us nothing."""
    answer = await world.fetcher.fetch(feed.address)
    read = await read_aside(answer, world.clock()) if isinstance(answer, Fetched) else None
    return read if isinstance(read, Read) else None


async def _listed(
    world: World, feed: Feed, parsed: ParsedFeed, since: datetime
) -> tuple[tuple[NewArticle, ...], str]:
    """All that the site says it published since then, and what says so; "" where nothing does."""
    async with world.store.read() as connection:
        newest = await gaps.newest(connection, feed.id, limit=1)
    # from where we are, so that nothing that is taken in stands behind a gap and hides it
    reach = min([since, *(each.at for each in newest)])
    asking = await asyncio.to_thread(Asking, world, feed, parsed)
    ways: tuple[tuple[str, Callable[[], AsyncIterator[Page]]], ...] = (
        ("wordpress", lambda: wordpress_posts(asking, reach)),
        ("news sitemap", lambda: news(asking)),
    )
    for how, way in ways:
        found: list[NewArticle] = []
        async for page in way():
            found += page.articles
            if page.end or _covers(page, reach):
                return tuple(each for each in found if _is_since(each, reach)), how
    return (), ""


def _is_since(article: NewArticle, since: datetime) -> bool:
    return article.published_at is not None and article.published_at >= since


def _covers(page: Page, since: datetime) -> bool:
    dates = [each.published_at for each in page.articles]
    back = reaches_back(dates)
    return back is not None and back <= since


async def _count(
    connection: Connection,
    world: World,
    feed: Feed,
    listed: Sequence[NewArticle],
    how: str,
    *,
    since: datetime,
    now: datetime,
) -> Tally:
    """Take in what was listed and is not held, and count; in the caller's transaction."""
    day = [each for each in listed if each.published_at and since <= each.published_at <= now]
    if not how:
        held = await gaps.count_held(connection, feed.id, since=since, until=now)
        joined = await _is_joined(connection, feed, since=since, now=now)
        how = "overlap" if joined else ""
        return Tally(feed_id=feed.id, since=since, at=now, published=held, held=held, how=how)
    # from where we are and not only of this day: what is older would stand behind what we take
    missing = await _missing(connection, feed, listed)
    if missing:
        taken = await take_in(connection, world, feed, (), first=False, filled=missing)
        log.info("feed=%s missing=%d new=%d", feed.url, len(missing), taken.new)
    held = len(day) - len(await _missing(connection, feed, day))
    return Tally(feed_id=feed.id, since=since, at=now, published=len(day), held=held, how=how)


async def _missing(
    connection: Connection, feed: Feed, listed: Sequence[NewArticle]
) -> list[NewArticle]:
    """What this feed lacks: what we have by another one only may stand in another newsletter."""
    leads = await lead(connection, {sign for each in listed for sign in signs(each)})
    # what was taken back and is listed again is missing too: taking it in brings it back
    here = await gaps.standing_in(connection, set(leads.values()), feed.id, withdrawn=False)
    return [each for each in listed if not any(leads.get(sign) in here for sign in signs(each))]


async def _is_joined(connection: Connection, feed: Feed, *, since: datetime, now: datetime) -> bool:
    """Whether every poll since then joined the one before it, and there were polls."""
    failing = feed.failing_since is not None and now - feed.failing_since > timedelta(hours=6)
    polled = feed.last_polled_at is not None and feed.last_polled_at > since
    return polled and not failing and await gaps.is_joined(connection, feed.id, since=since)


async def look_for_gone(world: World, feed: Feed, found: Sequence[NewArticle]) -> int:
    """See whether what is gone from a feed while older entries stand there was taken back.

    `found` is all that the feed shows, or all that its site lists. Asks the pages of articles that
    no edition considered, few at a time, and says how many are gone. What answers in any other way
    stays.
    """
    back = reaches_back([each.published_at for each in found])
    if back is None:
        return 0
    async with world.store.read() as connection:
        shown = await lead(connection, {sign for each in found for sign in signs(each)})
        untold = await gaps.untold(connection, feed.id, since=back, limit=len(found) + 50)
    missing = [each for each in untold if each.id not in shown.values()]
    hosts = hosts_of(feed.url, feed.moved_to, *(each.url for each in found))
    robots = world.source(feed.url).robots
    gone: list[int] = []
    # by chance: those that are there after all must not keep us from the others for ever
    for each in world.chance.sample(missing, min(GONE, len(missing))):
        if is_own(each.url, hosts):
            answer = await world.fetcher.fetch_page(each.url, robots=robots)
            if isinstance(answer, FeedFailure) and answer.status in _TAKEN_BACK:
                gone.append(each.id)
    if gone:
        async with world.store.write() as connection:
            await articles.withdraw(connection, gone, world.clock())
        log.info("feed=%s withdrawn=%d", feed.url, len(gone))
    return len(gone)
