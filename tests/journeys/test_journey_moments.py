"""Killed at every single moment: nobody is lost, and only the one gap costs a copy."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest
from kill_house import House
from kill_relay import MOMENTS, HangUp
from loopback import Site, recent

pytest_plugins = ["kill_fixtures"]
pytestmark = pytest.mark.kill

Tell = Callable[[str], None]

READERS = 3
#: the server has the message, and nothing of its reply is written down
IN_THE_GAP = ("dot kept", "dot answered")
#: these come once in a send over one connection
ONCE = ("greeting", "EHLO", "RSET", "QUIT")
#: the person that the server always refuses, so that there is an RSET
REFUSED = "r00000@example.org"


def kill_at(house: House, name: str, number: int) -> int:
    """Kill a sending process at the n-th moment of this name; 1 if it came to that, else 0."""
    process = house.start("send", "--no-gather")

    def listen(moment: str, count: int) -> None:
        if (moment, count) == (name, number):
            os.kill(process.pid, signal.SIGKILL)
            if name == "dot come":
                raise HangUp  # a server that forgets it as well

    house.relay.on_moment = listen
    code = process.wait()
    house.relay.calm()
    assert code in (0, -signal.SIGKILL), process.said()
    return int(code != 0)


def test_at_every_word_to_the_server(
    house: House, database_url: str, tell: Tell, kills: int | None
) -> None:
    house.set_up(database_url, readers=READERS, connections=1)
    house.relay.at_rcpt[REFUSED] = "550 5.1.1 nobody here"
    house.publish("Eins", "Zwei")
    killed: list[str] = []
    copies: dict[str, int] = {}
    for name in MOMENTS:
        # the second one comes on a connection that has carried a message
        for number in (1,) if name in ONCE else (1, 2) if kills else (2,):
            house.rewind()
            killed += [name] * kill_at(house, name, number)
            house.finish()
            assert house.books() == {"sent": READERS - 1, "bounced": 1}, (name, number)
            assert len(house.relay.people) == READERS - 1, (name, number)
            assert house.relay.ids_per_person == 1, (name, number)
            assert house.relay.copies <= (name in IN_THE_GAP), (name, number)
            copies[name] = copies.get(name, 0) + house.relay.copies
    assert set(killed) == set(MOMENTS)
    assert copies["dot kept"] == killed.count(
        "dot kept"
    )  # the gap is there: whoever closed it would be wrong
    kind, total = house.kind(database_url), sum(copies.values())
    tell(line(kind, "every word of SMTP", len(killed), total))


def die_at(house: House, point: int, *arguments: str) -> str | None:
    """Run a command that kills itself after so many writes; after which one, None if it ended."""
    process = house.start(*arguments, point=point)
    assert process.wait() in (0, -signal.SIGKILL), process.said()
    return process.said().strip().removeprefix("ended after ") if process.wait() else None


def in_doubt(house: House) -> int:
    """How many messages the server has that the books do not know to be sent."""
    return len(house.relay.people) - house.books().get("sent", 0)


def test_at_every_write_of_a_send(
    house: House, site: Site, database_url: str, tell: Tell, kills: int | None
) -> None:
    """From the first article that is kept to the last word of the worker."""
    readers = 2
    feed = site.feed("/feed", *recent("Eins", "Zwei"))
    house.set_up(database_url, readers=readers, connections=1, feed=feed)
    step, point = (1, 1) if kills else (6, 1 + 3 * ("sqlite" in database_url))
    died: list[str] = []
    copies = 0
    while (after := die_at(house, point, "send")) is not None:
        died.append(after)
        # all or none: one slot, two articles, every reader, or nothing at all
        assert house.editions() in ([], [(1, 2, readers)]), died
        doubt = in_doubt(house)
        assert doubt <= (after == "UPDATE deliveries sent"), (point, died)
        again = house.start("send")
        assert again.wait() == 0, again.said()
        assert house.editions() == [(1, 2, readers)]
        check_books(house, readers, copies=doubt)
        copies += doubt
        house.unpublish()
        point += step
    check_books(house, readers, copies=0)
    assert len(died) * step >= 30, died
    if kills:  # once a reader: the outcome is in a statement, and not yet on disk
        assert copies == readers
    tell(line(house.kind(database_url), "every write of a send", len(died), copies))


def test_at_every_write_of_a_worker(
    house: House, database_url: str, tell: Tell, kills: int | None
) -> None:
    """From its first word on the roll to its orderly end."""
    readers = 2
    house.set_up(database_url, readers=readers, connections=1)
    house.publish("Eins", "Zwei")
    step, point = (1, 1) if kills else (3, 1 + ("sqlite" in database_url))
    died: list[str] = []
    copies = 0
    while True:
        house.rewind()
        process = house.start("worker", point=point)
        house.until_sent(readers, process)
        process.send(signal.SIGTERM)
        if process.wait() == 0:
            break
        died.append(process.said().partition("ended after ")[2].strip())
        doubt = in_doubt(house)
        assert doubt <= (died[-1] == "UPDATE deliveries sent"), (point, died)
        house.finish()
        check_books(house, readers, copies=doubt)
        copies += doubt
        point += step
    check_books(house, readers, copies=0)
    assert len(died) * step > 15, died
    if kills:
        assert copies == readers
    tell(line(house.kind(database_url), "every write of a worker", len(died), copies))


def check_books(house: House, readers: int, *, copies: int) -> None:
    """Everybody has it, the books say so, nobody is on the roll, and copies are what they are."""
    assert house.books() == {"sent": readers}
    assert house.roll() == 0
    assert len(house.relay.people) == readers
    assert house.relay.ids_per_person == 1
    assert house.relay.copies == copies


def line(kind: str, what: str, kills: int, copies: int) -> str:
    return f"{kind:10}  {what:24} kills={kills} lost=0 copies={copies} ids=1"
