"""A store with many readers at several domains, and an edition for them, written in bulk."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update

from digest.model.pause import Kind, Pause, Scope
from digest.model.subscriber import SubscriptionState
from digest.store import deliveries, queue
from digest.store.engine import Connection, Store
from digest.store.queue import Scope as Work
from digest.store.tables import deliveries as rows
from digest.store.tables import editions, subscribers, subscriptions

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


async def settle_people(connection: Connection, addresses: Iterable[str]) -> None:
    """Active daily readers of "news"."""
    wanted = list(addresses)
    people = [
        {
            "address": each,
            "address_key": each,
            "address_hash": f"hash-{each}",
            "domain": each.rpartition("@")[2],
            "language": "de",
            "created_at": NOW,
        }
        for each in wanted
    ]
    await connection.execute(insert(subscribers), people)
    found = await connection.execute(
        select(subscribers.c.id, subscribers.c.address).order_by(subscribers.c.id)
    )
    ids = {row.address: row.id for row in found}
    await connection.execute(
        insert(subscriptions),
        [
            {
                "ref": ids[each].to_bytes(12),
                "subscriber_id": ids[each],
                "newsletter": "news",
                "state": SubscriptionState.ACTIVE.value,
                "frequency": "daily",
                "topics": [],
                "requested_at": NOW,
                "request_nonce": b"n" * 16,
            }
            for each in wanted
        ],
    )


async def make_edition(
    connection: Connection, number: int = 1, *, made_at: datetime = NOW, fan_out: bool = True
) -> int:
    statement = insert(editions).values(
        newsletter="news",
        schedule="daily",
        number=number,
        made_at=made_at,
        language="de",
        nonce="0" * 32,
        subject="s",
        preheader="p",
        html="h",
        text="t",
    )
    edition = int((await connection.execute(statement.returning(editions.c.id))).scalar_one())
    if fan_out:
        await deliveries.fan_out(
            connection, edition_id=edition, newsletter="news", frequencies=["daily"], now=made_at
        )
    return edition


async def stocked(store: Store, *addresses: str) -> int:
    """These readers and an edition; its id."""
    async with store.write() as connection:
        await settle_people(connection, addresses)
        return await make_edition(connection)


def at(domain: str, count: int) -> list[str]:
    return [f"r{number:05d}@{domain}" for number in range(count)]


async def take(
    store: Store,
    *,
    limit: int = 16,
    now: datetime = NOW,
    owner: str = "w",
    resend: bool = True,
    window: timedelta = timedelta(days=2),
) -> list[int]:
    """The ids of what one claim takes."""
    async with store.write() as connection:
        claims = await queue.claim(
            connection,
            owner=owner,
            scope=Work(),
            resend_uncertain=resend,
            limit=limit,
            window=window,
            now=now,
        )
    return [each.id for each in claims]


async def table(store: Store) -> list[Any]:
    """All deliveries with their readers' addresses, by id."""
    query = (
        select(rows, subscribers.c.address, subscribers.c.domain)
        .join(subscriptions, subscriptions.c.id == rows.c.subscription_id)
        .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .order_by(rows.c.id)
    )
    async with store.read() as connection:
        return list(await connection.execute(query))


async def set_row(store: Store, delivery_id: int, **values: object) -> None:
    async with store.write() as connection:
        await connection.execute(update(rows).where(rows.c.id == delivery_id).values(values))


def pause(
    scope: Scope,
    name: object,
    *,
    kind: Kind = Kind.OPERATOR,
    until: datetime | None = None,
    began_at: datetime = NOW,
    cause: str = "a test",
) -> Pause:
    return Pause(
        scope=scope, name=str(name), kind=kind, cause=cause, began_at=began_at, until=until
    )
