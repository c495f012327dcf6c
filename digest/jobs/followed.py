"""Adds to an edition what was found for those of its readers who follow an article."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from digest.jobs.press import Press
from digest.model.article import Article
from digest.model.follow import Finding
from digest.model.layout import Followed
from digest.model.newsletter import Newsletter
from digest.store import followed, missed, similar, unsettled
from digest.store.engine import Connection

#: articles that all readers of an edition together may get because of what they follow
MOST: Final = 60
#: and one of them
MOST_OF_ONE: Final = 10

#: what waits, by reader
Waiting = dict[int, list[Finding]]


async def waiting(connection: Connection, newsletter: Newsletter) -> Waiting:
    """What waits for the next edition of readers who follow something; under the lock."""
    if not newsletter.follow:
        return {}
    return await similar.waiting(connection, newsletter.slug)


async def beside(
    connection: Connection, newsletter: Newsletter, found: Waiting, *, tells: Collection[int]
) -> list[Article]:
    """The articles of these findings that the edition does not tell anyway, the newest first."""
    ids = {each.article_id for mine in found.values() for each in mine} - set(tells)
    some = await missed.still_tellable(connection, newsletter.slug, ids, newsletter.feeds)
    return some[:MOST]


async def grant(
    connection: Connection, edition_id: int, press: Press, found: Waiting, *, now: datetime
) -> set[str]:
    """Write at their rows what readers get so; return the names of their selections.

    Whoever has no row of this edition goes on waiting. Who gets what the others do not is looked at
    alone at the next edition, so that nothing comes to him twice.
    """
    told: list[Finding] = []
    given: dict[followed.Row, list[Followed]] = {}
    alone: set[int] = set()
    for row in await followed.rows_of(connection, edition_id, found):
        cards = press.cards(row.choice) - set(row.extra.omit)
        mine = [each for each in found[row.subscription_id] if each.article_id in cards]
        if mine := mine[:MOST_OF_ONE]:
            given[row] = [
                Followed(article_id=each.article_id, ref=each.ref.hex(), title=each.title)
                for each in mine
            ]
            told += mine
            alone.add(row.subscription_id)
    await followed.add(connection, given)
    await similar.told(connection, told, edition_id=edition_id, now=now)
    await unsettled.mark(connection, alone, now=now)
    return {row.choice for row in given}
