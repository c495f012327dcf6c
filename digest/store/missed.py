"""Turns editions and choices of topics into the articles that were told to whom; it only reads."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.article import Article
from digest.model.layout import name_selection, read_name, read_plan
from digest.model.newsletter import OTHER, FeedSource
from digest.store.articles import as_article
from digest.store.choosing import selections, verdicts
from digest.store.signs import in_chunks
from digest.store.tables import appearances, articles, edition_articles, editions, feeds
from digest.words import languages

#: an edition, and a choice as `deliveries.choice` has it
Key = tuple[int, str]


async def made_since(
    connection: AsyncConnection, newsletter: str, since: datetime
) -> list[tuple[int, str, datetime]]:
    """Id, schedule and time of the newsletter's editions that were made after this moment."""
    query = (
        select(editions.c.id, editions.c.schedule, editions.c.made_at)
        .where(editions.c.newsletter == newsletter, editions.c.made_at > since)
        .order_by(editions.c.made_at, editions.c.id)
    )
    return [(row.id, row.schedule, row.made_at) for row in await connection.execute(query)]


async def told(connection: AsyncConnection, keys: Iterable[Key]) -> dict[Key, frozenset[int]]:
    """The articles that each of these editions told to readers of a choice.

    Where it had no such readers: what they would have seen of it.
    """
    wanted = set(keys)
    stood: dict[int, list[tuple[int, str, bool]]] = {}
    chosen: dict[Key, frozenset[int] | None] = {}
    considered = edition_articles.c
    for chunk in in_chunks(sorted({edition for edition, _ in wanted})):
        rows = select(
            considered.edition_id, considered.article_id, considered.topics, considered.position
        ).where(
            considered.edition_id.in_(chunk),
            considered.position.is_not(None) | (considered.reason == "choice"),
        )
        for row in await connection.execute(rows):
            one = (row.article_id, row.topics, row.position is not None)
            stood.setdefault(row.edition_id, []).append(one)
        named = sorted({name for _, choice in wanted for name in _names(choice)})
        plans = select(selections.c.edition_id, selections.c.choice, selections.c.plan).where(
            selections.c.edition_id.in_(chunk), selections.c.choice.in_(named)
        )
        for each in await connection.execute(plans):
            ids = frozenset(read_plan(each.plan).article_ids) if each.plan else None
            chosen[each.edition_id, each.choice] = ids
    found: dict[Key, frozenset[int]] = {}
    for edition, choice in wanted:
        plans_of = [chosen.get((edition, name)) for name in _names(choice)]
        plan = next((each for each in plans_of if each is not None), None)
        known = any((edition, name) in chosen for name in _names(choice))
        if plan is None:
            plan = _seen(stood.get(edition, []), _topics(choice), known=known)
        found[edition, choice] = plan
    return found


def _topics(choice: str) -> str:
    return read_name(choice)[0]


def _names(choice: str) -> list[str]:
    """The name, and those of the same topics in other languages: all tell the same articles."""
    topics = _topics(choice)
    if not topics:
        return [choice] if choice else []
    every = [topics, *(name_selection(topics, each) for each in languages())]
    return list(dict.fromkeys([choice, *every]))


def _seen(stood: list[tuple[int, str, bool]], choice: str, *, known: bool) -> frozenset[int]:
    """By the topics alone; of a selection of old nobody noted what stood in it."""
    topics = set(choice.split(",")) - {""}
    return frozenset(
        article
        for article, names, placed in stood
        if (placed or (topics and known))
        and (not topics or topics & (set(names.strip(",").split(",")) - {""} or {OTHER}))
    )


async def still_tellable(
    connection: AsyncConnection, newsletter: str, ids: Iterable[int], sources: Iterable[FeedSource]
) -> list[Article]:
    """Those of these articles that may be told today, the newest first.

    Not what its publisher took back, what is held as a flood, or what the editors refused.
    """
    rank = {source.url: (place, source.section) for place, source in enumerate(sources)}
    refused = select(verdicts.c.article_id).where(
        verdicts.c.newsletter == newsletter, verdicts.c.refused.is_(True)
    )
    best: dict[int, tuple[int, Article]] = {}
    for chunk in in_chunks(sorted(set(ids))):
        query = (
            select(articles, feeds.c.url.label("feed_url"), feeds.c.title.label("feed_title"))
            .join(appearances, appearances.c.article_id == articles.c.id)
            .join(feeds, feeds.c.id == appearances.c.feed_id)
            .where(
                articles.c.id.in_(chunk),
                feeds.c.url.in_(list(rank)),
                articles.c.flood_id.is_(None),
                articles.c.withdrawn_at.is_(None),
                articles.c.id.not_in(refused),
            )
        )
        for row in await connection.execute(query):
            place, section = rank[row.feed_url]
            if row.id not in best or place < best[row.id][0]:
                best[row.id] = (place, as_article(row, section=section))
    return sorted(
        (article for _, article in best.values()),
        key=lambda each: (-each.published_at.timestamp(), each.id),
    )
