"""Editions and their slots: one for each, never two, nothing told twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from jobs_world import (
    DAILY,
    NOW,
    ONLY_DAILY,
    STADTBLATT,
    WEEKLY,
    Clock,
    admit,
    bring,
    ledger,
    open_world,
    publish,
    row_counts,
    sqlite,
    titles,
)
from sqlalchemy import select

from digest.errors import TemplateFault
from digest.jobs.publish import Published, has_due, publish_due, publish_now
from digest.jobs.world import World
from digest.messages.render import SIZE
from digest.model.newsletter import Newsletter, Schedule
from digest.store.tables import edition_articles, editions, slots

#: 07:00 in Berlin on the day after NOW
NEXT = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def world(database_url: str, clock: Clock) -> AsyncIterator[World]:
    async with open_world(database_url, clock) as one:
        yield one


async def tick(world: World, newsletter: Newsletter | None = None) -> list[Published]:
    return await publish_due(world, newsletter or world.newsletters[0])


async def outcomes(world: World, schedule: Schedule = DAILY) -> list[tuple[datetime, str]]:
    """The slots that were dealt with, and how."""
    query = select(slots.c.at, slots.c.outcome).where(slots.c.schedule == schedule.name)
    async with world.store.read() as connection:
        rows = await connection.execute(query.order_by(slots.c.at))
        return [(row.at, row.outcome) for row in rows]


async def reasons(world: World, edition: int) -> dict[str | None, int]:
    """How many articles an edition told (None) and left out, by reason."""
    query = select(edition_articles.c.reason).where(edition_articles.c.edition_id == edition)
    async with world.store.read() as connection:
        found = list((await connection.execute(query)).scalars())
    return {reason: found.count(reason) for reason in set(found)}


async def test_a_rhythm_that_we_meet_for_the_first_time_owes_nothing(
    world: World, clock: Clock
) -> None:
    await bring(world, "Alt")
    assert await tick(world) == []
    assert await outcomes(world) == [(NOW, "start")]
    clock.forward(hours=1)
    assert (await tick(world), await has_due(world, STADTBLATT)) == ([], False)


async def test_a_slot_that_has_come_makes_one_edition_and_a_row_for_each_reader(
    world: World, clock: Clock
) -> None:
    await admit(world, "anna", "ben")
    await admit(world, "wanda", frequency="weekly")
    await tick(world)
    await bring(world, "Eins", "Zwei")
    clock.at = NEXT
    assert await has_due(world, STADTBLATT)
    (made,) = await tick(world)
    assert (titles(made), made.edition.schedule, made.recipients) == (["Eins", "Zwei"], "daily", 2)
    assert [row.name for row in await ledger(world)] == ["anna", "ben"]
    assert await tick(world) == []
    assert await outcomes(world) == [(NOW, "start"), (NEXT, "edition")]


async def test_worlds_that_publish_at_once_make_one_edition(
    database_url: str, clock: Clock
) -> None:
    async with (
        open_world(database_url, clock) as one,
        open_world(database_url, clock) as two,
        open_world(database_url, clock) as three,
    ):
        worlds = (one, two, three)
        await asyncio.gather(*(tick(each) for each in worlds))
        await admit(one, "anna")
        await bring(one, "Eins")
        clock.at = NEXT
        made = [each for run in await asyncio.gather(*map(tick, worlds)) for each in run]
        assert [titles(each) for each in made] == [["Eins"]]
        assert [row.name for row in await ledger(one)] == ["anna"]
        assert (await row_counts(one))["editions"] == 1


async def test_sends_by_hand_at_once_tell_nothing_twice(database_url: str, clock: Clock) -> None:
    async with open_world(database_url, clock) as one, open_world(database_url, clock) as two:
        await bring(one, "Eins")
        made = await asyncio.gather(
            *(publish_now(each, STADTBLATT, DAILY) for each in (one, two) * 2)
        )
        assert [titles(each) for each in made if each] == [["Eins"]]


async def test_nothing_new_makes_no_edition_but_the_slot_is_dealt_with(
    world: World, clock: Clock
) -> None:
    await tick(world)
    clock.at = NEXT
    assert await tick(world) == []
    assert await outcomes(world) == [(NOW, "start"), (NEXT, "nothing new")]
    assert (await row_counts(world))["editions"] == 0
    await bring(world, "Zu spät")
    assert await tick(world) == []
    clock.forward(days=1)
    (made,) = await tick(world)
    assert titles(made) == ["Zu spät"]


async def test_nothing_new_by_hand_leaves_no_trace(world: World) -> None:
    before = await row_counts(world)
    assert await publish_now(world, STADTBLATT, DAILY) is None
    assert await row_counts(world) == before


async def test_slots_that_were_missed_are_made_once_late(world: World, clock: Clock) -> None:
    await tick(world)
    for day in range(3):
        await bring(world, f"Tag {day}")
        clock.forward(days=1)
    clock.forward(hours=5)
    (made,) = await tick(world, ONLY_DAILY)
    assert sorted(titles(made)) == ["Tag 0", "Tag 1", "Tag 2"]
    assert await outcomes(world) == [(NOW, "start"), (NEXT + timedelta(days=2), "edition")]
    assert await tick(world, ONLY_DAILY) == []


@pytest.mark.parametrize(
    "night",
    [datetime(2026, 10, 24, 12, 0, tzinfo=UTC), datetime(2027, 3, 27, 12, 0, tzinfo=UTC)],
    ids=["the clocks go back", "the clocks go forward"],
)
async def test_the_night_in_which_the_clocks_change_has_one_edition(
    tmp_path: Path, clock: Clock, night: datetime
) -> None:
    at_night = replace(STADTBLATT, schedules=(Schedule(name="daily", cron="30 2 * * *"),))
    clock.at = night
    async with open_world(sqlite(tmp_path), clock, at_night) as world:
        await tick(world)
        made = []
        for step in range(24 * 3):  # twenty minutes each: every moment of the night is seen
            await bring(world, f"Artikel {step}")
            clock.forward(minutes=20)
            made += await tick(world)
        assert len(made) == 1


async def test_a_retry_after_the_slot_shows_the_articles_once(world: World, clock: Clock) -> None:
    await tick(world)
    for day in range(1, 4):
        await bring(world, f"Tag {day}")
        clock.at = NEXT + timedelta(days=day - 1)
        (made,) = await tick(world, ONLY_DAILY)
        assert titles(made) == [f"Tag {day}"]
        assert made.edition.number == day


async def test_what_the_limit_left_out_comes_with_the_next_news_while_it_is_fresh(
    world: World, clock: Clock
) -> None:
    short = replace(ONLY_DAILY, limit=2, leftovers=timedelta(days=3))
    await tick(world, short)
    await bring(world, *(f"Eins {n}" for n in range(5)))
    clock.at = NEXT
    (made,) = await tick(world, short)
    assert titles(made) == ["Eins 0", "Eins 1"]
    clock.forward(days=1)
    # by itself it is no reason to write
    assert await tick(world, short) == []
    await bring(world, "Zwei")
    clock.forward(hours=6)
    made_now = await publish_now(world, short, DAILY)
    assert made_now is not None
    assert titles(made_now) == ["Zwei", "Eins 2"]
    await bring(world, "Drei")
    clock.forward(days=2)
    (made,) = await tick(world, short)
    # what is two days old is news no longer
    assert titles(made) == ["Drei"]


async def test_without_leftovers_what_the_limit_left_out_does_not_come_back(
    world: World, clock: Clock
) -> None:
    short = replace(ONLY_DAILY, limit=2, leftovers=timedelta())
    await tick(world, short)
    await bring(world, *(f"Eins {n}" for n in range(5)))
    clock.at = NEXT
    (made,) = await tick(world, short)
    assert titles(made) == ["Eins 0", "Eins 1"]
    assert await reasons(world, made.edition.id) == {None: 2, "limit": 3}
    await bring(world, "Zwei")
    clock.forward(days=1)
    (made,) = await tick(world, short)
    assert titles(made) == ["Zwei"]


async def test_an_edition_that_mail_programs_would_cut_is_made_shorter(
    tmp_path: Path, clock: Clock
) -> None:
    long = replace(ONLY_DAILY, limit=190)
    every = [f"{n:03} " + "langes Wort " * 24 for n in range(195)]
    async with open_world(sqlite(tmp_path), clock, long) as world:
        await bring(world, *every)
        made = await publish_now(world, long, DAILY)
        assert made is not None
        written = made.edition.written
        size = len(written.html.encode()) + sum(len(card.html.encode()) for card in written.cards)
        assert size <= SIZE
        # no more was dropped than had to be
        assert size + max(len(card.html.encode()) for card in written.cards) * 2 > SIZE
        told = len(made.draft.articles)
        assert titles(made) == every[:told]
        found = await reasons(world, made.edition.id)
        assert found == {None: told, "limit": 5, "size": 190 - told}
        assert await publish_now(world, long, DAILY) is None


async def test_one_article_alone_is_told_however_long_it_is(tmp_path: Path, clock: Clock) -> None:
    async with open_world(sqlite(tmp_path), clock) as world:
        await bring(world, "Roman", excerpt="&" * SIZE)
        made = await publish_now(world, STADTBLATT, DAILY)
        assert made is not None
        assert titles(made) == ["Roman"]


async def test_two_rhythms_each_get_their_own(world: World, clock: Clock) -> None:
    await admit(world, "dora")
    await admit(world, "wanda", frequency="weekly")
    await tick(world)
    for day in range(7):  # from Tuesday to Monday
        await bring(world, f"Tag {day}")
        clock.at = NEXT + timedelta(days=day)
        made = await tick(world)
    assert [each.edition.schedule for each in made] == ["daily", "weekly"]
    daily, weekly = made
    assert titles(daily) == ["Tag 6"]
    assert sorted(titles(weekly)) == [f"Tag {day}" for day in range(7)]
    assert (daily.recipients, weekly.recipients) == (1, 1)
    rows = await ledger(world)
    assert [row.name for row in rows].count("dora") == 7
    assert [row.name for row in rows].count("wanda") == 1


async def test_the_first_edition_of_a_rhythm_covers_one_period(world: World, clock: Clock) -> None:
    for day in range(10):
        await bring(world, f"vor {10 - day} Tagen")
        clock.forward(days=1)
    weekly = await publish_now(world, STADTBLATT, WEEKLY)
    daily = await publish_now(world, STADTBLATT, DAILY)
    assert weekly is not None
    assert daily is not None
    assert "vor 1 Tagen" in titles(daily)
    assert "vor 3 Tagen" not in titles(daily)
    assert {f"vor {day} Tagen" for day in range(1, 8)} <= set(titles(weekly))
    assert "vor 10 Tagen" in titles(weekly)  # Thursday: back to the Monday before last


async def test_nobody_who_left_or_has_not_confirmed_gets_a_row(world: World) -> None:
    from digest.jobs import join, leave  # noqa: PLC0415 -- a name used once

    await admit(world, "anna", "left")
    await leave.leave_address(world, "left@example.org", newsletter=None, door="cli")
    await join.request(world, address="new@example.org", newsletter=STADTBLATT, door="web")
    made = await publish(world, "Eins")
    assert made.recipients == 1


async def test_a_theme_that_is_broken_leaves_the_slot_open(tmp_path: Path, clock: Clock) -> None:
    async with open_world(sqlite(tmp_path), clock, ONLY_DAILY) as world:
        await tick(world)
        await bring(world, "Eins")
        clock.at = NEXT
        before = await row_counts(world)
        with pytest.raises(TemplateFault, match="nonesuch"):
            await tick(world, replace(ONLY_DAILY, theme="nonesuch"))
        assert await row_counts(world) == before
        (made,) = await tick(world)
        assert titles(made) == ["Eins"]


async def test_a_database_that_fails_while_it_writes_keeps_nothing_of_the_edition(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_args: object, **_more: object) -> int:
        raise OSError("no space left")

    await admit(world, "anna")
    await bring(world, "Eins")
    before = await row_counts(world)
    with monkeypatch.context() as broken:
        broken.setattr("digest.store.deliveries.fan_out", fail)
        with pytest.raises(Exception, match="no space left"):
            await publish_now(world, STADTBLATT, DAILY)
    assert await row_counts(world) == before
    assert await publish_now(world, STADTBLATT, DAILY) is not None


async def test_editions_are_numbered_over_all_rhythms(world: World, clock: Clock) -> None:
    for title, schedule in (("Eins", DAILY), ("Zwei", WEEKLY), ("Drei", DAILY)):
        await publish(world, title, schedule=schedule)
        clock.forward(minutes=1)
    async with world.store.read() as connection:
        numbers = await connection.execute(select(editions.c.number).order_by(editions.c.id))
        assert list(numbers.scalars()) == [1, 2, 3]
