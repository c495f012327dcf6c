"""A small site for tests of gaps: a feed whose older entries stand where a test puts them."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

from jobs_world import NOW, STADTBLATT, Clock, open_world
from loopback import Page, Site

from digest.articles.make import make_articles
from digest.feeds.fetch import Fetcher
from digest.feeds.parse import parse
from digest.jobs.fill import Filled, Gap, fill, find_gap, record
from digest.jobs.keep import take_in
from digest.jobs.world import World
from digest.model.article import NewArticle
from digest.model.feed import Feed, ParsedFeed
from digest.model.newsletter import FeedSource
from digest.store import feeds
from digest.store.feeds import Place

HOUR = timedelta(hours=1)


def ago(hours: float) -> datetime:
    return NOW - hours * HOUR


def document(site: Site, hours: Iterable[float], *, more: str = "", foreign: str = "") -> bytes:
    """A feed whose posts are known by how many hours old they are."""
    return (
        '<?xml version="1.0"?><rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"'
        ' xmlns:fh="http://purl.org/syndication/history/1.0"><channel><title>Blatt</title>'
        f"<link>{foreign or site.url}/</link>{more}"
        f"{''.join(_item(site, each) for each in hours)}</channel></rss>"
    ).encode()


def _item(site: Site, hours: float) -> str:
    return (
        f"<item><title>Vor {hours:g} Stunden geschehen</title><link>{link(site, hours)}</link>"
        f'<guid isPermaLink="false">{site.url}/?p={round(hours * 100)}</guid>'
        f"<pubDate>{format_datetime(ago(hours))}</pubDate><description>Mehr.</description></item>"
    )


def link(site: Site, hours: float) -> str:
    return f"{site.url}/vor-{hours:g}/"


def post(site: Site, hours: float) -> dict[str, Any]:
    """The same as the REST API has it."""
    return {
        "date_gmt": ago(hours).strftime("%Y-%m-%dT%H:%M:%S"),
        "guid": {"rendered": f"{site.url}/?p={round(hours * 100)}"},
        "link": link(site, hours),
        "title": {"rendered": f"Vor {hours:g} Stunden geschehen"},
        "excerpt": {"rendered": "<p>Mehr.</p>"},
    }


@dataclass
class Desk:
    """A world with one feed of the site."""

    world: World
    site: Site
    clock: Clock
    path: str = "/feed/"

    @property
    def url(self) -> str:
        return self.site.url + self.path

    async def feed(self) -> Feed:
        async with self.world.store.write() as connection:
            await feeds.know(connection, [self.url], now=self.clock())
            return (await feeds.find(connection, [self.url]))[0]

    def read(self, *hours: float, more: str = "") -> tuple[ParsedFeed, tuple[NewArticle, ...]]:
        """What the feed shows now; it is served from now on, too."""
        self.site.pages[self.path] = Page(document(self.site, hours, more=more))
        parsed = parse(self.site.pages[self.path].body, url=self.url, content_type=None)
        assert isinstance(parsed, ParsedFeed)
        return parsed, make_articles(parsed, feed_url=self.url, now=self.clock())

    async def hold(self, *hours: float) -> None:
        """What an earlier poll brought."""
        _, found = self.read(*hours)
        feed = await self.feed()
        async with self.world.store.write() as connection:
            first = await feeds.is_first_read(connection, feed.id)
            await take_in(connection, self.world, feed, found, first=first)
            await feeds.record_read(
                connection,
                feed.id,
                now=self.clock(),
                next_poll_at=self.clock(),
                title="Blatt",
                place=Place(moved_to=None),
                first=first,
                interval=HOUR,
                body_hash="",
            )

    async def gap(self, *hours: float, first: bool = False) -> Gap | None:
        _, found = self.read(*hours)
        feed = await self.feed()
        async with self.world.store.read() as connection:
            return await find_gap(connection, feed, found, first=first, since_first=ago(24))

    async def fill(self, *hours: float, more: str = "", seconds: float = 20) -> Filled:
        """Find the gap of a document and fill it."""
        gap = await self.gap(*hours)
        assert gap is not None
        parsed, _ = self.read(*hours, more=more)
        feed = await self.feed()
        filled = await fill(self.world, feed, parsed, gap, seconds=seconds)
        async with self.world.store.write() as connection:
            await record(connection, feed, gap, filled, now=self.clock())
        return filled


def found(filled: Filled) -> list[float]:
    """How old what was found is, in hours."""
    return ages(filled.found)


def ages(articles: Sequence[NewArticle]) -> list[float]:
    return [(NOW - each.published_at) / HOUR for each in articles if each.published_at]


@asynccontextmanager
async def a_desk(database_url: str, site: Site, *, path: str = "/feed/") -> AsyncIterator[Desk]:
    clock = Clock()
    paper = replace(STADTBLATT, feeds=(FeedSource(url=site.url + path),))
    async with (
        open_world(database_url, clock, paper) as world,
        Fetcher(allow_private=True, user_agent="digest/test", pause=_at_once) as fetcher,
    ):
        chance = random.Random(1)  # noqa: S311 -- the same in every run
        yield Desk(replace(world, fetcher=fetcher, chance=chance), site, clock, path)


async def _at_once(_: float) -> None:
    """Politeness is tested elsewhere."""
