"""Paces: how fast we may go, for all workers together; time is handed out, not measured.

Each message takes a place on a line of time (a generic cell rate algorithm, ITU-T I.371): whoever
claims rows moves the line's end in the same transaction, so that any number of workers keeps to one
rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.store.dialect import insert_new
from digest.store.troubles import paces

#: the line of all messages, whatever their domain; no domain can have this name
EVERYBODY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """A domain that is gone slower with."""

    name: str
    #: seconds between two messages
    gap: float
    next_at: datetime
    #: when it last asked us to go slower
    updated_at: datetime


#: so much and so many gaps ahead no line is ever reserved: a clock that was wrong wrote that
FARTHEST = timedelta(minutes=10)
PLACES = 50


def free_from(next_at: datetime, *, gap: float, now: datetime) -> datetime:
    """The first place on a line that is free, given its end as it stands in the books."""
    farthest = now + FARTHEST + timedelta(seconds=gap * PLACES)
    return next_at if now <= next_at <= farthest else now


async def reserve(
    connection: AsyncConnection, name: str, *, count: int, gap: float, now: datetime
) -> datetime:
    """Take the next `count` places on a line with `gap` seconds between; return the first one's."""
    await _touch(connection, name, gap=gap, now=now)
    query = select(paces.c.next_at).where(paces.c.name == name).with_for_update()
    free: datetime = (await connection.execute(query)).scalar_one()
    first = free_from(free, gap=gap, now=now)
    await connection.execute(
        paces.update()
        .where(paces.c.name == name)
        .values(gap=gap, next_at=first + timedelta(seconds=gap * count))
    )
    return first


async def _touch(connection: AsyncConnection, name: str, *, gap: float, now: datetime) -> None:
    statement = insert_new(connection, paces).values(
        name=name, gap=gap, next_at=now, updated_at=now
    )
    await connection.execute(statement.on_conflict_do_nothing(index_elements=["name"]))


async def slow(connection: AsyncConnection, *, lock: bool = False) -> dict[str, Pace]:
    """The domains that we go slower with.

    Whoever means to change one asks with `lock`, and holds them all until the transaction ends:
    taken one by one, and by each worker in another order, they would make workers wait in a ring.
    """
    query = select(paces).where(paces.c.name != EVERYBODY).order_by(paces.c.name)
    if lock:  # SQLite's write transaction is that lock already
        query = query.with_for_update()
    return {
        row.name: Pace(name=row.name, gap=row.gap, next_at=row.next_at, updated_at=row.updated_at)
        for row in await connection.execute(query)
    }


async def set_gap(
    connection: AsyncConnection, name: str, gap: float, *, asked_at: datetime, now: datetime
) -> None:
    """From now on so many seconds between two messages to this domain; 0: as fast as to others.

    `asked_at`: when it last asked us to go slower.
    """
    if gap <= 0:
        await connection.execute(delete(paces).where(paces.c.name == name))
        return
    await _touch(connection, name, gap=gap, now=now)
    values = {"gap": gap, "updated_at": asked_at}
    later = now + timedelta(seconds=gap)
    free = case((paces.c.next_at > later, paces.c.next_at), else_=later)
    await connection.execute(
        paces.update().where(paces.c.name == name).values(**values, next_at=free)
    )
