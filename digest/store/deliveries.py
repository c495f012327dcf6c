"""The ledger: one row a message, and the row is the queue.

Every change of state is one statement that names the state and the owner it expects, so whoever
lost the race, or woke up after its lease, changes nothing. The arrows are drawn in docs/states.md.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    case,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.delivery import Claim, DeliveryState
from digest.store.dialect import insert_new
from digest.store.readers import may_be_mailed, reads
from digest.store.tables import deliveries, subscribers, subscriptions

#: nobody holds it and it can still be made
OPEN = (DeliveryState.QUEUED.value, DeliveryState.DEFERRED.value)


#: the kinds of service mail
NOTICES = ("confirm",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which deliveries a worker looks after; `editions` None means all of them."""

    editions: frozenset[int] | None = None
    notices: bool = True

    def steps(self, *, resend_uncertain: bool) -> list[ColumnElement[bool]]:
        """The rows of this scope as conditions, each of which one index can answer in order.

        Service mail first, then the states one by one: a single condition with OR makes the
        database sort a million rows for every claim.
        """
        states = (*OPEN, DeliveryState.UNCERTAIN.value) if resend_uncertain else OPEN
        each_state = [deliveries.c.state == state for state in states]
        notices = [
            and_(deliveries.c.notice == kind, state) for kind in NOTICES for state in each_state
        ]
        if self.editions is None:
            mine = [and_(state, deliveries.c.edition_id.is_not(None)) for state in each_state]
        else:
            named = deliveries.c.edition_id.in_(self.editions)
            mine = [and_(state, named) for state in each_state] if self.editions else []
        return [*notices, *mine] if self.notices else mine


async def fan_out(
    connection: AsyncConnection,
    *,
    edition_id: int,
    newsletter: str,
    frequencies: Collection[str],
    other_than: Collection[str] = (),
    now: datetime,
) -> int:
    """One row for each active reader of these frequencies; return how many.

    `other_than` adds the readers whose frequency is none of these: a rhythm that the operator took
    away leaves nobody without mail. Fanning out twice adds nothing (unique on edition and person).
    """
    when = literal(now, deliveries.c.created_at.type)
    readers = (
        select(
            literal(edition_id),
            subscriptions.c.id,
            literal(DeliveryState.QUEUED.value),
            when,
            when,
            when,
        )
        .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .where(reads(newsletter, frequencies, other_than))
    )
    columns = ["edition_id", "subscription_id", "state", "due_at", "created_at", "updated_at"]
    # the unique key says who has one already: to ask for each reader whether he has would search
    # the very table that grows under the search
    statement = insert_new(connection, deliveries).from_select(columns, readers)
    result = await connection.execute(statement.on_conflict_do_nothing())
    return int(result.rowcount)


async def queue_notice(
    connection: AsyncConnection, *, notice: str, subscription_id: int, now: datetime
) -> int:
    """One row for a service mail; return its id."""
    statement = insert(deliveries).values(
        notice=notice,
        subscription_id=subscription_id,
        state=DeliveryState.QUEUED.value,
        due_at=now,
        created_at=now,
        updated_at=now,
    )
    return int((await connection.execute(statement.returning(deliveries.c.id))).scalar_one())


async def any_due(
    connection: AsyncConnection, *, scope: Scope, resend_uncertain: bool, now: datetime
) -> bool:
    """True when `claim` would find something."""
    for step in scope.steps(resend_uncertain=resend_uncertain):
        if (await connection.execute(_due(step, now=now, limit=1))).first() is not None:
            return True
    return False


def _due(step: ColumnElement[bool], *, now: datetime, limit: int) -> Select[int]:
    return (
        select(deliveries.c.id)
        .where(step, deliveries.c.due_at <= now)
        .order_by(deliveries.c.due_at, deliveries.c.id)
        .limit(limit)
    )


async def claim(
    connection: AsyncConnection,
    *,
    owner: str,
    scope: Scope,
    resend_uncertain: bool,
    limit: int,
    now: datetime,
) -> list[Claim]:
    """Take up to `limit` due rows, service mail first; close those that nobody wants any more.

    Empty only when nothing is due: rows that were all closed are followed by the next ones.
    """
    while taken := await _take(
        connection, scope.steps(resend_uncertain=resend_uncertain), limit=limit, now=now
    ):
        await _exclude_unwanted(connection, taken, now=now)
        statement = (
            update(deliveries)
            .where(deliveries.c.id.in_(taken), deliveries.c.state != DeliveryState.EXCLUDED.value)
            .values(state=DeliveryState.CLAIMED.value, owner=owner, updated_at=now)
            .returning(deliveries)
        )
        claims = [_claim(row) for row in await connection.execute(statement)]
        if claims:
            return sorted(claims, key=lambda each: (each.notice is None, each.id))
    return []


async def _take(
    connection: AsyncConnection, steps: Sequence[ColumnElement[bool]], *, limit: int, now: datetime
) -> list[int]:
    """The ids of the next rows; on PostgreSQL locked, past those that another worker has locked."""
    taken: list[int] = []
    for step in steps:
        if len(taken) < limit:
            due = _due(step, now=now, limit=limit - len(taken))
            if connection.dialect.name == "postgresql":
                due = due.with_for_update(skip_locked=True)
            taken += (await connection.execute(due)).scalars()
    return taken


async def _exclude_unwanted(
    connection: AsyncConnection, taken: Collection[int], *, now: datetime
) -> None:
    await connection.execute(
        update(deliveries)
        .where(deliveries.c.id.in_(list(taken)), ~may_be_mailed())
        .values(state=DeliveryState.EXCLUDED.value, owner=None, updated_at=now)
    )


async def intend(
    connection: AsyncConnection, delivery_id: int, *, owner: str, now: datetime
) -> bool:
    """The fence: write down that the final dot is about to be sent.

    True only while the row is claimed by `owner` and the person still wants it. When this returns
    False nothing may be delivered. Commit before the dot goes out.
    """
    result = await connection.execute(
        update(deliveries)
        .where(
            deliveries.c.id == delivery_id,
            deliveries.c.state == DeliveryState.CLAIMED.value,
            deliveries.c.owner == owner,
            may_be_mailed(),
        )
        .values(
            state=DeliveryState.DOTTED.value, attempts=deliveries.c.attempts + 1, updated_at=now
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
    now: datetime,
) -> bool:
    """Write the outcome of an attempt; False (and nothing written) when the lease was lost.

    `doubtful` counts a dot whose reply was never read: a copy may exist.
    """
    refused_early = _ended_early(deliveries.c.state)
    values = {
        "state": state.value,
        "owner": None,
        "reply": reply[:500],
        "updated_at": now,
        "attempts": deliveries.c.attempts + refused_early,
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
    return bool(result.rowcount)


def _ended_early(state: ColumnElement[str]) -> ColumnElement[int]:
    """1 where the attempt ended before the dot (`intend` has not counted it), else 0."""
    return case((state == DeliveryState.CLAIMED.value, 1), else_=0)


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
            deliveries.c.state == DeliveryState.CLAIMED.value,
            ~may_be_mailed(),
        )
        .values(state=DeliveryState.EXCLUDED.value, owner=None, updated_at=now)
    )
    return bool(result.rowcount)


def _claim(row: Row[tuple[object, ...]]) -> Claim:
    return Claim(
        id=row.id,
        edition_id=row.edition_id,
        notice=row.notice,
        subscription_id=row.subscription_id,
        attempts=row.attempts,
        created_at=row.created_at,
    )
