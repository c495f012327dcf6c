"""Corrections of what editions told, and to whom they are owed: each once to whoever got the text.

Owed is a correction to the person, not to the address: who moved meanwhile gets it where he is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, case, exists, func, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.delivery import DeliveryState
from digest.model.subscriber import SubscriptionState
from digest.store.choosing import corrections, selections
from digest.store.signs import in_chunks
from digest.store.sources import article_versions
from digest.store.tables import (
    articles,
    deliveries,
    edition_articles,
    subscribers,
    subscriptions,
    suppressions,
)

#: the kind of notice that tells one; `deliveries.about` names which
CORRECTION = "correction"

#: whoever has, or may have, the edition
RECEIVED = (DeliveryState.SENT.value, DeliveryState.UNCERTAIN.value)

#: rows with something of their own that are looked at together
_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What an edition told of an article, and what is right."""

    id: int
    edition_id: int
    article_id: int
    #: the version that corrects what was told
    version: int
    #: the title as it was told, and as it is right
    was: str
    title: str
    note: str
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What an article said at one time."""

    number: int
    url: str
    title: str
    excerpt: str


async def get(connection: AsyncConnection, correction_id: int) -> Correction | None:
    """One correction."""
    query = select(corrections).where(corrections.c.id == correction_id)
    row = (await connection.execute(query)).first()
    return Correction(**row._mapping) if row else None  # noqa: SLF001 -- SQLAlchemy's public name for it


async def find(
    connection: AsyncConnection, edition_id: int, article_id: int, version: int
) -> Correction | None:
    """The correction of this article in this edition by this version, if there is one."""
    query = select(corrections).where(
        corrections.c.edition_id == edition_id,
        corrections.c.article_id == article_id,
        corrections.c.version == version,
    )
    row = (await connection.execute(query)).first()
    return Correction(**row._mapping) if row else None  # noqa: SLF001 -- SQLAlchemy's public name for it


async def made_since(connection: AsyncConnection, since: datetime) -> list[Correction]:
    """The corrections made since then, the oldest first."""
    query = select(corrections).where(corrections.c.made_at >= since).order_by(corrections.c.id)
    return [Correction(**row._mapping) for row in await connection.execute(query)]  # noqa: SLF001 -- SQLAlchemy's public name for it


async def add(
    connection: AsyncConnection,
    *,
    edition_id: int,
    article_id: int,
    version: int,
    was: str,
    title: str,
    note: str,
    now: datetime,
) -> Correction:
    """Write a correction down; it is unique on edition, article and version."""
    facts: dict[str, Any] = {
        "edition_id": edition_id,
        "article_id": article_id,
        "version": version,
        "was": was,
        "title": title,
        "note": note,
        "made_at": now,
    }
    statement = insert(corrections).values(facts).returning(corrections.c.id)
    return Correction(id=int((await connection.execute(statement)).scalar_one()), **facts)


# --------------------------------------------------------------- what was told


async def said(
    connection: AsyncConnection,
    article_id: int,
    *,
    version: int | None = None,
    at: datetime | None = None,
) -> Version | None:
    """What an article said in this version, or at this time; None where it is gone.

    Where neither is known of old, it is what it says now.
    """
    old = article_versions.c
    query = select(old.version.label("number"), old.url, old.title, old.excerpt)
    query = query.where(old.article_id == article_id)
    if version is not None:
        query = query.where(old.version == version)
    else:
        query = query.where(old.replaced_at > at).order_by(old.version).limit(1)
    now = articles.c
    current = select(now.version.label("number"), now.url, now.title, now.excerpt).where(
        now.id == article_id
    )
    row = (await connection.execute(query)).first() or (await connection.execute(current)).first()
    return Version(**row._mapping) if row else None  # noqa: SLF001 -- SQLAlchemy's public name for it


async def stood(
    connection: AsyncConnection, edition_id: int, article_id: int
) -> tuple[bool, int | None]:
    """Whether an article stood in the edition as it is for everybody, and the version told."""
    told = edition_articles.c
    query = select(told.position, told.version).where(
        told.edition_id == edition_id, told.article_id == article_id
    )
    row = (await connection.execute(query)).first()
    return (row.position is not None, row.version) if row else (False, None)


async def laid_out(
    connection: AsyncConnection, edition_id: int
) -> AsyncIterator[tuple[str, dict[str, Any] | None, str]]:
    """The edition's selections: the choice, its plan, and the text where it has no plan."""
    query = select(selections.c.choice, selections.c.plan, selections.c.text).where(
        selections.c.edition_id == edition_id
    )
    for row in await connection.execute(query):
        yield row.choice, row.plan, row.text or ""


async def extras(
    connection: AsyncConnection, edition_id: int
) -> AsyncIterator[tuple[int, str, dict[str, Any]]]:
    """The edition's deliveries that have more or less than others: id, choice and the extra."""
    last = 0
    while True:
        query = (
            select(deliveries.c.id, deliveries.c.choice, deliveries.c.extra)
            .where(
                deliveries.c.edition_id == edition_id,
                deliveries.c.extra.is_not(None),
                deliveries.c.id > last,
            )
            .order_by(deliveries.c.id)
            .limit(_PAGE)
        )
        rows = (await connection.execute(query)).all()
        for row in rows:
            yield row.id, row.choice, row.extra
        if len(rows) < _PAGE:
            return
        last = rows[-1].id


# --------------------------------------------------------------- who is owed it


async def queue(
    connection: AsyncConnection,
    correction: Correction,
    *,
    choices: Collection[str],
    rows: Sequence[int] = (),
    since: datetime | None = None,
    now: datetime,
) -> int:
    """One row for each active reader who got the wrong text and has no such row; return how many.

    `choices` are the selections that tell the article ("" is the edition itself), for deliveries
    without an extra; `rows` are the ids of those with one that tell it. With `since` only for
    deliveries that ended since then. A second time adds nothing; hold the newsletter's lock.
    """
    when = literal(now, deliveries.c.created_at.type)
    row = {
        "notice": literal(CORRECTION),
        "about": literal(correction.id),
        "state": literal(DeliveryState.QUEUED.value),
        "due_at": when,
        "created_at": when,
        "updated_at": when,
    }
    added = 0
    for whose in _each(choices, rows):
        reader = _owed(correction, whose, since=since).subquery()
        statement = insert(deliveries).from_select(
            ["subscription_id", *row], select(reader.c.id, *row.values())
        )
        added += int((await connection.execute(statement)).rowcount)
    return added


async def is_owed(
    connection: AsyncConnection,
    correction: Correction,
    *,
    choices: Collection[str],
    rows: Sequence[int] = (),
    since: datetime | None = None,
) -> bool:
    """True where `queue` would add somebody."""
    for whose in _each(choices, rows):
        some = _owed(correction, whose, since=since).limit(1)
        if (await connection.execute(some)).first() is not None:
            return True
    return False


def _each(choices: Collection[str], rows: Sequence[int]) -> list[Any]:
    """The deliveries that tell the article, as conditions that one statement takes."""
    by_choice = [
        and_(deliveries.c.choice.in_(chunk), deliveries.c.extra.is_(None))
        for chunk in in_chunks(sorted(choices))
    ]
    return [*by_choice, *(deliveries.c.id.in_(chunk) for chunk in in_chunks(rows))]


def _owed(correction: Correction, whose: Any, *, since: datetime | None) -> Select[Any]:
    """The subscriptions, each once, of those who are owed it by these deliveries."""
    was, now, before = subscriptions.alias(), subscriptions.alias(), deliveries.alias()
    # who came back to an old address is himself, whatever moved meanwhile
    active = was.c.state == SubscriptionState.ACTIVE.value
    query = (
        select(now.c.id)
        .distinct()
        .select_from(deliveries)
        .join(was, was.c.id == deliveries.c.subscription_id)
        .join(now, now.c.id == case((active, was.c.id), else_=was.c.moved_to))
        .join(subscribers, subscribers.c.id == now.c.subscriber_id)
        .where(
            deliveries.c.edition_id == correction.edition_id,
            deliveries.c.state.in_(RECEIVED),
            whose,
            now.c.state == SubscriptionState.ACTIVE.value,
            ~exists().where(suppressions.c.address_hash == subscribers.c.address_hash),
            ~exists().where(
                before.c.subscription_id == now.c.id,
                before.c.notice == CORRECTION,
                before.c.about == correction.id,
            ),
        )
    )
    return query if since is None else query.where(deliveries.c.updated_at >= since)


async def counted(connection: AsyncConnection, correction: Correction) -> int:
    """How many have a row of it."""
    query = select(func.count()).where(
        deliveries.c.notice == CORRECTION, deliveries.c.about == correction.id
    )
    return int((await connection.execute(query)).scalar_one())
