"""What was held and told at a moment of the past, for a trial of another policy; it only reads."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Exists, and_, exists, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.article import Article
from digest.model.edition import LEFT_OVER
from digest.model.newsletter import FeedSource
from digest.store.articles import by_first_feed
from digest.store.tables import appearances, articles, edition_articles, editions, feeds, slots

#: the slot that an edition was made for, however late that was
_moment = func.coalesce(slots.c.at, editions.c.made_at)
_published = func.coalesce(articles.c.published_at, articles.c.first_seen_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Considered:
    """An article that an edition considered. Times are UTC."""

    edition: int
    #: of the edition's slot
    at: datetime
    id: int
    title: str
    url: str
    published_at: datetime
    #: counts from 1; None for one that was left out
    position: int | None
    reason: str | None


async def last_made(
    connection: AsyncConnection, newsletter: str, schedule: str, *, by: datetime
) -> datetime | None:
    """When the last edition of this rhythm was made whose slot was not after `by`."""
    query = (
        select(func.max(editions.c.made_at))
        .outerjoin(slots, slots.c.edition_id == editions.c.id)
        .where(_of(newsletter, schedule), _moment <= by)
    )
    latest: datetime | None = (await connection.execute(query)).scalar()
    return latest


async def considered_between(
    connection: AsyncConnection, newsletter: str, schedule: str, *, after: datetime, until: datetime
) -> list[Considered]:
    """What the editions of this rhythm considered whose slots are in (after, until].

    In reading order, edition by edition; what was left out comes last.
    """
    stood = edition_articles.c
    query = (
        select(
            stood.edition_id.label("edition"),
            _moment.label("at"),
            articles.c.id,
            articles.c.title,
            articles.c.url,
            _published.label("published_at"),
            stood.position,
            stood.reason,
        )
        .join(articles, articles.c.id == stood.article_id)
        .join(editions, editions.c.id == stood.edition_id)
        .outerjoin(slots, slots.c.edition_id == editions.c.id)
        .where(_of(newsletter, schedule), _moment > after, _moment <= until)
        .order_by(editions.c.id, func.coalesce(stood.position, 1_000_000), articles.c.id)
    )
    return [Considered(**row._mapping) for row in await connection.execute(query)]  # noqa: SLF001 -- SQLAlchemy's public name for it


async def known_at(
    connection: AsyncConnection,
    *,
    newsletter: str,
    schedule: str,
    sources: Sequence[FeedSource],
    at: datetime,
    seen_since: datetime,
    fresh_since: datetime | None,
    settled_by: datetime | None,
    left_over: Collection[int] = (),
) -> tuple[list[Article], frozenset[int]]:
    """What could be told at a moment of the past, as `articles.candidates`, and its leftovers.

    What was seen from `seen_since` until `at`, but for what the editions considered that were made
    by `settled_by` (None: there are none); theirs are the leftovers, and come while they are
    younger than `fresh_since`. The articles of `left_over` come in any case. What came with a flood
    that is held still is left out, and what its publisher had taken back by then.
    """
    considered = _considered(newsletter, schedule, settled_by)
    settled = _considered(newsletter, schedule, settled_by, finally_=True)
    seen = appearances.c.seen_at
    query = (
        select(
            articles,
            feeds.c.url.label("feed_url"),
            feeds.c.title.label("feed_title"),
            considered.label("considered"),
        )
        .join(appearances, appearances.c.article_id == articles.c.id)
        .join(feeds, feeds.c.id == appearances.c.feed_id)
        .where(
            feeds.c.url.in_([source.url for source in sources]),
            seen <= at,
            articles.c.candidate.is_(True),
            articles.c.flood_id.is_(None),
            or_(articles.c.withdrawn_at.is_(None), articles.c.withdrawn_at > at),
            or_(
                and_(~considered, or_(seen >= seen_since, _seen_again(seen_since, at))),
                and_(considered, ~settled, _published >= fresh_since)
                if fresh_since is not None
                else literal(value=False),
                articles.c.id.in_(list(left_over)),
            ),
        )
        .order_by(_published.desc(), articles.c.id)
    )
    rows = (await connection.execute(query)).all()
    return by_first_feed(rows, sources), frozenset(row.id for row in rows if row.considered)


def _of(newsletter: str, schedule: str) -> ColumnElement[bool]:
    return and_(editions.c.newsletter == newsletter, editions.c.schedule == schedule)


def _seen_again(since: datetime, at: datetime) -> ColumnElement[bool]:
    """What its publisher took back and brought again is new once more."""
    return and_(articles.c.first_seen_at >= since, articles.c.first_seen_at <= at)


def _considered(
    newsletter: str, schedule: str, by: datetime | None, *, finally_: bool = False
) -> Exists | ColumnElement[bool]:
    if by is None:
        return literal(value=False)
    found = exists().where(
        edition_articles.c.article_id == articles.c.id,
        edition_articles.c.newsletter == newsletter,
        edition_articles.c.schedule == schedule,
        edition_articles.c.edition_id == editions.c.id,
        editions.c.made_at <= by,
    )
    return found.where(edition_articles.c.reason.in_(LEFT_OVER).is_not(True)) if finally_ else found
