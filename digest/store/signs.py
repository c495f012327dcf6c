"""Signs: what an article is known by, and where each sign leads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.store.dialect import insert_new
from digest.store.sources import article_signs
from digest.store.tables import articles

T = TypeVar("T")

#: how many values one statement asks for
CHUNK = 500


def in_chunks(values: Iterable[T]) -> Iterator[Sequence[T]]:
    """The values, as many at a time as one statement takes."""
    rest = iter(values)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


async def lead(connection: AsyncConnection, signs: Collection[str]) -> dict[str, int]:
    """The id of the article that each sign leads to; signs that nobody knows are left out.

    An article's own key leads to it, whatever else is written of that sign.
    """
    found: dict[str, int] = {}
    for chunk in in_chunks(dict.fromkeys(signs)):
        known = select(article_signs).where(article_signs.c.sign.in_(chunk))
        found |= {row.sign: row.article_id for row in await connection.execute(known)}
        own = select(articles.c.key, articles.c.id).where(articles.c.key.in_(chunk))
        found |= {row.key: row.id for row in await connection.execute(own)}
    return found


async def add(connection: AsyncConnection, rows: Collection[tuple[str, int]]) -> None:
    """Let signs lead to articles; a sign that leads to one already stays with it."""
    if rows:
        statement = insert_new(connection, article_signs).on_conflict_do_nothing(
            index_elements=["sign"]
        )
        await connection.execute(
            statement, [{"sign": sign, "article_id": article} for sign, article in rows]
        )
