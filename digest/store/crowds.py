"""How often an address was asked, and how often a network or everybody asked us; nobody is named.

Addresses and networks are known by keyed hashes. What lets somebody in is one statement that names
its limit: two doors at once cannot both let in the last one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import and_, case, delete, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.store.dialect import UtcTime, insert_new
from digest.store.tables import subscriptions
from digest.store.troubles import asks, quotas

#: the row of an address as such: those who ask about it wait for one another there, and its time
#: says when it was last asked about at all
_ADDRESS: Final = ""


# --------------------------------------------------------------- what an address was sent


async def hold(connection: AsyncConnection, address_hash: str, *, now: datetime) -> None:
    """Let what concerns this address come in turn until the transaction ends; it is asked about.

    Whether it will be written to is another matter: its row says nothing of that.
    """
    row = {"address_hash": address_hash, "newsletter": _ADDRESS, "mails": 0, "last_at": now}
    statement = insert_new(connection, asks).values(row)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["address_hash", "newsletter"], set_={"last_at": now}
        )
    )


async def asked(connection: AsyncConnection, address_hash: str) -> list[tuple[str, int, datetime]]:
    """Newsletter, confirm mails since its last confirmation, and when the last one was queued."""
    query = select(asks.c.newsletter, asks.c.mails, asks.c.last_at).where(
        asks.c.address_hash == address_hash, asks.c.newsletter != _ADDRESS
    )
    return [(row.newsletter, row.mails, row.last_at) for row in await connection.execute(query)]


async def count_mail(
    connection: AsyncConnection, address_hash: str, newsletter: str, *, now: datetime
) -> None:
    """One more confirm mail goes to this address; in the transaction that queues it."""
    row = {"address_hash": address_hash, "newsletter": newsletter, "mails": 1, "last_at": now}
    statement = insert_new(connection, asks).values(row)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["address_hash", "newsletter"],
            set_={"mails": asks.c.mails + 1, "last_at": now},
        )
    )


async def clear(connection: AsyncConnection, address_hash: str, newsletter: str) -> None:
    """The address confirmed: what it was sent until now was wanted."""
    await connection.execute(
        delete(asks).where(asks.c.address_hash == address_hash, asks.c.newsletter == newsletter)
    )


# --------------------------------------------------------------- how many came


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """What somebody wants to be counted as, and the most that there may be."""

    name: str
    count: int
    limit: int


async def used(
    connection: AsyncConnection, names: Collection[str], *, since: datetime
) -> dict[str, tuple[int, datetime]]:
    """How many were counted in the window that is open, and since when; none is not in here."""
    query = select(quotas).where(quotas.c.name.in_(list(names)), quotas.c.began_at > since)
    return {row.name: (row.used, row.began_at) for row in await connection.execute(query)}


async def take(
    connection: AsyncConnection, wants: Sequence[Want], *, now: datetime, window: timedelta
) -> str | None:
    """Count somebody in all these respects, or in none: the name of the one that is full.

    A window begins with whoever comes first. The rows are held until the transaction ends, so the
    one that all share comes last.
    """
    for place, want in enumerate(wants):
        if not await _take(connection, want, now=now, window=window):
            for taken in wants[:place]:
                await connection.execute(
                    update(quotas)
                    .where(quotas.c.name == taken.name)
                    .values(used=quotas.c.used - taken.count)
                )
            return want.name
    return None


async def _take(
    connection: AsyncConnection, want: Want, *, now: datetime, window: timedelta
) -> bool:
    statement = insert_new(connection, quotas).values(name=want.name, began_at=now, used=want.count)
    over = quotas.c.began_at <= now - window
    result = await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["name"],
            set_={
                "used": case((over, want.count), else_=quotas.c.used + want.count),
                "began_at": case((over, literal(now, UtcTime)), else_=quotas.c.began_at),
            },
            where=or_(over, quotas.c.used + want.count <= want.limit),
        )
    )
    return bool(result.rowcount)


# --------------------------------------------------------------- who confirmed


async def count_requests(
    connection: AsyncConnection, *, since: datetime, until: datetime
) -> tuple[int, int]:
    """How many of the requests of that time nobody confirmed, and how many somebody did.

    Those whom the operator admitted asked for nothing: they are in neither.
    """
    confirmed = subscriptions.c.confirmed_at > subscriptions.c.requested_at
    missing = or_(
        subscriptions.c.confirmed_at.is_(None),
        subscriptions.c.confirmed_at < subscriptions.c.requested_at,
    )
    query = select(
        func.count(case((missing, 1))).label("missing"),
        func.count(case((confirmed, 1))).label("confirmed"),
    ).where(and_(subscriptions.c.requested_at > since, subscriptions.c.requested_at <= until))
    row = (await connection.execute(query)).one()
    return row.missing, row.confirmed


# --------------------------------------------------------------- forgetting


async def forget(
    connection: AsyncConnection, *, asked_before: datetime, counted_before: datetime
) -> int:
    """Forget addresses that nobody asked about since, and windows that closed; how many rows."""
    old = select(asks.c.address_hash).where(
        asks.c.newsletter == _ADDRESS, asks.c.last_at < asked_before
    )
    gone = await connection.execute(delete(asks).where(asks.c.address_hash.in_(old)))
    closed = await connection.execute(delete(quotas).where(quotas.c.began_at < counted_before))
    return gone.rowcount + closed.rowcount
