"""Why an article was told or left out, as it was noted with each edition; it only reads."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.article import Article
from digest.store.articles import as_article
from digest.store.tables import appearances, articles, edition_articles, feeds
from digest.store.tables import editions as made


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An article that we hold."""

    article: Article
    #: the addresses of the feeds that carry it
    feeds: frozenset[str]
    #: "old", "withdrawn" or "flood"; None: it may be told
    kept_out: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Considered:
    """What an edition made of an article."""

    edition: int
    newsletter: str
    schedule: str
    position: int | None
    section: str | None
    reason: str | None
    instead: tuple[str, str] | None
    score: dict[str, float]


async def find(connection: AsyncConnection, name: str) -> Known | None:
    """The article of this id or address; of several at one address the newest."""
    number = int(name) if name.isascii() and name.isdigit() and len(name) < 10 else -1  # noqa: PLR2004 -- ids have 32 bits
    bare = name.rstrip("/")
    is_it = (articles.c.id == number) | articles.c.url.in_([name, bare, f"{bare}/"])
    query = select(articles).where(is_it).order_by(articles.c.id.desc()).limit(1)
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    carry = (
        select(feeds.c.url, feeds.c.title)
        .join(appearances, appearances.c.feed_id == feeds.c.id)
        .where(appearances.c.article_id == row.id)
    )
    carried = (await connection.execute(carry)).all()
    kept_out = None
    if row.withdrawn_at is not None:
        kept_out = "withdrawn"
    elif row.flood_id is not None:
        kept_out = "flood"
    elif not row.candidate:
        kept_out = "old"
    return Known(
        article=as_article(row, section=None),
        feeds=frozenset(each.url for each in carried),
        kept_out=kept_out,
    )


async def considered(connection: AsyncConnection, article_id: int) -> list[Considered]:
    """What editions made of an article, the oldest first."""
    other = articles.alias()
    noted = edition_articles.c
    query = (
        select(edition_articles, other.c.title.label("other_title"), other.c.url.label("other_url"))
        .outerjoin(other, other.c.id == noted.instead_id)
        .where(noted.article_id == article_id)
        .order_by(noted.edition_id)
    )
    return [
        Considered(
            edition=row.edition_id,
            newsletter=row.newsletter,
            schedule=row.schedule,
            position=row.position,
            section=row.section,
            reason=row.reason,
            instead=(row.other_title, row.other_url) if row.other_url is not None else None,
            score=dict(row.score or {}),
        )
        for row in await connection.execute(query)
    ]


async def headline(connection: AsyncConnection, article_id: int | None) -> tuple[str, str] | None:
    """Title and address of an article; None where there is none."""
    query = select(articles.c.title, articles.c.url).where(articles.c.id == article_id)
    row = (await connection.execute(query)).first()
    return (row.title, row.url) if row else None


async def is_edition(connection: AsyncConnection, edition_id: int) -> bool:
    """True where an edition of this id was made."""
    query = select(made.c.id).where(made.c.id == edition_id)
    return (await connection.execute(query)).first() is not None
