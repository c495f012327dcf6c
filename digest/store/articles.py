"""Articles: what is held of them, what is new, and what a newsletter can tell of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.article import Article, NewArticle
from digest.model.edition import LEFT_OVER
from digest.model.newsletter import FeedSource
from digest.store import held, signs
from digest.store.dialect import insert_new, lock_articles
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
    """Store what is new among `found` by key and page alone; return how many may be told.

    Polls go through `jobs.keep.take_in`, which looks closer. With `all_fresh` false (the first read
    of a feed) only what was published after `fresh_since` may be told.
    """
    await lock_articles(connection)
    new = 0
    for article in found:
        known = await _find(connection, article, feed_id)
        if known is None:
            candidate = all_fresh or is_fresh(article, fresh_since)
            [known] = await add(connection, [(article, candidate, None)], now=now)
            new += candidate
        else:
            [was] = (await held.look(connection, [known], now=now)).values()
            if (was.article.title, was.article.excerpt) != (article.title, article.excerpt):
                await held.revise(connection, [(was, article)], now=now)
        await appear(connection, [known], feed_id, now=now)
    return new


def is_fresh(article: NewArticle, since: datetime | None) -> bool:
    """True where it is news on the first read of its feed."""
    return since is None or (article.published_at is not None and article.published_at >= since)


async def _find(connection: AsyncConnection, article: NewArticle, feed_id: int) -> int | None:
    page = article.link_key
    leads = await signs.lead(connection, [article.key, *([page] if page else [])])
    known = leads.get(article.key)
    if known is not None or page is None or page not in leads:
        return known
    # the same page under another key: only if it stands in another feed, for a feed that gives one
    # link to many items means many items
    where = (appearances.c.article_id == leads[page]) & (appearances.c.feed_id == feed_id)
    here = (await connection.execute(select(appearances.c.seen_at).where(where))).first()
    return None if here else leads[page]


async def add(
    connection: AsyncConnection,
    new: Sequence[tuple[NewArticle, bool, int | None]],
    *,
    now: datetime,
) -> list[int]:
    """Store new articles, each with whether it may be told and the flood it came with.

    Returns their ids in the same order. Their keys are signs of theirs; `signs.add` writes others.
    """
    ids: dict[str, int] = {}
    for chunk in signs.in_chunks(new):
        rows = [
            {
                **held.columns(article),
                "key": article.key,
                "link_key": article.link_key,
                "first_seen_at": now,
                "candidate": candidate,
                "flood_id": flood,
            }
            for article, candidate, flood in chunk
        ]
        statement = insert(articles).returning(articles.c.key, articles.c.id)
        ids |= {row.key: row.id for row in await connection.execute(statement, rows)}
    known_by = [
        (sign, ids[article.key])
        for article, *_ in new
        for sign in (article.key, article.link_key)
        if sign
    ]
    await signs.add(connection, known_by)
    return [ids[article.key] for article, *_ in new]


async def appear(
    connection: AsyncConnection, ids: Collection[int], feed_id: int, *, now: datetime
) -> None:
    """Note that articles stand in a feed; since when stays as it was first noted."""
    if ids:
        statement = insert_new(connection, appearances).on_conflict_do_nothing()
        rows = [{"article_id": each, "feed_id": feed_id, "seen_at": now} for each in ids]
        await connection.execute(statement, rows)


async def withdraw(connection: AsyncConnection, ids: Iterable[int], now: datetime) -> None:
    """Their publisher took them back: they are not told any more, until they are seen again."""
    for chunk in signs.in_chunks(ids):
        standing = articles.c.id.in_(chunk) & articles.c.withdrawn_at.is_(None)
        await connection.execute(update(articles).where(standing).values(withdrawn_at=now))


async def bring_back(connection: AsyncConnection, ids: Iterable[int], *, now: datetime) -> None:
    """They were seen again after their publisher had taken them back: news once more."""
    for chunk in signs.in_chunks(ids):
        await connection.execute(
            update(articles)
            .where(articles.c.id.in_(chunk))
            .values(withdrawn_at=None, first_seen_at=now)
        )


async def candidates(
    connection: AsyncConnection,
    *,
    newsletter: str,
    schedule: str,
    sources: Iterable[FeedSource],
    seen_since: datetime | None,
    fresh_since: datetime | None = None,
) -> list[Article]:
    """What this newsletter could tell in this rhythm and has not settled yet, newest first.

    Settled is what an edition considered, but for what it had no room for and what is younger than
    `fresh_since` (None: nothing is left over). An article in several feeds of the newsletter counts
    for the feed that is named first. What came with a flood and what its publisher took back is
    left out.
    """
    sources = tuple(sources)
    considered = select(edition_articles.c.article_id).where(
        edition_articles.c.newsletter == newsletter, edition_articles.c.schedule == schedule
    )
    published = func.coalesce(articles.c.published_at, articles.c.first_seen_at)
    query = (
        select(articles, feeds.c.url.label("feed_url"), feeds.c.title.label("feed_title"))
        .join(appearances, appearances.c.article_id == articles.c.id)
        .join(feeds, feeds.c.id == appearances.c.feed_id)
        .where(
            feeds.c.url.in_([source.url for source in sources]),
            articles.c.candidate.is_(True),
            articles.c.flood_id.is_(None),
            articles.c.withdrawn_at.is_(None),
            _is_open(considered, published, fresh_since),
            _is_new(considered, seen_since),
        )
        .order_by(published.desc(), articles.c.id)
    )
    return by_first_feed((await connection.execute(query)).all(), sources)


def by_first_feed(
    rows: Iterable[Row[tuple[Any, ...]]], sources: Sequence[FeedSource]
) -> list[Article]:
    """Rows of `articles` with `feed_url` and `feed_title`, each article once, in their order.

    An article in several feeds counts for the one that is named first.
    """
    rank = {source.url: place for place, source in enumerate(sources)}
    sections = {source.url: source.section for source in sources}
    best: dict[int, Row[tuple[Any, ...]]] = {}
    for row in rows:
        before = best.get(row.id)
        if before is None or rank[row.feed_url] < rank[before.feed_url]:
            best[row.id] = row
    return [as_article(row, section=sections[row.feed_url]) for row in best.values()]


def _is_open(
    considered: Select[int], published: ColumnElement[datetime], fresh_since: datetime | None
) -> ColumnElement[bool]:
    """No edition considered it, or there was no room for it and it is fresh still."""
    new = articles.c.id.not_in(considered)
    if fresh_since is None:
        return new
    settled = considered.where(edition_articles.c.reason.in_(LEFT_OVER).is_not(True))
    return or_(new, and_(articles.c.id.not_in(settled), published >= fresh_since))


def _is_new(considered: Select[int], seen_since: datetime | None) -> ColumnElement[bool]:
    if seen_since is None:
        return literal(value=True)
    return or_(
        # what comes late to a feed of this newsletter is new to its readers
        articles.c.first_seen_at >= seen_since,
        appearances.c.seen_at >= seen_since,
        articles.c.id.in_(considered),
    )


def as_article(row: Row[tuple[object, ...]], *, section: str | None) -> Article:
    """A row of `articles`, with `feed_url` and `feed_title` where they were asked for."""
    facts = row._mapping  # noqa: SLF001 -- SQLAlchemy's public name for it
    return Article(
        id=row.id,
        key=row.key,
        url=row.url,
        title=row.title,
        excerpt=row.excerpt,
        image=held.image(row.image),
        author=row.author,
        categories=tuple(row.categories),
        published_at=row.published_at or row.first_seen_at,
        first_seen_at=row.first_seen_at,
        words=row.words,
        source=facts.get("feed_title") or "",
        section=section,
        comments_url=row.comments_url,
        link_key=row.link_key,
        dated=row.published_at is not None,
        language=row.language,
        version=row.version,
        comments=row.comments,
        feed=facts.get("feed_url") or "",
    )


async def changed_since_told(
    connection: AsyncConnection, edition_id: int
) -> list[tuple[int, int, int]]:
    """The articles of an edition that their publishers changed since: id, version told, and now.

    In reading order. Not those that a restored backup had forgotten: nobody knows what it told.
    """
    told = edition_articles.c
    query = (
        select(articles.c.id, told.version.label("told"), articles.c.version)
        .join(edition_articles, told.article_id == articles.c.id)
        .where(
            told.edition_id == edition_id,
            told.position.is_not(None),
            articles.c.version > told.version,
        )
        .order_by(told.position)
    )
    return [(row.id, row.told, row.version) for row in await connection.execute(query)]
