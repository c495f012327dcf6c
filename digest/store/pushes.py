"""Pushes: which hub is to tell us of which feed, and how that stands; one row a feed.

`lease_until` is the hub's word only while a push is active; else it is when we ask the hub again.
Time between the two columns is how long we waited last, so that the next wait can be longer.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import Row, Select, Update, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.store.dialect import insert_new
from digest.store.sources import pushes
from digest.store.tables import appearances, articles, feeds

#: "asked": the hub has not called back yet, or not been asked; "leaving": it is to forget us
State = Literal["asked", "active", "refused", "leaving"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A feed's hub, as the store knows it. Times are UTC."""

    feed_id: int
    #: the feed's own address, by which the operator knows it
    url: str
    hub: str
    topic: str
    #: what our callback address ends with
    token: str = field(repr=False)
    #: what the hub signs with
    secret: str = field(repr=False)
    state: State
    #: when the hub was last asked, or last called back
    asked_at: datetime
    #: until when the hub will tell us; None unless it is active
    lease_until: datetime | None
    #: when the hub is asked again; None while it is active
    again_at: datetime | None
    #: when the hub last told us something; before that, when it took us on
    heard_at: datetime | None
    #: why it is refused, or what went wrong last
    error: str | None
    #: of the feed: when it was last polled, whether that fails, whether it is gone for good
    polled_at: datetime | None
    failing: bool
    retired: bool


async def states(connection: AsyncConnection) -> dict[int, Push]:
    """All pushes, by the id of their feed."""
    return {row.feed_id: _push(row) for row in await connection.execute(_query())}


async def of_feed(connection: AsyncConnection, feed_id: int) -> Push | None:
    """The push of a feed, or None."""
    row = (await connection.execute(_query().where(pushes.c.feed_id == feed_id))).first()
    return _push(row) if row else None


async def by_token(connection: AsyncConnection, token: str) -> Push | None:
    """The push whose callback address ends so, or None."""
    row = (await connection.execute(_query().where(pushes.c.token == token))).first()
    return _push(row) if row else None


def _query() -> Select[tuple[object, ...]]:
    return select(
        pushes, feeds.c.url, feeds.c.retired_at, feeds.c.failures, feeds.c.last_polled_at
    ).join(feeds, feeds.c.id == pushes.c.feed_id)


def _push(row: Row[tuple[object, ...]]) -> Push:
    active = row.state == "active"
    return Push(
        feed_id=row.feed_id,
        url=row.url,
        hub=row.hub,
        topic=row.topic,
        token=row.token,
        secret=row.secret,
        state=row.state,
        asked_at=row.asked_at,
        lease_until=row.lease_until if active else None,
        again_at=None if active else row.lease_until,
        heard_at=row.last_push_at,
        error=row.error,
        polled_at=row.last_polled_at,
        failing=row.failures > 0,
        retired=row.retired_at is not None,
    )


# --------------------------------------------------------------- what becomes of one


async def add(
    connection: AsyncConnection,
    feed_id: int,
    *,
    hub: str,
    topic: str,
    token: str,
    secret: str,
    now: datetime,
    again_at: datetime,
) -> None:
    """A feed has this hub from now on, which is to be asked at `again_at`."""
    values = {
        "hub": hub,
        "topic": topic,
        "token": token,
        "secret": secret,
        "state": "asked",
        "asked_at": now,
        "lease_until": again_at,
        "last_push_at": None,
        "error": None,
    }
    statement = insert_new(connection, pushes).values(feed_id=feed_id, **values)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["feed_id"], set_=values)
    )


async def ask(
    connection: AsyncConnection, push: Push, *, state: State, now: datetime, until: datetime
) -> Push | None:
    """Let the caller, and nobody else, ask the hub now; None where somebody else does already.

    `until`: how long an active push lasts, else when the hub is asked again.
    """
    changed = await connection.execute(
        _as_it_was(push).values(state=state, asked_at=now, lease_until=until)
    )
    active = state == "active"
    if not changed.rowcount:
        return None
    return replace(
        push,
        state=state,
        asked_at=now,
        lease_until=until if active else None,
        again_at=None if active else until,
    )


async def leave(
    connection: AsyncConnection, push: Push, *, asked_at: datetime, until: datetime
) -> None:
    """The hub is to forget us: to be told so if both times are one; else the row goes then."""
    await connection.execute(
        _same(push).values(state="leaving", asked_at=asked_at, lease_until=until, error=None)
    )


async def grant(connection: AsyncConnection, push: Push, *, now: datetime, until: datetime) -> None:
    """The hub called back: it will tell us until then."""
    heard = push.heard_at if push.state == "active" else now
    await connection.execute(
        _same(push).values(
            state="active", asked_at=now, lease_until=until, last_push_at=heard, error=None
        )
    )


async def fail(connection: AsyncConnection, push: Push, *, reason: str, again_at: datetime) -> None:
    """The hub did not take what we asked, and has not called back since.

    A push that is active stays so until its lease ends.
    """
    asked = _as_it_was(push)
    waiting = asked.where(pushes.c.state == "asked")
    await connection.execute(waiting.values(state="refused", lease_until=again_at, error=reason))
    await connection.execute(asked.where(pushes.c.state == "active").values(error=reason))


async def refuse(
    connection: AsyncConnection, push: Push, *, reason: str, now: datetime, again_at: datetime
) -> None:
    """The hub will not, or is not worth asking, until `again_at`."""
    await connection.execute(
        _same(push).values(state="refused", asked_at=now, lease_until=again_at, error=reason)
    )


async def hear(connection: AsyncConnection, push: Push, *, now: datetime) -> None:
    """The hub told us something."""
    await connection.execute(_same(push).values(last_push_at=now))


async def forget(connection: AsyncConnection, push: Push) -> None:
    """The callback address of this push is nobody's any more."""
    await connection.execute(delete(pushes).where(pushes.c.token == push.token))


def _same(push: Push) -> Update:
    return update(pushes).where(pushes.c.token == push.token)


def _as_it_was(push: Push) -> Update:
    """Not where the hub was asked or has called back since."""
    until = push.lease_until or push.again_at
    return _same(push).where(pushes.c.asked_at == push.asked_at, pushes.c.lease_until == until)


async def had_news(
    connection: AsyncConnection, feed_id: int, *, since: datetime, until: datetime
) -> bool:
    """Whether polls of a feed found articles that came between these times, as far as is known."""
    query = (
        select(articles.c.id)
        .join(appearances, appearances.c.article_id == articles.c.id)
        .where(
            appearances.c.feed_id == feed_id,
            articles.c.first_seen_at > since,
            articles.c.first_seen_at <= until,
            # not what was published long ago and found later
            or_(articles.c.published_at.is_(None), articles.c.published_at > since),
        )
        .limit(1)
    )
    return (await connection.execute(query)).first() is not None
