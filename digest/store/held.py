"""Held: what we hold of articles, as a poll compares it, and how it is brought up to date."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.article import Image, NewArticle
from digest.store.signs import in_chunks
from digest.store.sources import article_texts, article_versions
from digest.store.tables import appearances, articles, feeds

#: a feed that was not asked for so long has nothing to say any more
SILENT = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An article that we hold: what we have of it, and who brought it."""

    id: int
    #: its own signs and HTML are not among what is read
    article: NewArticle
    version: int
    withdrawn: bool
    #: its page was read for what the feed lacks
    page_read: bool
    #: its text is the page's, not the feed's
    page_text: bool
    feeds: frozenset[int]
    #: the feed that brought it first, of those that are still asked; None where there is none
    voice: int | None


async def look(
    connection: AsyncConnection, ids: Collection[int], *, now: datetime
) -> dict[int, Held]:
    """What is held of these articles."""
    found: dict[int, Held] = {}
    for chunk in in_chunks(dict.fromkeys(ids)):
        standing = await _standing(connection, chunk, now=now)
        query = (
            select(articles, article_texts.c.origin)
            .outerjoin(article_texts, article_texts.c.article_id == articles.c.id)
            .where(articles.c.id.in_(chunk))
        )
        for row in await connection.execute(query):
            found[row.id] = _held(row, standing[row.id])
    return found


async def _standing(
    connection: AsyncConnection, ids: Collection[int], *, now: datetime
) -> Mapping[int, list[tuple[int, bool]]]:
    """The feeds in which articles stand, who brought them first before others, and who speaks."""
    query = (
        select(
            appearances.c.article_id,
            appearances.c.feed_id,
            feeds.c.retired_at,
            feeds.c.last_polled_at,
        )
        .join(feeds, feeds.c.id == appearances.c.feed_id)
        .where(appearances.c.article_id.in_(ids))
        .order_by(appearances.c.seen_at, appearances.c.feed_id)
    )
    standing: dict[int, list[tuple[int, bool]]] = defaultdict(list)
    for row in await connection.execute(query):
        asked = row.last_polled_at is None or row.last_polled_at > now - SILENT
        standing[row.article_id].append((row.feed_id, asked and row.retired_at is None))
    return standing


def _held(row: Row[tuple[object, ...]], standing: Sequence[tuple[int, bool]]) -> Held:
    return Held(
        id=row.id,
        article=NewArticle(
            key=row.key,
            link_key=row.link_key,
            url=row.url,
            title=row.title,
            excerpt=row.excerpt,
            image=image(row.image),
            author=row.author,
            categories=tuple(row.categories),
            published_at=row.published_at,
            words=row.words,
            comments_url=row.comments_url,
            language=row.language,
            comments=row.comments,
        ),
        version=row.version,
        withdrawn=row.withdrawn_at is not None,
        page_read=row.page_read_at is not None,
        page_text=row.origin == "page",
        feeds=frozenset(feed for feed, _ in standing),
        voice=next((feed for feed, speaks in standing if speaks), None),
    )


def image(stored: Mapping[str, Any] | None) -> Image | None:
    """A picture as the column has it."""
    return Image(**stored) if stored else None


def columns(article: NewArticle) -> dict[str, object]:
    """What the row of an article holds of what a feed says."""
    return {
        "url": article.url,
        "title": article.title,
        "excerpt": article.excerpt,
        "image": asdict(article.image) if article.image else None,
        "author": article.author,
        "categories": list(article.categories),
        "published_at": article.published_at,
        "words": article.words,
        "comments_url": article.comments_url,
        "language": article.language,
        "comments": article.comments,
    }


async def update_all(
    connection: AsyncConnection, changed: Sequence[tuple[Held, NewArticle]]
) -> None:
    """Bring articles up to date where nothing changed that was told: no new version."""
    if changed:
        rows = [{**columns(article), "the_id": was.id} for was, article in changed]
        await connection.execute(update(articles).where(articles.c.id == bindparam("the_id")), rows)


async def revise(
    connection: AsyncConnection, edited: Sequence[tuple[Held, NewArticle]], *, now: datetime
) -> None:
    """Follow their publishers' edits, each a new version; what it said before is kept.

    What was sent stays as it was sent: cards are stored.
    """
    await update_all(connection, edited)
    for was, _ in edited:
        await connection.execute(
            insert(article_versions).values(
                article_id=was.id,
                version=was.version,
                url=was.article.url,
                title=was.article.title,
                excerpt=was.article.excerpt,
                replaced_at=now,
            )
        )
        await connection.execute(
            update(articles)
            .where(articles.c.id == was.id)
            .values(version=was.version + 1, updated_at=now)
        )


async def replaced(
    connection: AsyncConnection, ids: Collection[int], *, since: datetime
) -> Counter[tuple[int, str, str, str]]:
    """How often these articles left of late what they said: id, address, title and excerpt."""
    found: Counter[tuple[int, str, str, str]] = Counter()
    for chunk in in_chunks(ids):
        query = select(article_versions).where(
            article_versions.c.article_id.in_(chunk), article_versions.c.replaced_at >= since
        )
        for row in await connection.execute(query):
            found[row.article_id, row.url, row.title, row.excerpt] += 1
    return found
