"""Articles: keep what we have not seen, once, however many feeds carry it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Row, func, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.article import Article, Image, NewArticle
from digest.model.newsletter import FeedSource
from digest.store.dialect import lock_articles
from digest.store.tables import appearances, articles, edition_articles, feeds


async def keep(
    connection: AsyncConnection,
    feed_id: int,
    found: Sequence[NewArticle],
    *,
    now: datetime,
    fresh_since: datetime | None = None,
    all_fresh: bool = True,
) -> int:
    """Store what is new among `found` and note where it stands; return how many are new.

    An article is known by its key, or by its page when another feed brought it. With `all_fresh`
    false (the first read of a feed) only what was published after `fresh_since` may be sent.
    """
    await lock_articles(connection)
    new = 0
    for article in found:
        known = await _find(connection, article, feed_id)
        if known is None:
            candidate = all_fresh or _is_fresh(article, fresh_since)
            known = await _insert(connection, article, now=now, candidate=candidate)
            new += candidate
        else:
            await _refresh(connection, known, article, now=now)
        await _appear(connection, known, feed_id, now=now)
    return new


def _is_fresh(article: NewArticle, since: datetime | None) -> bool:
    return since is None or (article.published_at is not None and article.published_at >= since)


async def _find(connection: AsyncConnection, article: NewArticle, feed_id: int) -> int | None:
    by_key = select(articles.c.id).where(articles.c.key == article.key)
    known: int | None = (await connection.execute(by_key)).scalar()
    if known is not None or article.link_key is None:
        return known
    # the same page under another key: only if no article of this very feed is that page already,
    # for a feed that gives one link to many items means many items
    here = select(appearances.c.article_id).where(appearances.c.feed_id == feed_id)
    by_link = (
        select(articles.c.id)
        .where(articles.c.link_key == article.link_key, articles.c.id.not_in(here))
        .order_by(articles.c.id)
        .limit(1)
    )
    return (await connection.execute(by_link)).scalar()


async def _insert(
    connection: AsyncConnection, article: NewArticle, *, now: datetime, candidate: bool
) -> int:
    row = {**_columns(article), "key": article.key, "link_key": article.link_key}
    statement = insert(articles).values(**row, first_seen_at=now, candidate=candidate)
    return int((await connection.execute(statement.returning(articles.c.id))).scalar_one())


async def _refresh(
    connection: AsyncConnection, known: int, article: NewArticle, *, now: datetime
) -> None:
    """Follow the publisher's edits; what was sent stays as it was sent (cards are stored)."""
    texts = _columns(article)
    current = select(articles.c.title, articles.c.excerpt).where(articles.c.id == known)
    title, excerpt = (await connection.execute(current)).one()
    if (title, excerpt) == (article.title, article.excerpt):
        return
    await connection.execute(
        update(articles).where(articles.c.id == known).values(**texts, updated_at=now)
    )


async def _appear(
    connection: AsyncConnection, article_id: int, feed_id: int, *, now: datetime
) -> None:
    where = (appearances.c.article_id == article_id) & (appearances.c.feed_id == feed_id)
    if (await connection.execute(select(appearances.c.seen_at).where(where))).first() is None:
        await connection.execute(
            insert(appearances).values(article_id=article_id, feed_id=feed_id, seen_at=now)
        )


def _columns(article: NewArticle) -> dict[str, object]:
    return {
        "url": article.url,
        "title": article.title,
        "excerpt": article.excerpt,
        "image": asdict(article.image) if article.image else None,
        "author": article.author,
        "categories": list(article.categories),
        "published_at": article.published_at,
        "words": article.words,
        "comments_url": article.comments_url,
    }


async def candidates(
    connection: AsyncConnection,
    *,
    newsletter: str,
    schedule: str,
    sources: Iterable[FeedSource],
    seen_since: datetime | None,
) -> list[Article]:
    """What this newsletter could tell in this rhythm and has not considered yet, newest first.

    An article in several feeds of the newsletter counts for the feed that is named first.
    """
    rank = {source.url: place for place, source in enumerate(sources)}
    sections = {source.url: source.section for source in sources}
    considered = select(edition_articles.c.article_id).where(
        edition_articles.c.newsletter == newsletter, edition_articles.c.schedule == schedule
    )
    query = (
        select(articles, feeds.c.url.label("feed_url"), feeds.c.title.label("feed_title"))
        .join(appearances, appearances.c.article_id == articles.c.id)
        .join(feeds, feeds.c.id == appearances.c.feed_id)
        .where(
            feeds.c.url.in_(list(rank)),
            articles.c.candidate.is_(True),
            articles.c.id.not_in(considered),
            or_(literal(seen_since is None), articles.c.first_seen_at >= seen_since)
            if seen_since is not None
            else literal(value=True),
        )
        .order_by(
            func.coalesce(articles.c.published_at, articles.c.first_seen_at).desc(), articles.c.id
        )
    )
    rows = (await connection.execute(query)).all()
    best: dict[int, Row[tuple[object, ...]]] = {}
    for row in rows:
        held = best.get(row.id)
        if held is None or rank[row.feed_url] < rank[held.feed_url]:
            best[row.id] = row
    return [_article(row, section=sections[row.feed_url]) for row in best.values()]


def _article(row: Row[tuple[object, ...]], *, section: str | None) -> Article:
    return Article(
        id=row.id,
        key=row.key,
        url=row.url,
        title=row.title,
        excerpt=row.excerpt,
        image=Image(**row.image) if row.image else None,
        author=row.author,
        categories=tuple(row.categories),
        published_at=row.published_at or row.first_seen_at,
        first_seen_at=row.first_seen_at,
        words=row.words,
        source=row.feed_title or "",
        section=section,
        comments_url=row.comments_url,
        link_key=row.link_key,
        dated=row.published_at is not None,
    )
