"""Closes what a worker already holds for somebody who leaves, so that no fence lets it through."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.delivery import DeliveryState
from digest.store.tables import deliveries


async def call_back(connection: AsyncConnection, subscription_id: int, *, now: datetime) -> int:
    """Close the claimed messages to this person, in the transaction in which he leaves.

    The fence asks whether he still wants his message, but PostgreSQL answers as of the moment at
    which its statement began: he could leave, and be told so, between that and its commit. Here
    both want the same row, so the one that comes second sees what the first one did.
    """
    result = await connection.execute(
        update(deliveries)
        .where(
            deliveries.c.subscription_id == subscription_id,
            deliveries.c.state == DeliveryState.CLAIMED.value,
        )
        .values(state=DeliveryState.EXCLUDED.value, owner=None, updated_at=now)
    )
    return int(result.rowcount)


async def was_called_back(connection: AsyncConnection, delivery_id: int) -> bool:
    """True when the message is closed because the person left."""
    query = select(deliveries.c.state).where(deliveries.c.id == delivery_id)
    state = (await connection.execute(query)).scalar()
    return bool(state == DeliveryState.EXCLUDED.value)
