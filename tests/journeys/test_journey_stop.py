"""Asked to stop while it sends: what is under way is awaited, the rest is left for the next run."""

from __future__ import annotations

import signal
import time

import pytest
from kill_house import House
from kill_workers import Process

pytest_plugins = ["kill_fixtures"]
pytestmark = pytest.mark.kill

CONNECTIONS = 4
READERS = 60


@pytest.fixture
def house_at_work(house: House, database_url: str) -> House:
    house.set_up(database_url, readers=READERS, connections=CONNECTIONS)
    house.relay.delay = 0.05
    house.publish("Eins", "Zwei")
    return house


def check_that_all_is_done(house: House, *, copies: int = 0) -> None:
    assert (house.books(), house.roll()) == ({"sent": READERS}, 0)
    assert len(house.relay.people) == READERS
    assert house.relay.copies <= copies
    assert house.relay.ids_per_person == 1


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_nobody_is_left_in_doubt(house_at_work: House, asked: signal.Signals) -> None:
    house = house_at_work
    worker = house.start("worker")
    house.relay.wait_for("dot kept", 9)
    worker.send(asked)
    assert worker.wait() == 0, worker.said()
    books = house.books()
    assert set(books) == {"sent", "queued"}
    assert books["sent"] == len(house.relay.taken) == house.relay.counts["dot answered"]
    # nothing was begun after it was asked: what was under way is one message a connection
    assert books["sent"] <= 9 + 2 * CONNECTIONS
    assert house.roll() == 0
    house.finish()
    check_that_all_is_done(house)


def start_to_wait(house: House, seconds: float) -> Process:
    """A worker that waits on each of its connections for a reply; its first message was taken."""
    house.relay.delay, house.relay.prompt = seconds, 1
    worker = house.start("worker")
    house.relay.wait_for("dot kept", 1 + CONNECTIONS)
    assert house.books()["dotted"] == CONNECTIONS
    return worker


def test_a_slow_reply_is_awaited(house_at_work: House, kills: int | None) -> None:
    house = house_at_work
    worker = start_to_wait(house, 3 if kills else 1.5)
    worker.send(signal.SIGTERM)
    time.sleep(0.3)
    assert house.books()["dotted"] == CONNECTIONS
    assert worker.wait() == 0, worker.said()
    assert house.books() == {"sent": 1 + CONNECTIONS, "queued": READERS - 1 - CONNECTIONS}
    house.relay.delay = 0
    house.finish()
    check_that_all_is_done(house)


def test_who_asks_twice_does_not_wait(house_at_work: House) -> None:
    """The books say what that costs: the messages whose replies were not awaited."""
    house = house_at_work
    worker = start_to_wait(house, 20)
    worker.send(signal.SIGTERM)
    time.sleep(0.2)
    assert not worker.ended()
    since = time.monotonic()
    worker.send(signal.SIGINT)
    assert worker.wait() == 130, worker.said()
    assert time.monotonic() - since < 5
    in_doubt = {"sent": 1, "uncertain": CONNECTIONS, "queued": READERS - 1 - CONNECTIONS}
    assert house.books() == in_doubt
    assert house.roll() == 0
    house.relay.delay = 0
    house.finish()
    check_that_all_is_done(house, copies=CONNECTIONS)
