"""Takes out of the tables all that says who somebody was.

What the books and old links need stays, without a name. `store/suppressions.py` knows the hash of
the address, and nothing leads from the one to the other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ColumnElement, Select, Table, case, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.delivery import DeliveryState
from digest.model.subscriber import SubscriptionState
from digest.store import follows
from digest.store.lost import UNENDED
from digest.store.people import ERASED, Person
from digest.store.tables import consent_events, deliveries, subscribers, subscriptions
from digest.store.troubles import asks, bounces, pauses, workers


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What erasing somebody touched."""

    subscriptions: int
    #: rows that stay in the books without a name
    deliveries: int
    consent_events: int
    bounces: int

    def __add__(self, other: Erased) -> Erased:
        """Both."""
        return Erased(
            subscriptions=self.subscriptions + other.subscriptions,
            deliveries=self.deliveries + other.deliveries,
            consent_events=self.consent_events + other.consent_events,
            bounces=self.bounces + other.bounces,
        )


async def erase(
    connection: AsyncConnection, person: Person, *, known_as: str, nonce: bytes, now: datetime
) -> Erased:
    """Take out all that says who this was; `nonce` makes his confirm links void.

    `known_as` is the hash of his address by today's key, which the row's may be older than.
    The rows of his deliveries stay, for an edition's books must balance, and the references of his
    subscriptions, for their old links must answer. Hold the person first. Deliveries come before
    subscriptions, as where the relay's answer to a confirm mail is recorded.
    """
    mine = select(subscriptions.c.id).where(subscriptions.c.subscriber_id == person.id)
    named = or_(bounces.c.subscriber_id == person.id, _is_mine(bounces.c.delivery_id, mine))
    rows = await _close(connection, mine, named=select(bounces.c.delivery_id).where(named), now=now)
    await follows.forget(connection, mine)
    ended = await connection.execute(
        update(subscriptions)
        .where(subscriptions.c.subscriber_id == person.id)
        .values(
            state=SubscriptionState.UNSUBSCRIBED.value,
            choice="",
            hour=None,
            paused_until=None,
            # nobody may come back to it: when he left is not known any more
            unsubscribed_at=None,
            request_nonce=nonce,
            replaces=None,
        )
    )
    returned = await connection.execute(delete(bounces).where(named))
    record = await connection.execute(
        delete(consent_events).where(consent_events.c.subscription_id.in_(mine))
    )
    hashes = (person.address_hash, known_as)
    await connection.execute(delete(asks).where(asks.c.address_hash.in_(hashes)))
    for table, column in ((pauses, pauses.c.cause), (workers, workers.c.trouble)):
        await _strike_out(connection, table, column, person.address)
    await _blank(connection, person)
    return Erased(
        subscriptions=ended.rowcount,
        deliveries=rows,
        consent_events=record.rowcount,
        bounces=returned.rowcount,
    )


async def _blank(connection: AsyncConnection, person: Person) -> None:
    nobody = f"{ERASED}{person.id}"
    await connection.execute(
        update(subscribers)
        .where(subscribers.c.id == person.id)
        .values(address=nobody, address_key=nobody, address_hash="", domain="", timezone=None)
    )


def _is_mine(delivery: ColumnElement[int], mine: Select[int]) -> ColumnElement[bool]:
    return delivery.in_(select(deliveries.c.id).where(deliveries.c.subscription_id.in_(mine)))


async def _close(
    connection: AsyncConnection, mine: Select[int], *, named: Select[int], now: datetime
) -> int:
    """Close what is open, take it from whoever holds it, and blank what servers said.

    Whoever holds a row learns at the fence, or when he wants to record, that it is not his: so no
    reply that comes later is written down. A dot that may be out is counted as a doubt.
    """
    rows = deliveries.c.subscription_id.in_(mine)
    dotted = deliveries.c.state == DeliveryState.DOTTED.value
    await connection.execute(
        update(deliveries)
        .where(rows, deliveries.c.state.in_(UNENDED))
        .values(
            state=DeliveryState.EXCLUDED.value,
            doubts=deliveries.c.doubts + case((dotted, 1), else_=0),
            owner=None,
            updated_at=now,
        )
    )
    # what was handed over to another address of his may still quote this one
    await connection.execute(
        update(deliveries).where(deliveries.c.id.in_(named)).values(reply=None)
    )
    # nothing that comes back of a message that was never tried is believed (`reports.whose`): it
    # would be written down with the address in it; and what came to him alone says what he followed
    blank = update(deliveries).where(rows).values(reply=None, attempts=0, extra=None)
    return int((await connection.execute(blank)).rowcount)


async def _strike_out(
    connection: AsyncConnection, table: Table, column: Column[str], address: str
) -> None:
    """Blank an address in the few sentences that are about others and may quote it."""
    (key,) = table.primary_key.columns
    said = func.lower(column).contains(address.lower(), autoescape=True)
    for row in (await connection.execute(select(key, column).where(said))).all():
        clean = re.sub(re.escape(address), "…", row[1], flags=re.IGNORECASE)
        await connection.execute(update(table).where(key == row[0]).values({column.name: clean}))
