"""What a newsletter told of late, so that an edition tells only what is new; it only reads."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.article import Article
from digest.model.edition import LEFT_OVER
from digest.store.articles import as_article
from digest.store.tables import articles, edition_articles, editions


async def told_since(
    connection: AsyncConnection,
    newsletter: str,
    schedule: str,
    since: datetime,
    *,
    limit: int,
    until: datetime | None = None,
) -> list[Article]:
    """The articles that editions of this rhythm told since then, or named under others.

    The newest `limit` of them, oldest first; none of an edition that was made after `until`.
    """
    considered = edition_articles.c
    query = (
        select(articles, considered.section.label("in_section"))
        .join(edition_articles, considered.article_id == articles.c.id)
        .join(editions, editions.c.id == considered.edition_id)
        .where(
            considered.newsletter == newsletter,
            considered.schedule == schedule,
            editions.c.made_at >= since,
            literal(value=True) if until is None else editions.c.made_at <= until,
            considered.position.is_not(None) | considered.reason.in_(("thread", "choice")),
        )
        .order_by(editions.c.made_at.desc(), articles.c.id.desc())
        .limit(limit)
    )
    rows = (await connection.execute(query)).all()
    return [as_article(row, section=row.in_section) for row in reversed(rows)]


async def background(
    connection: AsyncConnection, *, limit: int, until: datetime | None = None
) -> list[Article]:
    """The newest `limit` articles of all feeds: what words are usual and which are rare.

    With `until`: of those that were seen by then.
    """
    query = select(articles).order_by(articles.c.id.desc()).limit(limit)
    if until is not None:
        query = query.where(articles.c.first_seen_at <= until)
    return [as_article(row, section=None) for row in await connection.execute(query)]


async def left_over(
    connection: AsyncConnection, newsletter: str, schedule: str, ids: Collection[int]
) -> frozenset[int]:
    """Those of these articles for which an earlier edition of this rhythm had no room."""
    considered = edition_articles.c
    query = select(considered.article_id).where(
        considered.newsletter == newsletter,
        considered.schedule == schedule,
        considered.article_id.in_(list(ids)),
        considered.reason.in_(LEFT_OVER),
    )
    return frozenset((await connection.execute(query)).scalars())
