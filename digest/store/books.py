"""The books: how deliveries stand, counted; nothing here changes anything."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.delivery import DeliveryState
from digest.store.queue import OPEN
from digest.store.readers import reads
from digest.store.tables import deliveries, edition_articles, editions, subscribers, subscriptions


async def count(connection: AsyncConnection, edition_id: int) -> dict[DeliveryState, int]:
    """How the deliveries of one edition stand."""
    query = (
        select(deliveries.c.state, func.count().label("n"))
        .where(deliveries.c.edition_id == edition_id)
        .group_by(deliveries.c.state)
    )
    return {DeliveryState(row.state): row.n for row in await connection.execute(query)}


async def count_all(connection: AsyncConnection) -> dict[DeliveryState, int]:
    """How all deliveries stand."""
    query = select(deliveries.c.state, func.count().label("n")).group_by(deliveries.c.state)
    return {DeliveryState(row.state): row.n for row in await connection.execute(query)}


async def unfinished(
    connection: AsyncConnection, newsletter: str, *, with_uncertain: bool
) -> list[int]:
    """Editions of a newsletter with deliveries that can still be made, oldest first."""
    states = [*OPEN, DeliveryState.CLAIMED.value, DeliveryState.DOTTED.value]
    if with_uncertain:
        states.append(DeliveryState.UNCERTAIN.value)
    query = (
        select(editions.c.id)
        .where(
            editions.c.newsletter == newsletter,
            exists().where(
                deliveries.c.edition_id == editions.c.id, deliveries.c.state.in_(states)
            ),
        )
        .order_by(editions.c.id)
    )
    return list((await connection.execute(query)).scalars())


async def notices_since(
    connection: AsyncConnection, *, notice: str, subscription_id: int
) -> list[datetime]:
    """When this kind of notice was queued for this subscription, newest first."""
    query = (
        select(deliveries.c.created_at)
        .where(deliveries.c.notice == notice, deliveries.c.subscription_id == subscription_id)
        .order_by(deliveries.c.created_at.desc())
    )
    return list((await connection.execute(query)).scalars())


async def count_readers(
    connection: AsyncConnection, *, newsletter: str, schedule: str, other_than: Collection[str] = ()
) -> int:
    """How many readers an edition of this rhythm would go to."""
    query = (
        select(func.count())
        .select_from(subscriptions)
        .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .where(reads(newsletter, [schedule], other_than))
    )
    return int((await connection.execute(query)).scalar_one())


async def count_articles(connection: AsyncConnection, edition_id: int) -> int:
    """How many articles an edition tells."""
    query = select(func.count()).where(
        edition_articles.c.edition_id == edition_id, edition_articles.c.position.is_not(None)
    )
    return int((await connection.execute(query)).scalar_one())


async def sent_since(connection: AsyncConnection, editions: Collection[int], at: datetime) -> int:
    """How many messages of these editions the relay has taken since `at`."""
    query = select(func.count()).where(
        deliveries.c.edition_id.in_(list(editions)),
        deliveries.c.state == DeliveryState.SENT.value,
        deliveries.c.updated_at >= at,
    )
    return int((await connection.execute(query)).scalar_one())
