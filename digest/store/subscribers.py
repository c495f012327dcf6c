"""Subscribers and their subscriptions. The record of their word is in `store/consents.py`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Row, Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.subscriber import Subscriber, Subscription, SubscriptionState
from digest.store import unsettled
from digest.store.dialect import insert_new
from digest.store.tables import subscribers, subscriptions


async def meet(
    connection: AsyncConnection,
    *,
    address: str,
    key: str,
    address_hash: str,
    language: str,
    timezone: str | None,
    now: datetime,
) -> int:
    """The id of the person with this address, written down now if we have not met.

    Safe against two doors at once: the address key is unique, and the loser reads the winner's row.
    The row is held until the transaction ends, so that what one person asks for comes in turn.
    """
    query = select(subscribers.c.id).where(subscribers.c.address_key == key)
    query = query.with_for_update(key_share=True)  # SQLite's write transaction is that lock
    known = (await connection.execute(query)).scalar()
    if known is not None:
        return int(known)
    row = {
        "address": address,
        "address_key": key,
        "address_hash": address_hash,
        "domain": key.rpartition("@")[2],
    }
    statement = insert_new(connection, subscribers).values(
        **row, language=language, timezone=timezone, created_at=now
    )
    await connection.execute(statement.on_conflict_do_nothing(index_elements=["address_key"]))
    return int((await connection.execute(query)).scalar_one())


def _whole() -> Select[tuple[object, ...]]:
    return select(
        subscriptions,
        subscribers.c.address,
        subscribers.c.language,
        subscribers.c.timezone,
        subscribers.c.created_at,
    ).join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)


async def by_ref(connection: AsyncConnection, ref: bytes) -> Subscription | None:
    """The subscription that a signed link names."""
    row = (await connection.execute(_whole().where(subscriptions.c.ref == ref))).first()
    return _subscription(row) if row else None


async def by_id(connection: AsyncConnection, subscription_id: int) -> Subscription | None:
    """One subscription."""
    row = (await connection.execute(_whole().where(subscriptions.c.id == subscription_id))).first()
    return _subscription(row) if row else None


async def heir(connection: AsyncConnection, subscription_id: int) -> Subscription | None:
    """The active subscription that this one has become by moves to other addresses; None if none.

    A row that somebody moved to is never deleted, so its id is nobody else's.
    """
    met = {subscription_id}
    found: Subscription | None = None
    while True:
        query = select(subscriptions.c.moved_to).where(
            subscriptions.c.id == (found.id if found else subscription_id)
        )
        follows = (await connection.execute(query)).scalar()
        if follows is None or follows in met:
            break
        met.add(follows)
        found = await by_id(connection, follows)
        if found is None or found.state is SubscriptionState.ACTIVE:
            break
    return found if found is not None and found.state is SubscriptionState.ACTIVE else None


async def by_ids(connection: AsyncConnection, ids: Collection[int]) -> dict[int, Subscription]:
    """Many subscriptions at once, by their ids."""
    rows = await connection.execute(_whole().where(subscriptions.c.id.in_(list(ids))))
    return {row.id: _subscription(row) for row in rows}


async def of_person(
    connection: AsyncConnection, subscriber_id: int, newsletter: str
) -> Subscription | None:
    """What this person has to do with this newsletter."""
    query = _whole().where(
        subscriptions.c.subscriber_id == subscriber_id, subscriptions.c.newsletter == newsletter
    )
    row = (await connection.execute(query)).first()
    return _subscription(row) if row else None


async def of_subscriber(connection: AsyncConnection, subscriber_id: int) -> list[Subscription]:
    """All that this person has to do with us."""
    query = _whole().where(subscriptions.c.subscriber_id == subscriber_id)
    return [
        _subscription(row) for row in await connection.execute(query.order_by(subscriptions.c.id))
    ]


async def by_address(connection: AsyncConnection, key: str) -> list[Subscription]:
    """All subscriptions of the person with this address."""
    query = _whole().where(subscribers.c.address_key == key).order_by(subscriptions.c.id)
    return [_subscription(row) for row in await connection.execute(query)]


async def every(
    connection: AsyncConnection, *, newsletter: str | None = None, after: int = 0, limit: int = 1000
) -> list[Subscription]:
    """A page of all subscriptions, by id; `after` is the last id of the page before."""
    query = _whole().where(subscriptions.c.id > after).order_by(subscriptions.c.id).limit(limit)
    if newsletter is not None:
        query = query.where(subscriptions.c.newsletter == newsletter)
    return [_subscription(row) for row in await connection.execute(query)]


async def count_by_state(connection: AsyncConnection) -> dict[tuple[str, str, str], int]:
    """How many subscriptions there are, by newsletter, frequency and state."""
    keys = (subscriptions.c.newsletter, subscriptions.c.frequency, subscriptions.c.state)
    rows = await connection.execute(select(*keys, func.count().label("n")).group_by(*keys))
    return {(row.newsletter, row.frequency, row.state): row.n for row in rows}


async def add_subscription(
    connection: AsyncConnection,
    *,
    ref: bytes,
    subscriber_id: int,
    newsletter: str,
    frequency: str,
    topics: tuple[str, ...],
    request_nonce: bytes,
    replaces: int | None = None,
    now: datetime,
) -> int:
    """A new subscription, pending."""
    statement = insert(subscriptions).values(
        ref=ref,
        subscriber_id=subscriber_id,
        newsletter=newsletter,
        state=SubscriptionState.PENDING.value,
        frequency=frequency,
        choice=write_choice(topics),
        requested_at=now,
        request_nonce=request_nonce,
        replaces=replaces,
    )
    return int((await connection.execute(statement.returning(subscriptions.c.id))).scalar_one())


async def ask_again(
    connection: AsyncConnection,
    subscription_id: int,
    *,
    frequency: str,
    topics: tuple[str, ...],
    request_nonce: bytes,
    replaces: int | None = None,
    now: datetime,
) -> None:
    """A subscription that was left or never confirmed is asked for anew: pending."""
    await connection.execute(
        update(subscriptions)
        .where(subscriptions.c.id == subscription_id)
        .values(
            state=SubscriptionState.PENDING.value,
            frequency=frequency,
            choice=write_choice(topics),
            requested_at=now,
            request_nonce=request_nonce,
            replaces=replaces,
            moved_to=None,
            paused_until=None,
            # who comes back after a while may have had some of what is told to others now
            changed_at=now,
        )
    )


async def renew(connection: AsyncConnection, subscription_id: int, *, request_nonce: bytes) -> None:
    """Make the confirm links of before void; everything else stays."""
    await connection.execute(
        update(subscriptions)
        .where(subscriptions.c.id == subscription_id)
        .values(request_nonce=request_nonce)
    )


async def activate(connection: AsyncConnection, subscription_id: int, *, now: datetime) -> bool:
    """Pending becomes active; False when it was not pending."""
    result = await connection.execute(
        update(subscriptions)
        .where(
            subscriptions.c.id == subscription_id,
            subscriptions.c.state == SubscriptionState.PENDING.value,
        )
        .values(
            state=SubscriptionState.ACTIVE.value,
            confirmed_at=now,
            unsubscribed_at=None,
            replaces=None,  # an id that may belong to somebody else one day
        )
    )
    return bool(result.rowcount)


async def leave(connection: AsyncConnection, subscription_id: int, *, now: datetime) -> bool:
    """Pending or active becomes unsubscribed; False when it was so already."""
    result = await connection.execute(
        update(subscriptions)
        .where(
            subscriptions.c.id == subscription_id,
            subscriptions.c.state != SubscriptionState.UNSUBSCRIBED.value,
        )
        .values(state=SubscriptionState.UNSUBSCRIBED.value, unsubscribed_at=now)
    )
    return bool(result.rowcount)


async def change(
    connection: AsyncConnection,
    subscription: Subscription,
    *,
    frequency: str | None = None,
    language: str | None = None,
    timezone: str | None = None,
    now: datetime,
) -> None:
    """Note what the person chose; None leaves a choice as it is."""
    if frequency is not None:
        changed = unsettled.changed_at({"frequency": frequency}, now=now)
        await connection.execute(
            update(subscriptions)
            .where(subscriptions.c.id == subscription.id)
            .values(frequency=frequency, changed_at=changed)
        )
    if timezone is not None:
        person_id = subscription.subscriber.id
        await unsettled.move_to_zone(connection, person_id, timezone=timezone, now=now)
    person = {"language": language, "timezone": timezone}
    if chosen := {name: value for name, value in person.items() if value is not None}:
        await connection.execute(
            update(subscribers).where(subscribers.c.id == subscription.subscriber.id).values(chosen)
        )


def _subscription(row: Row[tuple[object, ...]]) -> Subscription:
    person = Subscriber(
        id=row.subscriber_id,
        address=row.address,
        language=row.language,
        timezone=row.timezone,
        created_at=row.created_at,
    )
    return Subscription(
        id=row.id,
        ref=row.ref,
        newsletter=row.newsletter,
        subscriber=person,
        state=SubscriptionState(row.state),
        frequency=row.frequency,
        topics=read_choice(row.choice),
        hour=row.hour,
        paused_until=row.paused_until,
        requested_at=row.requested_at,
        confirmed_at=row.confirmed_at,
        unsubscribed_at=row.unsubscribed_at,
        request_nonce=row.request_nonce,
        replaces=row.replaces,
    )


def write_choice(topics: Collection[str]) -> str:
    """How a choice of topics is stored: each once, in alphabetical order."""
    return ",".join(sorted(set(topics)))


def read_choice(choice: str) -> tuple[str, ...]:
    """The topics of a stored choice."""
    return tuple(choice.split(",")) if choice else ()
