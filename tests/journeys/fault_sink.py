"""Turns flags into Postfix's own fault server on loopback, and its dumps into who got what."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from loopback import free_port

_PLACES = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
PROGRAM = shutil.which("smtp-sink", path=_PLACES)


@dataclass
class Sink:
    """A `smtp-sink` that keeps its port over its restarts, and what it took between two looks."""

    folder: Path
    port: int
    flags: tuple[str, ...] = ()
    _process: subprocess.Popen[bytes] | None = None

    def start(self, *flags: str) -> None:
        """Answer with these faults from now on."""
        self.stop()
        assert PROGRAM is not None
        self.flags = flags
        # as root it wants to be told whom to become
        who = ("-u", "root") if os.geteuid() == 0 else ()
        where = f"127.0.0.1:{self.port}"
        self._process = subprocess.Popen(  # noqa: S603 -- Postfix's program, our flags
            [PROGRAM, *who, "-d", "mail.", *flags, where, "64"],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 10
        while not self._listens():
            assert self._process.poll() is None, f"smtp-sink {flags} ended"
            assert time.monotonic() < until, f"smtp-sink {flags} does not listen"
            time.sleep(0.01)

    def stop(self) -> None:
        """Be no relay at all."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def _listens(self) -> bool:
        with closing(socket.socket()) as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def taken(self) -> list[tuple[str, str]]:
        """Address and Message-ID of each message that it read to the final dot."""
        return [found for each in self._dumps() if (found := _read(each.read_bytes())) is not None]

    def forget(self) -> None:
        """Begin a new record."""
        for each in self._dumps():
            each.unlink()

    def _dumps(self) -> list[Path]:
        return list(self.folder.glob("mail.*"))


def _read(dump: bytes) -> tuple[str, str] | None:
    """None for one whose final dot did not come: the end of its dump was never written."""
    to = re.search(rb"(?m)^X-Rcpt-Args: <([^>]*)>", dump)
    name = re.search(rb"(?mi)^Message-ID: *(\S+)", dump)
    end = re.search(rb'boundary="([^"]+)"', dump)
    if to is None or name is None or end is None or b"--" + end[1] + b"--" not in dump:
        return None
    return to[1].decode(), name[1].decode()


def copies(taken: list[tuple[str, str]]) -> int:
    """How many of these are copies, each of which must be the very same message."""
    people = Counter(to for to, _ in taken)
    assert len(set(taken)) == len(people), "a copy with another Message-ID"
    return len(taken) - len(people)


@contextmanager
def sinking(folder: Path) -> Iterator[Sink]:
    """A place for the fault server; skips where Postfix is not installed."""
    if PROGRAM is None:
        pytest.skip("no smtp-sink here: apt install postfix")
    folder.mkdir()
    sink = Sink(folder, free_port())
    try:
        yield sink
    finally:
        sink.stop()
