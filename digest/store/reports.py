"""Reports: which were applied already, whom they are about, and the one arrow that they draw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, Select, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.delivery import DeliveryState
from digest.model.report import Cause
from digest.store.dialect import insert_new
from digest.store.tables import deliveries, subscribers, subscriptions
from digest.store.troubles import bounces, reports


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """Whom a delivery is about that was tried at least once."""

    delivery_id: int
    #: None for a notice
    edition_id: int | None
    subscription_id: int
    state: DeliveryState
    subscriber_id: int
    #: as it stands on the wire
    address: str
    address_hash: str
    domain: str


async def remember(connection: AsyncConnection, key: str, *, now: datetime) -> bool:
    """Note that a report is being applied; False when it was before: change nothing then.

    The key is unique, so of two doors that take the same report at once one waits for the other.
    """
    statement = insert_new(connection, reports).values(key=key, at=now)
    result = await connection.execute(statement.on_conflict_do_nothing(index_elements=["key"]))
    return bool(result.rowcount)


async def forget_old(connection: AsyncConnection, *, before: datetime) -> int:
    """Forget the reports that were applied before this moment; return how many."""
    result = await connection.execute(delete(reports).where(reports.c.at < before))
    return int(result.rowcount)


def _tried() -> Select[tuple[object, ...]]:
    """Deliveries of which a message may be on its way: nothing comes back of any other."""
    return (
        select(
            deliveries.c.id,
            deliveries.c.edition_id,
            deliveries.c.subscription_id,
            deliveries.c.state,
            deliveries.c.created_at,
            subscribers.c.id.label("subscriber_id"),
            subscribers.c.address,
            subscribers.c.address_hash,
            subscribers.c.domain,
        )
        .join(subscriptions, subscriptions.c.id == deliveries.c.subscription_id)
        .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .where(deliveries.c.attempts > 0)
        # two bounces of one person are weighed one after the other (SQLite's transaction does it)
        .with_for_update(of=subscribers, key_share=True)
    )


async def whose(connection: AsyncConnection, delivery_id: int, queued: int) -> Whose | None:
    """Whom a delivery is about; None when there is none, or when it was never tried.

    `queued` is the second in which it was written: after a backup was put back a number is given
    out again, and what comes back of the lost delivery must not be laid at another reader's door.
    """
    row = (await connection.execute(_tried().where(deliveries.c.id == delivery_id))).first()
    return _whose(row) if row and int(row.created_at.timestamp()) == queued else None


async def newest_to(connection: AsyncConnection, address_key: str) -> Whose | None:
    """The newest delivery to this address that was tried."""
    query = _tried().where(subscribers.c.address_key == address_key)
    row = (await connection.execute(query.order_by(deliveries.c.id.desc()).limit(1))).first()
    return _whose(row) if row else None


async def noted(connection: AsyncConnection, delivery_id: int) -> Cause | None:
    """Why this delivery came back, as far as it is written down."""
    query = select(bounces.c.cause).where(bounces.c.delivery_id == delivery_id)
    cause = (await connection.execute(query)).scalar()
    return Cause(cause) if cause is not None else None


#: the relay took it, or may have taken it
_TAKEN = (DeliveryState.SENT, DeliveryState.UNCERTAIN)


def can_come_back(whose: Whose) -> bool:
    """True for what the relay took, as far as we know."""
    return whose.state in _TAKEN


async def come_back(
    connection: AsyncConnection,
    delivery_id: int,
    *,
    reply: str,
    again_at: datetime | None = None,
    now: datetime,
) -> bool:
    """Sent or uncertain becomes bounced; False when it was neither.

    The relay took it, so nothing is in doubt any more, and then it, or another one, gave it back.
    With `again_at` it is deferred until then: while the breaker stands the reader is not to blame,
    and he has not got his mail.
    """
    state = DeliveryState.BOUNCED if again_at is None else DeliveryState.DEFERRED
    values = {"state": state.value, "reply": reply[:500], "updated_at": now}
    if again_at is not None:
        values["due_at"] = again_at
    result = await connection.execute(
        update(deliveries)
        .where(
            deliveries.c.id == delivery_id,
            deliveries.c.state.in_([each.value for each in _TAKEN]),
        )
        .values(values)
    )
    return bool(result.rowcount)


def _whose(row: Row[tuple[object, ...]]) -> Whose:
    return Whose(
        delivery_id=row.id,
        edition_id=row.edition_id,
        subscription_id=row.subscription_id,
        state=DeliveryState(row.state),
        subscriber_id=row.subscriber_id,
        address=row.address,
        address_hash=row.address_hash,
        domain=row.domain,
    )
