"""Bounces: what came back, one a delivery; who is to blame is decided elsewhere."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.delivery import DeliveryState
from digest.model.report import Cause
from digest.store.dialect import insert_new
from digest.store.tables import deliveries, subscribers, subscriptions, suppressions
from digest.store.troubles import bounces

#: refusals that count towards a pause: 5xx by the relay, and all that comes back later
_REFUSALS = tuple(
    each.value for each in (Cause.GONE, Cause.CLOSED, Cause.NOWHERE, Cause.REFUSED, Cause.BLOCKED)
)


async def note(
    connection: AsyncConnection,
    *,
    delivery_id: int,
    subscriber_id: int,
    edition_id: int | None,
    domain: str,
    cause: Cause,
    door: str,
    text: str,
    now: datetime,
) -> bool:
    """Write a bounce down; False when this delivery has one that weighs as much.

    A hard one takes a soft one's place: a relay may say "later" for two days, and then "never".
    """
    row = {
        "delivery_id": delivery_id,
        "subscriber_id": subscriber_id,
        "edition_id": edition_id,
        "domain": domain,
        "cause": cause.value,
        "door": door,
        "text": text[:500],
        "at": now,
    }
    statement = insert_new(connection, bounces).values(row)
    hard = [each.value for each in Cause if each.hard]
    heavier = and_(statement.excluded.cause.in_(hard), bounces.c.cause.not_in(hard))
    result = await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["delivery_id"],
            set_={name: statement.excluded[name] for name in ("cause", "door", "text", "at")},
            where=heavier,
        )
    )
    return bool(result.rowcount)


async def of_person(
    connection: AsyncConnection, subscriber_id: int, *, since: datetime
) -> list[tuple[Cause, datetime]]:
    """What came back from one mailbox, oldest first."""
    query = (
        select(bounces.c.cause, bounces.c.at)
        .where(bounces.c.subscriber_id == subscriber_id, bounces.c.at >= since)
        .order_by(bounces.c.at)
    )
    return [(Cause(row.cause), row.at) for row in await connection.execute(query)]


async def count_since(connection: AsyncConnection, since: datetime) -> dict[Cause, int]:
    """How many came back since then, by cause."""
    query = (
        select(bounces.c.cause, func.count().label("n"))
        .where(bounces.c.at >= since)
        .group_by(bounces.c.cause)
    )
    return {Cause(row.cause): row.n for row in await connection.execute(query)}


def _within(edition_id: int, domain: str | None) -> ColumnElement[bool]:
    mine = bounces.c.edition_id == edition_id
    return mine if domain is None else and_(mine, bounces.c.domain == domain)


async def refusals(connection: AsyncConnection, edition_id: int, domain: str | None) -> int:
    """How many messages of an edition (to a domain) were refused or came back."""
    query = select(func.count()).where(
        _within(edition_id, domain),
        or_(bounces.c.cause.in_(_REFUSALS), bounces.c.door != "smtp"),
    )
    return int((await connection.execute(query)).scalar_one())


async def tried(connection: AsyncConnection, edition_id: int, domain: str | None) -> int:
    """How many messages of an edition (to a domain) were tried and answered."""
    query = select(func.count()).where(
        deliveries.c.edition_id == edition_id,
        deliveries.c.attempts > 0,
    )
    if domain is not None:
        query = query.where(deliveries.c.subscription_id.in_(_readers_at(domain)))
    return int((await connection.execute(query)).scalar_one())


def _readers_at(domain: str) -> Select[int]:
    return (
        select(subscriptions.c.id)
        .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .where(subscribers.c.domain == domain)
    )


async def any_sent(connection: AsyncConnection, edition_id: int, domain: str) -> bool:
    """True when a server took a message of this edition to this domain."""
    query = select(deliveries.c.id).where(
        deliveries.c.edition_id == edition_id,
        deliveries.c.state == DeliveryState.SENT.value,
        deliveries.c.subscription_id.in_(_readers_at(domain)),
    )
    return (await connection.execute(query.limit(1))).first() is not None


async def take_back(
    connection: AsyncConnection, edition_id: int, domain: str | None, *, later: datetime
) -> int:
    """Hold nobody to blame for the refusals of an edition (to a domain): it was not the readers.

    Addresses that they closed are open again, and what the relay refused waits to be tried again.
    Returns how many addresses were opened.
    """
    mine = select(bounces.c.delivery_id).where(_within(edition_id, domain))
    opened = await connection.execute(
        delete(suppressions).where(
            suppressions.c.reason == "bounced", suppressions.c.delivery_id.in_(mine)
        )
    )
    await connection.execute(
        update(deliveries)
        .where(
            deliveries.c.id.in_(mine.where(bounces.c.door == "smtp")),
            deliveries.c.state == DeliveryState.BOUNCED.value,
        )
        .values(state=DeliveryState.DEFERRED.value, due_at=later)
    )
    await connection.execute(
        update(bounces).where(_within(edition_id, domain)).values(cause=Cause.BLOCKED.value)
    )
    return int(opened.rowcount)


#: a bounce fades by half in a month: after this long it weighs nothing that could matter
REMEMBERED = timedelta(days=365)
