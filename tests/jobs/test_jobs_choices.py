"""What readers wish for, and get: a selection of an edition by topics, at an hour of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jobs_world import DAILY, NOW, STADTBLATT, Clock, bring, open_world, scripted
from sqlalchemy import select, update

from digest.errors import UsageError
from digest.jobs import join
from digest.jobs.balance import balance
from digest.jobs.prepare import count_recipients
from digest.jobs.press import Press
from digest.jobs.publish import Published, publish_due, publish_now
from digest.jobs.rehearse import rehearse
from digest.jobs.reprint import read_edition
from digest.jobs.send import deliver
from digest.jobs.world import World
from digest.jobs.write import Writer
from digest.model.delivery import Claim
from digest.model.newsletter import OTHER, Schedule, Topic
from digest.store import subscribers
from digest.store.choosing import selections
from digest.store.queue import Scope
from digest.store.subscribers import by_ids
from digest.store.tables import deliveries, edition_articles, subscriptions
from digest.store.tables import subscribers as people

ROBOTS = Topic(name="robots", title="Roboter", words=("Greifarm",))
CHIPS = Topic(name="chips", title="Chips", words=("Chip",))
PAPER = replace(STADTBLATT, topics=(ROBOTS, CHIPS), limit=2)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def world(database_url: str, clock: Clock) -> AsyncIterator[World]:
    async with open_world(database_url, clock, PAPER) as one:
        yield one


async def admit(
    world: World, name: str, *topics: str, hour: int | None = None, **more: Any
) -> None:
    found = await join.admit(
        world,
        address=f"{name}@example.org",
        newsletter=PAPER,
        topics=topics,
        door="cli",
        detail="a test",
        **more,
    )
    async with world.store.write() as connection:
        await connection.execute(
            update(subscriptions).where(subscriptions.c.id == found.id).values(hour=hour)
        )


async def rows(world: World, edition: int) -> dict[str, tuple[str, datetime]]:
    """What each reader gets of an edition, and when at the earliest."""
    query = (
        select(people.c.address, deliveries.c.choice, deliveries.c.due_at)
        .join(subscriptions, subscriptions.c.id == deliveries.c.subscription_id)
        .join(people, people.c.id == subscriptions.c.subscriber_id)
        .where(deliveries.c.edition_id == edition)
    )
    async with world.store.read() as connection:
        found = await connection.execute(query)
        return {row.address.partition("@")[0]: (row.choice, row.due_at) for row in found}


async def mail(world: World, published: Published, name: str) -> str:
    """The message that this reader gets of an edition, as its decoded source."""
    query = (
        select(deliveries)
        .join(subscriptions, subscriptions.c.id == deliveries.c.subscription_id)
        .join(people, people.c.id == subscriptions.c.subscriber_id)
        .where(
            deliveries.c.edition_id == published.edition.id,
            people.c.address == f"{name}@example.org",
        )
    )
    async with world.store.read() as connection:
        row = (await connection.execute(query)).one()
        readers = await by_ids(connection, [row.subscription_id])
    claim = Claim(
        id=row.id,
        edition_id=row.edition_id,
        notice=None,
        subscription_id=row.subscription_id,
        attempts=0,
        created_at=row.created_at,
        choice=row.choice,
    )
    message = await Writer(world, readers=readers).write(claim)
    again = await Writer(world, readers=readers).write(claim)
    assert message.data == again.data
    return message.data.replace(b"=\r\n", b"").decode()


async def test_each_reader_gets_the_topics_of_his_choice(world: World) -> None:
    await admit(world, "all")
    await admit(world, "robots", "robots")
    await admit(world, "rest", OTHER)
    await bring(world, "Wetterlage", "Marktplatz", "Greifarm")
    published = await publish_now(world, PAPER, DAILY)
    assert published is not None
    assert {name: row[0] for name, row in (await rows(world, published.edition.id)).items()} == {
        "all": "",
        "robots": "robots",
        "rest": "other",
    }
    assert published.recipients == 3
    whole, robots, rest = [await mail(world, published, name) for name in ("all", "robots", "rest")]
    assert "Wetterlage" in whole
    assert "Greifarm" in robots
    assert "Wetterlage" not in robots
    assert "Subject: Greifarm\r\n" in robots
    assert "Wetterlage" in rest
    assert "Greifarm" not in rest


async def test_what_had_no_room_in_the_whole_may_have_some_in_a_selection(world: World) -> None:
    """PAPER tells two stories; the only one about robots is the third."""
    await admit(world, "robots", "robots")
    await bring(world, "Wetterlage", "Marktplatz", "Greifarm")
    published = await publish_now(world, PAPER, DAILY)
    assert published is not None
    assert [each.title for each in published.draft.articles] == ["Wetterlage", "Marktplatz"]
    assert "Greifarm" in await mail(world, published, "robots")


async def test_who_has_no_news_of_his_topics_gets_no_mail_and_the_books_balance(
    world: World,
) -> None:
    await admit(world, "all")
    await admit(world, "chips", "chips")
    await bring(world, "Greifarm")
    published = await publish_now(world, PAPER, DAILY)
    assert published is not None
    assert published.recipients == 1
    assert set(await rows(world, published.edition.id)) == {"all"}
    [book] = await balance(world, published.edition.id)
    assert book.balanced


async def test_a_topic_that_is_taken_away_leaves_nobody_without_mail(world: World) -> None:
    await admit(world, "chips", "chips")
    await bring(world, "Greifarm")
    smaller = replace(PAPER, topics=(ROBOTS,))
    published = await publish_now(replace(world, newsletters=(smaller,)), smaller, DAILY)
    assert published is not None
    assert (await rows(world, published.edition.id))["chips"][0] == ""


async def test_a_selection_is_made_once_for_all_of_one_choice_and_stays_as_it_is(
    world: World,
) -> None:
    for name in ("one", "two"):
        await admit(world, name, "chips", "robots")
    await bring(world, "Greifarm", "Chip")
    published = await publish_now(world, PAPER, DAILY)
    assert published is not None
    async with world.store.read() as connection:
        stored = (await connection.execute(select(selections))).all()
        query = select(edition_articles.c.position, edition_articles.c.topics)
        topics = {row.position: row.topics for row in await connection.execute(query)}
        found = await read_edition(connection, published.edition.id, name="chips,robots")
        assert await read_edition(connection, published.edition.id, name="nonsense") is None
    assert [row.choice for row in stored] == ["chips,robots"]
    assert topics == {1: ",robots,", 2: ",chips,"}
    assert found is not None
    assert any("Chip" in each.html for each in found.written.cards)


async def test_the_link_to_the_web_names_the_choice_and_nobody(world: World) -> None:
    await admit(world, "robots", "robots")
    await bring(world, "Greifarm")
    published = await publish_now(world, PAPER, DAILY)
    assert published is not None
    text = await mail(world, published, "robots")
    assert f"/archive/stadtblatt/{published.edition.id}?topics=3Drobots" in text


async def test_a_mail_offers_less_of_it(world: World) -> None:
    await admit(world, "all")
    await bring(world, "Greifarm")
    published = await publish_now(world, PAPER, DAILY)
    assert published is not None
    html, text = published.edition.written.html, published.edition.written.text
    card = published.edition.written.cards[0].html
    assert "?do=less&amp;topic=robots" in card
    assert "?do=frequency&amp;frequency=weekly" in html
    assert "?do=pause" in html
    assert "?do=frequency&frequency=weekly" in text
    assert "?do=pause" in text


async def test_a_preview_shows_what_a_choice_brings_and_counts_who_gets_something(
    world: World,
) -> None:
    await admit(world, "all")
    await admit(world, "chips", "chips")
    await bring(world, "Greifarm")
    whole = await rehearse(world, PAPER, DAILY, gathering=False)
    assert whole.recipients == 1
    mine = await rehearse(world, PAPER, DAILY, gathering=False, name="chips")
    assert mine.prepared is None
    assert whole.prepared is not None
    async with world.store.read() as connection:
        assert await count_recipients(connection, PAPER, DAILY, whole.prepared) == 1


# --------------------------------------------------------------- hours


async def slot(world: World, clock: Clock, at: datetime) -> Published:
    """The edition of the clock's slot at this moment."""
    await publish_due(world, PAPER)
    clock.at = at
    await bring(world, "Chip")
    made = await publish_due(world, PAPER)
    return next(each for each in made if each.edition.schedule == "daily")


async def test_a_scheduled_edition_comes_at_the_hour_that_a_reader_chose(
    world: World, clock: Clock
) -> None:
    await admit(world, "now")
    await admit(world, "noon", hour=12)
    await admit(world, "york", hour=8, timezone="America/New_York")
    await admit(world, "early", hour=6)
    made = await slot(world, clock, datetime(2026, 11, 24, 6, 0, tzinfo=UTC))
    due = {name: row[1] for name, row in (await rows(world, made.edition.id)).items()}
    assert due == {
        "now": clock.at,
        "noon": datetime(2026, 11, 24, 11, tzinfo=UTC),
        "york": datetime(2026, 11, 24, 13, tzinfo=UTC),
        "early": datetime(2026, 11, 25, 5, tzinfo=UTC),
    }


@pytest.mark.parametrize("late", [timedelta(seconds=2), timedelta(hours=3)])
async def test_the_hour_of_the_slot_itself_is_no_reason_to_wait_a_day(
    world: World, clock: Clock, late: timedelta
) -> None:
    """An edition is made some seconds after its slot, or hours, where we were down."""
    await admit(world, "anna", hour=7)
    at = datetime(2026, 11, 24, 6, 0, tzinfo=UTC) + late
    made = await slot(world, clock, at)
    assert (await rows(world, made.edition.id))["anna"][1] == at


async def test_a_zone_that_this_machine_does_not_know_keeps_nobody_from_his_mail(
    world: World, clock: Clock
) -> None:
    await admit(world, "anna", hour=12)
    with pytest.raises(UsageError):
        await admit(world, "ben", timezone="Mars/Phobos")
    async with world.store.write() as connection:
        await connection.execute(update(people).values(timezone="Mars/Phobos"))
    made = await slot(world, clock, datetime(2026, 11, 24, 6, 0, tzinfo=UTC))
    due = (await rows(world, made.edition.id))["anna"][1]
    assert due == datetime(2026, 11, 24, 11, tzinfo=UTC)


async def test_an_edition_is_not_stale_before_its_readers_hour(
    database_url: str, clock: Clock
) -> None:
    async with open_world(database_url, clock, PAPER, smtp_expiry=12) as world:
        await admit(world, "anna", hour=20)
        made = await slot(world, clock, datetime(2026, 11, 24, 6, 0, tzinfo=UTC))
        clock.at = datetime(2026, 11, 24, 19, 0, 1, tzinfo=UTC)
        ours, script = scripted(world)
        await deliver(ours, Scope(editions=frozenset({made.edition.id})))
        assert script.taken == ["anna"]


@pytest.mark.parametrize("becomes", ["other,robots", "chips"])
async def test_whoever_changes_his_mind_while_an_edition_is_made_gets_it_all_the_same(
    database_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch, becomes: str
) -> None:
    """On PostgreSQL he can; SQLite lets him in when the edition stands."""
    async with (
        open_world(database_url, clock, PAPER) as world,
        open_world(database_url, clock, PAPER) as other,
    ):
        if world.store.kind == "sqlite":
            return
        await admit(world, "anna", "robots")
        await admit(world, "ben", "chips")
        await bring(world, "Greifarm", "Chip")
        changed: list[bool] = []

        as_it_is = Press.plan

        async def meanwhile(press: Press, *given: Any) -> None:
            if not changed:
                changed.append(True)
                async with other.store.write() as connection:
                    mine = select(people.c.id).where(people.c.address == "anna@example.org")
                    await connection.execute(
                        update(subscriptions)
                        .where(subscriptions.c.subscriber_id.in_(mine))
                        .values(choice=becomes, hour=9)
                    )
            await as_it_is(press, *given)

        monkeypatch.setattr(Press, "plan", meanwhile)
        published = await publish_now(world, PAPER, DAILY)
        assert published is not None
        found = await rows(world, published.edition.id)
        assert {name: row[0] for name, row in found.items()} == {
            "anna": becomes,
            "ben": "chips",
        }
        [book] = await balance(world, published.edition.id)
        assert book.balanced


async def test_what_a_person_sends_comes_at_once(world: World) -> None:
    await admit(world, "noon", hour=12)
    await bring(world, "Chip")
    published = await publish_now(world, PAPER, DAILY)
    assert published is not None
    assert (await rows(world, published.edition.id))["noon"][1] == NOW


async def test_an_hour_means_nothing_where_several_editions_come_on_one_day(
    database_url: str, clock: Clock
) -> None:
    often = replace(PAPER, schedules=(Schedule(name="daily", cron="0 7,19 * * *"),))
    async with open_world(database_url, clock, often) as world:
        await admit(world, "noon", hour=12)
        await publish_due(world, often)
        clock.at = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
        await bring(world, "Chip")
        [made] = await publish_due(world, often)
        assert (await rows(world, made.edition.id))["noon"][1] == clock.at


async def test_a_paused_reader_gets_no_edition_until_the_pause_is_over(
    world: World, clock: Clock
) -> None:
    await admit(world, "anna")
    async with world.store.write() as connection:
        until = clock.at + timedelta(days=7)
        await connection.execute(update(subscriptions).values(paused_until=until))
    await bring(world, "Chip")
    first = await publish_now(world, PAPER, DAILY)
    assert first is not None
    assert first.recipients == 0
    clock.forward(days=7)
    await bring(world, "Greifarm")
    second = await publish_now(world, PAPER, DAILY)
    assert second is not None
    assert second.recipients == 1
    async with world.store.read() as connection:
        [anna] = await subscribers.by_address(connection, "anna@example.org")
    assert not anna.is_paused(clock.at)
