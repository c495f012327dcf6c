"""What the readers of an edition wish for, counted: which topics, and at which hour of the day."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, exists, func, null, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.store.readers import reads
from digest.store.tables import deliveries, subscribers, subscriptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What some readers have in common."""

    #: topics, as `subscriptions.choice` has them
    choice: str
    #: None: when the edition is made
    hour: int | None = None
    #: the zone of the hour; None: the newsletter's
    timezone: str | None = None
    #: the language of its readers; None: the newsletter's
    language: str | None = None
    #: other languages than the newsletter's that editions are written in; no part of it either
    abroad: tuple[str, ...] = field(default=(), compare=False)
    #: how many readers; no part of what is wished
    readers: int = field(default=0, compare=False)
    #: false: their hours do not matter, and stand in none of these wishes
    by_hour: bool = True
    #: zones whose readers have wishes of their own, though they named no hour
    apart: frozenset[str] = frozenset()
    #: only readers who changed nothing since their last edition
    settled: bool = False


async def all_of(
    connection: AsyncConnection,
    newsletter: str,
    frequencies: Collection[str],
    other_than: Collection[str] = (),
    *,
    abroad: Collection[str] = (),
    by_hour: bool,
    apart: Collection[str] = (),
    settled: bool = False,
    without: int | None = None,
    now: datetime,
) -> list[Wish]:
    """The wishes of an edition's readers, in a fixed order; their hours only with `by_hour`.

    `abroad` are the languages, other than the newsletter's, that a reader can have. `without`: only
    of those who have no row of this edition yet. `apart` and `settled` are as with `Wish`.
    """
    hour = subscriptions.c.hour if by_hour else null()
    own = subscriptions.c.hour.is_not(None) | subscribers.c.timezone.in_(list(apart))
    zone = case((own, subscribers.c.timezone)) if by_hour else null()
    other = _other_language(abroad)
    topics = subscriptions.c.choice
    columns = (topics, hour.label("hour"), zone.label("timezone"), other.label("language"))
    groups = (topics, other, hour, zone) if by_hour else (topics, other)
    query = (
        select(*columns, func.count().label("readers"))
        .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .where(reads(newsletter, frequencies, other_than, now=now))
        .group_by(*groups)
    )
    if settled:
        query = query.where(subscriptions.c.changed_at.is_(None))
    if without is not None:
        query = query.where(~_has_row(without))
    found = [
        Wish(
            **row._mapping,  # noqa: SLF001 -- SQLAlchemy's public name for it
            abroad=tuple(abroad),
            by_hour=by_hour,
            apart=frozenset(apart),
            settled=settled,
        )
        for row in await connection.execute(query)
    ]
    return sorted(found, key=_place)


def _place(wish: Wish) -> tuple[str, str, int, str]:
    hour = -1 if wish.hour is None else wish.hour
    return wish.choice, wish.language or "", hour, wish.timezone or ""


def _has_row(edition_id: int) -> ColumnElement[bool]:
    return exists().where(
        deliveries.c.edition_id == edition_id,
        deliveries.c.subscription_id == subscriptions.c.id,
    )


def _other_language(abroad: Collection[str]) -> ColumnElement[str | None]:
    """The language of a reader where it is one of these."""
    return case((subscribers.c.language.in_(list(abroad)), subscribers.c.language))


def has(wish: Wish) -> ColumnElement[bool]:
    """The readers of this wish."""
    other = _other_language(wish.abroad)
    same_language = other.is_(None) if wish.language is None else other == wish.language
    choice = and_(subscriptions.c.choice == wish.choice, same_language)
    if wish.settled:
        choice = and_(choice, subscriptions.c.changed_at.is_(None))
    if not wish.by_hour:
        return choice
    zone = subscribers.c.timezone
    same = zone.is_(None) if wish.timezone is None else zone == wish.timezone
    if wish.hour is not None:
        return and_(choice, subscriptions.c.hour == wish.hour, same)
    if wish.timezone is None:
        same = or_(zone.is_(None), zone.not_in(wish.apart))
    return and_(choice, subscriptions.c.hour.is_(None), same)


async def zones_without_hour(connection: AsyncConnection, newsletter: str) -> list[str]:
    """The zones of readers who named no hour."""
    query = (
        select(subscribers.c.timezone)
        .distinct()
        .join(subscriptions, subscriptions.c.subscriber_id == subscribers.c.id)
        .where(
            subscriptions.c.newsletter == newsletter,
            subscriptions.c.hour.is_(None),
            subscribers.c.timezone.is_not(None),
        )
    )
    return [zone for zone in (await connection.execute(query)).scalars() if zone is not None]
