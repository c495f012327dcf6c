"""What was told, for machines: articles by topic, and all editions; it writes nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Subquery, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.store.tables import appearances, articles, edition_articles, editions, feeds

#: editions whose articles a topic's feed is made of: a topic that was not in them is no news
_REACH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An article that stood in an edition. Texts are plain; times are UTC."""

    key: str
    url: str
    title: str
    excerpt: str
    author: str | None
    #: the publisher's date; None where there is none
    published_at: datetime | None
    updated_at: datetime | None
    #: the title of a feed that brought it, "" where it has none
    source: str
    #: the first edition in which it stood, and when that was made
    edition_id: int
    made_at: datetime


async def about(
    connection: AsyncConnection,
    newsletter: str,
    topic: str,
    *,
    sources: Collection[str],
    limit: int,
) -> list[Told]:
    """The articles about a topic that stood in the newsletter's editions, each once, newest first.

    `sources`: the addresses of the newsletter's feeds, one of which is named as its source.
    """
    stood = _stood(newsletter, topic, limit=limit)
    source = (
        select(func.min(feeds.c.title))
        .join(appearances, appearances.c.feed_id == feeds.c.id)
        .where(appearances.c.article_id == articles.c.id, feeds.c.url.in_(sources))
        .scalar_subquery()
    )
    names = ("key", "url", "title", "excerpt", "author", "published_at", "updated_at")
    query = (
        select(
            *(articles.c[name] for name in names),
            func.coalesce(source, "").label("source"),
            stood.c.at.label("edition_id"),
            editions.c.made_at,
        )
        .join(stood, stood.c.article_id == articles.c.id)
        .join(editions, editions.c.id == stood.c.at)
        .order_by(stood.c.at.desc(), articles.c.id.desc())
    )
    return [Told(**row._mapping) for row in await connection.execute(query)]  # noqa: SLF001 -- SQLAlchemy's public name for it


def _stood(newsletter: str, topic: str, *, limit: int) -> Subquery:
    """Which articles, and the first edition in which each of them stood."""
    oldest = (
        select(editions.c.id)
        .where(editions.c.newsletter == newsletter)
        .order_by(editions.c.id.desc())
        .offset(_REACH - 1)
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(edition_articles.c.article_id, func.min(edition_articles.c.edition_id).label("at"))
        .where(
            edition_articles.c.edition_id >= func.coalesce(oldest, 0),
            edition_articles.c.newsletter == newsletter,
            edition_articles.c.position.is_not(None),
            edition_articles.c.topics.contains(f",{topic},", autoescape=True),
        )
        .group_by(edition_articles.c.article_id)
        .order_by(
            func.min(edition_articles.c.edition_id).desc(), edition_articles.c.article_id.desc()
        )
        .limit(limit)
        .subquery()
    )


async def all_of(
    connection: AsyncConnection, newsletters: Collection[str], *, limit: int, offset: int = 0
) -> list[tuple[int, str, datetime]]:
    """Id, newsletter and time of the editions, oldest first, so that a page never changes."""
    query = (
        select(editions.c.id, editions.c.newsletter, editions.c.made_at)
        .where(editions.c.newsletter.in_(newsletters))
        .order_by(editions.c.id)
        .offset(offset)
        .limit(limit)
    )
    return [(row.id, row.newsletter, row.made_at) for row in await connection.execute(query)]


async def sizes(
    connection: AsyncConnection, newsletters: Collection[str]
) -> dict[str, tuple[int, datetime]]:
    """How many editions each newsletter has, and when its last one was made; none without any."""
    query = (
        select(editions.c.newsletter, func.count(), func.max(editions.c.made_at))
        .where(editions.c.newsletter.in_(newsletters))
        .group_by(editions.c.newsletter)
    )
    return {slug: (size, at) for slug, size, at in await connection.execute(query)}
