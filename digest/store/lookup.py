"""Finds the article that somebody names, by its id, its address or another spelling of that."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.store import signs
from digest.store.tables import articles

#: digits of an id: they have 32 bits
_DIGITS = 9


async def find_article(
    connection: AsyncConnection, text: str, known_by: Sequence[str] = ()
) -> int | None:
    """The id of the article that is meant; None where we hold no such article.

    `text` is an id, or an address as its feed gives it, of which the newest article counts.
    `known_by` are the signs of that address, the strongest first (`articles.identify.page_signs`):
    they lead to the article where the address is spelled in another way.
    """
    if text.isascii() and text.isdigit() and len(text) <= _DIGITS:
        by_id = select(articles.c.id).where(articles.c.id == int(text))
        found: int | None = (await connection.execute(by_id)).scalar()
        return found
    bare = text.rstrip("/")
    by_url = (
        select(articles.c.id)
        .where(articles.c.url.in_([text, bare, f"{bare}/"]))
        .order_by(articles.c.id.desc())
        .limit(1)
    )
    found = (await connection.execute(by_url)).scalar()
    if found is not None or not known_by:
        return found
    leads = await signs.lead(connection, known_by)
    return next((leads[each] for each in known_by if each in leads), None)
