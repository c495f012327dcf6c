"""Floods: articles that are held until the operator says what they are, and what is usual."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.store.sources import floods
from digest.store.tables import appearances, articles, feeds

#: how many titles of a flood are named
NAMED = 5

Outcome = Literal["released", "dropped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """More new articles of a feed than can be news. Times are UTC."""

    id: int
    #: the feed's address
    url: str
    began_at: datetime
    #: how many articles are held
    articles: int
    #: how many were usual for the time since the poll before
    usual: float
    #: of the newest of them
    titles: tuple[str, ...] = ()


async def standing(connection: AsyncConnection, feed_id: int | None = None) -> list[Flood]:
    """The floods of which nobody has said what they are, of one feed or of all, oldest first."""
    query = (
        select(floods, feeds.c.url)
        .join(feeds, feeds.c.id == floods.c.feed_id)
        .where(floods.c.ended_at.is_(None))
        .order_by(floods.c.id)
    )
    if feed_id is not None:
        query = query.where(floods.c.feed_id == feed_id)
    return [
        Flood(
            id=row.id,
            url=row.url,
            began_at=row.began_at,
            articles=row.articles,
            usual=row.usual,
            titles=await _titles(connection, row.id),
        )
        for row in (await connection.execute(query)).all()
    ]


async def _titles(connection: AsyncConnection, flood_id: int) -> tuple[str, ...]:
    query = (
        select(articles.c.title)
        .where(articles.c.flood_id == flood_id)
        .order_by(articles.c.published_at.desc(), articles.c.id.desc())
        .limit(NAMED)
    )
    return tuple((await connection.execute(query)).scalars())


async def begin(
    connection: AsyncConnection, feed_id: int, *, count: int, usual: float, now: datetime
) -> int:
    """Write down a flood of so many articles; return its id, which they bear."""
    statement = insert(floods).values(feed_id=feed_id, began_at=now, articles=count, usual=usual)
    return int((await connection.execute(statement.returning(floods.c.id))).scalar_one())


async def grow(connection: AsyncConnection, flood_id: int, *, count: int) -> None:
    """More articles came that are held with it."""
    await connection.execute(
        update(floods).where(floods.c.id == flood_id).values(articles=floods.c.articles + count)
    )


async def end(
    connection: AsyncConnection, flood_id: int, outcome: Outcome, *, now: datetime
) -> int:
    """The operator said what it is; return how many articles that lets go, or drops.

    What is released counts as seen now: the next edition looks back no further than to the last.
    """
    held = articles.c.flood_id == flood_id
    change: dict[str, object] = (
        {"first_seen_at": now} if outcome == "released" else {"candidate": False}
    )
    result = await connection.execute(update(articles).where(held).values(flood_id=None, **change))
    await connection.execute(
        update(floods).where(floods.c.id == flood_id).values(ended_at=now, outcome=outcome)
    )
    return int(result.rowcount)


async def dates(connection: AsyncConnection, feed_id: int, *, since: datetime) -> list[datetime]:
    """When each article of a feed appeared: as its publisher dates it, else when we saw it.

    Not of what is held, and not of what was there when we came and has no date.
    """
    when = func.coalesce(articles.c.published_at, articles.c.first_seen_at)
    query = (
        select(articles.c.published_at, articles.c.first_seen_at)
        .join(appearances, appearances.c.article_id == articles.c.id)
        .where(
            appearances.c.feed_id == feed_id,
            when >= since,
            articles.c.flood_id.is_(None),
            articles.c.candidate.is_(True) | articles.c.published_at.is_not(None),
        )
    )
    return [row.published_at or row.first_seen_at for row in await connection.execute(query)]
