"""What a reader chose, written down: how often, what about, at which hour, and when not at all.

Who may change it was found out before: nothing here looks at a link.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import case, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.delivery import DeliveryState
from digest.model.subscriber import Subscription, SubscriptionState
from digest.store import unsettled
from digest.store.queue import OPEN
from digest.store.subscribers import write_choice
from digest.store.tables import consent_events, deliveries, subscribers, subscriptions


async def choose(
    connection: AsyncConnection,
    subscription_id: int,
    *,
    frequency: str,
    topics: Collection[str],
    hour: int | None,
    now: datetime,
) -> None:
    """How often, what about and at which hour (None: when it is made) a newsletter comes.

    Where that is something else than before, the next edition is made out for this reader alone.
    """
    chosen = {"frequency": frequency, "choice": write_choice(topics), "hour": hour}
    await connection.execute(
        update(subscriptions)
        .where(subscriptions.c.id == subscription_id)
        .values(**chosen, changed_at=unsettled.changed_at(chosen, now=now))
    )


async def speak(
    connection: AsyncConnection,
    subscriber_id: int,
    *,
    language: str,
    timezone: str | None,
    now: datetime,
) -> None:
    """The language and the time zone (None: each newsletter's own) of a person."""
    await unsettled.move_to_zone(connection, subscriber_id, timezone=timezone, now=now)
    await connection.execute(
        update(subscribers)
        .where(subscribers.c.id == subscriber_id)
        .values(language=language, timezone=timezone)
    )


async def pause(
    connection: AsyncConnection, subscription_id: int, *, until: datetime | None
) -> None:
    """Send nothing until then; None ends a pause."""
    await connection.execute(
        update(subscriptions)
        .where(subscriptions.c.id == subscription_id)
        .values(paused_until=until)
    )


async def point_to(connection: AsyncConnection, old: Subscription, new: Subscription) -> None:
    """Note where a subscription has moved: who leaves by its old links leaves there."""
    await connection.execute(
        update(subscriptions).where(subscriptions.c.id == old.id).values(moved_to=new.id)
    )


async def take_back(connection: AsyncConnection, subscription_id: int) -> bool:
    """Unsubscribed becomes active again, as before; False when it was not unsubscribed."""
    result = await connection.execute(
        update(subscriptions)
        .where(
            subscriptions.c.id == subscription_id,
            subscriptions.c.state == SubscriptionState.UNSUBSCRIBED.value,
        )
        .values(state=SubscriptionState.ACTIVE.value, unsubscribed_at=None, moved_to=None)
    )
    return bool(result.rowcount)


async def waiting(connection: AsyncConnection, ids: Collection[int]) -> dict[int, datetime]:
    """When the next edition that was made already comes, for those for whom one waits."""
    query = (
        select(deliveries.c.subscription_id, func.min(deliveries.c.due_at).label("at"))
        .where(
            deliveries.c.subscription_id.in_(list(ids)),
            deliveries.c.edition_id.is_not(None),
            deliveries.c.state == DeliveryState.QUEUED.value,
        )
        .group_by(deliveries.c.subscription_id)
    )
    return {row.subscription_id: row.at for row in await connection.execute(query)}


async def count_events(
    connection: AsyncConnection, subscriber_id: int, kind: str, *, since: datetime
) -> int:
    """How often something stands in a person's records since then."""
    query = (
        select(func.count())
        .select_from(consent_events)
        .join(subscriptions, subscriptions.c.id == consent_events.c.subscription_id)
        .where(
            subscriptions.c.subscriber_id == subscriber_id,
            consent_events.c.kind == kind,
            consent_events.c.at > since,
        )
    )
    return int((await connection.execute(query)).scalar_one())


async def hand_over(
    connection: AsyncConnection, old: Subscription, new: Subscription, *, now: datetime
) -> int:
    """Editions that wait for an old address wait for the new one; return how many.

    Only what no relay took: the row, and so the books, stay one. Whoever has claimed one loses it:
    his fence says no, and no dot was sent.
    """
    same = deliveries.alias()
    claimed = DeliveryState.CLAIMED.value
    result = await connection.execute(
        update(deliveries)
        .where(
            deliveries.c.subscription_id == old.id,
            deliveries.c.edition_id.is_not(None),
            deliveries.c.state.in_((*OPEN, claimed)),
            ~exists().where(
                same.c.edition_id == deliveries.c.edition_id, same.c.subscription_id == new.id
            ),
        )
        .values(
            subscription_id=new.id,
            state=case(
                (deliveries.c.state == claimed, DeliveryState.QUEUED.value),
                else_=deliveries.c.state,
            ),
            owner=None,
            updated_at=now,
        )
    )
    return int(result.rowcount)
