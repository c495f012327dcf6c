"""What readers follow, each row one wish to hear of news like one article.

A follow counts while it is active and its subscription is, since that was last confirmed: whoever
left and signed up anew follows nothing. Which article resembles which is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.delivery import DeliveryState
from digest.model.follow import Follow, FollowMode, FollowState
from digest.model.subscriber import SubscriptionState
from digest.store.choosing import findings, follows
from digest.store.signs import in_chunks
from digest.store.tables import articles, deliveries, subscriptions

#: the kinds of service mail: one asks whether it was this reader, one tells what was found
FOLLOW = "follow"
SIMILAR = "similar"

#: deliveries whose message no relay has
_UNSENT = (
    DeliveryState.QUEUED.value,
    DeliveryState.DEFERRED.value,
    DeliveryState.CLAIMED.value,
)


def alive() -> ColumnElement[bool]:
    """The follows that count; `subscriptions` has to be joined."""
    return and_(
        follows.c.state == FollowState.ACTIVE.value,
        subscriptions.c.state == SubscriptionState.ACTIVE.value,
        or_(
            subscriptions.c.confirmed_at.is_(None),
            follows.c.confirmed_at >= subscriptions.c.confirmed_at,
        ),
    )


# --------------------------------------------------------------- one follow


async def ask(
    connection: AsyncConnection,
    *,
    ref: bytes,
    subscription_id: int,
    article_id: int,
    mode: FollowMode,
    nonce: bytes,
    now: datetime,
) -> int:
    """Make a follow pending, new (with this `ref`) or anew, and return its id.

    Links of an older request are void. Hold the person first, and leave alone what counts already.
    """
    said = {
        "state": FollowState.PENDING.value,
        "mode": mode.value,
        "requested_at": now,
        "confirmed_at": None,
        "ended_at": None,
        "nonce": nonce,
    }
    here = and_(follows.c.subscription_id == subscription_id, follows.c.article_id == article_id)
    anew = update(follows).where(here).values(said).returning(follows.c.id)
    known = (await connection.execute(anew)).scalar()
    if known is not None:
        # what was found before he stopped it was not told then, and is not told now
        await connection.execute(
            delete(findings).where(findings.c.follow_id == known, findings.c.told_at.is_(None))
        )
        return int(known)
    statement = insert(follows).values(
        ref=ref, subscription_id=subscription_id, article_id=article_id, **said
    )
    return int((await connection.execute(statement.returning(follows.c.id))).scalar_one())


async def by_ref(connection: AsyncConnection, ref: bytes) -> Follow | None:
    """The follow that a signed link names."""
    row = (await connection.execute(_whole().where(follows.c.ref == ref))).first()
    return _follow(row) if row else None


async def of_subscription(
    connection: AsyncConnection, subscription_id: int, *, only_alive: bool = False
) -> list[Follow]:
    """What this reader follows or followed in one newsletter, oldest first."""
    query = _whole().where(follows.c.subscription_id == subscription_id).order_by(follows.c.id)
    if only_alive:
        query = query.join(subscriptions, subscriptions.c.id == follows.c.subscription_id)
        query = query.where(alive())
    return [_follow(row) for row in await connection.execute(query)]


async def is_alive(connection: AsyncConnection, follow_id: int) -> bool:
    """True where what resembles it is told."""
    query = (
        select(follows.c.id)
        .join(subscriptions, subscriptions.c.id == follows.c.subscription_id)
        .where(follows.c.id == follow_id, alive())
    )
    return (await connection.execute(query)).first() is not None


async def count_open(connection: AsyncConnection, subscription_id: int) -> int:
    """How many follows of a reader are asked for or confirmed."""
    query = select(func.count()).where(
        follows.c.subscription_id == subscription_id,
        follows.c.state != FollowState.ENDED.value,
    )
    return int((await connection.execute(query)).scalar_one())


async def drop_notices(connection: AsyncConnection, follow_id: int, *, now: datetime) -> int:
    """Close the mails that ask about this follow and that nobody holds yet: a newer one asks."""
    result = await connection.execute(
        update(deliveries)
        .where(
            deliveries.c.notice == FOLLOW,
            deliveries.c.about == follow_id,
            deliveries.c.state.in_((DeliveryState.QUEUED.value, DeliveryState.DEFERRED.value)),
        )
        .values(state=DeliveryState.EXCLUDED.value, updated_at=now)
    )
    return int(result.rowcount)


async def confirm(connection: AsyncConnection, follow_id: int, *, now: datetime) -> bool:
    """Pending becomes active; False when it was not pending."""
    pending = follows.c.state == FollowState.PENDING.value
    result = await connection.execute(
        update(follows)
        .where(follows.c.id == follow_id, pending)
        .values(state=FollowState.ACTIVE.value, confirmed_at=now)
    )
    return bool(result.rowcount)


async def stop(connection: AsyncConnection, ids: Collection[int], *, now: datetime) -> int:
    """Pending or active becomes ended; return how many."""
    result = await connection.execute(
        update(follows)
        .where(follows.c.id.in_(list(ids)), follows.c.state != FollowState.ENDED.value)
        .values(state=FollowState.ENDED.value, ended_at=now)
    )
    return int(result.rowcount)


async def hand_over(
    connection: AsyncConnection, old: int, new: int, *, since: datetime, now: datetime
) -> int:
    """What a subscription follows, its newer address's subscription follows from now on.

    `since`: when the old one was confirmed. What the new one follows itself stays as it is.
    """
    mine = select(follows.c.article_id).where(follows.c.subscription_id == new)
    result = await connection.execute(
        update(follows)
        .where(
            follows.c.subscription_id == old,
            follows.c.state == FollowState.ACTIVE.value,
            follows.c.confirmed_at >= since,
            follows.c.article_id.not_in(mine.scalar_subquery()),
        )
        .values(subscription_id=new, confirmed_at=now)
        .returning(follows.c.id)
    )
    moved = list(result.scalars())
    for chunk in in_chunks(moved):
        await connection.execute(
            update(findings).where(findings.c.follow_id.in_(chunk)).values(subscription_id=new)
        )
        # what a mail was to tell that no relay took, the new address is told
        unsent = select(deliveries.c.id).where(
            deliveries.c.subscription_id == old,
            deliveries.c.notice == SIMILAR,
            deliveries.c.state.in_(_UNSENT),
        )
        await connection.execute(
            update(findings)
            .where(findings.c.follow_id.in_(chunk), findings.c.delivery_id.in_(unsent))
            .values(told_at=None, delivery_id=None)
        )
    return len(moved)


async def call_back(connection: AsyncConnection, follow_id: int, *, now: datetime) -> int:
    """Take the mails that tell of this follow back from whoever holds them, and return how many.

    In the transaction in which it is stopped, for the reason of `leaving.call_back`. They are
    written anew without it; what would tell nothing then is closed at its next claim.
    """
    tells = select(findings.c.delivery_id).where(
        findings.c.follow_id == follow_id, findings.c.delivery_id.is_not(None)
    )
    result = await connection.execute(
        update(deliveries)
        .where(
            deliveries.c.id.in_(tells),
            deliveries.c.notice == SIMILAR,
            deliveries.c.state == DeliveryState.CLAIMED.value,
        )
        .values(state=DeliveryState.QUEUED.value, owner=None, updated_at=now)
    )
    return int(result.rowcount)


async def lapse(connection: AsyncConnection, *, before: datetime) -> int:
    """Forget the wishes asked for before then that nobody confirmed; return how many."""
    over = and_(follows.c.state == FollowState.PENDING.value, follows.c.requested_at < before)
    ids = list((await connection.execute(select(follows.c.id).where(over))).scalars())
    for chunk in in_chunks(ids):
        # again with the condition: somebody may have confirmed since
        gone = select(follows.c.id).where(follows.c.id.in_(chunk), over)
        await connection.execute(delete(findings).where(findings.c.follow_id.in_(gone)))
        await connection.execute(delete(follows).where(follows.c.id.in_(chunk), over))
    return len(ids)


async def any_over(connection: AsyncConnection, *, before: datetime) -> bool:
    """True when `lapse` would find something."""
    query = select(follows.c.id).where(
        follows.c.state == FollowState.PENDING.value, follows.c.requested_at < before
    )
    return (await connection.execute(query.limit(1))).first() is not None


async def forget(
    connection: AsyncConnection, subscription_ids: Select[int] | Collection[int]
) -> None:
    """Nobody knows any more what these subscriptions followed, nor what was found for them."""
    mine = select(follows.c.id).where(follows.c.subscription_id.in_(subscription_ids))
    await connection.execute(
        delete(findings).where(
            or_(findings.c.subscription_id.in_(subscription_ids), findings.c.follow_id.in_(mine))
        )
    )
    await connection.execute(delete(follows).where(follows.c.subscription_id.in_(subscription_ids)))


async def found_for(connection: AsyncConnection, subscription_id: int) -> list[dict[str, Any]]:
    """All that was found for a reader, as rows with the found article's title and address."""
    query = (
        select(findings, articles.c.title, articles.c.url)
        .join(articles, articles.c.id == findings.c.article_id)
        .where(findings.c.subscription_id == subscription_id)
        .order_by(findings.c.found_at, findings.c.article_id)
    )
    return [dict(row) for row in (await connection.execute(query)).mappings()]


# --------------------------------------------------------------- rows


def _whole() -> Select[Any]:
    return select(follows, articles.c.title, articles.c.url).join(
        articles, articles.c.id == follows.c.article_id
    )


def _follow(row: Row[Any]) -> Follow:
    return Follow(
        id=row.id,
        ref=row.ref,
        subscription_id=row.subscription_id,
        article_id=row.article_id,
        title=row.title,
        url=row.url,
        state=FollowState(row.state),
        mode=FollowMode(row.mode),
        confirmed_at=row.confirmed_at,
        ended_at=row.ended_at,
        requested_at=row.requested_at,
        nonce=row.nonce,
    )
