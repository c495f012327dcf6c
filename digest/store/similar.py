"""Who is told what was found for him: by his next edition, or by a mail of its own.

Each finding is told once, by one delivery, which `findings.delivery_id` names. What an edition told
anyway counts as told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    bindparam,
    exists,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.delivery import DeliveryState
from digest.model.follow import FOLLOWS_ONLY, Finding, FollowMode
from digest.model.layout import read_extra, read_plan
from digest.store import unsettled
from digest.store.choosing import findings, follows, selections
from digest.store.findings import UNTOLD, as_finding, found
from digest.store.follows import SIMILAR, alive
from digest.store.readers import awake
from digest.store.signs import in_chunks
from digest.store.tables import (
    articles,
    deliveries,
    edition_articles,
    subscribers,
    subscriptions,
    suppressions,
)

#: who gets one waits so long for the next
PAUSE = timedelta(minutes=10)
#: what no edition took in this time is told by a mail of its own
PATIENCE = timedelta(hours=36)
#: stories of one such mail, at most; the others come in the next
MOST = 20
#: an edition may have told something so long before it was found
EARLIER = timedelta(days=2)


# --------------------------------------------------------------- what an edition takes


async def waiting(
    connection: AsyncConnection, newsletter: str, subscription_ids: Collection[int] | None = None
) -> dict[int, list[Finding]]:
    """What waits for the next edition of readers who want it there, by subscription.

    Of all readers, or of these; the most alike first. Not of those who read no editions. Hold the
    newsletter's lock until `told` is committed: else a mail of its own may tell it as well.
    """
    query = found().where(
        findings.c.told_at.is_(None),
        follows.c.mode == FollowMode.DIGEST.value,
        subscriptions.c.newsletter == newsletter,
        subscriptions.c.frequency != FOLLOWS_ONLY,
        articles.c.withdrawn_at.is_(None),
        alive(),
    )
    query = query.order_by(findings.c.likeness.desc(), findings.c.article_id)
    rows: list[Row[Any]] = []
    if subscription_ids is None:
        rows += await connection.execute(query)
    else:
        for chunk in in_chunks(sorted(subscription_ids)):
            rows += await connection.execute(query.where(findings.c.subscription_id.in_(chunk)))
    mine: dict[int, list[Finding]] = defaultdict(list)
    for row in rows:
        mine[row.subscription_id].append(as_finding(row))
    return dict(mine)


async def told(
    connection: AsyncConnection, what: Collection[Finding], *, edition_id: int, now: datetime
) -> int:
    """Note that these are told, each by its reader's delivery of this edition; return how many.

    What a reader without such a delivery waits for, and what was told before, stays as it is.
    """
    tells: dict[int, int] = {}
    for chunk in in_chunks(sorted({each.subscription_id for each in what})):
        rows = select(deliveries.c.subscription_id, deliveries.c.id).where(
            deliveries.c.edition_id == edition_id, deliveries.c.subscription_id.in_(chunk)
        )
        tells |= {row.subscription_id: row.id for row in await connection.execute(rows)}
    return await _tell(
        connection,
        [
            (each.follow_id, each.article_id, tells[each.subscription_id])
            for each in what
            if each.subscription_id in tells
        ],
        now=now,
    )


async def settle(connection: AsyncConnection, newsletter: str, *, now: datetime) -> int:
    """Note what editions told of what waits; return how much that was."""
    here = edition_articles.c
    query = (
        select(
            findings.c.follow_id,
            findings.c.article_id,
            deliveries.c.id,
            deliveries.c.choice,
            deliveries.c.extra,
            here.position,
            selections.c.plan,
        )
        .join(follows, follows.c.id == findings.c.follow_id)
        .join(subscriptions, subscriptions.c.id == findings.c.subscription_id)
        .join(deliveries, deliveries.c.subscription_id == findings.c.subscription_id)
        .outerjoin(
            edition_articles,
            and_(
                here.edition_id == deliveries.c.edition_id,
                here.article_id == findings.c.article_id,
            ),
        )
        .outerjoin(
            selections,
            and_(
                selections.c.edition_id == deliveries.c.edition_id,
                selections.c.choice == deliveries.c.choice,
            ),
        )
        .where(
            findings.c.told_at.is_(None),
            subscriptions.c.newsletter == newsletter,
            deliveries.c.edition_id.is_not(None),
            deliveries.c.state.not_in(UNTOLD),
            deliveries.c.created_at >= now - PATIENCE - EARLIER,
        )
    )
    said = [
        (row.follow_id, row.article_id, row.id)
        for row in await connection.execute(query)
        if _gets(row)
    ]
    return await _tell(connection, said, now=now)


def _gets(row: Any) -> bool:
    """Whether a reader's delivery of an edition tells the article that was found for him."""
    extra = read_extra(row.extra) if row.extra is not None else None
    if extra is not None:
        if row.article_id in extra.omit:
            return False
        if row.article_id in {*extra.meanwhile, *(each.article_id for each in extra.followed)}:
            return True
    if not row.choice:
        return row.position is not None
    return row.plan is not None and row.article_id in read_plan(row.plan).article_ids


async def _tell(
    connection: AsyncConnection, said: Iterable[tuple[int, int, int]], *, now: datetime
) -> int:
    """Note by which delivery each of these is told: follow, article, delivery."""
    statement = (
        update(findings)
        .where(
            findings.c.follow_id == bindparam("the_follow"),
            findings.c.article_id == bindparam("the_article"),
            findings.c.told_at.is_(None),
        )
        .values(told_at=now, delivery_id=bindparam("the_delivery"))
    )
    rows = [
        {"the_follow": follow, "the_article": article, "the_delivery": delivery}
        for follow, article, delivery in said
    ]
    if rows:
        await connection.execute(statement, rows)
    return len(rows)


# --------------------------------------------------------------- a mail of its own


async def any_due(connection: AsyncConnection, newsletter: str, *, now: datetime) -> bool:
    """True where `queue` would queue something."""
    query = (
        found().with_only_columns(findings.c.follow_id).where(*_to_tell(newsletter, now)).limit(1)
    )
    return (await connection.execute(query)).first() is not None


async def queue(connection: AsyncConnection, newsletter: str, *, limit: int, now: datetime) -> int:
    """A mail for each of up to `limit` readers who are to be told something; return how many.

    The mail tells what its row names in `findings`, at every attempt. Hold the newsletter's lock.
    """
    some = (
        found()
        .with_only_columns(findings.c.subscription_id)
        .where(*_to_tell(newsletter, now))
        .distinct()
        .order_by(findings.c.subscription_id)
        .limit(limit)
    )
    readers = list((await connection.execute(some)).scalars())
    chosen: dict[int, list[Finding]] = {each: [] for each in readers}
    for chunk in in_chunks(readers):
        query = found().where(*_to_tell(newsletter, now), findings.c.subscription_id.in_(chunk))
        query = query.order_by(findings.c.likeness.desc(), findings.c.article_id)
        for row in await connection.execute(query):
            mine = chosen[row.subscription_id]
            if len(mine) < MOST:
                mine.append(as_finding(row))
    chosen = {reader: mine for reader, mine in chosen.items() if mine}
    if not chosen:
        return 0
    rows = [_row(reader, now) for reader in chosen]
    statement = insert(deliveries).returning(deliveries.c.id, deliveries.c.subscription_id)
    ids = {row.subscription_id: row.id for row in await connection.execute(statement, rows)}
    await _tell(
        connection,
        [
            (each.follow_id, each.article_id, ids[reader])
            for reader, mine in chosen.items()
            for each in mine
        ],
        now=now,
    )
    # the next edition leaves out for each of them what his mail tells
    await unsettled.mark(connection, chosen, now=now)
    return len(chosen)


def _row(reader: int, now: datetime) -> dict[str, object]:
    return {
        "notice": SIMILAR,
        "subscription_id": reader,
        "state": DeliveryState.QUEUED.value,
        "due_at": now,
        "created_at": now,
        "updated_at": now,
    }


def _to_tell(newsletter: str, now: datetime) -> list[ColumnElement[bool]]:
    """What is to be told by a mail now, to those who may be written to."""
    lately = deliveries.alias("lately")
    return [
        findings.c.told_at.is_(None),
        subscriptions.c.newsletter == newsletter,
        or_(
            follows.c.mode == FollowMode.PROMPT.value,
            subscriptions.c.frequency == FOLLOWS_ONLY,
            findings.c.found_at <= now - PATIENCE,
        ),
        articles.c.withdrawn_at.is_(None),
        alive(),
        awake(now),
        ~exists().where(
            subscribers.c.id == subscriptions.c.subscriber_id,
            suppressions.c.address_hash == subscribers.c.address_hash,
        ),
        ~exists().where(
            lately.c.subscription_id == findings.c.subscription_id,
            lately.c.notice == SIMILAR,
            lately.c.created_at > now - PAUSE,
        ),
    ]
