"""The queue: which deliveries are due, and who takes them. The row is the queue.

What is paused or must wait for its domain is moved aside as it is met, by its due time alone, so
that a claim is answered by an index however much is held.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Row, Select, and_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.delivery import Claim, DeliveryState
from digest.model.layout import read_extra
from digest.store.holds import hold_back
from digest.store.readers import may_be_mailed
from digest.store.tables import deliveries

#: nobody holds it and it can still be made
OPEN = (DeliveryState.QUEUED.value, DeliveryState.DEFERRED.value)

#: what is left of an edition that is older waits for a person's word
EXPIRY = timedelta(days=2)

#: how often one claim looks further when all that it met had to be closed or moved
ROUNDS = 12

#: rows looked at in one of these rounds, at most
LARGEST = 10_000

#: the kinds of service mail
NOTICES = ("confirm", "follow", "moved", "correction", "similar")


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
        each_state = [deliveries.c.state == state for state in _states(resend_uncertain)]
        notices = [
            and_(deliveries.c.notice == kind, state) for kind in NOTICES for state in each_state
        ]
        if self.editions is None:
            mine = [and_(state, deliveries.c.edition_id.is_not(None)) for state in each_state]
        else:
            named = deliveries.c.edition_id.in_(self.editions)
            mine = [and_(state, named) for state in each_state] if self.editions else []
        return [*notices, *mine] if self.notices else mine


def _states(resend_uncertain: bool) -> tuple[str, ...]:  # noqa: FBT001 -- the operator's setting
    return (*OPEN, DeliveryState.UNCERTAIN.value) if resend_uncertain else OPEN


async def _steps(
    connection: AsyncConnection, scope: Scope, *, resend_uncertain: bool, now: datetime
) -> list[ColumnElement[bool]]:
    """The scope's steps, but for those of service mail where one question says that none is due.

    Most of the time there is none, and each kind would be asked for in each state.
    """
    if scope.notices:
        some = and_(
            deliveries.c.notice.in_(NOTICES), deliveries.c.state.in_(_states(resend_uncertain))
        )
        query = select(deliveries.c.id).where(some, deliveries.c.due_at <= now).limit(1)
        if (await connection.execute(query)).first() is None:
            scope = replace(scope, notices=False)
    return scope.steps(resend_uncertain=resend_uncertain)


async def any_due(
    connection: AsyncConnection, *, scope: Scope, resend_uncertain: bool, now: datetime
) -> bool:
    """True when `claim` would find something."""
    for step in await _steps(connection, scope, resend_uncertain=resend_uncertain, now=now):
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
    window: timedelta = EXPIRY,
    now: datetime,
) -> list[Claim]:
    """Take up to `limit` due rows, service mail first; close those that nobody wants any more.

    Rows that are paused, or that must wait for their domain, are moved to a later time. Empty when
    nothing is due that may go now (or, rarely, when so much had to be moved that this transaction
    has lasted long enough: ask again).
    """
    batch = limit
    steps = await _steps(connection, scope, resend_uncertain=resend_uncertain, now=now)
    for _ in range(ROUNDS):
        taken = await _take(connection, steps, limit=batch, now=now)
        if not taken:
            break
        unwanted = await _exclude_unwanted(connection, taken, now=now)
        wanted = [each for each in taken if each not in unwanted]
        free = await hold_back(connection, wanted, limit=limit, window=window, now=now)
        statement = (
            update(deliveries)
            .where(deliveries.c.id.in_(free))
            .values(state=DeliveryState.CLAIMED.value, owner=owner, updated_at=now)
            .returning(deliveries)
        )
        claims = [_claim(row) for row in await connection.execute(statement)]
        if claims:
            return sorted(claims, key=lambda each: (each.notice is None, each.id))
        batch = min(batch * 4, LARGEST)
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
) -> set[int]:
    """Close the rows of those who may not be written to; return which."""
    statement = (
        update(deliveries)
        .where(deliveries.c.id.in_(list(taken)), ~may_be_mailed(now))
        .values(state=DeliveryState.EXCLUDED.value, owner=None, updated_at=now)
    )
    return set((await connection.execute(statement.returning(deliveries.c.id))).scalars())


def _claim(row: Row[tuple[object, ...]]) -> Claim:
    return Claim(
        id=row.id,
        edition_id=row.edition_id,
        notice=row.notice,
        subscription_id=row.subscription_id,
        attempts=row.attempts,
        created_at=row.created_at,
        choice=row.choice,
        extra=read_extra(row.extra) if row.extra is not None else None,
        about=row.about,
    )
