"""Who chose anew: nothing that he had, what he missed meanwhile, and no second mail on one day."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jobs_world import STADTBLATT, Clock, bring, open_world
from sqlalchemy import select, update
from year_world import quick

from digest.jobs import join, prefer, unsettled
from digest.jobs.balance import balance
from digest.jobs.decide import Form, Refusal
from digest.jobs.publish import publish_due
from digest.jobs.world import World
from digest.model.layout import Extra, read_extra
from digest.model.newsletter import Schedule, Topic
from digest.store.choosing import verdicts
from digest.store.tables import articles, deliveries, editions, subscriptions

PAPER = replace(
    STADTBLATT,
    topics=(Topic(name="chips", title="Chips", words=("chip",)),),
    schedules=(
        Schedule(name="daily", cron="0 7 * * *"),
        Schedule(name="weekly", cron="0 7 * * sun"),
        Schedule(name="sunday-evening", cron="0 19 * * sun"),
    ),
)
DAILY = PAPER.schedules[0]
#: a Monday, 12:00 in Berlin
MONDAY = datetime(2026, 11, 16, 11, tzinfo=UTC)


@dataclass
class House:
    """A world in which days go by."""

    world: World
    clock: Clock
    token: str = ""

    async def admit(self, name: str = "anna", **how: Any) -> None:
        found = await join.admit(
            self.world,
            address=f"{name}@example.org",
            newsletter=PAPER,
            door="cli",
            detail="a test",
            **how,
        )
        self.token = self.world.signer.preferences_token(found.ref)

    async def choose(self, **what: Any) -> None:
        assert not isinstance(
            await prefer.save(self.world, self.token, Form(**what), door="web"), Refusal
        )

    async def days(self, count: int) -> None:
        """So many slots of 7 in the morning, each with two stories: "Tue17 chip", "Tue17 town"."""
        for _ in range(count):
            at = self.clock.at + timedelta(days=1)
            self.clock.at = at.replace(hour=6, minute=0, second=2)
            day = f"{self.clock.at:%a%d}"
            await bring(self.world, f"{day} chip", f"{day} town")
            await publish_due(self.world, PAPER)

    async def mails(self) -> list[tuple[str, str, datetime, Extra, str]]:
        """Rhythm, day of making, time, what is special and state of what a reader gets."""
        query = (
            select(editions.c.schedule, editions.c.made_at, deliveries)
            .join(editions, editions.c.id == deliveries.c.edition_id)
            .order_by(deliveries.c.id)
        )
        async with self.world.store.read() as connection:
            return [
                (
                    row.schedule,
                    f"{row.made_at:%a}",
                    row.due_at,
                    read_extra(row.extra) if row.extra else Extra(),
                    row.state,
                )
                for row in await connection.execute(query)
            ]

    async def titles(self, ids: tuple[int, ...]) -> list[str]:
        async with self.world.store.read() as connection:
            query = select(articles.c.title).where(articles.c.id.in_(ids)).order_by(articles.c.id)
            return list((await connection.execute(query)).scalars())

    async def changed(self) -> list[datetime | None]:
        async with self.world.store.read() as connection:
            return list((await connection.execute(select(subscriptions.c.changed_at))).scalars())


@pytest.fixture(autouse=True)
def _no_two_tell_of_one_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """Titles of two words look like one event; threads have tests of their own."""
    monkeypatch.setattr("digest.jobs.prepare.events_of", lambda *_, **__: [])


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    clock = Clock(MONDAY)
    async with open_world(database_url, clock, PAPER) as world:
        house = House(quick(world), clock)
        await publish_due(house.world, PAPER)
        yield house


async def test_from_daily_to_weekly_what_one_had_is_left_out(house: House) -> None:
    await house.admit()
    await house.days(2)  # Tuesday and Wednesday
    await house.choose(frequency="weekly")
    assert await house.changed() != [None]
    await house.days(4)  # until Sunday
    *_, (rhythm, day, _, extra, _) = await house.mails()
    assert (rhythm, day) == ("weekly", "Sun")
    assert await house.titles(extra.omit) == [
        f"{day} {what}" for day in ("Tue17", "Wed18") for what in ("chip", "town")
    ]
    assert extra.meanwhile == ()  # all of it is in the weekly one
    assert await house.changed() == [None]


async def test_from_weekly_to_daily_comes_what_the_daily_one_told_meanwhile(house: House) -> None:
    await house.admit(frequency="weekly")
    await house.days(7)
    await house.days(2)
    await house.choose(frequency="daily")
    await house.days(2)
    rows = [row for row in await house.mails() if row[0] == "daily"]
    assert [row[1] for row in rows] == ["Thu", "Fri"]
    assert await house.titles(rows[0][3].meanwhile) == [
        f"{day} {what}" for day in ("Mon23", "Tue24", "Wed25") for what in ("chip", "town")
    ]
    assert rows[1][3] == Extra()


async def test_what_is_caught_up_is_of_the_topics_of_today_and_may_be_told(house: House) -> None:
    await house.admit(frequency="weekly")
    await house.days(9)
    await house.choose(frequency="daily", topics=("chips",))
    async with house.world.store.write() as connection:
        gone = articles.c.title == "Tue24 chip"
        await connection.execute(update(articles).where(gone).values(withdrawn_at=house.clock.at))
        refused = select(articles.c.id).where(articles.c.title == "Wed25 chip")
        article = (await connection.execute(refused)).scalar_one()
        await connection.execute(
            verdicts.insert().values(
                newsletter=PAPER.slug, article_id=article, refused=True, at=house.clock.at
            )
        )
    await house.days(1)
    extra = (await house.mails())[-1][3]
    assert await house.titles(extra.meanwhile) == ["Mon23 chip"]


async def test_no_second_one_on_a_day_and_the_next_tells_what_it_told(house: House) -> None:
    await house.admit()
    await house.choose(hour="6")
    await house.days(2)  # Wednesday's waits for Thursday at 6
    await house.choose(hour="20")
    await house.days(2)
    wednesday, thursday, friday = (await house.mails())[-3:]
    assert wednesday[2] == datetime(2026, 11, 19, 5, tzinfo=UTC)
    assert thursday[4] == "excluded"
    assert friday[2] == datetime(2026, 11, 20, 19, tzinfo=UTC)
    assert await house.titles(friday[3].meanwhile) == ["Thu19 chip", "Thu19 town"]
    async with house.world.store.read() as connection:
        ids = list((await connection.execute(select(editions.c.id))).scalars())
    for edition in ids:
        assert all(book.balanced for book in await balance(house.world, edition))


async def test_a_rare_one_waits_for_the_day_after_rather_than_for_the_next(house: House) -> None:
    await house.admit()
    await house.days(6)  # Sunday's daily one is there
    await house.choose(frequency="sunday-evening")
    house.clock.at = datetime(2026, 11, 22, 18, 0, 2, tzinfo=UTC)
    await bring(house.world, "late town")
    await publish_due(house.world, PAPER)
    rhythm, _, due_at, extra, state = (await house.mails())[-1]
    assert (rhythm, state) == ("sunday-evening", "queued")
    assert due_at == datetime(2026, 11, 23, 18, 0, 2, tzinfo=UTC)
    assert len(extra.omit) == 12  # all that it tells beside "late town"


async def test_who_chose_the_same_again_is_as_everybody(house: House) -> None:
    await house.admit()
    await house.choose(frequency="daily", hour="", language="en")
    assert await house.changed() == [None]
    await house.choose(timezone="Asia/Tokyo")
    assert await house.changed() == [house.clock.at]


async def test_the_operator_who_changes_a_frequency_or_a_zone_unsettles_as_well(
    house: House,
) -> None:
    await house.admit(frequency="weekly")
    assert await house.changed() == [None]
    await house.admit(frequency="weekly")
    assert await house.changed() == [None]
    await house.admit(frequency="daily")
    assert await house.changed() == [house.clock.at]


async def test_an_edition_has_beside_itself_what_is_owed_and_no_more_than_so_much(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.admit(frequency="weekly")
    await house.days(9)
    async with house.world.store.read() as connection:
        now = house.clock.at
        assert await unsettled.beside(connection, PAPER, DAILY, now=now) == []
    await house.choose(frequency="daily")
    async with house.world.store.read() as connection:
        now = house.clock.at + timedelta(hours=1)
        found = await unsettled.beside(connection, PAPER, DAILY, now=now)
        assert len(found) == 6
        few = await unsettled.beside(connection, PAPER, DAILY, tells=[found[0].id], now=now)
        assert [each.id for each in few] == [each.id for each in found[1:]]
    monkeypatch.setattr(unsettled, "MOST", 3)
    await house.days(1)
    assert len((await house.mails())[-1][3].meanwhile) == 3
