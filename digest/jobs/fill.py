"""Turns a poll that does not join the one before it into the articles that lay between.

Finds the gap in what we hold, asks the site for it, and writes down how that went; what was found
is never lost because a later step fails.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from digest.articles.identify import TEXT
from digest.feeds.backfill import reaches_back
from digest.jobs.ways import (
    Asking,
    Page,
    archives,
    in_order,
    news,
    paged_feed,
    signs,
    wordpress_posts,
)
from digest.jobs.world import World
from digest.model.article import NewArticle
from digest.model.feed import Feed, ParsedFeed
from digest.store import gaps
from digest.store.engine import Connection
from digest.store.signs import lead

log = logging.getLogger("digest.fill")

ENTRIES = 1000
SECONDS = 120.0
#: so many entries dated before what we hold say that we are there
_BEFORE = 2
#: articles that we hold and stop at; older ones do not tell more
HELD = 300
#: a feed that was empty and shows fewer than this shows all that came
USUAL = 10
#: a site that knew no way is asked again after so long
PATIENCE = timedelta(hours=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something may have been published between what a document shows and what we held before."""

    #: the newest that we hold; on the first read, how far back we want to reach. UTC
    since: datetime | None
    #: by what that which we hold is known, but for what the document shows
    known: frozenset[str] = frozenset()
    first: bool = False
    #: the site had no way to tell, a short while ago: it is not asked again
    hopeless: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What was found for a gap."""

    found: tuple[NewArticle, ...] = ()
    #: the way that led furthest, as `store.gaps.GapRow.how` names it
    how: str = ""
    #: what was found reaches back to what is held
    whole: bool = False


async def find_gap(
    connection: Connection,
    feed: Feed,
    found: Sequence[NewArticle],
    *,
    first: bool,
    since_first: datetime | None,
) -> Gap | None:
    """Whether the articles of a document leave a gap to what we hold of its feed; a read.

    On the first read there is one if the document does not reach back to `since_first`; None means
    that everything is taken as it comes.
    """
    back = reaches_back([each.published_at for each in found])
    if first:
        short = since_first is not None and back is not None and back > since_first
        return Gap(since=since_first, first=True) if short else None
    if not found:
        return None
    ids = await _known(connection, feed, in_order(found))
    held = await gaps.newest(connection, feed.id, limit=max(HELD, len(ids) + 1))
    if joins(ids, [each.id for each in held]) or (not held and len(ids) < USUAL):
        return None
    shown = {each for each in ids if each is not None}
    known = await gaps.signs_of(connection, {each.id for each in held} - shown)
    last = (await gaps.latest_gaps(connection, feed_id=feed.id)).get(feed.id)
    asked = last.seen_at if last and not last.how and not last.whole else None
    return Gap(
        since=next((each.at for each in held if each.id not in shown), None) or feed.last_polled_at,
        known=frozenset(known),
        hopeless=bool(asked and feed.last_polled_at and feed.last_polled_at - asked < PATIENCE),
    )


async def _known(
    connection: Connection, feed: Feed, found: Sequence[NewArticle]
) -> list[int | None]:
    """The article of this feed that each entry is, by its key or by title and date.

    The page says too little here: on some, something else stands each day.
    """
    sure = [[each.key, *(sign for sign in each.signs if sign.startswith(TEXT))] for each in found]
    leads = await lead(connection, {sign for each in sure for sign in each})
    here = await gaps.standing_in(connection, set(leads.values()), feed.id)
    return [next((leads[sign] for sign in each if leads.get(sign) in here), None) for each in sure]


def joins(shown: Sequence[int | None], held: Sequence[int]) -> bool:
    """Whether a document reaches back to what we hold.

    `shown`: its entries, the newest first, by the article that each is, None for a new one;
    `held`: what we hold of the feed, the newest first. Only the known entries at the older end
    count: one above new entries is kept on top by its publisher.
    """
    if None not in shown:
        return True
    below = shown[len(shown) - shown[::-1].index(None) :]
    # what is known and stands above a new one says nothing
    out_of_turn = set(shown) - set(below)
    turn = [each for each in held if each not in out_of_turn]
    if not below or not turn:
        return False
    # what we hold and the document passes over was taken back by its publisher; but where that is
    # most of it, the older end is an old post that is kept there, and not where we were
    passed = turn.index(below[0]) if below[0] in turn else len(turn)
    return passed < len(below)


@dataclass(slots=True)
class _Walk:
    """What was found so far, and whether we are where we want to be."""

    gap: Gap
    taken: set[str]
    found: list[NewArticle] = field(default_factory=list)
    how: str = ""
    whole: bool = False

    def take(self, page: Page, how: str) -> bool:
        """Keep what is new of a page; whether this is the end of the way."""
        for each in page.articles:
            if not signs(each) & self.taken and len(self.found) < ENTRIES:
                self.taken |= signs(each)
                if not signs(each) & self.gap.known:
                    self.found.append(each)
                    self.how = how
        self.whole = page.end or self._arrived(page)
        self.how = how if self.whole else self.how
        return self.whole or len(self.found) >= ENTRIES

    def _arrived(self, page: Page) -> bool:
        if not page.articles:
            return False
        since = self.gap.since
        before = [
            each
            for each in page.articles
            if since and each.published_at and each.published_at <= since
        ]
        # one alone may be dated back by its publisher
        arrived = len(before) >= min(_BEFORE, len(page.articles))
        return bool(signs(page.articles[-1]) & self.gap.known) or arrived

    @property
    def filled(self) -> Filled:
        """The outcome so far."""
        return Filled(found=tuple(self.found), how=self.how, whole=self.whole)


async def fill(
    world: World, feed: Feed, parsed: ParsedFeed, gap: Gap, *, seconds: float = SECONDS
) -> Filled:
    """Ask the site for what lies in the gap, within so many seconds; touches no database.

    A way that fails hands over to the next one. Never raises for what a site does.
    """
    if parsed.complete:  # RFC 5005 §2: what it does not show does not exist
        return Filled(whole=True)
    if gap.hopeless:
        return Filled()
    asking = await asyncio.to_thread(Asking, world, feed, parsed)
    walk = _Walk(gap=gap, taken=set().union(*map(signs, asking.shown)))
    ways: tuple[tuple[str, Callable[[], AsyncIterator[Page]]], ...] = (
        ("paged feed", lambda: paged_feed(asking, first=gap.first)),
        ("archive", lambda: archives(asking)),
        ("wordpress", lambda: wordpress_posts(asking, gap.since)),
        ("news sitemap", lambda: news(asking)),
    )
    try:
        async with asyncio.timeout(seconds):
            for how, way in ways:
                if await _go(walk, how, way, feed):
                    break
    except TimeoutError:
        log.info("feed=%s gap=unfinished after %g s", feed.url, seconds)
    return walk.filled


async def _go(walk: _Walk, how: str, way: Callable[[], AsyncIterator[Page]], feed: Feed) -> bool:
    """Go one way until it ends; whether we are there."""
    try:
        async for page in way():
            if walk.take(page, how):
                return True
    except Exception:
        # whatever is wrong with one way, there is the next
        log.warning("feed=%s gap=failed by=%r", feed.url, how, exc_info=True)
    return False


async def record(
    connection: Connection, feed: Feed, gap: Gap, filled: Filled, *, now: datetime
) -> None:
    """Write down that there was a gap, unless nothing was missing after all; in a transaction."""
    if gap.hopeless or (filled.whole and not filled.found):
        return
    log.info(
        "feed=%s gap=%s found=%d by=%r",
        feed.url,
        "filled" if filled.whole else "open",
        len(filled.found),
        filled.how,
    )
    await gaps.add(
        connection,
        gaps.GapRow(
            feed_id=feed.id,
            since=gap.since,
            seen_at=now,
            found=len(filled.found),
            how=filled.how,
            whole=filled.whole,
        ),
    )
