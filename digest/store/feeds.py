"""Feeds: which are due, and what a poll of each one said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.feed import Feed
from digest.store.dialect import insert_new
from digest.store.tables import feeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a feed is asked next time, and with the validators of what is there."""

    #: None: where the operator says it is
    moved_to: str | None
    etag: str | None = None
    last_modified: str | None = None


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
    connection: AsyncConnection,
    urls: Iterable[str],
    *,
    due_at: datetime | None = None,
    retired: bool = True,
) -> list[Feed]:
    """The feeds of these addresses, all of them or those whose time has come by `due_at`.

    A retired feed is never due; without `retired` it is left out of all of them, too.
    """
    query = select(feeds).where(feeds.c.url.in_(list(urls))).order_by(feeds.c.id)
    if due_at is not None:
        query = query.where(feeds.c.next_poll_at <= due_at)
    if due_at is not None or not retired:
        query = query.where(feeds.c.retired_at.is_(None))
    return [_feed(row) for row in await connection.execute(query)]


async def put_off(connection: AsyncConnection, feed_ids: Iterable[int], *, until: datetime) -> None:
    """Let these feeds not be due before `until`: somebody is asking them now.

    Whoever asks says in the end when they are due. If he is killed before, they are due at
    `until`: nothing is lost.
    """
    await connection.execute(
        update(feeds).where(feeds.c.id.in_(list(feed_ids))).values(next_poll_at=until)
    )


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
    place: Place,
    first: bool,
    interval: timedelta,
    body_hash: str,
    site_url: str | None = None,
    language: str | None = None,
) -> None:
    """A document came: keep what it says of itself and clear the feed's troubles."""
    changes = {
        **_well(now, next_poll_at),
        **_columns(place),
        "title": title,
        "site_url": site_url,
        "language": language,
        "body_hash": body_hash,
        "interval_seconds": round(interval.total_seconds()),
    }
    if first:
        changes["first_read_at"] = now
    await connection.execute(update(feeds).where(feeds.c.id == feed_id).values(changes))


async def record_unchanged(
    connection: AsyncConnection,
    feed_id: int,
    *,
    now: datetime,
    next_poll_at: datetime,
    place: Place | None = None,
) -> None:
    """Nothing changed but, with a `place`, where and how the feed is asked: it is well."""
    changes = _well(now, next_poll_at) | (_columns(place) if place else {})
    await connection.execute(update(feeds).where(feeds.c.id == feed_id).values(changes))


def _well(now: datetime, next_poll_at: datetime) -> dict[str, object]:
    return {
        "last_polled_at": now,
        "next_poll_at": next_poll_at,
        "failures": 0,
        "failing_since": None,
        "error": None,
        "retired_at": None,
    }


def _columns(place: Place) -> dict[str, object]:
    return {
        "moved_to": place.moved_to,
        "etag": place.etag,
        "last_modified": place.last_modified,
    }


async def record_failure(
    connection: AsyncConnection,
    feed: Feed,
    *,
    now: datetime,
    next_poll_at: datetime,
    error: str,
    retired: bool = False,
) -> None:
    """The poll failed: keep why and since when; `retired`: it is not polled any more."""
    await connection.execute(
        update(feeds)
        .where(feeds.c.id == feed.id)
        .values(
            last_polled_at=now,
            next_poll_at=next_poll_at,
            failures=feed.failures + 1,
            failing_since=feed.failing_since or now,
            error=error,
            retired_at=(feed.retired_at or now) if retired else feed.retired_at,
        )
    )


async def make_due(connection: AsyncConnection, feed_id: int, *, now: datetime) -> None:
    """Let a feed be polled at the next tick, whenever it was to be asked again."""
    await connection.execute(
        update(feeds)
        .where(feeds.c.id == feed_id, feeds.c.next_poll_at > now)
        .values(next_poll_at=now)
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
