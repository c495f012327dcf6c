"""Requests that nobody confirmed: which have had their time, and how they are forgotten."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.delivery import DeliveryState
from digest.model.subscriber import SubscriptionState
from digest.store import follows
from digest.store.tables import consent_events, deliveries, subscribers, subscriptions
from digest.store.troubles import asks, quotas

_UNCONFIRMED = (SubscriptionState.PENDING.value, SubscriptionState.UNSUBSCRIBED.value)


def _is_over(before: datetime) -> ColumnElement[bool]:
    """Asked for before then and never confirmed; or asked anew by a reader who had left.

    Not while a worker holds its mail, nor where an edition was ever written to it.
    """
    never = and_(subscriptions.c.confirmed_at.is_(None), subscriptions.c.state.in_(_UNCONFIRMED))
    anew = and_(
        subscriptions.c.confirmed_at.is_not(None),
        subscriptions.c.state == SubscriptionState.PENDING.value,
    )
    held = deliveries.c.state.in_((DeliveryState.CLAIMED.value, DeliveryState.DOTTED.value))
    bound = exists().where(
        deliveries.c.subscription_id == subscriptions.c.id,
        or_(held, and_(deliveries.c.edition_id.is_not(None), ~anew)),
    )
    return and_(subscriptions.c.requested_at < before, or_(never, anew), ~bound)


async def over(
    connection: AsyncConnection, *, before: datetime, after: int, limit: int
) -> list[int]:
    """A page of the subscriptions whose request has had its time; `after`: the last page's last."""
    query = (
        select(subscriptions.c.id)
        .where(subscriptions.c.id > after, _is_over(before))
        .order_by(subscriptions.c.id)
        .limit(limit)
    )
    return list((await connection.execute(query)).scalars())


async def towards(connection: AsyncConnection, subscriber_id: int) -> list[int]:
    """Requests that this person made for an address he wanted to move to, not confirmed yet."""
    mine = select(subscriptions.c.id).where(subscriptions.c.subscriber_id == subscriber_id)
    query = select(subscriptions.c.id).where(
        subscriptions.c.replaces.in_(mine),
        subscriptions.c.state == SubscriptionState.PENDING.value,
    )
    return list((await connection.execute(query)).scalars())


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapsed:
    """What became of requests that were over."""

    #: gone with all that was kept of them
    forgotten: int
    #: subscriptions of readers who had left, which are as they were
    left: tuple[int, ...]


async def lapse(
    connection: AsyncConnection, ids: Collection[int], *, before: datetime, now: datetime
) -> Lapsed:
    """Forget those of these requests that are still over, and whoever is tied to nothing else.

    Somebody who is confirming, or asking anew, at this very moment is left alone: his rows are
    held, and the next round looks again.
    """
    busy = await _busy(connection, ids)
    query = (
        select(subscriptions.c.id, subscriptions.c.subscriber_id, subscriptions.c.confirmed_at)
        .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .where(
            subscriptions.c.id.in_(list(ids)),
            subscribers.c.address_hash.not_in(busy),
            _is_over(before),
        )
        .order_by(subscriptions.c.id)
        .with_for_update(of=[subscribers, subscriptions], key_share=True, skip_locked=True)
    )
    rows = (await connection.execute(query)).all()
    left = tuple(row.id for row in rows if row.confirmed_at is not None)
    gone = [row.id for row in rows if row.confirmed_at is None]
    if left:
        await connection.execute(
            update(subscriptions)
            .where(subscriptions.c.id.in_(left))
            .values(
                state=SubscriptionState.UNSUBSCRIBED.value,
                unsubscribed_at=func.coalesce(subscriptions.c.unsubscribed_at, now),
                replaces=None,
            )
        )
    if gone:
        await follows.forget(connection, gone)
        for table in (deliveries, consent_events):
            await connection.execute(delete(table).where(table.c.subscription_id.in_(gone)))
        await connection.execute(delete(subscriptions).where(subscriptions.c.id.in_(gone)))
        people = {row.subscriber_id for row in rows}
        tied = exists().where(subscriptions.c.subscriber_id == subscribers.c.id)
        await connection.execute(delete(subscribers).where(subscribers.c.id.in_(people), ~tied))
    return Lapsed(forgotten=len(gone), left=left)


async def _busy(connection: AsyncConnection, ids: Collection[int]) -> set[str]:
    """Hold the addresses of these requests as `crowds.hold` does; those that others hold."""
    owners = (
        select(subscribers.c.address_hash)
        .join(subscriptions, subscriptions.c.subscriber_id == subscribers.c.id)
        .where(subscriptions.c.id.in_(list(ids)))
    )
    query = select(asks.c.address_hash).where(
        asks.c.newsletter == "", asks.c.address_hash.in_(owners)
    )
    all_of_them = set((await connection.execute(query)).scalars())
    free = await connection.execute(
        query.order_by(asks.c.address_hash).with_for_update(skip_locked=True)
    )
    return all_of_them - set(free.scalars())


async def any_counts(
    connection: AsyncConnection, *, asked_before: datetime, counted_before: datetime
) -> bool:
    """True when `crowds.forget` would find something."""
    old = or_(
        exists().where(asks.c.newsletter == "", asks.c.last_at < asked_before),
        exists().where(quotas.c.began_at < counted_before),
    )
    return bool((await connection.execute(select(old))).scalar())
