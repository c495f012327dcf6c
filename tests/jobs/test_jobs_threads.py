"""One event in several feeds, languages and days: told once, and again only where it goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from jobs_world import DAILY, ONLY_DAILY, Clock, bring, open_world

from digest.jobs.explain import explain
from digest.jobs.publish import Published, publish_now
from digest.jobs.world import World
from digest.model.newsletter import FeedSource

HERE = ONLY_DAILY.feeds[0].url
THERE = "https://anderswo.example/feed"
ABROAD = "https://abroad.example/feed"
PAPER = replace(
    ONLY_DAILY,
    feeds=tuple(FeedSource(url=each) for each in (HERE, THERE, ABROAD)),
    ranking=replace(ONLY_DAILY.ranking, thread=0.5),
)

FIRST = "Kaltwerk stellt Greifarm Modell Orka in Regensburg vor"
FIRST_TEXT = "Der Regensburger Hersteller Kaltwerk zeigt den Greifarm Orka, der 40 Kilogramm hebt."
SECOND = "Greifarm Orka: Kaltwerk zeigt neuen Roboter"
SECOND_TEXT = "Kaltwerk hat in Regensburg den Greifarm Orka gezeigt. Er hebt 40 Kilogramm."
ENGLISH = "Kaltwerk unveils Orka robot arm in Regensburg"
ENGLISH_TEXT = "Kaltwerk showed its Orka robot arm in Regensburg. It lifts 40 kilograms."
OTHER = "Bundestag berät über Gebühren für Rechenzentren"
OTHER_TEXT = "Die Abgeordneten streiten über Abgaben auf Strom für Rechenzentren der Länder."


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def world(database_url: str, clock: Clock) -> AsyncIterator[World]:
    async with open_world(database_url, clock, PAPER) as one:
        yield one


async def published(world: World) -> Published:
    found = await publish_now(world, PAPER, DAILY)
    assert found is not None
    return found


def told(found: Published) -> list[str]:
    return [each.title for each in found.draft.articles]


async def test_one_event_of_three_feeds_and_two_languages_is_told_once(world: World) -> None:
    await bring(world, FIRST, excerpt=FIRST_TEXT)
    await bring(world, SECOND, excerpt=SECOND_TEXT, feed=THERE)
    await bring(world, ENGLISH, excerpt=ENGLISH_TEXT, feed=ABROAD)
    await bring(world, OTHER, excerpt=OTHER_TEXT)
    found = await published(world)
    assert len(told(found)) == 2
    (best,) = set(told(found)) - {OTHER}
    (others,) = found.draft.also.values()
    assert {best, *(each.title for each in others)} == {FIRST, SECOND, ENGLISH}
    # three tell of it: log2(3) doublings, half a point each
    (leading,) = [each for each in found.draft.articles if each.title == best]
    assert dict(found.draft.scores[leading.id].parts)["thread"] == pytest.approx(0.7925, abs=1e-4)
    for each in others:
        why = (await explain(world, str(each.id))).reasons
        (reason,) = [each for each in why if each.edition is not None]
        assert (reason.reason, reason.instead) == ("thread", (leading.title, leading.url))


async def test_a_later_edition_tells_only_what_is_new(world: World, clock: Clock) -> None:
    await bring(world, FIRST, excerpt=FIRST_TEXT)
    (first,) = (await published(world)).draft.articles
    clock.forward(hours=24)
    await bring(world, SECOND, excerpt=SECOND_TEXT, feed=THERE)
    await bring(world, OTHER, excerpt=OTHER_TEXT)
    found = await published(world)
    assert told(found) == [OTHER]
    (again,) = [each for each in found.draft.left_out if each.reason == "told"]
    assert (again.article.title, again.instead) == (SECOND, first.id)
    clock.forward(hours=12)
    news = "Kaltwerk ruft Greifarm Orka zurück: Hydraulik undicht"
    text = (
        "Nach zwei Unfällen nimmt Kaltwerk aus Regensburg alle Orka vom Markt. Die"
        " Berufsgenossenschaft prüft, ob undichte Hydraulik schuld war; Käufer bekommen Ersatz"
        " bis März."
    )
    await bring(world, news, excerpt=text, feed=THERE)
    found = await published(world)
    assert told(found) == [news]
    assert [each.id for each in found.draft.earlier.values()] == [first.id]


async def test_what_was_told_a_week_ago_is_told_to_those_who_forgot(
    world: World, clock: Clock
) -> None:
    await bring(world, FIRST, excerpt=FIRST_TEXT)
    await published(world)
    clock.forward(hours=24 * 7 + 1)
    await bring(world, SECOND, excerpt=SECOND_TEXT, feed=THERE)
    assert told(await published(world)) == [SECOND]
