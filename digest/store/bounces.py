"""Bounces: what came back, one a delivery; who is to blame is decided elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.delivery import DeliveryState
from digest.model.report import Cause
from digest.store.dialect import insert_new
from digest.store.readers import readers_at
from digest.store.tables import deliveries, editions, suppressions
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

    A hard one takes a soft one's place: a relay may say "later" for two days, and then "never". One
    that is about the reader takes the place of one that was about us.
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
    lighter = [each.value for each in Cause if cause.outweighs(each)]
    result = await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["delivery_id"],
            set_={name: statement.excluded[name] for name in ("cause", "door", "text", "at")},
            where=bounces.c.cause.in_(lighter),
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
        query = query.where(deliveries.c.subscription_id.in_(readers_at(domain)))
    return int((await connection.execute(query)).scalar_one())


async def blocking(connection: AsyncConnection, edition_id: int) -> list[str]:
    """The domains at which a message of this edition was refused because of us."""
    query = (
        select(bounces.c.domain)
        .where(bounces.c.edition_id == edition_id, bounces.c.cause == Cause.BLOCKED.value)
        .distinct()
        .order_by(bounces.c.domain)
    )
    return list((await connection.execute(query)).scalars())


async def any_sent(connection: AsyncConnection, edition_id: int, domain: str) -> bool:
    """True when a server took a message of this edition to this domain."""
    query = select(deliveries.c.id).where(
        deliveries.c.edition_id == edition_id,
        deliveries.c.state == DeliveryState.SENT.value,
        deliveries.c.subscription_id.in_(readers_at(domain)),
    )
    return (await connection.execute(query.limit(1))).first() is not None


async def hold_still(connection: AsyncConnection, edition_id: int, *, alone: bool = False) -> None:
    """Let nobody take back (`alone`), or nobody blame, in this edition until the transaction ends.

    SQLite's write transaction is that lock already.
    """
    query = select(editions.c.id).where(editions.c.id == edition_id)
    # a share among those who blame; both let fan-outs and new rows in
    await connection.execute(
        query.with_for_update(key_share=True) if alone else query.with_for_update(read=True)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """What became of refusals that were not the readers' fault."""

    #: addresses that are open to us again, as suppressions know them
    opened: tuple[str, ...]
    #: deliveries that wait to be tried again
    waiting: int


async def take_back(
    connection: AsyncConnection, edition_id: int, domain: str | None, *, later: datetime
) -> TakenBack:
    """Hold nobody to blame for the refusals of an edition (to a domain): it was not the readers.

    Addresses that they closed are open again, and what was refused, at once or later, waits to be
    tried again: nobody has got it.
    """
    mine = select(bounces.c.delivery_id).where(_within(edition_id, domain))
    opened = await connection.execute(
        delete(suppressions)
        .where(suppressions.c.reason == "bounced", suppressions.c.delivery_id.in_(mine))
        .returning(suppressions.c.address_hash)
    )
    addresses = tuple(opened.scalars())
    waiting = await connection.execute(
        update(deliveries)
        .where(
            deliveries.c.id.in_(mine),
            deliveries.c.state == DeliveryState.BOUNCED.value,
        )
        .values(state=DeliveryState.DEFERRED.value, due_at=later)
    )
    await connection.execute(
        update(bounces).where(_within(edition_id, domain)).values(cause=Cause.BLOCKED.value)
    )
    return TakenBack(opened=addresses, waiting=waiting.rowcount)


#: a bounce fades by half in a month: after this long it weighs nothing that could matter
REMEMBERED = timedelta(days=365)
