"""Stopped past its lease and woken: another did its work, and it does none of it again."""

from __future__ import annotations

import signal
import sqlite3
import time
from contextlib import closing

import pytest
from kill_house import House
from kill_workers import Process
from sqlalchemy import text

from digest.jobs.world import World

pytest_plugins = ["kill_fixtures"]
pytestmark = pytest.mark.kill

CONNECTIONS = 4
#: what a lease lasts here, seconds: on one machine a stopped process is found alive
LEASE = 1.5


def start_worker(house: House, **wish: object) -> Process:
    return house.start("worker", lease=LEASE, **wish)


def take_over(house: House, readers: int) -> Process:
    """Another worker, who waits for the lease of the first to lapse and does everything."""
    other = start_worker(house)
    other.wait_until_says("workers gone=1")
    house.until_sent(readers, other)
    return other


def wake(zombie: Process) -> None:
    """Wake it, and let it find out and do what it will."""
    zombie.send(signal.SIGCONT)
    zombie.wait_until_says("lease-lost")
    time.sleep(LEASE / 2)


def end(*processes: Process) -> None:
    for each in processes:
        each.send(signal.SIGTERM)
        assert each.wait() == 0, each.said()


async def _is_held(world: World) -> bool:
    """Whether a process that is stopped now holds anybody up in the database."""
    if world.store.kind == "postgresql":
        query = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND state <> 'idle' AND backend_type = 'client backend'"
        )
        async with world.store.read() as connection:
            return bool((await connection.execute(query)).scalar_one())
    name = world.store.engine.url.database
    assert name is not None
    with closing(sqlite3.connect(name, timeout=0, isolation_level=None)) as file:
        try:
            file.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        return False


def stop_between_writes(house: House, worker: Process) -> None:
    """Stop a worker at work, but not inside a transaction: in there it keeps all others out."""
    while True:
        worker.send(signal.SIGSTOP)
        worker.wait_until_stopped()
        if not house.do(_is_held):
            return
        worker.send(signal.SIGCONT)
        time.sleep(0.01)


def test_a_zombie_sends_nothing_and_writes_nothing(house: House, database_url: str) -> None:
    readers = 60
    house.set_up(database_url, readers=readers, connections=CONNECTIONS)
    # slow before the dot: it falls asleep with messages begun that are through no fence
    house.relay.on_moment = lambda moment, _: time.sleep(0.05) if moment == "RCPT" else None
    house.publish("Eins", "Zwei")
    zombie = start_worker(house)
    house.relay.wait_for("dot kept", 10)
    stop_between_writes(house, zombie)
    dotted = house.books().get("dotted", 0)
    assert dotted <= CONNECTIONS
    assert house.books()["claimed"] > 0
    other = take_over(house, readers)
    before, sent = house.ledger(), len(house.relay.taken)
    wake(zombie)
    assert house.ledger() == before
    # a dot that was through the fence when it fell asleep may still go out, and no other
    assert len(house.relay.taken) - sent <= dotted
    assert house.relay.copies <= dotted
    assert house.relay.ids_per_person == 1
    assert len(house.relay.people) == readers
    end(zombie, other)
    assert (house.books(), house.roll()) == ({"sent": readers}, 0)


def test_woken_while_another_holds_its_rows(house: House, database_url: str) -> None:
    """What it poured before it fell asleep gets no dot: the row is claimed, but not by it."""
    readers = 30
    house.set_up(database_url, readers=readers, connections=CONNECTIONS)
    house.relay.on_moment = lambda moment, _: time.sleep(0.3) if moment == "RCPT" else None
    house.publish("Eins", "Zwei")
    zombie = start_worker(house)
    house.relay.wait_for("RCPT", 1 + 2 * CONNECTIONS)
    stop_between_writes(house, zombie)
    dotted = house.books().get("dotted", 0)
    asked = house.relay.counts["RCPT"]
    other = start_worker(house)
    other.wait_until_says("workers gone=1")
    # it knocks with one message, and then takes all the others
    house.relay.wait_for("RCPT", asked + 1 + CONNECTIONS)
    zombie.send(signal.SIGCONT)
    time.sleep(0.5)
    house.relay.calm()
    house.until_sent(readers, other)
    end(zombie, other)
    assert house.relay.copies <= min(dotted, house.doubts())
    assert (len(house.relay.people), house.relay.ids_per_person) == (readers, 1)
    assert (house.books(), house.roll()) == ({"sent": readers}, 0)


#: what the worst moments are, and how many copies each may cost, by the commit after which it stops
WORST = {
    "with rows claimed": ("claimed", 0),
    "between the fence and the dot": ("dotted", 1),
    "after a reply was recorded": ("sent", 0),
}


def test_asleep_at_the_worst_moment(house: House, database_url: str, kills: int | None) -> None:
    """It stops itself when something that it wrote is on disk."""
    readers = 3
    house.set_up(database_url, readers=readers, connections=1)
    house.publish("Eins", "Zwei")
    for name in WORST if kills else ("between the fence and the dot",):
        state, copies = WORST[name]
        commit = f"COMMIT UPDATE deliveries {state}"
        house.rewind()
        zombie = start_worker(house, only=commit, point=1, signal=int(signal.SIGSTOP))
        zombie.wait_until_says(f"ended after {commit}")
        zombie.wait_until_stopped()
        other = take_over(house, readers)
        assert house.relay.copies == 0, name
        before = house.ledger()
        wake(zombie)
        assert house.ledger() == before, name
        assert (house.relay.copies, house.relay.ids_per_person) == (copies, 1), name
        assert house.doubts() == copies, name
        end(zombie, other)
        assert (house.books(), house.roll()) == ({"sent": readers}, 0), name


def test_asleep_inside_a_write_it_keeps_the_others_waiting(
    house: House, database_url: str, kills: int | None
) -> None:
    """It said "dotted" and did not commit. Killed there it costs no copy.

    Woken it commits first, for nobody could take the row from it, and the dot goes out; it looks
    to the other as if nobody knew. That is one message for one connection, as ever.
    """
    readers = 3
    house.set_up(database_url, readers=readers, connections=1)
    house.publish("Eins", "Zwei")
    for woken in (False, True) if kills else (False,):
        house.rewind()
        fence, stop = "UPDATE deliveries dotted", int(signal.SIGSTOP)
        zombie = start_worker(house, only=fence, point=1, signal=stop)
        zombie.wait_until_says(f"ended after {fence}")
        zombie.wait_until_stopped()
        assert house.do(_is_held)
        other = start_worker(house)
        time.sleep(LEASE * 1.3)
        # the message that it held cannot be had; on SQLite none can
        assert len(house.relay.taken) < readers
        zombie.send(signal.SIGCONT if woken else signal.SIGKILL)
        house.until_sent(readers, other)
        if woken:
            end(zombie)
        end(other)
        assert (house.books(), house.roll()) == ({"sent": readers}, 0)
        assert len(house.relay.people) == readers
        assert house.relay.copies <= min(int(woken), house.doubts())
        assert house.relay.ids_per_person == 1
