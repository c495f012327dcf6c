"""Editions and the slots that they were made for; what was sent stays as it was."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Row, and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.article import Article
from digest.model.edition import Card, Draft, Edition, Slot, Written
from digest.store.tables import edition_articles, editions, slots


async def is_taken(connection: AsyncConnection, slot: Slot) -> bool:
    """True when the slot was dealt with; ask under the newsletter's lock."""
    query = select(slots.c.id).where(_is(slot))
    return (await connection.execute(query)).first() is not None


async def take(connection: AsyncConnection, slot: Slot, *, outcome: str, now: datetime) -> None:
    """Write the slot's row. It is unique, so the edition cannot be made twice."""
    row = {"newsletter": slot.newsletter, "schedule": slot.schedule, "at": slot.at}
    await connection.execute(
        insert(slots).values(**row, manual=slot.manual, outcome=outcome, made_at=now)
    )


def _is(slot: Slot) -> ColumnElement[bool]:
    return and_(
        slots.c.newsletter == slot.newsletter,
        slots.c.schedule == slot.schedule,
        slots.c.at == slot.at,
    )


async def last_slot(connection: AsyncConnection, newsletter: str, schedule: str) -> datetime | None:
    """The latest slot of the clock (not of a person) that was dealt with."""
    query = select(func.max(slots.c.at)).where(
        slots.c.newsletter == newsletter, slots.c.schedule == schedule, slots.c.manual.is_(False)
    )
    latest: datetime | None = (await connection.execute(query)).scalar()
    return latest


async def add(
    connection: AsyncConnection,
    slot: Slot,
    *,
    draft: Draft,
    written: Written,
    number: int,
    language: str,
    nonce: str,
    now: datetime,
) -> Edition:
    """Store an edition, its cards, and every article it considered, and tie it to its slot.

    The caller holds the newsletter's lock, so that no article is told twice in one rhythm.
    """
    frame = {
        "newsletter": slot.newsletter,
        "schedule": slot.schedule,
        "number": number,
        "made_at": now,
        "language": language,
        "nonce": nonce,
    }
    statement = insert(editions).values(
        **frame,
        minutes=written.minutes,
        subject=written.subject,
        preheader=written.preheader,
        html=written.html,
        text=written.text,
    )
    added = int((await connection.execute(statement.returning(editions.c.id))).scalar_one())
    await connection.execute(
        insert(edition_articles),
        [
            {"edition_id": added, "newsletter": slot.newsletter, "schedule": slot.schedule, **row}
            for row in _considered(draft, written)
        ],
    )
    await connection.execute(update(slots).where(_is(slot)).values(edition_id=added))
    return Edition(id=added, **frame, written=written)  # type: ignore[arg-type] # a dict forgets the types of its values


def _considered(draft: Draft, written: Written) -> list[dict[str, object]]:
    cards = {card.article_id: card for card in written.cards}
    chosen: list[dict[str, object]] = [
        {
            "article_id": article.id,
            "position": position,
            "section": article.section,
            "topics": _topics(article),
            "reason": None,
            "card_html": cards[article.id].html,
            "card_text": cards[article.id].text,
            "version": article.version,
            "score": _score(draft, article),
            "instead_id": draft.earlier[article.id].id if article.id in draft.earlier else None,
        }
        for position, article in enumerate(draft.articles, start=1)
    ]
    left_out: list[dict[str, object]] = [
        {
            "article_id": each.article.id,
            "position": None,
            "section": each.article.section,
            "topics": _topics(each.article),
            "reason": each.reason,
            "card_html": None,
            "card_text": None,
            "version": each.article.version,
            "score": _score(draft, each.article),
            "instead_id": each.instead,
        }
        for each in draft.left_out
    ]
    return chosen + left_out


def _score(draft: Draft, article: Article) -> dict[str, float] | None:
    score = draft.scores.get(article.id)
    return {**dict(score.parts), "total": round(score.total, 6)} if score else None


async def settle(connection: AsyncConnection, edition_id: int, told: Collection[int]) -> None:
    """Note which articles had no room in an edition but were told in a selection of it.

    They are told: no reader of this rhythm may get them twice, whatever he chooses next.
    """
    stood = edition_articles.c
    await connection.execute(
        update(edition_articles)
        .where(
            stood.edition_id == edition_id,
            stood.article_id.in_(list(told)),
            stood.position.is_(None),
        )
        .values(reason="choice")
    )


def _topics(article: Article) -> str:
    """Names with commas around, so that one can be looked for: ",chips,robots,"."""
    return f",{','.join(article.topics)}," if article.topics else ""


async def next_number(connection: AsyncConnection, newsletter: str) -> int:
    """The number that the newsletter's next edition will bear."""
    query = select(func.coalesce(func.max(editions.c.number), 0)).where(
        editions.c.newsletter == newsletter
    )
    return int((await connection.execute(query)).scalar_one()) + 1


async def last_made_at(
    connection: AsyncConnection, newsletter: str, schedule: str
) -> datetime | None:
    """When the last edition of this rhythm was made."""
    query = select(func.max(editions.c.made_at)).where(
        editions.c.newsletter == newsletter, editions.c.schedule == schedule
    )
    latest: datetime | None = (await connection.execute(query)).scalar()
    return latest


async def get(connection: AsyncConnection, edition_id: int) -> Edition | None:
    """One edition as it is for everybody, with its cards in reading order."""
    row = (await connection.execute(select(editions).where(editions.c.id == edition_id))).first()
    return _edition(row, await _cards(connection, edition_id)) if row is not None else None


async def _cards(connection: AsyncConnection, edition_id: int) -> tuple[Card, ...]:
    query = (
        select(edition_articles)
        .where(
            edition_articles.c.edition_id == edition_id, edition_articles.c.position.is_not(None)
        )
        .order_by(edition_articles.c.position)
    )
    return tuple(
        Card(article_id=row.article_id, html=row.card_html, text=row.card_text)
        for row in await connection.execute(query)
    )


def _edition(row: Row[tuple[object, ...]], cards: tuple[Card, ...]) -> Edition:
    return Edition(
        id=row.id,
        newsletter=row.newsletter,
        schedule=row.schedule,
        number=row.number,
        made_at=row.made_at,
        language=row.language,
        nonce=row.nonce,
        written=Written(
            subject=row.subject,
            preheader=row.preheader,
            html=row.html,
            text=row.text,
            cards=cards,
            minutes=row.minutes,
        ),
    )
