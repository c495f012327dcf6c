"""Texts: the longest that we have of an article, as HTML that `articles.clean` let through."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.store.dialect import insert_new
from digest.store.signs import in_chunks
from digest.store.sources import article_texts


async def keep(
    connection: AsyncConnection, article_id: int, html: str, *, origin: Literal["feed", "page"]
) -> bool:
    """Store the text of an article; say whether it is what we hold now.

    A newer text of the same origin takes the place of the older one. One of the other origin only
    where it is longer: a page's is not lost to a feed's teaser, nor a feed's to a page that could
    not be read well. An empty one changes nothing.
    """
    if not html:
        return False
    statement = insert_new(connection, article_texts).values(
        article_id=article_id, html=html, origin=origin
    )
    new = statement.excluded
    longer = func.length(new.html) > func.length(article_texts.c.html)
    stored = await connection.execute(
        statement.on_conflict_do_update(
            index_elements=[article_texts.c.article_id],
            set_={"html": new.html, "origin": new.origin},
            where=or_(article_texts.c.origin == new.origin, longer),
        ).returning(article_texts.c.article_id)
    )
    return stored.first() is not None


async def read(connection: AsyncConnection, ids: Collection[int]) -> dict[int, str]:
    """The texts of those articles that have one, by id."""
    found: dict[int, str] = {}
    for chunk in in_chunks(dict.fromkeys(ids)):
        query = select(article_texts).where(article_texts.c.article_id.in_(chunk))
        found |= {row.article_id: row.html for row in await connection.execute(query)}
    return found
