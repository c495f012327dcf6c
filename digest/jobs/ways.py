"""Asks a site for what its feed does not show any more, in four ways; stores nothing.

Each way gives its pages one by one, the newest articles first, and ends where the site ends, where
it does not answer, or where what it gives is not the feed's. Never asks another site.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from itertools import count

from digest.articles.make import make_articles
from digest.articles.recognise import signs_of
from digest.feeds import backfill, sitemap, wordpress
from digest.feeds.backfill import Dated
from digest.jobs.reading import Read, read_aside
from digest.jobs.world import World
from digest.model.article import NewArticle
from digest.model.feed import Entry, Feed, FeedFailure, Fetched, ParsedFeed

log = logging.getLogger("digest.fill")

#: questions to one site for one gap
PAGES = 30
#: sitemaps that are looked into until one has news
SITEMAPS = 6
#: where a post of 100 is long, 100 of them are larger than what we take
FEWER = 20
#: what a WordPress feed shows if nobody changed it; a shorter one shows all that there is
_USUAL = 10


@dataclass(frozen=True, slots=True)
class Page:
    """A page of older articles, the newest first; `end`: the site has none behind it."""

    articles: tuple[NewArticle, ...]
    end: bool = False


def signs(article: NewArticle) -> frozenset[str]:
    """Everything that an article is known by."""
    return frozenset(signs_of(article))


def dated(articles: Iterable[NewArticle]) -> list[Dated]:
    """As far as two lists are compared."""
    return [Dated(each.published_at, signs(each)) for each in articles]


def in_order(articles: Sequence[NewArticle]) -> tuple[NewArticle, ...]:
    """The newest first, as the document has it where it is in the order of time."""
    places = backfill.newest_first([each.published_at for each in articles])
    return tuple(articles[place] for place in places)


class Asking:
    """The questions for one feed: whom they may go to, how many are left, and what was learned."""

    def __init__(self, world: World, feed: Feed, parsed: ParsedFeed) -> None:
        self.feed = feed
        self.parsed = parsed
        self.left = PAGES
        #: why the last question brought nothing
        self.failure: FeedFailure | None = None
        #: where the API stands, by the headers that came on the way
        self.api: str | None = None
        self.shown = self.make(parsed.entries, world.clock())
        self._world = world
        self._robots = world.source(feed.url).robots
        self._hosts = backfill.hosts_of(feed.url, feed.moved_to, parsed.site_url)

    async def ask(self, url: str, *, robots: bool = True) -> Fetched | None:
        """The page at `url`, or None where it may not be asked for, fails, or leads elsewhere."""
        self.failure = None
        if self.left <= 0 or not backfill.is_own(url, self._hosts):
            return None
        self.left -= 1
        answer = await self._world.fetcher.fetch_page(url, robots=robots and self._robots)
        if isinstance(answer, FeedFailure):
            log.debug("feed=%s asked=%s failed=%r", self.feed.url, url, answer.reason)
            self.failure = answer
            return None
        if not backfill.is_own(answer.url, self._hosts):
            return None
        self.api = self.api or wordpress.api_root(answer.headers, "", answer.url)
        return answer

    def make(self, entries: Sequence[Entry], now: datetime) -> tuple[NewArticle, ...]:
        """These entries as articles of this feed, the newest first."""
        parsed = replace(self.parsed, entries=tuple(entries))
        return in_order(make_articles(parsed, feed_url=self.feed.url, now=now))

    async def articles(self, entries: Sequence[Entry]) -> tuple[NewArticle, ...]:
        """The same, off the loop."""
        return await asyncio.to_thread(self.make, entries, self._world.clock())

    async def read(self, answer: Fetched) -> tuple[ParsedFeed, tuple[NewArticle, ...]] | None:
        """The feed document that came, and its articles, the newest first."""
        read = await read_aside(answer, self._world.clock())
        return (read.parsed, in_order(read.found)) if isinstance(read, Read) else None

    def is_same_stream(self, listed: Sequence[NewArticle], after: datetime | None) -> bool:
        """Whether what a site lists since then is what its feed shows."""
        if listed:
            return backfill.same_stream(dated(self.shown), dated(listed))
        times = [each.published_at for each in self.shown]
        return after is not None and not any(each and each > after for each in times)


async def paged_feed(asking: Asking, *, first: bool) -> AsyncIterator[Page]:
    """The feed's own pages, as WordPress has them; who does not know `paged` gives page 1 again.

    `first`: nothing of the feed is held, so that its first page may be all there is.
    """
    seen = frozenset[str]().union(*map(signs, asking.shown))
    for number in count(2):
        answer = await asking.ask(backfill.paged(asking.feed.address, number))
        if answer is None:
            failure = asking.failure
            # WordPress answers 404 where a query finds no posts, so behind the last page
            if (
                failure
                and failure.status == HTTPStatus.NOT_FOUND
                and _may_end(asking, number, first=first)
            ):
                yield Page((), end=True)
            return
        read = await asking.read(answer)
        if read is None:
            return
        _, articles = read
        fresh = [each for each in articles if not signs(each) & seen]
        if len(fresh) * 2 <= len(articles):
            return
        seen = seen.union(*map(signs, fresh))
        yield Page(articles)


def _may_end(asking: Asking, number: int, *, first: bool) -> bool:
    if number > 2:  # noqa: PLR2004 -- page 2 came, so there are pages
        return True
    entries = asking.parsed.entries
    return first and len(entries) < _USUAL and wordpress.has_its_guids(entries)


async def archives(asking: Asking) -> AsyncIterator[Page]:
    """Paged and archived feeds (RFC 5005 §3, §4): each document names the older one."""
    url = asking.parsed.next_url or asking.parsed.archive_url
    been = {asking.feed.address}
    while url and url not in been:
        been.add(url)
        answer = await asking.ask(url)
        read = await asking.read(answer) if answer else None
        if read is None:
            return
        parsed, articles = read
        url = parsed.next_url or parsed.archive_url
        yield Page(articles, end=not url)


async def wordpress_posts(asking: Asking, since: datetime | None) -> AsyncIterator[Page]:
    """The posts of the REST API since then, of the feed's category or tag where it has one."""
    site = asking.parsed.site_url
    place = wordpress.place_of(asking.feed.address, site)
    root = await _api(asking) if place else None
    if place is None or root is None:
        return
    term = await _term(asking, root, place)
    if term is None and place.kind != "site":
        return
    per_page = wordpress.PER_PAGE
    for number in count(1):
        answer = await asking.ask(
            wordpress.posts_url(root, after=since, number=number, per_page=per_page, term=term)
        )
        if answer is None and number == 1:
            per_page = FEWER
            answer = await asking.ask(
                wordpress.posts_url(root, after=since, number=1, per_page=per_page, term=term)
            )
        entries = wordpress.read_posts(answer.body, url=answer.url) if answer else None
        if answer is None or entries is None:
            return
        articles = await asking.articles(entries)
        if number == 1 and not asking.is_same_stream(articles, since):
            return
        last = wordpress.pages(answer.headers)
        end = number >= last if last is not None else len(entries) < per_page
        yield Page(articles, end=end)
        if end:
            return


async def _api(asking: Asking) -> str | None:
    """Where the API stands: a header that we met, the site's page, or where it usually is."""
    site = asking.parsed.site_url
    if asking.api or not site:
        return asking.api
    answer = await asking.ask(site)
    page = answer.body[:200_000].decode("utf-8", "replace") if answer else ""
    if answer and not asking.api:
        asking.api = wordpress.api_root({}, page, answer.url)
    likely = wordpress.looks_like_wordpress(page) or wordpress.has_its_guids(asking.parsed.entries)
    if not asking.api and likely:
        asking.api = f"{site.rstrip('/')}/wp-json/"
    return asking.api


async def _term(asking: Asking, root: str, place: wordpress.Place) -> wordpress.Term | None:
    if place.kind == "site":
        return None
    if place.kind == "category" and place.name.isdigit():
        return wordpress.Term("category", int(place.name))
    for kind in ("category", "tag"):
        if place.kind in {kind, "unknown"}:
            answer = await asking.ask(wordpress.term_url(root, kind, place.name))
            number = wordpress.read_term(answer.body) if answer else None
            if number is not None:
                return wordpress.Term(kind, number)
    return None


async def news(asking: Asking) -> AsyncIterator[Page]:
    """The news sitemap, which names what was published in the last two days."""
    base = backfill.origin(asking.parsed.site_url or asking.feed.address)
    if base is None:
        return
    # robots.txt may always be read (RFC 9309 §2.2.2)
    robots = await asking.ask(f"{base}/robots.txt", robots=False)
    named = robots.body.decode("utf-8", "replace") if robots else ""
    waiting = deque(sitemap.places(named, base))
    been: set[str] = set()
    while waiting and len(been) < SITEMAPS:
        url = waiting.popleft()
        if url in been:
            continue
        been.add(url)
        answer = await asking.ask(url)
        read = await asyncio.to_thread(_sitemap, answer) if answer else None
        if read is None:
            continue
        waiting.extendleft(reversed(sitemap.likely(read.children)))
        articles = await asking.articles(read.entries)
        if articles and asking.is_same_stream(articles, None):
            yield Page(articles)
            return


def _sitemap(answer: Fetched) -> sitemap.Sitemap | None:
    return sitemap.read_sitemap(answer.body, url=answer.url)
