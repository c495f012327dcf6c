"""Too many new articles are held until the operator speaks; a normal catch-up never is."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from feed_house import NEWS, SITE, TOPIC, count, document, held, renamed, story, take, tellable
from hypothesis import given
from hypothesis import strategies as st
from jobs_world import NOW, Clock, open_world, sqlite

from digest.errors import DigestError
from digest.jobs import flood
from digest.jobs.flood import is_flood, usual_per_day
from digest.jobs.keep import Taken
from digest.jobs.world import World
from digest.model.feed import Entry
from digest.store import feeds

DAY = timedelta(days=1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def world(tmp_path: Path, clock: Clock) -> AsyncIterator[World]:
    async with open_world(sqlite(tmp_path), clock) as one:
        yield one


@pytest.fixture
async def moved(world: World, clock: Clock) -> World:
    """A site of two stories a day that moved: it calls forty stories new, in other words."""
    await take(world, document(*quiet()), first=True)
    clock.forward(hours=1)
    taken = await take(world, document(*all_new(clock)))
    assert (taken.new, taken.held, len(taken.ids)) == (0, 40, 40)
    return world


def quiet() -> list[Entry]:
    return [story(n, at=NOW - n * DAY / 2) for n in range(20)]


def all_new(clock: Clock) -> list[Entry]:
    """The site after its move: guids, addresses, dates and titles are others."""
    old = [story(n, title=f"Neu gesetzt: Nummer {n}") for n in range(40)]
    return [
        replace(each, published_at=clock.at - timedelta(minutes=n + 1))
        for n, each in enumerate(renamed(old))
    ]


# --------------------------------------------------------------- what a flood is


def test_a_flood_is_ten_at_least_and_five_times_the_usual() -> None:
    assert not is_flood(9, 0, 0)
    assert is_flood(10, 0, 0)
    assert is_flood(10, 1, 1)
    assert not is_flood(10, 2, 1)
    assert is_flood(11, 2, 1)
    assert not is_flood(33, 2, 3.5)
    assert is_flood(36, 2, 3.5)


def test_what_comes_in_issues_may_come_at_once() -> None:
    assert is_flood(12, 1.7, 1)
    assert not is_flood(12, 1.7, 1, busiest_day=11)
    assert is_flood(23, 1.7, 1, busiest_day=11)


@given(
    st.integers(0, 500), st.floats(0, 100), st.floats(0, 60), st.integers(0, 100), st.floats(0, 50)
)
def test_more_of_the_usual_and_more_time_never_make_a_flood(
    new: int, usual: float, days: float, busiest: int, more: float
) -> None:
    if not is_flood(new, usual, days, busiest):
        assert not is_flood(new, usual + more, days, busiest)
        assert not is_flood(new, usual, days + more, busiest)
        assert not is_flood(max(new - 1, 0), usual, days, busiest)


def test_the_usual_is_learned_from_as_long_as_there_is() -> None:
    assert usual_per_day([], now=NOW) == 0
    assert usual_per_day([NOW - n * DAY / 2 for n in range(60)], now=NOW) == pytest.approx(2, 0.1)
    assert usual_per_day([NOW - 10 * DAY] * 20, now=NOW) == pytest.approx(2)
    # ten items of a site that publishes 60 a day reach back four hours
    busy = [NOW - n * DAY / 60 for n in range(10)]
    assert usual_per_day(busy, now=NOW) >= 40
    assert usual_per_day([NOW], now=NOW) == 4


# --------------------------------------------------------------- what is held


async def test_a_site_that_moved_in_other_words_is_held_and_said(
    world: World, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    await take(world, document(*quiet()), first=True)
    assert not [row for row in await held(world) if row.flood_id]
    told = await tellable(world)
    clock.forward(hours=1)
    with caplog.at_level(logging.WARNING, logger="digest.flood"):
        taken = await take(world, document(*all_new(clock)))
    assert (taken.new, taken.held) == (0, 40)
    assert await tellable(world) == told
    (line,) = caplog.messages
    assert line.startswith(f"feed={NEWS} status=held articles=40")
    assert f"digest feed release {NEWS}" in line
    # the next poll shows the same, and nothing more of it
    assert await take(world, document(*all_new(clock))) == Taken(new=0, held=0, ids=())
    (stands,) = await flood.held(world)
    assert (stands.url, stands.articles, stands.began_at) == (NEWS, 40, clock.at)
    assert 1 < stands.usual < 3


async def test_other_guids_alone_are_recognised_without_a_hold(world: World, clock: Clock) -> None:
    old = quiet()
    await take(world, document(*old), first=True)
    clock.forward(hours=1)
    new = [replace(each, guid=f"neu-{n}") for n, each in enumerate(old)]
    assert await take(world, document(*new)) == Taken(new=0, held=0, ids=())
    assert await flood.held(world) == []


async def test_three_days_away_at_sixty_a_day_are_a_catch_up(world: World, clock: Clock) -> None:
    def since(hours: int, number: int) -> list[Entry]:
        return [
            story(number + n, at=clock.at - n * DAY / 60, text="") for n in range(hours * 60 // 24)
        ]

    # a feed of ten items, met four hours of news ago
    await take(world, document(*since(4, 0)), first=True)
    for number, days in ((1000, 1), (2000, 3), (3000, 1)):
        clock.forward(days=days)
        news = document(*since(days * 24, number))
        taken = await take(world, news[:10], filled=news[10:])
        assert (taken.new, taken.held) == (days * 60, 0)


async def test_a_feed_that_failed_for_days_may_catch_up(world: World, clock: Clock) -> None:
    await take(world, document(*quiet()), first=True)
    for _ in range(4):
        clock.forward(days=1)
        async with world.store.write() as connection:
            (feed,) = await feeds.find(connection, [NEWS])
            await feeds.record_failure(
                connection, feed, now=clock.at, next_poll_at=clock.at, error="HTTP 500"
            )
    clock.forward(hours=1)
    news = [story(100 + n, at=clock.at - n * timedelta(hours=2)) for n in range(25)]
    assert (await take(world, document(*news))).new == 25


async def test_a_weekly_paper_publishes_its_issue_at_once(world: World, clock: Clock) -> None:
    await take(world, document(*(story(n, at=NOW) for n in range(12))), first=True)
    for week in range(1, 6):
        clock.forward(days=7)
        issue = [story(100 * week + n, at=clock.at) for n in range(14)]
        async with world.store.write() as connection:  # it was asked all the week
            (feed,) = await feeds.find(connection, [NEWS])
            at = clock.at - timedelta(hours=1)
            await feeds.record_unchanged(connection, feed.id, now=at, next_poll_at=at)
        assert (await take(world, document(*issue))).new == 14


async def test_what_is_published_after_a_flood_began_is_told(moved: World, clock: Clock) -> None:
    told = await tellable(moved)
    clock.forward(hours=3)
    fresh = story(200, at=clock.at - timedelta(hours=1))
    late = story(201, at=clock.at - timedelta(hours=9))
    undated = story(202, dated=False)
    taken = await take(moved, document(fresh, late, undated))
    assert (taken.new, taken.held) == (1, 2)
    assert await tellable(moved) - told == {fresh.title}
    (stands,) = await flood.held(moved)
    assert stands.articles == 42
    # a site that dates all of it anew with each build is no news either
    again = [story(300 + n, at=clock.at - timedelta(minutes=n)) for n in range(45)]
    assert (await take(moved, document(*again))).held == 45
    assert len(await flood.held(moved)) == 1


async def test_another_feed_of_the_site_does_not_tell_what_is_held(
    moved: World, clock: Clock
) -> None:
    told = await tellable(moved, NEWS, TOPIC)
    found = document(*all_new(clock)[:8], url=TOPIC)
    assert (await take(moved, found, TOPIC)).ids == ()
    assert await tellable(moved, NEWS, TOPIC) == told


# --------------------------------------------------------------- the operator's word


async def test_what_is_released_is_told(moved: World, clock: Clock) -> None:
    told = await tellable(moved)
    clock.forward(days=4)
    assert await flood.end(moved, NEWS, "released") == 40
    assert len(await tellable(moved) - told) == 40
    assert {row.first_seen_at for row in (await held(moved))[20:]} == {clock.at}
    assert await flood.held(moved) == []


async def test_what_is_dropped_is_known_and_never_told(moved: World, clock: Clock) -> None:
    told = await tellable(moved)
    found = document(*all_new(clock))
    clock.forward(days=4)
    assert await flood.end(moved, NEWS, "dropped") == 40
    assert (await take(moved, found)).ids == ()
    assert (await tellable(moved), await count(moved)) == (told, 60)
    assert {row.flood_id for row in await held(moved)} == {None}


async def test_a_word_on_what_is_not_held_is_an_error(moved: World) -> None:
    with pytest.raises(DigestError, match=rf"nothing of {SITE}/other is held; `digest feed held`"):
        await flood.end(moved, f"{SITE}/other", "released")
    await flood.end(moved, NEWS, "dropped")
    with pytest.raises(DigestError):
        await flood.end(moved, NEWS, "released")
