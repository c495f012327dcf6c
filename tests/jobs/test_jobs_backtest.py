"""A policy replayed on the past: the same one tells the same, another one what it would have."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from jobs_world import DAILY, FEED, ONLY_DAILY, STADTBLATT, Clock, bring, open_world
from sqlalchemy import select, update

from digest.errors import DigestError, UsageError
from digest.jobs.backtest import Backtest, backtest
from digest.jobs.publish import publish_due, publish_now
from digest.jobs.world import World
from digest.model.newsletter import FeedSource, Newsletter, Schedule, Topic
from digest.store import verdicts
from digest.store.tables import articles, metadata

JOBS = "https://stadtblatt.example/stellen"
PAPER = replace(
    ONLY_DAILY,
    limit=3,
    feeds=(FeedSource(url=FEED), FeedSource(url=JOBS, section="Stellen")),
)
#: what comes on each of six days; more than there is room for, and once nothing
DAYS = (
    ("Hafen", "Markt", "Brücke", "Schule", "Theater"),
    ("Kanal",),
    (),
    ("Museum", "Bahnhof", "Rathaus", "Stadion"),
    ("Bibliothek", "Schwimmbad"),
    ("Tierpark",),
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def world(database_url: str, clock: Clock) -> AsyncIterator[World]:
    async with open_world(database_url, clock, PAPER) as one:
        yield one


async def live(world: World, clock: Clock) -> None:
    """Some days of the real service: an edition each morning, a little late; news at noon."""
    clock.at = clock.at.replace(hour=6, minute=0, second=20)  # seven o'clock in Berlin
    await publish_due(world, PAPER)
    for day in DAYS:
        clock.forward(hours=6)
        await bring(world, *day)
        if "Museum" in day:
            await bring(world, "Setzer", feed=JOBS)
        clock.forward(hours=18)
        await publish_due(world, PAPER)


async def replay(world: World, newsletter: Newsletter = PAPER, **how: object) -> Backtest:
    asked = {"days": 6, "full": True, **how}
    return await backtest(world, newsletter, newsletter.default_schedule, **asked)  # type: ignore[arg-type]


def told(found: Backtest, mark: str = "+=") -> list[set[str]]:
    return [{story.title for m, story in each.titles if m in mark} for each in found.lines]


async def article(world: World, title: str) -> int:
    async with world.store.read() as connection:
        query = select(articles.c.id).where(articles.c.title == title)
        return int((await connection.execute(query)).scalar_one())


async def everything(world: World) -> dict[str, list[tuple[object, ...]]]:
    async with world.store.read() as connection:
        return {
            table.name: sorted(map(tuple, await connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


async def test_the_policy_that_was_in_force_tells_what_was_sent(world: World, clock: Clock) -> None:
    await live(world, clock)
    found = await replay(world)
    assert [(each.new, each.gone) for each in found.lines] == [(0, 0)] * 6
    assert [each.kept for each in found.lines] == [3, 3, 0, 3, 3, 1]
    assert (found.kept, found.new, found.gone) == (13, 0, 0)
    assert found.trial == found.sent
    assert found.lines[0].at == datetime.fromisoformat("2026-11-24T06:00:00+00:00")
    assert found.trial.editions == 5
    assert found.trial.sources == 1
    # the fourth of its day found no room twice, and was too old the third time
    assert found.trial.never == {"limit": 1}
    # eight were read at noon and told the next morning; what waited for a day is older
    assert found.trial.age == pytest.approx(18 + (3 * 24) / 13, abs=0.1)
    # the one of the other section came in for one that was newer
    assert found.trial.newest == 1.0


async def test_it_goes_on_from_what_was_told_before_the_time_that_is_asked_about(
    world: World, clock: Clock
) -> None:
    await live(world, clock)
    for days in (1, 2, 5):
        found = await replay(world, days=days)
        assert len(found.lines) == days
        assert {(each.new, each.gone) for each in found.lines} == {(0, 0)}, days


async def test_another_limit_tells_more_and_nothing_twice(world: World, clock: Clock) -> None:
    await live(world, clock)
    wide = await replay(world, replace(PAPER, limit=20))
    assert [each.stories for each in wide.lines] == [5, 1, 0, 5, 2, 1]
    assert told(wide, "+")[0] == {"Schule", "Theater"}
    assert told(wide, "-")[1] == {"Schule", "Theater"}
    # only what was too old when there was room for it at last
    assert (wide.kept, wide.new, wide.gone) == (13, 1, 0)
    narrow = await replay(world, replace(PAPER, limit=1, leftovers=timedelta(0)))
    assert [each.stories for each in narrow.lines] == [1, 1, 0, 1, 1, 1]
    assert narrow.trial.never == {"limit": 9}
    every = [title for day in told(narrow) for title in day]
    assert len(every) == len(set(every))


async def test_another_rhythm_takes_in_what_was_sent_since_its_slot_before(
    world: World, clock: Clock
) -> None:
    await live(world, clock)
    often = replace(PAPER, limit=50, schedules=(Schedule(name="daily", cron="0 19 * * *"),))
    found = await replay(world, often)
    assert [each.stories for each in found.lines] == [5, 1, 0, 5, 2, 1]
    assert found.lines[0].at == datetime.fromisoformat("2026-11-23T18:00:00+00:00")
    # what was sent the morning after belongs to the evening that follows
    assert [each.gone for each in found.lines] == [0, 3, 3, 0, 3, 3]
    seldom = replace(PAPER, schedules=(Schedule(name="daily", cron="0 7 * * sun"),), limit=50)
    once = await replay(world, seldom)
    assert [each.stories for each in once.lines] == [14]
    assert [each.kept for each in once.lines] == [13]
    assert (once.trial.editions, once.sent.editions) == (1, 5)


async def test_other_feeds_and_topics(world: World, clock: Clock) -> None:
    await live(world, clock)
    water = replace(
        PAPER,
        feeds=(
            FeedSource(url=FEED, only_topics=True),
            FeedSource(url="https://neu.example/feed"),
        ),
        topics=(Topic(name="water", title="Wasser", words=("Hafen", "Kanal", "Schwimmbad")),),
    )
    found = await replay(world, water)
    assert told(found) == [{"Hafen"}, {"Kanal"}, set(), set(), {"Schwimmbad"}, set()]
    assert found.trial.never == {"off topic": 10}
    assert found.unread == ("https://neu.example/feed",)
    assert found.gone == 10


async def test_an_event_is_told_once_by_what_the_trial_or_the_service_before_it_told(
    world: World, clock: Clock
) -> None:
    two = replace(PAPER, feeds=(FeedSource(url=FEED), FeedSource(url=JOBS)))
    orka = "Greifarm Orka aus Regensburg"
    await bring(world, f"Kaltwerk stellt {orka} vor", excerpt=f"{orka} hebt 40 Kilogramm Stahl.")
    assert await publish_now(world, two, DAILY) is not None
    clock.forward(days=1)
    await bring(world, f"Kaltwerk zeigt {orka}", excerpt=f"{orka} hebt 40 Kilo.", feed=JOBS)
    await bring(world, "Bundestag streitet über Gebühren für Strom", excerpt="Es geht um Abgaben.")
    clock.forward(days=1)
    found = await replay(world, two, days=2)
    assert [each.stories for each in found.lines] == [1, 1]
    assert found.trial.never == {"told": 1}
    # the same where the day before is not tried any more
    found = await replay(world, two, days=1)
    assert [each.stories for each in found.lines] == [1]
    assert found.trial.never == {"told": 1}


async def test_minutes_are_kept_without_writing_anything(world: World, clock: Clock) -> None:
    for word in ("Ast", "Bug", "Eis", "Hut", "Ohr", "Rad", "Tor", "Uhr"):
        await bring(world, word, excerpt=f"{word} " * 80)
    clock.forward(days=1)
    whole = await replay(world, replace(PAPER, limit=8), days=1)
    short = await replay(world, replace(PAPER, limit=8, minutes=1), days=1)
    assert [(each.stories, each.minutes) for each in whole.lines] == [(8, 3)]
    assert [(each.stories, each.minutes) for each in short.lines] == [(2, 1)]
    assert set(short.trial.never) == {"minutes"}


async def test_a_word_of_the_editors_counts_from_when_it_was_spoken(
    world: World, clock: Clock
) -> None:
    await bring(world, "Hafen", "Markt")
    clock.forward(days=1)
    async with world.store.write() as connection:
        refused = await article(world, "Hafen")
        await verdicts.refuse(
            connection, PAPER.slug, refused, refused=True, now=clock() - timedelta(minutes=30)
        )
    late = replace(PAPER, schedules=(replace(DAILY, cron="45 7 * * *"),))
    assert told(await replay(world, days=1)) == [{"Hafen", "Markt"}]
    assert told(await replay(world, late, days=1)) == [{"Markt"}]


async def test_what_was_taken_back_later_was_news_before(world: World, clock: Clock) -> None:
    await bring(world, "Hafen", "Markt")
    clock.forward(days=2)
    for title, hours in (("Hafen", 40), ("Markt", 1)):
        async with world.store.write() as connection:
            await connection.execute(
                update(articles)
                .where(articles.c.title == title)
                .values(withdrawn_at=clock() - timedelta(hours=hours))
            )
    assert told(await replay(world, days=2)) == [{"Markt"}, set()]


async def test_a_manual_send_belongs_to_the_slot_after_it(world: World, clock: Clock) -> None:
    await bring(world, "Hafen")
    await publish_now(world, PAPER, DAILY)
    clock.forward(days=1)
    found = await replay(world, days=1)
    assert [(each.kept, each.new, each.gone) for each in found.lines] == [(1, 0, 0)]


async def test_nothing_is_written_and_each_slot_is_counted(world: World, clock: Clock) -> None:
    await live(world, clock)
    counted: list[int] = []

    @contextmanager
    def counting(total: int) -> Iterator[object]:
        counted.append(total)
        yield lambda: counted.append(1)

    before = await everything(world)
    found = await replay(world, replace(PAPER, limit=1), counting=counting, full=False)
    assert await everything(world) == before
    assert counted == [6, *[1] * 6]
    assert {each.titles for each in found.lines} == {()}


async def test_what_cannot_be_answered_is_said(world: World, clock: Clock) -> None:
    for days in (0, -3, 401):
        with pytest.raises(UsageError, match="from 1 to 400"):
            await replay(world, days=days)
    with pytest.raises(DigestError, match="no article of its feeds was seen in the last 6 days"):
        await replay(world)
    await live(world, clock)
    monthly = replace(PAPER, schedules=(Schedule(name="daily", cron="0 7 3 * *"),))
    with pytest.raises(UsageError, match="has no slot in the last 6 days"):
        await replay(world, monthly)
    with pytest.raises(UsageError, match="more than 10000 slots in 8 days"):
        await replay(
            world,
            replace(PAPER, schedules=(Schedule(name="daily", cron="* * * * *"),)),
            days=8,
        )


async def test_a_rhythm_that_never_was_is_compared_with_nothing(world: World, clock: Clock) -> None:
    await live(world, clock)
    found = await replay(world, replace(STADTBLATT, schedules=(Schedule(name="x", cron="@daily"),)))
    assert (found.sent.editions, found.sent.newest, found.kept) == (0, None, 0)
    assert found.new == found.trial.stories > 0
