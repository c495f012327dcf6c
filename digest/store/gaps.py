"""What is missing: which articles of a feed we hold, gaps between polls, and what sites count."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Row, Select, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.feed import Feed
from digest.store import feeds as feed_store
from digest.store.dialect import insert_new
from digest.store.signs import in_chunks
from digest.store.sources import article_signs, gaps
from digest.store.sources import tallies as counts
from digest.store.tables import appearances, articles, edition_articles, feeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An article of a feed that we hold: its date, or when we first saw it. Times are UTC."""

    id: int
    at: datetime
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GapRow:
    """A poll that did not join the one before it, and how what lay between was found."""

    feed_id: int
    #: the newest that was held before; None where nothing was
    since: datetime | None
    seen_at: datetime
    found: int
    #: "paged feed", "archive", "wordpress", "news sitemap"; "" where nothing led anywhere
    how: str
    #: what was found reaches back to what was held
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many articles a site published between `since` and `at`, and how many of them we hold."""

    feed_id: int
    since: datetime
    at: datetime
    published: int
    held: int
    #: "wordpress", "news sitemap", "overlap" (every poll joined the one before it); "" where
    #: nobody says how many there were: then `published` is only what we hold
    how: str


def _of(feed_id: int) -> Select[tuple[int, datetime | None, datetime, str]]:
    return (
        select(articles.c.id, articles.c.published_at, articles.c.first_seen_at, articles.c.url)
        .join(appearances, appearances.c.article_id == articles.c.id)
        .where(appearances.c.feed_id == feed_id, articles.c.withdrawn_at.is_(None))
    )


def _when() -> ColumnElement[datetime]:
    return func.coalesce(articles.c.published_at, articles.c.first_seen_at)


def _held(row: Row[tuple[int, datetime | None, datetime, str]]) -> Held:
    return Held(id=row.id, at=row.published_at or row.first_seen_at, url=row.url)


async def newest(connection: AsyncConnection, feed_id: int, *, limit: int) -> list[Held]:
    """What we hold of a feed and was not taken back, the newest first."""
    query = _of(feed_id).order_by(_when().desc(), articles.c.id.desc()).limit(limit)
    return [_held(row) for row in await connection.execute(query)]


async def standing_in(
    connection: AsyncConnection, ids: Collection[int], feed_id: int, *, withdrawn: bool = True
) -> set[int]:
    """Those of these articles that stand in a feed; with those that were `withdrawn` or without."""
    found: set[int] = set()
    for chunk in in_chunks(ids):
        query = select(appearances.c.article_id).where(
            appearances.c.feed_id == feed_id, appearances.c.article_id.in_(chunk)
        )
        if not withdrawn:
            up = select(articles.c.id).where(articles.c.withdrawn_at.is_(None))
            query = query.where(appearances.c.article_id.in_(up))
        found.update((await connection.execute(query)).scalars())
    return found


async def signs_of(connection: AsyncConnection, ids: Collection[int]) -> set[str]:
    """Everything that these articles are known by."""
    found: set[str] = set()
    for chunk in in_chunks(ids):
        keys = select(articles.c.key).where(articles.c.id.in_(chunk))
        by = select(article_signs.c.sign).where(article_signs.c.article_id.in_(chunk))
        for query in (keys, by):
            found.update((await connection.execute(query)).scalars())
    return found


async def count_held(
    connection: AsyncConnection, feed_id: int, *, since: datetime, until: datetime
) -> int:
    """How many articles of a feed that we hold were published in that time."""
    query = select(func.count()).select_from(
        _of(feed_id).where(_when() >= since, _when() <= until).subquery()
    )
    return int((await connection.execute(query)).scalar_one())


async def untold(
    connection: AsyncConnection, feed_id: int, *, since: datetime, limit: int
) -> list[Held]:
    """What we hold of a feed since then and would tell, but no edition considered; newest first."""
    considered = select(edition_articles.c.article_id)
    query = (
        _of(feed_id)
        .where(articles.c.candidate.is_(True), articles.c.id.not_in(considered), _when() > since)
        .order_by(_when().desc())
        .limit(limit)
    )
    return [_held(row) for row in await connection.execute(query)]


async def add(connection: AsyncConnection, row: GapRow) -> None:
    """Keep that a poll did not join the one before it."""
    await connection.execute(
        insert(gaps).values(
            feed_id=row.feed_id,
            since=row.since,
            seen_at=row.seen_at,
            found=row.found,
            how=row.how,
            whole=row.whole,
        )
    )


async def latest_gaps(
    connection: AsyncConnection, *, feed_id: int | None = None
) -> dict[int, GapRow]:
    """The newest gap of each feed that had one, or of this one."""
    last = select(func.max(gaps.c.id)).group_by(gaps.c.feed_id)
    if feed_id is not None:
        last = last.where(gaps.c.feed_id == feed_id)
    rows = await connection.execute(select(gaps).where(gaps.c.id.in_(last)))
    return {row.feed_id: _gap(row) for row in rows}


async def is_joined(connection: AsyncConnection, feed_id: int, *, since: datetime) -> bool:
    """Whether every gap that was seen since then was filled."""
    query = select(gaps.c.id).where(
        gaps.c.feed_id == feed_id, gaps.c.seen_at >= since, gaps.c.whole.is_(False)
    )
    return (await connection.execute(query.limit(1))).first() is None


def _gap(row: Row[tuple[object, ...]]) -> GapRow:
    return GapRow(
        feed_id=row.feed_id,
        since=row.since,
        seen_at=row.seen_at,
        found=row.found,
        how=row.how,
        whole=row.whole,
    )


async def tell(connection: AsyncConnection, tally: Tally) -> None:
    """Keep the newest count of a feed in place of the one before."""
    values = {
        "since": tally.since,
        "at": tally.at,
        "published": tally.published,
        "held": tally.held,
        "how": tally.how,
    }
    statement = insert_new(connection, counts).values(feed_id=tally.feed_id, **values)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["feed_id"], set_=values)
    )


async def tallies(connection: AsyncConnection) -> dict[int, Tally]:
    """The newest count of each feed that has one."""
    return {
        row.feed_id: Tally(
            feed_id=row.feed_id,
            since=row.since,
            at=row.at,
            published=row.published,
            held=row.held,
            how=row.how,
        )
        for row in await connection.execute(select(counts))
    }


async def uncounted(
    connection: AsyncConnection, urls: Collection[str], *, before: datetime
) -> list[tuple[Feed, datetime]]:
    """The feeds whose last count is older than `before`, with the time of their first read.

    One that was never read has nothing to count, and one that is retired is left in peace.
    """
    query = (
        select(feeds.c.url, feeds.c.first_read_at)
        .outerjoin(counts, counts.c.feed_id == feeds.c.id)
        .where(
            feeds.c.url.in_(list(urls)),
            feeds.c.retired_at.is_(None),
            feeds.c.first_read_at.is_not(None),
            or_(counts.c.at.is_(None), counts.c.at < before),
        )
    )
    first = {row.url: row.first_read_at for row in await connection.execute(query)}
    return [(each, first[each.url]) for each in await feed_store.find(connection, first)]
