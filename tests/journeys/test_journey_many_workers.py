"""Several processes on one database: each does its part, and none does another's."""

from __future__ import annotations

import signal
from datetime import timedelta

import pytest
from kill_house import House
from kill_workers import Process
from sqlalchemy import select

from digest.jobs.world import World
from digest.model.edition import Slot
from digest.store import editions
from digest.store.tables import deliveries

pytest_plugins = ["kill_fixtures"]
pytestmark = pytest.mark.kill

CONNECTIONS = 2


def end(*processes: Process) -> None:
    for each in processes:
        each.send(signal.SIGTERM)
    for each in processes:
        assert each.wait() == 0, each.said()


def check_that_all_is_done(house: House, readers: int) -> None:
    assert (house.books(), house.roll()) == ({"sent": readers}, 0)
    assert (len(house.relay.people), house.relay.copies) == (readers, 0)


def sent_by(process: Process) -> int:
    return process.said().count("status=sent")


@pytest.mark.parametrize(
    ("database_url", "count"), [("sqlite", 2), ("postgresql", 4)], indirect=["database_url"]
)
def test_workers_share_the_work(house: House, database_url: str, count: int) -> None:
    """PostgreSQL lets each claim past the others' rows; SQLite lets them write in turn."""
    readers = 50 * count
    house.set_up(database_url, readers=readers, connections=CONNECTIONS)
    house.relay.delay = 0.04
    house.publish("Eins", "Zwei")
    together = [house.start("worker") for _ in range(count)]
    house.until_sent(readers, *together)
    end(*together)
    check_that_all_is_done(house, readers)
    shares = [sent_by(each) for each in together]
    assert sum(shares) == readers
    assert min(shares) > readers / count / 4, shares


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_worker_claims_past_rows_that_another_has_locked(house: House, database_url: str) -> None:
    readers = 10
    house.set_up(database_url, readers=readers, connections=CONNECTIONS)
    house.publish("Eins", "Zwei")

    async def hold_half(world: World) -> None:
        query = select(deliveries.c.id).order_by(deliveries.c.id).limit(readers // 2)
        async with world.store.write() as connection:
            await connection.execute(query.with_for_update())
            worker = house.start("worker")
            house.relay.wait_for("dot answered", readers - readers // 2)
            assert len(house.relay.taken) == readers - readers // 2
        house.relay.wait_for("dot answered", readers)
        end(worker)

    house.do(hold_half)
    check_that_all_is_done(house, readers)


def test_two_services_make_one_edition_of_a_slot(house: House, database_url: str) -> None:
    """Both begin when the slot has passed, and both see that it is due."""
    readers = 20
    house.set_up(database_url, readers=readers, connections=CONNECTIONS)
    house.bring("Eins", "Zwei")

    async def begin_two_days_ago(world: World) -> None:
        now = world.clock()
        which = world.newsletters[0]
        for schedule in which.schedules:
            at = now - timedelta(days=2 if schedule is which.default_schedule else 0)
            slot = Slot(newsletter=which.slug, schedule=schedule.name, at=at)
            async with world.store.write() as connection:
                await editions.take(connection, slot, outcome="start", now=at)

    house.do(begin_two_days_ago)
    together = [house.start("serve", "--no-web") for _ in range(2)]
    house.until_sent(readers, *together)
    end(*together)
    assert house.editions() == [(1, 2, readers)]
    check_that_all_is_done(house, readers)
    made = sum("edition=" in line for each in together for line in each.said().splitlines())
    assert made == 1
