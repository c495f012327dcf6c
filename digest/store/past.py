"""Past editions, as the archive looks for them and shows them; it writes nothing.

Ids rise with time, so "newest first" is by id, and a page goes on from an id: it stays where it is
while editions are added.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import neg

from sqlalchemy import ColumnElement, and_, exists, extract, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.store.tables import articles, edition_articles, editions


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """An edition in the archive's list."""

    id: int
    newsletter: str
    schedule: str
    number: int
    made_at: datetime
    subject: str
    preheader: str
    language: str


_COLUMNS = [editions.c[name] for name in Past.__dataclass_fields__]


async def past(
    connection: AsyncConnection,
    *,
    newsletter: str | None = None,
    limit: int = 50,
    before: int | None = None,
) -> list[Past]:
    """Past editions, newest first; `before` is the id to go on from."""
    query = select(*_COLUMNS).order_by(editions.c.id.desc()).limit(limit)
    if newsletter is not None:
        query = query.where(editions.c.newsletter == newsletter)
    if before is not None:
        query = query.where(editions.c.id < before)
    return [Past(**row._mapping) for row in await connection.execute(query)]  # noqa: SLF001 -- SQLAlchemy's public name for it


async def headlines(connection: AsyncConnection, edition_id: int) -> Sequence[tuple[str, str]]:
    """Title and address of each article of an edition, in reading order."""
    return (await headlines_of(connection, [edition_id])).get(edition_id, [])


async def headlines_of(
    connection: AsyncConnection, edition_ids: Collection[int]
) -> dict[int, list[tuple[str, str]]]:
    """The same for several editions at once, by their ids."""
    query = (
        select(edition_articles.c.edition_id, articles.c.title, articles.c.url)
        .join(articles, articles.c.id == edition_articles.c.article_id)
        .where(
            edition_articles.c.edition_id.in_(edition_ids), edition_articles.c.position.is_not(None)
        )
        .order_by(edition_articles.c.edition_id, edition_articles.c.position)
    )
    found: dict[int, list[tuple[str, str]]] = {}
    for row in await connection.execute(query):
        found.setdefault(row.edition_id, []).append((row.title, row.url))
    return found


# --------------------------------------------------------------- looking for some of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Editions of one newsletter from `since` until just before `until`; None has no such end."""

    newsletter: str
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page of what was looked for, newest first, and whether there is more on either side."""

    editions: tuple[Past, ...]
    #: on all pages
    count: int
    older: bool
    newer: bool


async def find(
    connection: AsyncConnection,
    spans: Collection[Span],
    words: Collection[str] = (),
    *,
    limit: int,
    before: int | None = None,
    after: int | None = None,
) -> Found:
    """The newest `limit` editions of these spans that mention each of `words`.

    `before`: of those before this id; `after`: instead the oldest ones after this id.
    """
    query = select(editions.c.id).where(_wanted(spans, words)).order_by(editions.c.id.desc())
    # all ids and a few rows: looking for words is the dear part, and is done once
    ids = list((await connection.execute(query)).scalars())
    first = 0
    if after is not None:
        first = max(0, bisect_left(ids, -after, key=neg) - limit)
    elif before is not None:
        first = bisect_right(ids, -before, key=neg)
    shown = ids[first : first + limit]
    rows = select(*_COLUMNS).where(editions.c.id.in_(shown)).order_by(editions.c.id.desc())
    return Found(
        editions=tuple(Past(**row._mapping) for row in await connection.execute(rows)),  # noqa: SLF001 -- SQLAlchemy's public name for it
        count=len(ids),
        older=first + limit < len(ids),
        newer=first > 0,
    )


def _wanted(spans: Collection[Span], words: Collection[str]) -> ColumnElement[bool]:
    inside = [
        and_(
            editions.c.newsletter == span.newsletter,
            *([editions.c.made_at >= span.since] if span.since else []),
            *([editions.c.made_at < span.until] if span.until else []),
        )
        for span in spans
    ]
    return and_(or_(*inside), *map(_mentions, words)) if inside else editions.c.id.is_(None)


def _mentions(word: str) -> ColumnElement[bool]:
    """In its subject or in the title of an article that stands in it."""
    told = exists().where(
        edition_articles.c.edition_id == editions.c.id,
        edition_articles.c.position.is_not(None),
        articles.c.id == edition_articles.c.article_id,
        _holds(articles.c.title, word),
    )
    return or_(_holds(editions.c.subject, word), told)


def _holds(column: ColumnElement[str], word: str) -> ColumnElement[bool]:
    """Regardless of case; SQLite knows only that of ASCII, so the usual shapes are named."""
    shapes = dict.fromkeys((word, word.lower(), word.upper(), word.capitalize()))
    if word.isascii():
        shapes = dict.fromkeys([word])
    return or_(*(column.icontains(shape, autoescape=True) for shape in shapes))


async def moments(
    connection: AsyncConnection, newsletters: Collection[str]
) -> list[tuple[str, datetime]]:
    """The newsletter and time of the first and the last edition of each calendar month.

    By the database's own calendar. A month of any time zone that has an edition has one of these:
    no month there reaches over more than two of the zone's, and these are its two ends.
    """
    month = [extract(part, editions.c.made_at) for part in ("year", "month")]
    query = (
        select(editions.c.newsletter, func.min(editions.c.made_at), func.max(editions.c.made_at))
        .where(editions.c.newsletter.in_(newsletters))
        .group_by(editions.c.newsletter, *month)
    )
    return [
        (newsletter, at)
        for newsletter, *ends in await connection.execute(query)
        for at in dict.fromkeys(ends)
    ]


async def neighbours(
    connection: AsyncConnection, edition_id: int, newsletter: str
) -> tuple[Past | None, Past | None]:
    """The newsletter's edition before this one, and the one after it."""
    mine = select(*_COLUMNS).where(editions.c.newsletter == newsletter).limit(1)
    before = mine.where(editions.c.id < edition_id).order_by(editions.c.id.desc())
    after = mine.where(editions.c.id > edition_id).order_by(editions.c.id)
    found = [(await connection.execute(query)).first() for query in (before, after)]
    one, other = (Past(**row._mapping) if row else None for row in found)  # noqa: SLF001 -- SQLAlchemy's public name for it
    return one, other
