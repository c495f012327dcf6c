"""Alerts: what the operator was told of, and the facts about feeds that there may be to tell."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.store.dialect import insert_new
from digest.store.sources import alerts, gaps
from digest.store.tables import appearances, articles, feeds

#: how long a first look at a feed may take: reading it, and the pages behind it
FIRST_READ = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A trouble that stands, or that is over and was not yet said to be. Times are UTC."""

    #: kind and feed: "failing:12"
    key: str
    began_at: datetime
    #: why, as it was when the trouble was met
    text: str
    told_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """A gap that could not be filled: between two moments articles may be missing."""

    since: datetime | None
    seen_at: datetime


async def known(connection: AsyncConnection) -> list[Alert]:
    """All alerts, in the order of their keys."""
    rows = await connection.execute(select(alerts).order_by(alerts.c.key))
    return [Alert(**row._asdict()) for row in rows]


async def note(connection: AsyncConnection, found: Sequence[Alert]) -> None:
    """Write these alerts down; one that is there keeps what it says."""
    if found:
        values = [
            {
                "key": each.key,
                "began_at": each.began_at,
                "text": each.text,
                "told_at": each.told_at,
                "ended_at": each.ended_at,
            }
            for each in found
        ]
        statement = insert_new(connection, alerts).on_conflict_do_nothing(index_elements=["key"])
        await connection.execute(statement, values)


async def end(connection: AsyncConnection, keys: Collection[str], *, at: datetime | None) -> None:
    """Note when these troubles were over; None: they are back."""
    if keys:
        statement = update(alerts).where(alerts.c.key.in_(list(keys)))
        await connection.execute(statement.values(ended_at=at))


async def told(connection: AsyncConnection, keys: Collection[str], *, at: datetime) -> None:
    """Note that the operator knows of these."""
    if keys:
        statement = update(alerts).where(alerts.c.key.in_(list(keys)))
        await connection.execute(statement.values(told_at=at))


async def drop(connection: AsyncConnection, keys: Collection[str]) -> None:
    """Forget these: there is nothing more to say."""
    if keys:
        await connection.execute(delete(alerts).where(alerts.c.key.in_(list(keys))))


async def holes(
    connection: AsyncConnection, feed_ids: Collection[int], *, seen_since: datetime
) -> dict[int, Hole]:
    """The newest gap of each feed that was seen since then and could not be filled.

    What lies before our first look at a feed is none: nobody was told that we would have it.
    """
    newest = (
        select(gaps.c.feed_id, func.max(gaps.c.id).label("id"))
        .where(
            gaps.c.feed_id.in_(list(feed_ids)),
            gaps.c.whole.is_(False),
            gaps.c.seen_at >= seen_since,
        )
        .group_by(gaps.c.feed_id)
        .subquery()
    )
    query = (
        select(gaps, feeds.c.first_read_at)
        .join(newest, and_(newest.c.id == gaps.c.id))
        .join(feeds, feeds.c.id == gaps.c.feed_id)
    )
    return {
        row.feed_id: Hole(since=row.since, seen_at=row.seen_at)
        for row in await connection.execute(query)
        if row.first_read_at is None or row.seen_at - row.first_read_at > FIRST_READ
    }


async def latest_articles(
    connection: AsyncConnection, feed_ids: Collection[int]
) -> dict[int, datetime]:
    """When the last new article of each feed was first seen."""
    last = (
        select(appearances.c.feed_id, func.max(appearances.c.article_id).label("id"))
        .where(appearances.c.feed_id.in_(list(feed_ids)))
        .group_by(appearances.c.feed_id)
        .subquery()
    )
    query = select(last.c.feed_id, articles.c.first_seen_at).join(last, last.c.id == articles.c.id)
    return {row.feed_id: row.first_seen_at for row in await connection.execute(query)}
