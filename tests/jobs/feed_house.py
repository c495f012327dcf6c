"""Feeds whose entries a test writes, and what take_in makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from jobs_world import NOW
from sqlalchemy import Row, func, select

from digest.articles.identify import identify
from digest.jobs.keep import Taken, take_in
from digest.jobs.world import World
from digest.model.article import NewArticle
from digest.model.feed import Entry, Feed
from digest.model.newsletter import FeedSource
from digest.store import articles, feeds
from digest.store.tables import articles as rows

SITE = "https://stadtblatt.example"
NEWS, TOPIC, LOCAL = f"{SITE}/feed", f"{SITE}/ki/feed", f"{SITE}/lokales/feed"


def story(
    number: int,
    *,
    at: datetime | None = None,
    guid: str | None = "",
    link: str | None = "",
    title: str = "",
    text: str = "Mehr davon.",
    dated: bool = True,
) -> Entry:
    """One story of the site; the same number is the same story. `at` defaults to an hour each."""
    return Entry(
        guid=f"{SITE}/?p={number}" if guid == "" else guid,
        link=f"{SITE}/geschichte-{number}" if link == "" else link,
        title=title or f"Die Geschichte Nummer {number}",
        summary_html=text,
        content_html="",
        author=None,
        categories=(),
        published_at=(at or NOW - timedelta(hours=number, seconds=7)) if dated else None,
        updated_at=None,
        images=(),
    )


def document(*entries: Entry, url: str = NEWS) -> list[NewArticle]:
    """Articles as a poll makes them, without what a reader sees of them."""
    found: dict[str, NewArticle] = {}
    for entry, identity in zip(entries, identify(entries, feed_url=url), strict=True):
        article = NewArticle(
            key=identity.key,
            link_key=identity.link_key,
            signs=identity.signs,
            url=entry.link or SITE,
            title=entry.title,
            excerpt=entry.summary_html,
            image=None,
            author=entry.author,
            categories=(),
            published_at=entry.published_at,
            words=len(entry.summary_html.split()),
        )
        found.setdefault(article.key, article)
    return list(found.values())


async def take(
    world: World,
    found: Sequence[NewArticle],
    url: str = NEWS,
    *,
    first: bool = False,
    filled: Sequence[NewArticle] = (),
) -> Taken:
    """What a poll of that feed does that brought these now."""
    now = world.clock()
    async with world.store.write() as connection:
        await feeds.know(connection, [url], now=now)
        (feed,) = await feeds.find(connection, [url])
        taken = await take_in(connection, world, feed, found, first=first, filled=filled)
        await feeds.record_unchanged(connection, feed.id, now=now, next_poll_at=now)
    return taken


async def known(world: World, url: str = NEWS) -> Feed:
    async with world.store.read() as connection:
        (feed,) = await feeds.find(connection, [url])
    return feed


async def held(world: World) -> Sequence[Row[tuple[object, ...]]]:
    """Every row, in the order in which they came."""
    async with world.store.read() as connection:
        return (await connection.execute(select(rows).order_by(rows.c.id))).all()


async def count(world: World) -> int:
    async with world.store.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(rows))).scalar_one())


async def tellable(world: World, *urls: str) -> set[str]:
    """The titles that an edition could tell now."""
    async with world.store.read() as connection:
        found = await articles.candidates(
            connection,
            newsletter="stadtblatt",
            schedule="daily",
            sources=[FeedSource(url=url) for url in urls or (NEWS,)],
            seen_since=None,
        )
    return {each.title for each in found}


def renamed(entries: Sequence[Entry], *, host: str = "neu.example") -> list[Entry]:
    """The same stories after their site moved: other guids, other addresses, the same words."""
    return [
        replace(each, guid=f"neu-{n}", link=f"https://{host}/{n}-neu")
        for n, each in enumerate(entries)
    ]
