"""The ledger: one row a message, and the row is the queue (how rows are taken: `store/queue.py`).

Every change of state is one statement that names the state and the owner it expects, so whoever
lost the race, or woke up after its lease, changes nothing. The arrows are drawn in docs/states.md.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    case,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.delivery import DeliveryState
from digest.store.dialect import insert_new
from digest.store.readers import may_be_mailed, reads
from digest.store.tables import deliveries, editions, subscribers, subscriptions
from digest.store.wishes import Wish, has


async def fan_out(
    connection: AsyncConnection,
    *,
    edition_id: int,
    newsletter: str,
    frequencies: Collection[str],
    other_than: Collection[str] = (),
    wish: Wish | None = None,
    choice: str = "",
    due_at: datetime | None = None,
    now: datetime,
) -> int:
    """One row for each active reader of these frequencies; return how many.

    `other_than` adds the readers whose frequency is none of these: a rhythm that the operator took
    away leaves nobody without mail. With a `wish` only its readers are meant; they get the
    edition's selection `choice`, at `due_at` at the earliest. Fanning out twice adds nothing
    (unique on edition and person).
    """
    when = literal(now, deliveries.c.created_at.type)
    row = {
        "edition_id": literal(edition_id),
        "subscription_id": subscriptions.c.id,
        "state": literal(DeliveryState.QUEUED.value),
        "choice": literal(choice),
        "due_at": when if due_at is None else literal(due_at, deliveries.c.due_at.type),
        "created_at": when,
        "updated_at": when,
    }
    readers = (
        select(*row.values())
        .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .where(reads(newsletter, frequencies, other_than, now=now))
    )
    if wish is not None:
        readers = readers.where(has(wish))
    # the unique key says who has one already: to ask for each reader whether he has would search
    # the very table that grows under the search
    statement = insert_new(connection, deliveries).from_select(list(row), readers)
    written = int((await connection.execute(statement.on_conflict_do_nothing())).rowcount)
    await count_in(connection, edition_id, written, due_at if due_at and due_at > now else None)
    return written


async def count_in(
    connection: AsyncConnection, edition_id: int, written: int, later: datetime | None
) -> None:
    """Note what the books must add up to one day, and when the last of it is to go out."""
    last: ColumnElement[datetime] = editions.c.last_due_at
    if later is not None:
        last = case((last > later, last), else_=literal(later, editions.c.last_due_at.type))
    await connection.execute(
        update(editions)
        .where(editions.c.id == edition_id)
        .values(
            candidates=func.coalesce(editions.c.candidates, 0) + written,
            last_due_at=last,
        )
    )


async def queue_notice(
    connection: AsyncConnection,
    *,
    notice: str,
    subscription_id: int,
    about: int | None = None,
    now: datetime,
) -> int:
    """One row for a service mail, `about` a follow or a correction; return its id."""
    statement = insert(deliveries).values(
        notice=notice,
        about=about,
        subscription_id=subscription_id,
        state=DeliveryState.QUEUED.value,
        due_at=now,
        created_at=now,
        updated_at=now,
    )
    return int((await connection.execute(statement.returning(deliveries.c.id))).scalar_one())


async def drop_notices(
    connection: AsyncConnection, *, notice: str, subscription_id: int, now: datetime
) -> int:
    """Close this person's notices of this kind that nobody holds yet: a newer one says it all."""
    result = await connection.execute(
        update(deliveries)
        .where(
            deliveries.c.notice == notice,
            deliveries.c.subscription_id == subscription_id,
            deliveries.c.state.in_((DeliveryState.QUEUED.value, DeliveryState.DEFERRED.value)),
        )
        .values(state=DeliveryState.EXCLUDED.value, updated_at=now)
    )
    return int(result.rowcount)


async def intend(
    connection: AsyncConnection, delivery_id: int, *, owner: str, now: datetime
) -> bool:
    """The fence: write down that the final dot is about to be sent.

    True only while the row is claimed by `owner` and the person still wants it. When this returns
    False nothing may be delivered. Commit before the dot goes out. A second time changes nothing:
    a commit whose answer was lost is written again, and may be there already.
    """
    result = await connection.execute(
        update(deliveries)
        .where(
            deliveries.c.id == delivery_id,
            deliveries.c.state.in_((DeliveryState.CLAIMED.value, DeliveryState.DOTTED.value)),
            deliveries.c.owner == owner,
            may_be_mailed(now),
        )
        .values(
            state=DeliveryState.DOTTED.value,
            attempts=deliveries.c.attempts + _not_counted_yet(),
            updated_at=now,
        )
    )
    return bool(result.rowcount)


async def record(
    connection: AsyncConnection,
    delivery_id: int,
    *,
    owner: str,
    state: DeliveryState,
    reply: str,
    doubtful: bool = False,
    due_at: datetime | None = None,
    attempt: int | None = None,
    now: datetime,
) -> bool:
    """Write the outcome of an attempt; False (and nothing written) when the lease was lost.

    `doubtful` counts a dot whose reply was never read: a copy may exist. Where `attempt` says which
    one this is, counted from 1, a second time changes nothing and is True as well: a commit whose
    answer was lost is written again, and may be there already.
    """
    values = {
        "state": state.value,
        "owner": None,
        "reply": reply[:500],
        "updated_at": now,
        "attempts": deliveries.c.attempts + _not_counted_yet(),
        "doubts": deliveries.c.doubts + int(doubtful),
    }
    if due_at is not None:
        values["due_at"] = due_at
    result = await connection.execute(
        update(deliveries)
        .where(
            deliveries.c.id == delivery_id,
            deliveries.c.owner == owner,
            deliveries.c.state.in_((DeliveryState.CLAIMED.value, DeliveryState.DOTTED.value)),
        )
        .values(values)
    )
    if result.rowcount or attempt is None:
        return bool(result.rowcount)
    same = select(deliveries.c.id).where(
        deliveries.c.id == delivery_id,
        deliveries.c.state == state.value,
        deliveries.c.owner.is_(None),
        deliveries.c.attempts == attempt,
        deliveries.c.reply == reply[:500],
        deliveries.c.updated_at == now,
    )
    return (await connection.execute(same)).first() is not None


def _not_counted_yet() -> ColumnElement[int]:
    """1 where the attempt was not counted by `intend`, for it ended before the dot, else 0."""
    return case((deliveries.c.state == DeliveryState.CLAIMED.value, 1), else_=0)


async def release(connection: AsyncConnection, *, owner: str, now: datetime) -> int:
    """Give back what this worker claimed and did not begin to deliver; it queues up at the end.

    A row at which the relay always hangs up must not stand first again.
    """
    result = await connection.execute(
        update(deliveries)
        .where(deliveries.c.owner == owner, deliveries.c.state == DeliveryState.CLAIMED.value)
        .values(state=DeliveryState.QUEUED.value, owner=None, due_at=now, updated_at=now)
    )
    return int(result.rowcount)


async def exclude(
    connection: AsyncConnection, delivery_id: int, *, owner: str, now: datetime
) -> bool:
    """Close a row that was claimed before the person left; False when it is not ours."""
    result = await connection.execute(
        update(deliveries)
        .where(
            deliveries.c.id == delivery_id,
            deliveries.c.owner == owner,
            deliveries.c.state.in_((DeliveryState.CLAIMED.value, DeliveryState.DOTTED.value)),
            ~may_be_mailed(now),
        )
        .values(state=DeliveryState.EXCLUDED.value, owner=None, updated_at=now)
    )
    return bool(result.rowcount)
