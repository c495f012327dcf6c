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
    by_hour: bool,
    without: int | None = None,
    now: datetime,
) -> list[Wish]:
    """The wishes of an edition's readers, in a fixed order; with `by_hour` false of topics only.

    `without`: only of those who have no row of this edition yet.
    """
    hour = subscriptions.c.hour if by_hour else null()
    zone = case((subscriptions.c.hour.is_not(None), subscribers.c.timezone)) if by_hour else null()
    columns = (subscriptions.c.choice, hour.label("hour"), zone.label("timezone"))
    groups = (subscriptions.c.choice, hour, zone) if by_hour else (subscriptions.c.choice,)
    query = (
        select(*columns, func.count().label("n"))
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
        Wish(
            choice=row.choice,
            hour=row.hour,
            timezone=row.timezone,
            readers=row.n,
            by_hour=by_hour,
        )
        for row in await connection.execute(query)
    ]
    return sorted(found, key=lambda each: (each.choice, each.hour or -1, each.timezone or ""))


def has(wish: Wish) -> ColumnElement[bool]:
    """The readers of this wish."""
    choice = subscriptions.c.choice == wish.choice
    if not wish.by_hour:
        return choice
    if wish.hour is None:
        return and_(choice, subscriptions.c.hour.is_(None))
    zone = subscribers.c.timezone
    same = zone.is_(None) if wish.timezone is None else zone == wish.timezone
    return and_(choice, subscriptions.c.hour == wish.hour, same)
