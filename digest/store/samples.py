"""The latest edition of a newsletter as a sample of what one gets: headlines and figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.store.tables import articles, edition_articles, editions


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An edition in miniature."""

    id: int
    number: int
    made_at: datetime
    language: str
    #: of each article, in reading order; its address where it has no title
    headlines: tuple[str, ...]
    #: how long the mail takes to read; None where that was not noted
    minutes: int | None


async def sample(connection: AsyncConnection, newsletter: str) -> Sample | None:
    """The latest edition of a newsletter; None where there is none yet."""
    latest = (
        select(
            editions.c.id,
            editions.c.number,
            editions.c.made_at,
            editions.c.language,
            editions.c.minutes,
        )
        .where(editions.c.newsletter == newsletter)
        .order_by(editions.c.id.desc())
        .limit(1)
    )
    edition = (await connection.execute(latest)).first()
    if edition is None:
        return None
    told = (
        select(articles.c.title, articles.c.url)
        .join(edition_articles, edition_articles.c.article_id == articles.c.id)
        .where(
            edition_articles.c.edition_id == edition.id, edition_articles.c.position.is_not(None)
        )
        .order_by(edition_articles.c.position)
    )
    rows = (await connection.execute(told)).all()
    return Sample(
        id=edition.id,
        number=edition.number,
        made_at=edition.made_at,
        language=edition.language,
        headlines=tuple(row.title or row.url for row in rows),
        minutes=edition.minutes,
    )
