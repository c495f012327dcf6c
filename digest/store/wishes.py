"""What the readers of an edition wish for, counted: which topics, and at which hour of the day."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, exists, func, null, select
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


async def all_of(
    connection: AsyncConnection,
    newsletter: str,
    frequencies: Collection[str],
    other_than: Collection[str] = (),
    *,
    abroad: Collection[str] = (),
    by_hour: bool,
    without: int | None = None,
    now: datetime,
) -> list[Wish]:
    """The wishes of an edition's readers, in a fixed order; their hours only with `by_hour`.

    `abroad` are the languages, other than the newsletter's, that a reader can have. `without`: only
    of those who have no row of this edition yet.
    """
    hour = subscriptions.c.hour if by_hour else null()
    zone = case((subscriptions.c.hour.is_not(None), subscribers.c.timezone)) if by_hour else null()
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
    if without is not None:
        query = query.where(
            ~exists().where(
                deliveries.c.edition_id == without,
                deliveries.c.subscription_id == subscriptions.c.id,
            )
        )
    found = [
        Wish(**row._mapping, abroad=tuple(abroad), by_hour=by_hour)  # noqa: SLF001 -- SQLAlchemy's public name for it
        for row in await connection.execute(query)
    ]
    return sorted(
        found,
        key=lambda each: (each.choice, each.language or "", each.hour or -1, each.timezone or ""),
    )


def _other_language(abroad: Collection[str]) -> ColumnElement[str | None]:
    """The language of a reader where it is one of these."""
    return case((subscribers.c.language.in_(list(abroad)), subscribers.c.language))


def has(wish: Wish) -> ColumnElement[bool]:
    """The readers of this wish."""
    other = _other_language(wish.abroad)
    same_language = other.is_(None) if wish.language is None else other == wish.language
    choice = and_(subscriptions.c.choice == wish.choice, same_language)
    if not wish.by_hour:
        return choice
    if wish.hour is None:
        return and_(choice, subscriptions.c.hour.is_(None))
    zone = subscribers.c.timezone
    same = zone.is_(None) if wish.timezone is None else zone == wish.timezone
    return and_(choice, subscriptions.c.hour == wish.hour, same)
