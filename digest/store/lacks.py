"""Lacks: what new articles have too little of, and what their pages and pictures gave instead."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.article import Image
from digest.store import held
from digest.store.signs import in_chunks
from digest.store.tables import articles


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacking:
    """What we hold of an article that may be told, as far as a page could better it."""

    id: int
    url: str
    title: str
    excerpt: str
    image: Image | None
    words: int
    language: str | None


async def find(connection: AsyncConnection, ids: Collection[int]) -> list[Lacking]:
    """Those of these articles that may be told and whose page was not read, in their order.

    What came with a flood waits, and what its publisher took back is left alone.
    """
    found = {}
    for chunk in in_chunks(dict.fromkeys(ids)):
        query = select(articles).where(
            articles.c.id.in_(chunk),
            articles.c.candidate.is_(True),
            articles.c.flood_id.is_(None),
            articles.c.withdrawn_at.is_(None),
            articles.c.page_read_at.is_(None),
        )
        for row in await connection.execute(query):
            found[row.id] = Lacking(
                id=row.id,
                url=row.url,
                title=row.title,
                excerpt=row.excerpt,
                image=held.image(row.image),
                words=row.words,
                language=row.language,
            )
    return [found[each] for each in dict.fromkeys(ids) if each in found]


async def better(
    connection: AsyncConnection, was: Lacking, found: Lacking, *, page_read_at: datetime | None
) -> None:
    """Write down what was found. It is no edit, for the publisher changed nothing.

    An edit that came meanwhile is newer than what was read, and stays. `page_read_at`: when its
    page was asked for; None where it was not.
    """
    if found == was and page_read_at is None:
        return
    values: dict[str, object] = {
        "excerpt": found.excerpt,
        "words": found.words,
        "language": found.language,
        "image": asdict(found.image) if found.image else None,
    }
    if page_read_at is not None:
        values["page_read_at"] = page_read_at
    unchanged = (articles.c.title == was.title) & (articles.c.excerpt == was.excerpt)
    await connection.execute(
        update(articles).where(articles.c.id == was.id, unchanged).values(values)
    )
