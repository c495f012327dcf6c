"""Addresses that are closed to us, known by keyed hashes that outlive whoever had them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.store.dialect import insert_new
from digest.store.tables import suppressions

#: the person wants to be forgotten: the reason that no other one takes the place of
ERASED: Final = "erased"


async def is_suppressed(connection: AsyncConnection, address_hash: str) -> bool:
    """True for an address that is closed to us."""
    query = select(suppressions.c.at).where(suppressions.c.address_hash == address_hash)
    return (await connection.execute(query)).first() is not None


async def suppress(
    connection: AsyncConnection,
    address_hash: str,
    *,
    reason: str,
    delivery_id: int | None = None,
    now: datetime,
) -> None:
    """Close an address to us; what closed it first stays its reason, unless a stronger one comes.

    A bounce may be taken back one day (`bounces.take_back`), a word of the person's own never is,
    and that he wants to be forgotten is the strongest of them.
    """
    row = {"address_hash": address_hash, "reason": reason, "at": now, "delivery_id": delivery_id}
    statement = insert_new(connection, suppressions).values(row)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["address_hash"],
            set_={"reason": reason, "delivery_id": delivery_id},
            where=or_(
                and_(suppressions.c.reason == "bounced", statement.excluded.reason != "bounced"),
                statement.excluded.reason == ERASED,
            ),
        )
    )


async def reopen(connection: AsyncConnection, address_hash: str) -> str | None:
    """Open an address to us again; return why it was closed, None when it was not."""
    statement = delete(suppressions).where(suppressions.c.address_hash == address_hash)
    return (await connection.execute(statement.returning(suppressions.c.reason))).scalar()


async def count_suppressed(connection: AsyncConnection) -> dict[str, int]:
    """How many addresses are closed to us, by reason."""
    query = select(suppressions.c.reason, func.count().label("n")).group_by(suppressions.c.reason)
    return {row.reason: row.n for row in await connection.execute(query)}


async def suppression(connection: AsyncConnection, address_hash: str) -> str | None:
    """Why an address is closed to us; None when it is not."""
    query = select(suppressions.c.reason).where(suppressions.c.address_hash == address_hash)
    return (await connection.execute(query)).scalar()
