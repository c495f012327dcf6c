"""Why an article is in or out: ten cases, each with its numbers worked out by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from jobs_world import DAILY, NOW, ONLY_DAILY, Clock, bring, open_world, titles
from sqlalchemy import update

from digest.errors import UsageError
from digest.jobs.explain import Reason, explain
from digest.jobs.publish import publish_now
from digest.jobs.world import World
from digest.model.newsletter import FeedSource, Newsletter, Topic
from digest.store.choosing import verdicts
from digest.store.dialect import insert_new
from digest.store.tables import articles

MAIN = ONLY_DAILY.feeds[0].url
JOBS = "https://stadtblatt.example/stellen"
ELSEWHERE = "https://anderswo.example/feed"
PAPER = replace(
    ONLY_DAILY,
    limit=3,
    feeds=(
        FeedSource(url=MAIN, only_topics=True, weight=1.5),
        FeedSource(url=JOBS, section="Stellen"),
    ),
    topics=(Topic(name="ai", title="KI", words=("KI", "Sprachmodell"), weight=2.0),),
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def world(database_url: str, clock: Clock) -> AsyncIterator[World]:
    async with open_world(database_url, clock, PAPER) as one:
        yield one


async def ahead(world: World, title: str) -> Reason:
    """Why it is in or out of the edition that would be made now."""
    found = await explain(world, f"https://stadtblatt.example/{title}")
    (reason,) = [each for each in found.reasons if each.edition is None]
    return reason


async def set_article(world: World, title: str, **values: object) -> None:
    async with world.store.write() as connection:
        await connection.execute(update(articles).where(articles.c.title == title).values(**values))


async def test_the_numbers_of_what_is_in(world: World, clock: Clock) -> None:
    # 1: named in its title; 24 hours old by the time of asking
    await bring(world, "KI-lernt")
    clock.forward(hours=24)
    reason = await ahead(world, "KI-lernt")
    assert (reason.position, reason.section, reason.reason) == (1, None, None)
    assert reason.score == {"freshness": 0.5, "topic": 1.0, "source": 0.5, "total": 2.0}
    assert reason.signs == (("ai", "title", "KI", 1.0),)
    # 2: named only in its text, and new: half as much for the topic
    await bring(world, "Rechnet", excerpt="Ein Sprachmodell half.")
    reason = await ahead(world, "Rechnet")
    assert reason.score == {"freshness": 1.0, "topic": 0.5, "source": 0.5, "total": 2.0}
    assert reason.signs == (("ai", "text", "Sprachmodell", 1.0),)
    # 3: a section of its own, whose feed takes everything
    await bring(world, "Setzer", feed=JOBS)
    reason = await ahead(world, "Setzer")
    assert (reason.section, reason.score) == ("Stellen", {"freshness": 1.0, "total": 1.0})


async def test_why_something_is_out_of_the_next_edition(world: World) -> None:
    await bring(world, "KI-1", "KI-2", "KI-3", "KI-4", "Wahl")
    # 4: off topic
    assert (await ahead(world, "Wahl")).reason == "off topic"
    # 5: no room, for three are fresher by minutes
    last = await ahead(world, "KI-4")
    assert (last.position, last.reason) == (None, "limit")
    assert last.score["total"] < (await ahead(world, "KI-3")).score["total"]
    # 6: refused; what had no room moves up
    first = (await explain(world, "https://stadtblatt.example/KI-1")).article.article.id
    async with world.store.write() as connection:
        await connection.execute(
            insert_new(connection, verdicts).values(
                newsletter=PAPER.slug, article_id=first, refused=True, at=NOW
            )
        )
    assert (await ahead(world, "KI-1")).reason == "refused"
    assert (await ahead(world, "KI-4")).position == 3
    # 7: taken back by its publisher
    await set_article(world, "KI-2", withdrawn_at=NOW)
    assert (await ahead(world, "KI-2")).reason == "withdrawn"
    # 8: old when its feed was first read
    await set_article(world, "KI-3", candidate=False)
    assert (await ahead(world, "KI-3")).reason == "old"
    # 9: no feed of this newsletter carries it
    await bring(world, "Fern", feed=ELSEWHERE)
    assert (await ahead(world, "Fern")).reason == "elsewhere"


async def test_what_an_edition_made_of_it_stays_as_it_was(world: World, clock: Clock) -> None:
    await bring(world, "KI-1", "KI-2", "KI-3", "KI-4")
    made = await publish_now(world, PAPER, DAILY)
    assert made is not None
    assert titles(made) == ["KI-1", "KI-2", "KI-3"]
    clock.forward(days=2)
    # 10: told, with the numbers of that day; the next edition will not tell it again
    told = await explain(world, "https://stadtblatt.example/KI-1")
    past, coming = told.reasons
    assert (past.edition, past.position, past.score["freshness"]) == (made.edition.id, 1, 1.0)
    assert coming.reason == f"told in edition {made.edition.id}"
    left = await explain(world, str(told.article.article.id), made.edition.id)
    assert [each.edition for each in left.reasons] == [made.edition.id]
    document = told.as_json()
    assert document["article"] == {
        "id": told.article.article.id,
        "url": "https://stadtblatt.example/KI-1",
        "title": "KI-1",
        "published": "2026-11-23T07:00:00Z",
        "source": None,
    }


async def test_what_is_asked_about_must_be_known(world: World) -> None:
    with pytest.raises(UsageError, match="no such article"):
        await explain(world, "https://stadtblatt.example/nie")
    await bring(world, "KI-1")
    with pytest.raises(UsageError, match="no edition 7"):
        await explain(world, "https://stadtblatt.example/KI-1", 7)


async def test_nothing_is_stored_and_leftovers_alone_are_no_news(
    world: World, clock: Clock
) -> None:
    short: Newsletter = replace(PAPER, limit=1)
    await bring(world, "KI-1", "KI-2")
    assert await publish_now(world, short, DAILY) is not None
    clock.forward(hours=timedelta(hours=3).seconds // 3600)
    assert (await ahead(world, "KI-2")).reason == "no news"
    await bring(world, "KI-3")
    assert (await ahead(world, "KI-2")).position == 2
    assert (await ahead(world, "KI-2")).position == 2
