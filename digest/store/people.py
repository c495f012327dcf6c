"""People: who is known by which address, and what is held on one beside the subscriptions."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    Select,
    and_,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.subscriber import SubscriptionState
from digest.store.choosing import selections
from digest.store.tables import (
    consent_events,
    deliveries,
    editions,
    subscribers,
    subscriptions,
    suppressions,
)
from digest.store.troubles import asks, bounces

#: how the address of an erased person begins; no address does, for it has no @
ERASED: Final = "erased:"

#: what one statement may name
CHUNK: Final = 500

#: how the record of somebody who moved here names that of his old address (`jobs/move.py`)
_RECORD: Final = re.compile(r"\b[0-9a-f]{64}\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody by address, or a row that was."""

    id: int
    #: as it stands on the wire
    address: str
    address_key: str
    address_hash: str
    language: str
    timezone: str | None
    created_at: datetime

    @property
    def is_erased(self) -> bool:
        """True where nothing is left but the number."""
        return is_erased(self.address)


def is_erased(address: str) -> bool:
    """True for what stands in the place of an address that was erased."""
    return address.startswith(ERASED)


async def known(connection: AsyncConnection, address_key: str) -> int | None:
    """The id of the person with this address; None for nobody."""
    query = select(subscribers.c.id).where(subscribers.c.address_key == address_key)
    return (await connection.execute(query)).scalar()


async def look(connection: AsyncConnection, subscriber_id: int) -> Person | None:
    """The person; None for nobody."""
    return await _person(connection, _whole(subscriber_id))


async def hold(connection: AsyncConnection, subscriber_id: int) -> Person | None:
    """The person, held until the transaction ends; None for nobody.

    Whoever writes about a person holds this row first, here as in `subscribers.meet`.
    """
    return await _person(connection, _whole(subscriber_id).with_for_update(key_share=True))


def _whole(subscriber_id: int) -> Select[tuple[object, ...]]:
    columns = (subscribers.c[name] for name in Person.__dataclass_fields__)
    return select(*columns).where(subscribers.c.id == subscriber_id)


async def _person(connection: AsyncConnection, query: Select[tuple[object, ...]]) -> Person | None:
    row = (await connection.execute(query)).first()
    return Person(**row._mapping) if row else None  # noqa: SLF001 -- SQLAlchemy's public name for it


async def earlier(connection: AsyncConnection, subscriber_id: int) -> list[int]:
    """Under which numbers the same person was known before he moved to another address.

    Not where somebody asked for anything at that address since: it may be another person's.
    """
    mine = select(subscriptions.c.id).where(subscriptions.c.subscriber_id == subscriber_id)
    query = select(consent_events.c.detail).where(
        consent_events.c.kind == "moved", consent_events.c.subscription_id.in_(mine)
    )
    said = (await connection.execute(query)).scalars()
    hashes = {found for detail in said for found in _RECORD.findall(detail)}
    if not hashes:
        return []
    since = subscriptions.alias()
    owners = (
        select(subscriptions.c.subscriber_id)
        .join(consent_events, consent_events.c.subscription_id == subscriptions.c.id)
        .where(
            consent_events.c.hash.in_(hashes),
            subscriptions.c.subscriber_id != subscriber_id,
            ~exists().where(
                since.c.subscriber_id == subscriptions.c.subscriber_id,
                or_(
                    since.c.requested_at > consent_events.c.at,
                    since.c.confirmed_at > consent_events.c.at,
                    since.c.state != SubscriptionState.UNSUBSCRIBED.value,
                ),
            ),
        )
        .distinct()
    )
    return sorted((await connection.execute(owners)).scalars())


async def back(connection: AsyncConnection, erased: Mapping[str, datetime]) -> list[int]:
    """Who of those that were erased, by the hashes of their addresses, is there as before."""
    hashes, found = sorted(erased), []
    for start in range(0, len(hashes), CHUNK):
        query = select(subscribers.c.id, subscribers.c.address_hash, subscribers.c.created_at)
        query = query.where(subscribers.c.address_hash.in_(hashes[start : start + CHUNK]))
        found += [
            row.id
            for row in await connection.execute(query)
            if row.created_at <= erased[row.address_hash]
        ]
    return found


# --------------------------------------------------------------- what is held


async def deliveries_of(connection: AsyncConnection, subscriber_id: int) -> list[dict[str, Any]]:
    """Every message to this person, oldest first."""
    columns = ("subscription_id", "notice", "state", "attempts", "doubts", "reply")
    query = (
        select(
            *(deliveries.c[name] for name in columns),
            deliveries.c.created_at,
            deliveries.c.updated_at,
            editions.c.number,
            func.coalesce(selections.c.subject, editions.c.subject).label("subject"),
        )
        .join(subscriptions, subscriptions.c.id == deliveries.c.subscription_id)
        .outerjoin(editions, editions.c.id == deliveries.c.edition_id)
        .outerjoin(
            selections,
            and_(
                selections.c.edition_id == deliveries.c.edition_id,
                selections.c.choice == deliveries.c.choice,
            ),
        )
        .where(subscriptions.c.subscriber_id == subscriber_id)
        .order_by(deliveries.c.id)
    )
    return [dict(row._mapping) for row in await connection.execute(query)]  # noqa: SLF001 -- SQLAlchemy's public name for it


async def bounces_of(connection: AsyncConnection, subscriber_id: int) -> list[dict[str, Any]]:
    """Everything that came back from this person's mailbox, oldest first."""
    query = (
        select(bounces.c.at, bounces.c.cause, bounces.c.door, bounces.c.text)
        .where(bounces.c.subscriber_id == subscriber_id)
        .order_by(bounces.c.at, bounces.c.delivery_id)
    )
    return [dict(row._mapping) for row in await connection.execute(query)]  # noqa: SLF001 -- SQLAlchemy's public name for it


async def closed_among(connection: AsyncConnection, ids: Collection[int]) -> dict[int, str]:
    """Of these subscriptions, those whose address is closed to us, and why."""
    query = (
        select(subscriptions.c.id, suppressions.c.reason)
        .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .join(suppressions, suppressions.c.address_hash == subscribers.c.address_hash)
        .where(subscriptions.c.id.in_(list(ids)))
    )
    return {row.id: row.reason for row in await connection.execute(query)}


async def asks_of(connection: AsyncConnection, address_hash: str) -> list[dict[str, Any]]:
    """How many confirm mails this address had, by newsletter."""
    query = select(asks.c.newsletter, asks.c.mails, asks.c.last_at)
    query = query.where(asks.c.address_hash == address_hash).order_by(asks.c.newsletter)
    return [dict(row._mapping) for row in await connection.execute(query)]  # noqa: SLF001 -- SQLAlchemy's public name for it
