"""Killed while it sends with `hold`, or started twice: what the books say, and who gets what."""

from __future__ import annotations

import os
import signal

import pytest
from kill_house import House

pytest_plugins = ["kill_fixtures"]
pytestmark = pytest.mark.kill

CONNECTIONS = 4
READERS = 36


def kill_when_kept(house: House, count: int) -> None:
    """Run `digest send`, and kill it when the server has kept so many messages of it."""
    target = house.relay.counts["dot kept"] + count
    process = house.start("send", "--no-gather")

    def listen(moment: str, number: int) -> None:
        if moment == "dot kept" and number == target:
            os.kill(process.pid, signal.SIGKILL)

    house.relay.on_moment = listen
    assert process.wait() == -signal.SIGKILL, process.said()
    house.relay.calm()


def send(house: House) -> None:
    process = house.start("send", "--no-gather")
    assert process.wait() == 0, process.said()


def test_with_hold_kills_cost_no_copy_and_the_books_name_who_is_in_doubt(
    house: House, database_url: str
) -> None:
    house.set_up(database_url, readers=READERS, connections=CONNECTIONS, uncertain="hold")
    house.relay.delay = 0.02
    house.bring("Eins", "Zwei")
    for count in (2, 5):
        kill_when_kept(house, count)
    send(house)
    assert house.relay.copies == 0
    books = house.books()
    assert books["sent"] + books["uncertain"] == sum(books.values()) == READERS
    assert 2 <= books["uncertain"] <= 2 * CONNECTIONS
    assert READERS - len(house.relay.taken) <= books["uncertain"]
    # the operator decides otherwise: only those in doubt are sent again
    before = len(house.relay.taken)
    with (house.folder / ".env").open("a") as settings:
        settings.write("DIGEST_UNCERTAIN=resend\n")
    send(house)
    assert house.books() == {"sent": READERS}
    assert len(house.relay.taken) == before + books["uncertain"]
    assert (len(house.relay.people), house.relay.ids_per_person) == (READERS, 1)


def test_sends_started_side_by_side_reach_everybody_once(house: House, database_url: str) -> None:
    house.set_up(database_url, readers=READERS, connections=CONNECTIONS)
    house.relay.delay = 0.02
    house.bring("Eins", "Zwei")
    together = [house.start("send", "--no-gather") for _ in range(2)]
    for process in together:
        assert process.wait() == 0, process.said()
    send(house)
    assert house.editions() == [(1, 2, READERS)]
    assert house.books() == {"sent": READERS}
    assert (len(house.relay.people), house.relay.copies) == (READERS, 0)
