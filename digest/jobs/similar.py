"""Compares new articles with what readers follow, and queues mails that tell what was found.

An article is compared once with each followed one, however many follow that. Which deliveries go
out, and to whom, the ledger decides as for every message.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from digest.editions.likeness import (
    FOLLOW_THRESHOLD,
    Rarity,
    Vector,
    learn,
    likeness,
    resembles,
    text_of,
    vector,
    why,
)
from digest.jobs.world import World
from digest.model.article import Article
from digest.store import findings, recent, similar
from digest.store.dialect import lock_newsletter
from digest.store.findings import Fresh, Match, Seed

log = logging.getLogger("digest.similar")

#: articles that one run looks at, at most
ARTICLES: Final = 1000
#: so often, before those who wait for a mail get theirs
ROUNDS: Final = 10
#: comparisons of one run, at most: five seconds of one processor, ten with 10,000 followed ones
PAIRS: Final = 200_000
#: followed articles that are compared in one run, the newest; what is beyond is told by nobody
SEEDS: Final = 10_000
#: from how many articles it is learned which words are rare
BACKGROUND: Final = 1000
#: what was seen longer ago is no news to anybody
FRESH: Final = timedelta(days=2)
#: two articles as alike as this tell the same event: nobody is told both
SAME: Final = 0.5
#: so many that were found of late are looked at for that
LATELY: Final = 200
#: mails queued in one transaction
PAGE: Final = 500


async def tell_similar(world: World) -> int:
    """Compare what is new, then queue what is due; return how many mails were queued."""
    for _ in range(ROUNDS):
        if not await match_new(world):
            break
    return await queue_due(world)


# --------------------------------------------------------------- comparing


async def match_new(world: World) -> int:
    """Compare up to `ARTICLES` new articles with what is followed; return how many those were."""
    offered = [each for each in world.newsletters if each.follow]
    now = world.clock()
    async with world.store.read() as connection:
        fresh, old = await findings.unmatched(connection, since=now - FRESH, limit=ARTICLES)
        seeds = await findings.seeds(connection, [each.slug for each in offered]) if fresh else []
        seeds = seeds[-SEEDS:]
        fresh = fresh[: max(1, PAIRS // len(seeds))] if seeds else fresh
        background = await recent.background(connection, limit=BACKGROUND) if seeds else []
        lately = await findings.found_since(connection, now - FRESH, limit=LATELY) if seeds else []
    if not fresh and not old:
        return 0
    takes = {each.slug: frozenset(feed.url for feed in each.feeds) for each in offered}
    # a comparison holds the processor: what else the process does must go on meanwhile
    matches = await asyncio.to_thread(compare, fresh, seeds, takes, background, lately)
    async with world.store.write() as connection:
        for slug in sorted({each.newsletter for each in matches}):
            await lock_newsletter(connection, slug)
        found = 0
        for each in matches:
            found += await findings.note(connection, each, now=world.clock())
        done = [each.article.id for each in fresh] + old
        await findings.mark(connection, done, now=world.clock())
    if found:
        log.info("articles=%d followed=%d found=%d", len(fresh), len(seeds), found)
    return len(done)


def compare(
    fresh: Sequence[Fresh],
    seeds: Sequence[Seed],
    takes: Mapping[str, frozenset[str]],
    background: Sequence[Article],
    lately: Sequence[Article],
) -> list[Match]:
    """What resembles what, the most alike first; `takes` says which feeds a newsletter has.

    `background` teaches which words are rare. `lately`: what was found before.
    """
    if not seeds:
        return []
    every = {
        each.id: each
        for each in (*background, *(f.article for f in fresh), *(s.article for s in seeds))
    }
    rarity = learn(text_of(each) for each in every.values())
    followed: dict[str, list[tuple[Seed, Vector]]] = defaultdict(list)
    vectors: dict[int, Vector] = {}
    for seed in seeds:
        mine = vectors.setdefault(seed.article.id, vector(text_of(seed.article), rarity))
        followed[seed.newsletter].append((seed, mine))
    matches: list[Match] = []
    before = [(each.id, vector(text_of(each), rarity)) for each in lately]
    for each in fresh:
        found = _matches(each, followed, takes, rarity)
        if found:
            mine = vector(text_of(each.article), rarity)
            repeats = tuple(
                other
                for other, theirs in before
                if other != each.article.id and likeness(mine, theirs) >= SAME
            )
            before.append((each.article.id, mine))
            matches += [_with(match, repeats) for match in found]
    return matches


def _matches(
    fresh: Fresh,
    followed: Mapping[str, Sequence[tuple[Seed, Vector]]],
    takes: Mapping[str, frozenset[str]],
    rarity: Rarity,
) -> list[Match]:
    mine = vector(text_of(fresh.article), rarity)
    found = []
    for slug, seeds in followed.items():
        if takes.get(slug, frozenset()).isdisjoint(fresh.feeds):
            continue
        for seed, theirs in seeds:
            if seed.article.id == fresh.article.id:
                continue
            alike = resembles(theirs, mine, rarity)
            if alike >= FOLLOW_THRESHOLD:
                found.append(
                    Match(
                        newsletter=slug,
                        seed_id=seed.article.id,
                        article=fresh.article,
                        likeness=round(alike, 4),
                        words=why(theirs, mine),
                    )
                )
    return sorted(found, key=lambda match: (-match.likeness, match.seed_id))


def _with(match: Match, repeats: tuple[int, ...]) -> Match:
    return Match(
        newsletter=match.newsletter,
        seed_id=match.seed_id,
        article=match.article,
        likeness=match.likeness,
        words=match.words,
        repeats=repeats,
    )


# --------------------------------------------------------------- telling


async def queue_due(world: World) -> int:
    """A mail for each reader who is to be told something now; return how many."""
    total = 0
    for newsletter in world.newsletters:
        if not newsletter.follow:
            continue
        while True:
            now = world.clock()
            async with world.store.read() as connection:
                due = await similar.any_due(connection, newsletter.slug, now=now)
            if not due:
                break
            async with world.store.write() as connection:
                await lock_newsletter(connection, newsletter.slug)
                # as an edition that was made meanwhile may have told it
                await similar.settle(connection, newsletter.slug, now=now)
                queued = await similar.queue(connection, newsletter.slug, limit=PAGE, now=now)
            total += queued
            if queued < PAGE:
                break
    if total:
        log.info("similar=%d status=queued", total)
    return total


async def forget_found(world: World) -> None:
    """Forget what was told long ago."""
    async with world.store.write() as connection:
        await findings.forget_old(connection, now=world.clock())
