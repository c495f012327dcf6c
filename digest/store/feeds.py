"""Feeds: which are due, and what a poll of each one said."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.feed import Feed
from digest.store.dialect import insert_new
from digest.store.tables import feeds


async def know(connection: AsyncConnection, urls: Iterable[str], *, now: datetime) -> None:
    """Remember feeds that we have not met; a new one is due at once.

    Safe against two processes that meet it at once; in one order, so that they never wait for
    each other.
    """
    wanted = sorted(set(urls))
    known = set(
        (await connection.execute(select(feeds.c.url).where(feeds.c.url.in_(wanted)))).scalars()
    )
    fresh = [{"url": url, "next_poll_at": now} for url in wanted if url not in known]
    if fresh:
        statement = insert_new(connection, feeds).on_conflict_do_nothing(index_elements=["url"])
        await connection.execute(statement, fresh)


async def find(
    connection: AsyncConnection, urls: Iterable[str], *, due_at: datetime | None = None
) -> list[Feed]:
    """The feeds of these addresses, all of them or those whose time has come by `due_at`."""
    query = select(feeds).where(feeds.c.url.in_(list(urls))).order_by(feeds.c.id)
    if due_at is not None:
        query = query.where(feeds.c.next_poll_at <= due_at)
    return [_feed(row) for row in await connection.execute(query)]


async def is_first_read(connection: AsyncConnection, feed_id: int) -> bool:
    """True until a document of this feed was kept."""
    query = select(feeds.c.first_read_at).where(feeds.c.id == feed_id)
    return (await connection.execute(query)).scalar_one() is None


async def record_read(
    connection: AsyncConnection,
    feed_id: int,
    *,
    now: datetime,
    next_poll_at: datetime,
    title: str | None,
    etag: str | None,
    last_modified: str | None,
    moved_to: str | None,
    first: bool,
) -> None:
    """A document came: keep its validators and clear the feed's troubles."""
    changes = {
        "title": title,
        "etag": etag,
        "last_modified": last_modified,
        "moved_to": moved_to,
        "last_polled_at": now,
        "next_poll_at": next_poll_at,
        "failures": 0,
        "failing_since": None,
        "error": None,
    }
    if first:
        changes["first_read_at"] = now
    await connection.execute(update(feeds).where(feeds.c.id == feed_id).values(changes))


async def record_unchanged(
    connection: AsyncConnection, feed_id: int, *, now: datetime, next_poll_at: datetime
) -> None:
    """Nothing changed: the feed is well."""
    await connection.execute(
        update(feeds)
        .where(feeds.c.id == feed_id)
        .values(
            last_polled_at=now,
            next_poll_at=next_poll_at,
            failures=0,
            failing_since=None,
            error=None,
        )
    )


async def record_failure(
    connection: AsyncConnection, feed: Feed, *, now: datetime, next_poll_at: datetime, error: str
) -> None:
    """The poll failed: keep why and since when."""
    await connection.execute(
        update(feeds)
        .where(feeds.c.id == feed.id)
        .values(
            last_polled_at=now,
            next_poll_at=next_poll_at,
            failures=feed.failures + 1,
            failing_since=feed.failing_since or now,
            error=error,
        )
    )


def _feed(row: Row[tuple[object, ...]]) -> Feed:
    return Feed(
        id=row.id,
        url=row.url,
        title=row.title,
        etag=row.etag,
        last_modified=row.last_modified,
        next_poll_at=row.next_poll_at,
        last_polled_at=row.last_polled_at,
        failures=row.failures,
        failing_since=row.failing_since,
        error=row.error,
        moved_to=row.moved_to,
        site_url=row.site_url,
        language=row.language,
        body_hash=row.body_hash,
        interval=timedelta(seconds=row.interval_seconds) if row.interval_seconds else None,
        retired_at=row.retired_at,
    )
