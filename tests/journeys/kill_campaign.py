"""Turns a number of kills into a verdict: real workers, killed at random, and what came of it."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from kill_house import House

#: what a server takes between keeping a message and saying so, seconds: half of a worker's life
DELAY = 0.02
#: how long a worker lives once it delivers, seconds, at most
LIFE = 0.5
#: how many of the workers begin with a Python of their own, which takes long
FRESH = 0.1


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a campaign found."""

    kills: int
    #: messages that are owed: readers times editions
    owed: int
    lost: int
    copies: int
    #: connections times kills
    bound: int
    #: the most Message-IDs, or different bytes, that a person has of one edition
    ids_per_person: int
    #: copies that may exist, as the books have it
    doubts: int
    #: how the books stand at the end
    books: dict[str, int]
    seconds: float

    @property
    def kept(self) -> bool:
        """Whether every promise was kept."""
        return (
            self.lost == 0
            and self.copies <= min(self.bound, self.doubts)
            and self.ids_per_person == 1
            and self.books == {"sent": self.owed}
        )

    def __str__(self) -> str:
        return (
            f"kills={self.kills} messages={self.owed} lost={self.lost} copies={self.copies} "
            f"bound={self.bound} known={self.doubts} ids={self.ids_per_person} "
            f"seconds={self.seconds:.0f} "
            f"verdict={'kept' if self.kept else 'BROKEN'}"
        )


@dataclass
class _Deaths:
    """How many are still to come, for all threads that kill."""

    left: int
    done: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> bool:
        with self.lock:
            self.left -= 1
            return self.left >= 0

    def give_back(self, killed: int) -> None:
        with self.lock:
            self.done += killed
            self.left += 1 - killed


def campaign(
    house: House,
    database_url: str,
    *,
    readers: int,
    connections: int,
    workers: int,
    kills: int,
    seed: int,
) -> Result:
    """Send editions to readers and kill workers until there were enough kills, then finish.

    `workers` are at work at a time; whenever one is killed another one begins. New editions are
    made whenever there is little left to deliver.
    """
    began = time.monotonic()
    house.set_up(database_url, readers=readers, connections=connections)
    house.relay.delay = DELAY
    deaths = _Deaths(kills)
    threads = [
        threading.Thread(target=_live_and_die, args=(house, deaths, random.Random(seed + n)))  # noqa: S311
        for n in range(workers)
    ]
    owed = house.publish("Ausgabe 1")
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if _left(house.books()) < 16 * connections * workers and deaths.left > 0:
            owed += house.publish(f"Ausgabe {owed}")
        time.sleep(0.1)
    _finish(house, owed)
    return Result(
        kills=deaths.done,
        owed=owed,
        lost=owed - len(house.relay.people),
        copies=house.relay.copies,
        bound=connections * deaths.done,
        ids_per_person=house.relay.ids_per_person,
        doubts=house.doubts(),
        books=house.books(),
        seconds=time.monotonic() - began,
    )


def _live_and_die(house: House, deaths: _Deaths, chance: random.Random) -> None:
    while deaths.take():
        process = house.start("worker", fresh=chance.random() < FRESH)
        if chance.random() < 0.9:
            process.wait_until_says("digest delivers")
        time.sleep(chance.uniform(0, LIFE))
        deaths.give_back(process.kill())


def _left(books: dict[str, int]) -> int:
    return (Counter(books) - Counter(sent=books.get("sent", 0))).total()


def _finish(house: House, owed: int) -> None:
    """Let one ordinary worker bury the dead, do the rest, and end in order."""
    house.relay.delay = 0
    last = house.start("worker")
    house.until_sent(owed, last)
    last.send(signal.SIGTERM)
    assert last.wait() == 0, last.said()
