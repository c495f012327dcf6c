"""Turns a ready edition into a folder of its own for each fault, and reads the books there."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kill_house import FEED, House
from kill_relay import Recorder
from kill_workers import Launcher, Process
from shell import Desk

from digest.jobs import join
from digest.jobs.world import World

#: what a lease lasts, seconds; after a relay that is away a worker rests for a quarter of it
LEASE = 1.2

DOMAINS = ("nord.example", "west.example", "mitte.example", "ost.example")
LIMIT = 30
SEND = ("-v", "send", "--no-gather")


def people(count: int) -> list[str]:
    """So many addresses, spread over all domains."""
    return [f"r{number:02d}@{DOMAINS[number % len(DOMAINS)]}" for number in range(count)]


READERS = 12
EVERYBODY = people(READERS)


def prepare(folder: Path, launcher: Launcher, count: int) -> Path:
    """A database with so many readers and one edition for them; its folder."""
    folder.mkdir()
    house = House(folder, Recorder(port=1), launcher)
    Desk(folder).set_up(FEED, smtp_port=1)

    async def admit(world: World) -> None:
        for each in people(count):
            await join.admit(
                world,
                address=each,
                newsletter=world.newsletters[0],
                frequency=None,
                door="cli",
                detail="a test",
            )

    house.do(admit)
    assert house.publish("Eins", "Zwei") == count
    assert not (folder / "digest.db-wal").exists()
    return folder


@dataclass
class Stand:
    """A folder with an edition that is due, a relay to meet, and our own processes."""

    folder: Path
    launcher: Launcher
    readers: list[str]
    started: list[Process] = field(default_factory=list)

    def copy(self, ready: Path) -> None:
        """Begin with what is ready."""
        for each in ready.glob("digest.*"):
            shutil.copy(each, self.folder)

    def name_relay(self, port: int, **settings: object) -> None:
        """Write the settings."""
        self.desk.set_up(FEED, smtp_port=port, **settings)

    @property
    def desk(self) -> Desk:
        return Desk(self.folder)

    def start(self, *arguments: str, **wish: object) -> Process:
        """Start `digest` here; what still runs at the end of the test is killed."""
        process = self.launcher.start(self.folder, *arguments, **wish)
        self.started.append(process)
        return process

    def send(self) -> Process:
        """Run `digest send` to its end."""
        process = self.start(*SEND)
        process.wait()
        return process

    def worker(self) -> Process:
        return self.start("worker", lease=LEASE)

    def under(
        self, *command: str, arguments: Sequence[str] = SEND, **environment: str
    ) -> subprocess.Popen[bytes]:
        """Start `digest` anew below another program, as an operator does; whoever calls ends it."""
        bare = {name: value for name, value in os.environ.items() if not name.startswith("DIGEST_")}
        with self.errors.open("wb") as errors:
            return subprocess.Popen(  # noqa: S603 -- our own program
                [*command, sys.executable, "-m", "digest", *arguments],
                cwd=self.folder,
                env={**bare, **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )

    @property
    def errors(self) -> Path:
        """Where a process that was started anew speaks to."""
        return self.folder / "errors"

    def heard(self) -> str:
        return self.errors.read_text(encoding="utf-8")

    def end(self) -> None:
        for each in self.started:
            if not each.ended():
                each.kill()

    def status(self) -> Any:
        done = self.desk.call("status", "--json")
        assert done.code == 0, done.err
        return done.json

    def verify(self) -> Any:
        """What the books say; fails where they do not balance."""
        done = self.desk.call("verify", "--json")
        assert done.code == 0, done.err
        assert done.json["balanced"]
        assert done.json["candidates"] == len(self.readers)
        return done.json

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask or change the books behind our program's back."""
        with closing(sqlite3.connect(self.folder / "digest.db", timeout=30)) as connection:
            rows = connection.execute(statement, values).fetchall()
            connection.commit()
            return rows

    def queue(self) -> dict[str, int]:
        """How many deliveries stand in each state."""
        return dict(self.sql("SELECT state, count(*) FROM deliveries GROUP BY state"))

    def replies(self) -> set[str]:
        return {reply for (reply,) in self.sql("SELECT DISTINCT reply FROM deliveries") if reply}

    def bring_forward(self) -> None:
        """Let the time come for whatever waits for it, as if hours had passed."""
        self.sql(
            "UPDATE deliveries SET due_at = created_at WHERE state IN"
            " ('queued', 'deferred', 'uncertain')"
        )

    def end_rests(self) -> None:
        """Let the time pass that a domain is left alone for."""
        self.sql("UPDATE pauses SET until = began_at WHERE scope = 'domain'")

    def relay_is_away(self) -> bool:
        """A worker says so, in the words that `status` shows."""
        return self.sql("SELECT 1 FROM workers WHERE trouble IS NOT NULL") != []

    def until(self, true: Callable[[], bool], *processes: Process, seconds: float = LIMIT) -> None:
        """Wait for it; fails when one of these processes ends first."""
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, (self.queue(), [each.said() for each in processes])
            for each in processes:
                assert not each.ended(), each.said()
            time.sleep(0.03)

    def has_sent_more_than(self, count: int) -> bool:
        return self.queue().get("sent", 0) > count

    def until_sent(self, *processes: Process, seconds: float = LIMIT) -> None:
        """Wait until everybody has it."""
        whole = {"sent": len(self.readers)}
        self.until(lambda: self.queue() == whole, *processes, seconds=seconds)


@contextmanager
def standing(ready: Path, folder: Path, launcher: Launcher, readers: list[str]) -> Iterator[Stand]:
    """A stand of what is ready; what it still runs at the end is killed."""
    stand = Stand(folder, launcher, readers)
    stand.copy(ready)
    try:
        yield stand
    finally:
        stand.end()


def names(taken: Sequence[tuple[str, str]]) -> list[str]:
    """To whom messages went, each once."""
    return sorted({to for to, _ in taken})
