"""What the editors say about articles: pins, refusals and titles; a row that says nothing goes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.policy import Verdict
from digest.store.choosing import verdicts
from digest.store.dialect import insert_new


async def of(
    connection: AsyncConnection,
    newsletter: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Verdict]:
    """The verdicts of a newsletter, by article.

    With `since` those spoken or changed since then, with `until` only those that stood by then.
    """
    query = select(verdicts).where(verdicts.c.newsletter == newsletter)
    if since is not None:
        query = query.where(verdicts.c.at >= since)
    if until is not None:
        query = query.where(verdicts.c.at <= until)
    return [
        Verdict(article_id=row.article_id, pinned=row.pinned, refused=row.refused, title=row.title)
        for row in await connection.execute(query.order_by(verdicts.c.article_id))
    ]


async def pin(
    connection: AsyncConnection,
    newsletter: str,
    article_id: int,
    *,
    place: int | None,
    now: datetime,
) -> None:
    """Put an article at a place, counted from 1, and take a refusal back; None: the pin is off."""
    said: dict[str, object] = {"pinned": place}
    if place is not None:
        said["refused"] = False  # the later word counts
    await _say(connection, newsletter, article_id, said, now=now)


async def refuse(
    connection: AsyncConnection,
    newsletter: str,
    article_id: int,
    *,
    refused: bool,
    now: datetime,
) -> None:
    """Let an article be told to nobody, and take its pin off; False: take the refusal back."""
    said: dict[str, object] = {"refused": refused}
    if refused:
        said["pinned"] = None
    await _say(connection, newsletter, article_id, said, now=now)


async def retitle(
    connection: AsyncConnection,
    newsletter: str,
    article_id: int,
    *,
    title: str | None,
    now: datetime,
) -> None:
    """Let an article be told under this title; None: under its own."""
    await _say(connection, newsletter, article_id, {"title": title}, now=now)


async def _say(
    connection: AsyncConnection,
    newsletter: str,
    article_id: int,
    said: dict[str, object],
    *,
    now: datetime,
) -> None:
    """Change what is said and leave the rest of it as it is."""
    row = {
        "newsletter": newsletter,
        "article_id": article_id,
        "refused": False,
        **said,
        "at": now,
    }
    statement = insert_new(connection, verdicts).values(**row)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["newsletter", "article_id"], set_={**said, "at": now}
        )
    )
    nothing = (
        verdicts.c.pinned.is_(None) & verdicts.c.refused.is_(False) & verdicts.c.title.is_(None)
    )
    await connection.execute(
        delete(verdicts).where(
            verdicts.c.newsletter == newsletter, verdicts.c.article_id == article_id, nothing
        )
    )
