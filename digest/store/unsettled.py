"""Turns readers who chose anew into what they had of late and what they missed; they are few.

Who is settled is written to by `deliveries.fan_out`, at the cost of one for all. These here are
looked at one by one, some hundred at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.delivery import DeliveryState
from digest.model.layout import Extra, read_extra
from digest.store.dialect import insert_new
from digest.store.readers import reads
from digest.store.signs import in_chunks
from digest.store.tables import deliveries, editions, subscribers, subscriptions

#: how many are looked at together
PAGE: Final = 200

#: what stands at the row of an edition that would have been somebody's second on one day
SKIPPED: Final = "not sent: it would have been the second of that day; its news come with the next"

#: before anybody chose anything
_LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)

#: states in which a message did not come and will not
_LOST: Final = (
    DeliveryState.EXCLUDED.value,
    DeliveryState.BOUNCED.value,
    DeliveryState.EXPIRED.value,
)


# --------------------------------------------------------------- who it is


def changed_at(chosen: Mapping[str, str | int | None], *, now: datetime) -> ColumnElement[datetime]:
    """What `changed_at` becomes with these columns: now, where one of them becomes another."""
    column = subscriptions.c.changed_at
    differs = [subscriptions.c[name].is_distinct_from(value) for name, value in chosen.items()]
    return case((or_(*differs), literal(now, column.type)), else_=column)


async def move_to_zone(
    connection: AsyncConnection, subscriber_id: int, *, timezone: str | None, now: datetime
) -> None:
    """Note that a person's days will be others, before his zone is written; else nothing."""
    moves = select(subscribers.c.id).where(
        subscribers.c.id == subscriber_id, subscribers.c.timezone.is_distinct_from(timezone)
    )
    mine = subscriptions.c.subscriber_id.in_(moves)
    await connection.execute(update(subscriptions).where(mine).values(changed_at=now))


async def mark(connection: AsyncConnection, ids: Iterable[int], *, now: datetime) -> None:
    """Let the next edition of these readers be made out for each of them alone."""
    for chunk in in_chunks(sorted(set(ids))):
        mine = subscriptions.c.id.in_(chunk)
        await connection.execute(update(subscriptions).where(mine).values(changed_at=now))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A reader who chose anew since his last edition."""

    id: int
    #: as `subscriptions` have it
    choice: str
    hour: int | None
    timezone: str | None
    language: str | None
    changed_at: datetime
    paused_until: datetime | None


async def page(
    connection: AsyncConnection,
    newsletter: str,
    frequencies: Collection[str],
    other_than: Collection[str] = (),
    *,
    without: int | None = None,
    after: int = 0,
    now: datetime,
) -> list[Reader]:
    """The next of them by id, who have no row of the edition `without`."""
    changed = subscriptions.alias("changed")
    query = (
        select(subscriptions, subscribers.c.timezone, subscribers.c.language)
        .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .where(
            # by its index, for they are few; `is_not(None)` would look at every reader
            subscriptions.c.id.in_(select(changed.c.id).where(changed.c.changed_at > _LONG_AGO)),
            subscriptions.c.id > after,
            reads(newsletter, frequencies, other_than, now=now),
        )
        .order_by(subscriptions.c.id)
        .limit(PAGE)
    )
    if without is not None:
        has_one = (deliveries.c.edition_id == without) & (
            deliveries.c.subscription_id == subscriptions.c.id
        )
        query = query.where(~exists().where(has_one))
    return [
        Reader(
            id=row.id,
            choice=row.choice,
            hour=row.hour,
            timezone=row.timezone,
            language=row.language,
            changed_at=row.changed_at,
            paused_until=row.paused_until,
        )
        for row in await connection.execute(query)
    ]


async def settle(connection: AsyncConnection, seen: Mapping[int, datetime]) -> None:
    """These are as everybody again, unless they chose anew since they were seen.

    Whoever is choosing at this moment is left as he is: to wait for him could be for ever.
    """
    ids = sorted(seen)
    for start in range(0, len(ids), PAGE):
        chunk = ids[start : start + PAGE]
        same = or_(
            *(
                and_(subscriptions.c.id == each, subscriptions.c.changed_at == seen[each])
                for each in chunk
            )
        )
        free = select(subscriptions.c.id).where(same).with_for_update(skip_locked=True)
        await connection.execute(
            update(subscriptions).where(subscriptions.c.id.in_(free)).values(changed_at=None)
        )


# --------------------------------------------------------------- what they had


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An edition that somebody got, will get, or would have got."""

    edition_id: int
    schedule: str
    made_at: datetime
    due_at: datetime
    choice: str
    #: it came, or it will
    counts: bool
    #: it was left out, and is owed
    skipped: bool
    extra: Extra


async def rows_of(
    connection: AsyncConnection, ids: Sequence[int], *, since: datetime
) -> dict[int, list[Row]]:
    """The editions since then that these readers have rows of, in the order of their making.

    Also what came to the address from which one has moved here.
    """
    owner = func.coalesce(subscriptions.c.moved_to, subscriptions.c.id)
    query = (
        select(deliveries, editions.c.schedule, editions.c.made_at, owner.label("reader"))
        .join(editions, editions.c.id == deliveries.c.edition_id)
        .join(subscriptions, subscriptions.c.id == deliveries.c.subscription_id)
        .where(
            or_(subscriptions.c.id.in_(ids), subscriptions.c.moved_to.in_(ids)),
            editions.c.made_at >= since,
        )
        .order_by(editions.c.made_at, editions.c.id)
    )
    found: dict[int, list[Row]] = {each: [] for each in ids}
    for row in await connection.execute(query):
        # who came back to an old address has both
        for reader in {row.reader, row.subscription_id} & found.keys():
            found[reader].append(_row(row))
    return found


def _row(row: Any) -> Row:
    return Row(
        edition_id=row.edition_id,
        schedule=row.schedule,
        made_at=row.made_at,
        due_at=row.due_at,
        choice=row.choice,
        counts=row.state not in _LOST,
        skipped=row.state == DeliveryState.EXCLUDED.value and row.reply == SKIPPED,
        extra=read_extra(row.extra) if row.extra else Extra(),
    )


# --------------------------------------------------------------- what they get


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What one of them gets of an edition."""

    reader: int
    choice: str
    due_at: datetime
    extra: Extra
    #: not at all, for it would be the second of the day
    skipped: bool = False


async def write(
    connection: AsyncConnection, edition_id: int, grants: Sequence[Grant], *, now: datetime
) -> list[Grant]:
    """The rows of these readers; return those that are new."""
    state = {True: DeliveryState.EXCLUDED.value, False: DeliveryState.QUEUED.value}
    rows = [
        {
            "edition_id": edition_id,
            "subscription_id": each.reader,
            "state": state[each.skipped],
            "choice": each.choice,
            "extra": each.extra.as_json() if each.extra != Extra() else None,
            "due_at": each.due_at,
            "created_at": now,
            "updated_at": now,
            "reply": SKIPPED if each.skipped else None,
        }
        for each in grants
    ]
    if not rows:
        return []
    statement = insert_new(connection, deliveries).values(rows).on_conflict_do_nothing()
    done = statement.returning(deliveries.c.subscription_id)
    new = set((await connection.execute(done)).scalars())
    return [each for each in grants if each.reader in new]
