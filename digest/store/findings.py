"""What is to be compared with what readers follow, and what was found for them.

Thousands who follow one article cost one comparison and one statement.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    delete,
    exists,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.article import Article
from digest.model.delivery import DeliveryState
from digest.model.follow import Finding
from digest.store.articles import as_article
from digest.store.choosing import findings, follows, verdicts
from digest.store.dialect import insert_new
from digest.store.follows import alive
from digest.store.readers import awake
from digest.store.signs import in_chunks
from digest.store.tables import (
    appearances,
    articles,
    deliveries,
    edition_articles,
    feeds,
    subscriptions,
)

#: deliveries that came to nothing: what they were to tell was not told
UNTOLD = (
    DeliveryState.EXCLUDED.value,
    DeliveryState.BOUNCED.value,
    DeliveryState.EXPIRED.value,
)

#: how long it is known what was told: longer than any message is tried
KEPT = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """An article that nobody has compared yet."""

    article: Article
    #: the addresses of the feeds that carry it
    feeds: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """An article that readers of a newsletter follow, however many they are."""

    newsletter: str
    article: Article


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """An article that resembles a followed one."""

    newsletter: str
    #: the one that is followed
    seed_id: int
    article: Article
    likeness: float
    words: tuple[str, ...]
    #: articles that say nearly the same: who was told one of them is not told this
    repeats: tuple[int, ...] = ()


# --------------------------------------------------------------- comparing


async def unmatched(
    connection: AsyncConnection, *, since: datetime, limit: int
) -> tuple[list[Fresh], list[int]]:
    """Articles seen since then that were not compared yet, oldest first; and those not worth it.

    What its publisher took back and what came with a flood waits for what becomes of it.
    """
    query = (
        select(articles)
        .where(
            articles.c.matched_at.is_(None),
            articles.c.first_seen_at >= since,
            articles.c.withdrawn_at.is_(None),
            articles.c.flood_id.is_(None),
        )
        .order_by(articles.c.first_seen_at, articles.c.id)
        .limit(limit)
    )
    rows = (await connection.execute(query)).all()
    told = [as_article(row, section=None) for row in rows if row.candidate]
    carried: dict[int, set[str]] = defaultdict(set)
    for chunk in in_chunks([each.id for each in told]):
        carry = (
            select(appearances.c.article_id, feeds.c.url)
            .join(feeds, feeds.c.id == appearances.c.feed_id)
            .where(appearances.c.article_id.in_(chunk))
        )
        for row in await connection.execute(carry):
            carried[row.article_id].add(row.url)
    fresh = [Fresh(article=each, feeds=frozenset(carried[each.id])) for each in told]
    return fresh, [row.id for row in rows if not row.candidate]


async def seeds(connection: AsyncConnection, newsletters: Collection[str]) -> list[Seed]:
    """What readers of these newsletters follow, each article once for a newsletter."""
    followed = (
        select(subscriptions.c.newsletter, follows.c.article_id)
        .join(subscriptions, subscriptions.c.id == follows.c.subscription_id)
        .where(subscriptions.c.newsletter.in_(list(newsletters)), alive())
        .distinct()
        .subquery()
    )
    query = (
        select(articles, followed.c.newsletter)
        .join(followed, followed.c.article_id == articles.c.id)
        .order_by(articles.c.id, followed.c.newsletter)
    )
    return [
        Seed(newsletter=row.newsletter, article=as_article(row, section=None))
        for row in await connection.execute(query)
    ]


async def found_since(connection: AsyncConnection, since: datetime, *, limit: int) -> list[Article]:
    """What was found for anybody since then, newest first."""
    ids = select(findings.c.article_id).where(findings.c.found_at >= since)
    query = select(articles).where(articles.c.id.in_(ids)).order_by(articles.c.id.desc())
    return [as_article(row, section=None) for row in await connection.execute(query.limit(limit))]


async def note(connection: AsyncConnection, match: Match, *, now: datetime) -> int:
    """Write a finding for each follower of the seed to whom it is news; return how many.

    News is what came after he confirmed, not paused, and what nothing has told him: no finding for
    another follow of his, no edition. A second time adds nothing.
    """
    told = (match.article.id, *match.repeats)
    row = {
        "follow_id": follows.c.id,
        "article_id": literal(match.article.id),
        "subscription_id": subscriptions.c.id,
        "likeness": literal(match.likeness),
        "words": literal(list(match.words), findings.c.words.type),
        "found_at": literal(now, findings.c.found_at.type),
    }
    readers = (
        select(*row.values())
        .select_from(follows)
        .join(subscriptions, subscriptions.c.id == follows.c.subscription_id)
        .where(
            follows.c.article_id == match.seed_id,
            subscriptions.c.newsletter == match.newsletter,
            follows.c.confirmed_at < match.article.first_seen_at,
            alive(),
            awake(now),
            ~_was_found(told),
            ~_was_refused(match.article.id),
            ~_was_sent(told),
        )
    )
    statement = insert_new(connection, findings).from_select(list(row), readers)
    return int((await connection.execute(statement.on_conflict_do_nothing())).rowcount)


def _was_found(ids: Collection[int]) -> ColumnElement[bool]:
    before = findings.alias("before")
    return exists().where(
        before.c.subscription_id == subscriptions.c.id, before.c.article_id.in_(list(ids))
    )


def _was_sent(ids: Collection[int]) -> ColumnElement[bool]:
    """Told by an edition that is as it is for everybody; what selections tell stands elsewhere."""
    return exists().where(
        deliveries.c.subscription_id == subscriptions.c.id,
        deliveries.c.edition_id == edition_articles.c.edition_id,
        deliveries.c.choice == "",
        deliveries.c.state.not_in(UNTOLD),
        edition_articles.c.article_id.in_(list(ids)),
        edition_articles.c.position.is_not(None),
    )


def _was_refused(article_id: int) -> ColumnElement[bool]:
    """By the editors of the newsletter."""
    return exists().where(
        verdicts.c.newsletter == subscriptions.c.newsletter,
        verdicts.c.article_id == article_id,
        verdicts.c.refused.is_(True),
    )


async def mark(connection: AsyncConnection, ids: Collection[int], *, now: datetime) -> None:
    """These articles were compared."""
    for chunk in in_chunks(sorted(ids)):
        await connection.execute(
            update(articles)
            .where(articles.c.id.in_(chunk), articles.c.matched_at.is_(None))
            .values(matched_at=now)
        )


async def forget_old(connection: AsyncConnection, *, now: datetime) -> int:
    """What was told long ago is nobody's business any more; return how many."""
    result = await connection.execute(delete(findings).where(findings.c.found_at < now - KEPT))
    return int(result.rowcount)


# --------------------------------------------------------------- rows


def found() -> Select[Any]:
    """Findings with their follow, their subscription and `articles`, which is what was found."""
    followed = articles.alias("followed")
    return (
        select(findings, follows.c.ref, followed.c.title)
        .join(follows, follows.c.id == findings.c.follow_id)
        .join(followed, followed.c.id == follows.c.article_id)
        .join(articles, articles.c.id == findings.c.article_id)
        .join(subscriptions, subscriptions.c.id == findings.c.subscription_id)
    )


def as_finding(row: Row[Any]) -> Finding:
    """A row of `found`."""
    return Finding(
        follow_id=row.follow_id,
        ref=row.ref,
        title=row.title,
        article_id=row.article_id,
        subscription_id=row.subscription_id,
        likeness=row.likeness,
        words=tuple(row.words),
        found_at=row.found_at,
    )


# --------------------------------------------------------------- what a mail tells


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A story of a mail, and why it is there."""

    finding: Finding
    title: str
    excerpt: str
    url: str


async def told_by(connection: AsyncConnection, delivery_id: int) -> list[Told]:
    """What a mail tells, the most alike first; without what was stopped or taken back meanwhile.

    The editors' title counts.
    """
    title = func.coalesce(verdicts.c.title, articles.c.title)
    query = (
        found()
        .add_columns(title.label("said"), articles.c.excerpt, articles.c.url)
        .outerjoin(
            verdicts,
            and_(
                verdicts.c.article_id == articles.c.id,
                verdicts.c.newsletter == subscriptions.c.newsletter,
            ),
        )
        .where(findings.c.delivery_id == delivery_id, articles.c.withdrawn_at.is_(None), alive())
        .order_by(findings.c.likeness.desc(), findings.c.article_id)
    )
    return [
        Told(finding=as_finding(row), title=row.said, excerpt=row.excerpt, url=row.url)
        for row in await connection.execute(query)
    ]
