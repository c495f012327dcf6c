"""Editions that a restored database has forgotten: what is known of one, and how it is put back."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.delivery import DeliveryState
from digest.model.journal import Considered, Made
from digest.store import signs
from digest.store.dialect import insert_new
from digest.store.tables import articles, deliveries, edition_articles, editions, slots

#: not ended yet, by whomever it is held
UNENDED = tuple(
    each.value
    for each in (
        DeliveryState.QUEUED,
        DeliveryState.DEFERRED,
        DeliveryState.CLAIMED,
        DeliveryState.DOTTED,
        DeliveryState.UNCERTAIN,
    )
)


async def known_editions(connection: AsyncConnection) -> dict[str, int]:
    """The id of each edition by its nonce."""
    rows = await connection.execute(select(editions.c.nonce, editions.c.id))
    return {row.nonce: row.id for row in rows}


async def made(connection: AsyncConnection, ids: Collection[int]) -> list[Made]:
    """What is to be remembered of these editions, oldest first."""
    found = []
    for each in sorted(ids):
        query = (
            select(editions, slots.c.at.label("slot_at"), slots.c.manual)
            .outerjoin(slots, slots.c.edition_id == editions.c.id)
            .where(editions.c.id == each)
        )
        row = (await connection.execute(query)).first()
        if row is None:
            continue
        found.append(
            Made(
                id=row.id,
                newsletter=row.newsletter,
                schedule=row.schedule,
                number=row.number,
                nonce=row.nonce,
                made_at=row.made_at,
                language=row.language,
                subject=row.subject,
                slot_at=row.slot_at or row.made_at,
                manual=row.manual is not False,
                articles=await _considered(connection, row.id),
            )
        )
    return found


async def _considered(connection: AsyncConnection, edition_id: int) -> tuple[Considered, ...]:
    chosen = edition_articles.c
    query = (
        select(articles, chosen.position, chosen.section, chosen.reason)
        .join(edition_articles, chosen.article_id == articles.c.id)
        .where(chosen.edition_id == edition_id)
        .order_by(chosen.position.is_(None), chosen.position, articles.c.id)
    )
    return tuple(
        Considered(
            key=row.key,
            link_key=row.link_key,
            url=row.url,
            title=row.title,
            seen_at=row.first_seen_at,
            position=row.position,
            section=row.section,
            reason=row.reason,
        )
        for row in await connection.execute(query)
    )


async def put_back(connection: AsyncConnection, lost: Made, *, html: str) -> int:
    """Write an edition that the database has forgotten, without deliveries; return its id.

    It keeps its id and number where they are free: mails name the one, readers saw the other. Its
    articles are told by it, so they are not told again in its rhythm; one that the database does
    not know is written too, for the next poll to fill in.
    """
    row = {
        "newsletter": lost.newsletter,
        "schedule": lost.schedule,
        "number": await _free_number(connection, lost),
        "made_at": lost.made_at,
        "language": lost.language,
        "nonce": lost.nonce,
        "subject": lost.subject,
        "preheader": "",
        "html": html,
        "text": "",
        "candidates": 0,
    }
    taken = select(editions.c.id).where(editions.c.id == lost.id)
    if (await connection.execute(taken)).first() is None:
        row["id"] = lost.id
    statement = insert(editions).values(row).returning(editions.c.id)
    edition = int((await connection.execute(statement)).scalar_one())
    if connection.dialect.name == "postgresql":  # an id that was given by hand moves no sequence
        largest = select(func.max(editions.c.id)).scalar_subquery()
        await connection.execute(
            select(func.setval(func.pg_get_serial_sequence("editions", "id"), largest))
        )
    await _take_slot(connection, lost, edition)
    for each in lost.articles:
        await _tell(connection, lost, edition, each)
    return edition


async def _free_number(connection: AsyncConnection, lost: Made) -> int:
    mine = editions.c.newsletter == lost.newsletter
    taken = select(editions.c.id).where(mine, editions.c.number == lost.number)
    if (await connection.execute(taken)).first() is None:
        return lost.number
    largest = (await connection.execute(select(func.max(editions.c.number)).where(mine))).scalar()
    return int(largest or 0) + 1


async def _take_slot(connection: AsyncConnection, lost: Made, edition: int) -> None:
    statement = insert_new(connection, slots).values(
        newsletter=lost.newsletter,
        schedule=lost.schedule,
        at=lost.slot_at,
        manual=lost.manual,
        outcome="edition",
        edition_id=edition,
        made_at=lost.made_at,
    )
    await connection.execute(
        statement.on_conflict_do_nothing(index_elements=["newsletter", "schedule", "at"])
    )


async def _tell(connection: AsyncConnection, lost: Made, edition: int, told: Considered) -> None:
    known = insert_new(connection, articles).values(
        key=told.key,
        link_key=told.link_key,
        url=told.url,
        title=told.title,
        excerpt="",
        categories=[],
        first_seen_at=told.seen_at,
        words=0,
        candidate=True,
    )
    await connection.execute(known.on_conflict_do_nothing(index_elements=["key"]))
    query = select(articles.c.id).where(articles.c.key == told.key)
    article = (await connection.execute(query)).scalar_one()
    known_by = [each for each in (told.key, told.link_key) if each]
    await signs.add(connection, [(each, article) for each in known_by])
    statement = insert_new(connection, edition_articles).values(
        edition_id=edition,
        article_id=article,
        newsletter=lost.newsletter,
        schedule=lost.schedule,
        position=told.position,
        section=told.section,
        reason=told.reason,
        card_html="",
        card_text="",
    )
    await connection.execute(statement.on_conflict_do_nothing())


# --------------------------------------------------------------- what is still open


async def unended(connection: AsyncConnection) -> list[tuple[int, datetime]]:
    """Editions with deliveries that have not ended, and when each was made; oldest first."""
    query = (
        select(editions.c.id, editions.c.made_at)
        .where(
            editions.c.id.in_(
                select(deliveries.c.edition_id).where(
                    deliveries.c.state.in_(UNENDED), deliveries.c.edition_id.is_not(None)
                )
            )
        )
        .order_by(editions.c.id)
    )
    return [(row.id, row.made_at) for row in await connection.execute(query)]


async def close_notices(connection: AsyncConnection, *, why: str, now: datetime) -> int:
    """Let all service mail expire that has not ended; return how many that were."""
    result = await connection.execute(
        update(deliveries)
        .where(deliveries.c.notice.is_not(None), deliveries.c.state.in_(UNENDED))
        .values(state=DeliveryState.EXPIRED.value, owner=None, reply=why, updated_at=now)
    )
    return int(result.rowcount)
