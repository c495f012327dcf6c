"""Readers of sixteen zones who change their minds: one a day, no story twice, none missed.

`DIGEST_TEST_YEAR=1` runs the whole year (a minute or two); else it is the weeks in which clocks
change, of which there are two stretches.
"""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jobs_world import Clock, open_world, sqlite
from sqlalchemy import func, select
from year_world import (
    YEARBOOK,
    Simulation,
    Year,
    days_without,
    missed,
    not_caught_up,
    quick,
    told_twice,
    two_on_a_day,
)

from digest.jobs.publish import publish_due
from digest.store.tables import deliveries, subscriptions

STRETCHES = {
    # Auckland, Sydney, Lord Howe, Berlin, Cairo, New York
    "autumn": (datetime(2026, 9, 22, 12, tzinfo=UTC), datetime(2026, 11, 6, tzinfo=UTC)),
    # New York, Berlin, Sydney, Auckland; Cairo's comes a month later
    "spring": (datetime(2027, 3, 9, 12, tzinfo=UTC), datetime(2027, 4, 9, tzinfo=UTC)),
}
if os.environ.get("DIGEST_TEST_YEAR"):
    STRETCHES = {"year": (datetime(2026, 6, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC))}


@pytest.fixture(autouse=True)
def _no_two_tell_of_one_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """Titles of two words look like one event; threads have tests of their own."""
    monkeypatch.setattr("digest.jobs.prepare.events_of", lambda *_, **__: [])


@asynccontextmanager
async def simulated(
    database_url: str,
    begin: datetime,
    end: datetime,
    *,
    readers: int,
    changes: int,
    seed: int,
) -> AsyncIterator[Simulation]:
    """What happens from `begin` to `end` to those who never change and to so many who do."""
    clock = Clock(begin)
    async with open_world(database_url, clock, YEARBOOK) as world:
        some = Simulation(world=quick(world), clock=clock, dice=random.Random(seed), end=end)  # noqa: S311 -- the same each time
        await some.admit(readers)
        some.plan(begin, a_day=3, changes=changes)
        await publish_due(some.world, YEARBOOK)
        await some.run()
        yield some


def check(year: Year) -> None:
    """What is promised; each says precisely what it means."""
    assert two_on_a_day(year) == []
    assert told_twice(year) == []
    assert missed(year) == []
    assert not_caught_up(year) == []
    assert days_without(year) == []


@pytest.mark.parametrize("stretch", STRETCHES)
async def test_a_year_of_readers_who_change_their_minds(tmp_path: Path, stretch: str) -> None:
    begin, end = STRETCHES[stretch]
    whole = "DIGEST_TEST_YEAR" in os.environ
    readers, changes = (40, 8) if whole else (15, 5)
    async with simulated(
        sqlite(tmp_path), begin, end, readers=readers, changes=changes, seed=6
    ) as some:
        year = await some.look_back()
        check(year)
        # and all that this is about has happened
        assert not whole or any(each.skipped for each in year.mails)
        assert any(each.tells - year.told[each.edition, each.choice] for each in year.mails)
        assert any(year.told[each.edition, each.choice] - each.tells for each in year.mails)
        assert len({each.schedule for each in year.mails}) == len(YEARBOOK.schedules)
        assert {each.state for each in year.mails} <= {"sent", "excluded"}


async def test_it_is_so_on_both_databases(database_url: str) -> None:
    begin, end = datetime(2026, 10, 22, 12, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC)
    async with simulated(database_url, begin, end, readers=8, changes=4, seed=3) as some:
        check(await some.look_back())
        async with some.world.store.read() as connection:
            extra = select(func.count()).where(deliveries.c.extra.is_not(None))
            assert (await connection.execute(extra)).scalar_one() > 0
            # who got an edition after his change is as everybody again
            waiting = select(func.count()).where(subscriptions.c.changed_at.is_not(None))
            assert (await connection.execute(waiting)).scalar_one() < 8
