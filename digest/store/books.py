"""The books: how deliveries stand, counted; nothing here changes anything."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.delivery import DeliveryState
from digest.store.queue import OPEN
from digest.store.readers import reads
from digest.store.tables import deliveries, edition_articles, editions, subscribers, subscriptions

#: no edition has a greater number: PostgreSQL refuses to be asked for one
LAST = 2**31 - 1


async def count(connection: AsyncConnection, edition_id: int) -> dict[DeliveryState, int]:
    """How the deliveries of one edition stand."""
    query = (
        select(deliveries.c.state, func.count().label("n"))
        .where(deliveries.c.edition_id == edition_id)
        .group_by(deliveries.c.state)
    )
    return {DeliveryState(row.state): row.n for row in await connection.execute(query)}


async def count_all(connection: AsyncConnection) -> dict[DeliveryState, int]:
    """How all deliveries stand."""
    query = select(deliveries.c.state, func.count().label("n")).group_by(deliveries.c.state)
    return {DeliveryState(row.state): row.n for row in await connection.execute(query)}


async def unfinished(
    connection: AsyncConnection, newsletter: str, *, with_uncertain: bool
) -> list[int]:
    """Editions of a newsletter with deliveries that can still be made, oldest first."""
    states = [*OPEN, DeliveryState.CLAIMED.value, DeliveryState.DOTTED.value]
    if with_uncertain:
        states.append(DeliveryState.UNCERTAIN.value)
    query = (
        select(editions.c.id)
        .where(
            editions.c.newsletter == newsletter,
            exists().where(
                deliveries.c.edition_id == editions.c.id, deliveries.c.state.in_(states)
            ),
        )
        .order_by(editions.c.id)
    )
    return list((await connection.execute(query)).scalars())


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One edition's books: how many deliveries it was given, and how each of them stands."""

    edition_id: int
    newsletter: str
    number: int
    made_at: datetime
    #: what the fan-out wrote
    candidates: int | None
    states: dict[DeliveryState, int]
    #: dots whose reply was never read: so many copies may exist
    doubts: int


async def accounts(connection: AsyncConnection, edition_id: int | None) -> list[Account]:
    """The books of one edition, or of all, oldest first."""
    query = select(editions).order_by(editions.c.id)
    counts = select(
        deliveries.c.edition_id,
        deliveries.c.state,
        func.count().label("n"),
        func.sum(deliveries.c.doubts).label("doubts"),
    ).where(deliveries.c.edition_id.is_not(None))
    if edition_id is not None:
        query = query.where(editions.c.id == edition_id)
        counts = counts.where(deliveries.c.edition_id == edition_id)
    states: dict[int, dict[DeliveryState, int]] = {}
    doubts: dict[int, int] = {}
    for row in await connection.execute(
        counts.group_by(deliveries.c.edition_id, deliveries.c.state)
    ):
        states.setdefault(row.edition_id, {})[DeliveryState(row.state)] = row.n
        doubts[row.edition_id] = doubts.get(row.edition_id, 0) + int(row.doubts)
    return [
        Account(
            edition_id=row.id,
            newsletter=row.newsletter,
            number=row.number,
            made_at=row.made_at,
            candidates=row.candidates,
            states=states.get(row.id, {}),
            doubts=doubts.get(row.id, 0),
        )
        for row in await connection.execute(query)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One delivery in the books, by name."""

    id: int
    address: str
    state: DeliveryState
    attempts: int
    doubts: int
    due_at: datetime
    updated_at: datetime
    reply: str | None


async def people(
    connection: AsyncConnection,
    edition_id: int,
    *,
    states: Collection[DeliveryState],
    after: int = 0,
    limit: int = 1000,
) -> list[Line]:
    """A page of an edition's deliveries in these states; `after`: the last page's last id."""
    columns = [deliveries.c[name] for name in Line.__dataclass_fields__ if name != "address"]
    query = (
        select(*columns, subscribers.c.address)
        .join(subscriptions, subscriptions.c.id == deliveries.c.subscription_id)
        .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .where(
            deliveries.c.edition_id == edition_id,
            deliveries.c.state.in_([each.value for each in states]),
            deliveries.c.id > after,
        )
        .order_by(deliveries.c.id)
        .limit(limit)
    )
    return [
        Line(**{**row._mapping, "state": DeliveryState(row.state)})  # noqa: SLF001 -- SQLAlchemy's public name for it
        for row in await connection.execute(query)
    ]


async def count_later(connection: AsyncConnection, now: datetime) -> int:
    """How many queued deliveries are not due yet: their readers chose an hour, or they are held."""
    query = select(func.count()).where(
        deliveries.c.state == DeliveryState.QUEUED.value, deliveries.c.due_at > now
    )
    return int((await connection.execute(query)).scalar_one())


async def count_readers(
    connection: AsyncConnection,
    *,
    newsletter: str,
    schedule: str,
    other_than: Collection[str] = (),
    now: datetime,
) -> int:
    """How many readers there are for an edition of this rhythm."""
    query = (
        select(func.count())
        .select_from(subscriptions)
        .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .where(reads(newsletter, [schedule], other_than, now=now))
    )
    return int((await connection.execute(query)).scalar_one())


async def count_articles(connection: AsyncConnection, edition_id: int) -> int:
    """How many articles an edition tells."""
    query = select(func.count()).where(
        edition_articles.c.edition_id == edition_id, edition_articles.c.position.is_not(None)
    )
    return int((await connection.execute(query)).scalar_one())


async def sent_since(connection: AsyncConnection, editions: Collection[int], at: datetime) -> int:
    """How many messages of these editions the relay has taken since `at`."""
    query = select(func.count()).where(
        deliveries.c.edition_id.in_(list(editions)),
        deliveries.c.state == DeliveryState.SENT.value,
        deliveries.c.updated_at >= at,
    )
    return int((await connection.execute(query)).scalar_one())
