"""Moves what must not go out now to a later time: what is paused, stale, or ahead of its pace."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.pause import Kind, Pause, Scope
from digest.store import paces, pauses
from digest.store.dialect import UtcTime
from digest.store.tables import deliveries, editions, subscribers, subscriptions

#: how far rows are moved that wait for a person: `pauses.end` brings them back
FAR = timedelta(days=1)

#: a row that waits for its domain looks again at the latest after this
SOON = timedelta(seconds=60)

#: a claim may take so much of a slow domain's line of time at once
AHEAD = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class _Due:
    id: int
    edition_id: int | None
    domain: str


async def hold_back(
    connection: AsyncConnection,
    taken: Collection[int],
    *,
    limit: int,
    window: timedelta,
    now: datetime,
) -> list[int]:
    """Of these rows, the first `limit` that may go now; those that may not are moved to later.

    An edition is news for the length of `window`.
    """
    await _pause_stale(connection, taken, window=window, now=now)
    held = await pauses.held(connection, now=now)
    slow = await paces.slow(connection, lock=True)
    if not held and not slow:
        return list(taken)[:limit]
    free: list[_Due] = []
    moved: dict[datetime, list[int]] = {}
    for each in await _look_at(connection, taken):
        pause = held.of(each.edition_id, each.domain)
        if pause is None:
            free.append(each)
        else:
            moved.setdefault(pause.until or now + FAR, []).append(each.id)
    for to, ids in moved.items():
        await _move(connection, ids, to=to)
    return await _keep_pace(connection, free, slow, limit=limit, now=now)


async def _pause_stale(
    connection: AsyncConnection, taken: Collection[int], *, window: timedelta, now: datetime
) -> None:
    """Pause an edition that has outlived its window with deliveries still open; ask only once.

    After a long outage, or in a restored backup, nobody wants the news of last week unasked. Who
    resumed it when it was old already was asked well enough.
    """
    # some readers chose an hour: for them it is not old before that
    out = func.coalesce(editions.c.last_due_at, editions.c.made_at, type_=UtcTime())
    query = (
        select(editions.c.id, editions.c.made_at, out.label("out_at"))
        .join(deliveries, deliveries.c.edition_id == editions.c.id)
        .where(deliveries.c.id.in_(list(taken)), out < now - window)
        .distinct()
    )
    for row in (await connection.execute(query)).all():
        name = str(row.id)
        if await _is_asked(connection, name, old_since=row.out_at + window):
            continue
        stale = Pause(
            scope=Scope.EDITION,
            name=name,
            kind=Kind.STALE,
            cause=f"it was made on {row.made_at:%Y-%m-%d} and is old news now;"
            f" `digest resume {name}` sends what is left, `digest abandon {name}` does not",
            began_at=now,
            until=None,
        )
        await pauses.begin(connection, stale)


async def _is_asked(connection: AsyncConnection, name: str, *, old_since: datetime) -> bool:
    """True when a person was asked about this edition, or is being asked for another reason."""
    last = await pauses.last(connection, Scope.EDITION, name)
    if last is not None and last.until is None:
        return True
    return await pauses.asked(connection, Scope.EDITION, name, Kind.STALE) or await pauses.resumed(
        connection, Scope.EDITION, name, since=old_since
    )


async def _keep_pace(
    connection: AsyncConnection,
    due: list[_Due],
    slow: dict[str, paces.Pace],
    *,
    limit: int,
    now: datetime,
) -> list[int]:
    """Let through what a slow domain may have now; the rest of it comes in turn, a gap apart.

    In steps of whole seconds, so that thousands are moved with few statements.
    """
    free: list[int] = []
    moved: dict[datetime, list[int]] = {}
    let_through: dict[str, int] = {}
    places = {
        name: paces.free_from(pace.next_at, gap=pace.gap, now=now) for name, pace in slow.items()
    }
    for each in due:
        if len(free) == limit:
            break
        pace = slow.get(each.domain)
        if pace is None:
            free.append(each.id)
            continue
        place = places[each.domain]
        places[each.domain] = place + timedelta(seconds=pace.gap)
        if place < now + AHEAD:
            free.append(each.id)
            let_through[each.domain] = let_through.get(each.domain, 0) + 1
        else:
            wait = math.ceil((place - now).total_seconds())
            moved.setdefault(min(now + timedelta(seconds=wait), now + SOON), []).append(each.id)
    for name, count in let_through.items():
        await paces.reserve(connection, name, count=count, gap=slow[name].gap, now=now)
    for to, ids in moved.items():
        await _move(connection, ids, to=to)
    return free


async def _look_at(connection: AsyncConnection, taken: Collection[int]) -> list[_Due]:
    query = (
        select(deliveries.c.id, deliveries.c.edition_id, subscribers.c.domain)
        .join(subscriptions, subscriptions.c.id == deliveries.c.subscription_id)
        .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .where(deliveries.c.id.in_(list(taken)))
    )
    found = {
        row.id: _Due(row.id, row.edition_id, row.domain)
        for row in (await connection.execute(query))
    }
    return [found[each] for each in taken if each in found]


async def _move(connection: AsyncConnection, ids: Collection[int], *, to: datetime) -> None:
    if ids:
        await connection.execute(
            update(deliveries).where(deliveries.c.id.in_(list(ids))).values(due_at=to)
        )
