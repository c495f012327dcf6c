"""Pauses: what is not delivered to for now. A pause is begun once, and ends by time or by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Row, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.delivery import DeliveryState
from digest.model.pause import Kind, Pause, Scope
from digest.store.dialect import insert_new
from digest.store.readers import readers_at
from digest.store.tables import deliveries
from digest.store.troubles import pauses

#: what can wait for a pause to end; uncertain rows too, where they are sent again
_OPEN = (
    DeliveryState.QUEUED.value,
    DeliveryState.DEFERRED.value,
    DeliveryState.UNCERTAIN.value,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What is paused now, to look a row up in."""

    editions: dict[int, Pause]
    domains: dict[str, Pause]

    def __bool__(self) -> bool:
        return bool(self.editions or self.domains)

    def of(self, edition_id: int | None, domain: str) -> Pause | None:
        """Why this one must wait, or None. Service mail belongs to no edition."""
        edition = self.editions.get(edition_id) if edition_id is not None else None
        return edition or self.domains.get(domain)


async def held(connection: AsyncConnection, *, now: datetime) -> Held:
    """Everything that is paused at this moment."""
    editions: dict[int, Pause] = {}
    domains: dict[str, Pause] = {}
    for each in await standing(connection, now=now):
        if each.scope is Scope.EDITION:
            editions[int(each.name)] = each
        else:
            domains[each.name] = each
    return Held(editions=editions, domains=domains)


async def standing(connection: AsyncConnection, *, now: datetime) -> list[Pause]:
    """The pauses of this moment, oldest first."""
    query = select(pauses).where(_stands(now)).order_by(pauses.c.id)
    return [_pause(row) for row in await connection.execute(query)]


def _stands(now: datetime) -> ColumnElement[bool]:
    return and_(pauses.c.ended_at.is_(None), or_(pauses.c.until.is_(None), pauses.c.until > now))


def _open(scope: Scope, name: str) -> ColumnElement[bool]:
    return and_(pauses.c.scope == scope.value, pauses.c.name == name, pauses.c.ended_at.is_(None))


async def last(connection: AsyncConnection, scope: Scope, name: str) -> Pause | None:
    """The pause that was begun last and not ended by hand, whether or not its time is over."""
    row = (await connection.execute(select(pauses).where(_open(scope, name)))).first()
    return _pause(row) if row else None


async def asked(
    connection: AsyncConnection,
    scope: Scope,
    name: str,
    kind: Kind,
    *,
    since: datetime | None = None,
) -> bool:
    """True when there was such a pause, be it over or not: nobody is asked the same thing twice.

    `since` forgets what began before it: a domain, unlike an edition, may go wrong again.
    """
    query = select(pauses.c.id).where(
        pauses.c.scope == scope.value, pauses.c.name == name, pauses.c.kind == kind.value
    )
    if since is not None and scope is Scope.DOMAIN:
        query = query.where(
            or_(pauses.c.began_at > since, pauses.c.ended_at.is_(None), pauses.c.ended_at > since)
        )
    return (await connection.execute(query.limit(1))).first() is not None


async def resumed(connection: AsyncConnection, scope: Scope, name: str, *, since: datetime) -> bool:
    """True when a pause of this one ended since then, or another took its place."""
    query = select(pauses.c.id).where(
        pauses.c.scope == scope.value, pauses.c.name == name, pauses.c.ended_at >= since
    )
    return (await connection.execute(query.limit(1))).first() is not None


async def begin(connection: AsyncConnection, pause: Pause) -> None:
    """Pause something; where it is paused already, this one takes the older one's place.

    A pause that only a person may end is never replaced by one that ends by itself. One of another
    kind is kept as ended: what was asked once must not be forgotten (`asked`).
    """
    other = and_(_open(pause.scope, pause.name), pauses.c.kind != pause.kind.value)
    if pause.until is not None:
        other = and_(other, pauses.c.until.is_not(None))
    await connection.execute(update(pauses).where(other).values(ended_at=pause.began_at))
    row = {
        "scope": pause.scope.value,
        "name": pause.name,
        "kind": pause.kind.value,
        "cause": pause.cause[:500],
        "began_at": pause.began_at,
        "until": pause.until,
        "times": pause.times,
    }
    statement = insert_new(connection, pauses).values(row)
    lasting = and_(pauses.c.until.is_(None), statement.excluded.until.is_not(None))
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["scope", "name"],
            index_where=pauses.c.ended_at.is_(None),
            set_={name: statement.excluded[name] for name in row},
            where=~lasting,
        )
    )


async def end(connection: AsyncConnection, scope: Scope, name: str, *, now: datetime) -> bool:
    """End a pause by hand; what waited for it is due now. False when nothing was paused.

    All that is open there is due, also what would have been tried again later by its own time:
    whoever resumes has mended something and wants to see it go.
    """
    result = await connection.execute(update(pauses).where(_open(scope, name)).values(ended_at=now))
    if not result.rowcount:
        return False
    await connection.execute(
        update(deliveries)
        .where(
            deliveries.c.state.in_(_OPEN),
            deliveries.c.due_at > now,
            _within(scope, name),
        )
        .values(due_at=now)
    )
    return True


def _within(scope: Scope, name: str) -> ColumnElement[bool]:
    if scope is Scope.EDITION:
        return deliveries.c.edition_id == int(name)
    return deliveries.c.subscription_id.in_(readers_at(name))


async def give_up(connection: AsyncConnection, edition_id: int, *, now: datetime) -> int:
    """Let an edition's open deliveries expire, because a person says so; return how many."""
    result = await connection.execute(
        update(deliveries)
        .where(
            deliveries.c.edition_id == edition_id,
            deliveries.c.state.in_(_OPEN),
        )
        .values(
            state=DeliveryState.EXPIRED.value,
            reply="given up by the operator",
            updated_at=now,
        )
    )
    await end(connection, Scope.EDITION, str(edition_id), now=now)
    return int(result.rowcount)


def _pause(row: Row[tuple[object, ...]]) -> Pause:
    return Pause(
        scope=Scope(row.scope),
        name=row.name,
        kind=Kind(row.kind),
        cause=row.cause,
        began_at=row.began_at,
        until=row.until,
        times=row.times,
    )
