"""Workers: a process that delivers has a row, and the row is the lease on all that it holds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, case, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.delivery import DeliveryState
from digest.store.tables import deliveries
from digest.store.troubles import workers


async def enlist(
    connection: AsyncConnection, *, owner: str, machine: str, process: str, now: datetime
) -> None:
    """Write a worker down; its row is the lease on all that it will hold."""
    row = {"id": owner, "machine": machine, "process": process, "seen_at": now}
    await connection.execute(insert(workers).values(row))


async def still_here(connection: AsyncConnection, *, owner: str, now: datetime) -> bool:
    """Renew the lease; False when another worker has taken it away."""
    result = await connection.execute(
        update(workers).where(workers.c.id == owner).values(seen_at=now)
    )
    return bool(result.rowcount)


async def tell_trouble(
    connection: AsyncConnection, *, owner: str, trouble: str | None, now: datetime
) -> None:
    """Say why the relay cannot be used, or that it can; since when is kept from the first time."""
    since = case((workers.c.trouble.is_(None), now), else_=workers.c.trouble_since)
    values = {
        "trouble": trouble[:500] if trouble else None,
        "trouble_since": since if trouble else None,
    }
    await connection.execute(update(workers).where(workers.c.id == owner).values(values))


async def troubles(connection: AsyncConnection) -> list[tuple[str, datetime]]:
    """Why workers cannot use the relay, and since when; the longest first."""
    query = (
        select(workers.c.trouble, workers.c.trouble_since)
        .where(workers.c.trouble.is_not(None))
        .order_by(workers.c.trouble_since)
    )
    return [(row.trouble, row.trouble_since) for row in await connection.execute(query)]


async def roll_call(connection: AsyncConnection) -> list[tuple[str, str, str, datetime]]:
    """All workers: id, machine, process, when last seen."""
    rows = await connection.execute(select(workers))
    return [(row.id, row.machine, row.process, row.seen_at) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What the workers that are gone left behind."""

    requeued: int
    uncertain: int


async def bury(connection: AsyncConnection, owners: Collection[str], *, now: datetime) -> Recovered:
    """Strike these off the roll and take back what nobody on it holds.

    Claimed is queued again, dotted is uncertain. Not only what these held: a worker that slept past
    its lease may have claimed again before it wrote itself down anew, and then been killed.
    """
    await connection.execute(delete(workers).where(workers.c.id.in_(list(owners))))
    held = and_(deliveries.c.owner.is_not(None), deliveries.c.owner.not_in(select(workers.c.id)))
    requeued = await connection.execute(
        update(deliveries)
        .where(held, deliveries.c.state == DeliveryState.CLAIMED.value)
        .values(state=DeliveryState.QUEUED.value, owner=None, updated_at=now)
    )
    uncertain = await connection.execute(
        update(deliveries)
        .where(held, deliveries.c.state == DeliveryState.DOTTED.value)
        .values(
            state=DeliveryState.UNCERTAIN.value,
            owner=None,
            due_at=now,
            doubts=deliveries.c.doubts + 1,
            reply="the worker ended after the final dot and before the reply was recorded",
            updated_at=now,
        )
    )
    return Recovered(requeued=requeued.rowcount, uncertain=uncertain.rowcount)
