"""Turns a wish to leave into a line of a file that is on disk when we say so, and back.

It is for the time in which the database does not answer. It holds no address and no token: a
reference names the subscription. A line is never changed; all of them go at once, when all of them
are in the database.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Goodbye:
    """Somebody's wish to leave."""

    #: which subscription it is about
    ref: bytes
    #: when he said so, aware
    at: datetime
    #: "web", "mail" (one-click)
    door: str
    #: and nothing is ever to be written to the address again
    never: bool = False


@dataclass(frozen=True, slots=True)
class Spool:
    """The file at `path`. Several processes of one machine may share it.

    Reading and writing raise OSError: what follows from a full disk is for the caller to say.
    """

    path: Path

    def is_empty(self) -> bool:
        """True when nothing waits; one call of the system, for whoever asks again and again."""
        try:
            return self.path.stat().st_size == 0
        except FileNotFoundError:
            return True

    def append(self, goodbye: Goodbye) -> None:
        """Write it behind the others, on disk when this returns.

        All or nothing, but where the disk cannot say whether it took it: then this raises, and it
        may come to be applied, which is what was asked for.
        """
        with self._opened(os.O_RDWR | os.O_APPEND | os.O_CREAT) as file:
            with _locked(file):
                end = os.fstat(file).st_size
                # what a crash tore gets a line of its own, and is read by nobody
                torn = end > 0 and os.pread(file, 1, end - 1) != b"\n"
                try:
                    _write(file, b"\n" * torn + _line(goodbye))
                except OSError:
                    with suppress(OSError):  # half a line is read by nobody
                        os.ftruncate(file, end)
                    raise
            os.fsync(file)
        self._settle()

    def read(self) -> bytes:
        """All that waits, as it stands; see `goodbyes`."""
        try:
            with self._opened(os.O_RDONLY) as file, _locked(file, fcntl.LOCK_SH):
                return _whole(file)
        except FileNotFoundError:
            return b""

    def names(self, ref: bytes) -> bool:
        """True when a wish about this subscription waits, or part of one that a crash tore."""
        if self.is_empty():
            return False
        try:
            # without the lock: what is being written this moment has not been answered yet
            return ref.hex().encode() in self.path.read_bytes()
        except FileNotFoundError:
            return False

    def clear(self, applied: bytes) -> bool:
        """Take everything out if it is what was read and applied; False when it is not.

        What came meanwhile, or what another process took out, makes it another content: read it.
        """
        try:
            with self._opened(os.O_RDWR) as file, _locked(file):
                if _whole(file) != applied:
                    return False
                os.ftruncate(file, 0)
                os.fsync(file)
                return True
        except FileNotFoundError:
            return not applied

    @contextmanager
    def _opened(self, how: int) -> Iterator[int]:
        file = os.open(self.path, how | os.O_CLOEXEC, 0o600)
        try:
            yield file
        finally:
            os.close(file)

    def _settle(self) -> None:
        """A file that is new is on disk when its folder is."""
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def goodbyes(data: bytes) -> tuple[list[Goodbye], int]:
    """The wishes that these lines hold, oldest first, and how many lines nobody can read."""
    lines = [line for line in data.split(b"\n") if line]
    found = [each for each in map(_goodbye, lines) if each is not None]
    return found, len(lines) - len(found)


@contextmanager
def _locked(file: int, how: int = fcntl.LOCK_EX) -> Iterator[None]:
    """Keep others out, threads and processes; held for microseconds."""
    fcntl.flock(file, how)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _whole(file: int) -> bytes:
    parts, at = [], 0
    while part := os.pread(file, 1 << 20, at):
        parts.append(part)
        at += len(part)
    return b"".join(parts)


def _write(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _line(goodbye: Goodbye) -> bytes:
    row = {
        "ref": goodbye.ref.hex(),
        "at": goodbye.at.isoformat(),
        "door": goodbye.door,
        "never": goodbye.never,
    }
    return json.dumps(row, separators=(",", ":")).encode() + b"\n"


def _goodbye(line: bytes) -> Goodbye | None:
    try:
        row = json.loads(line)
        goodbye = Goodbye(
            ref=bytes.fromhex(row["ref"]),
            at=datetime.fromisoformat(row["at"]),
            door=str(row["door"]),
            never=bool(row.get("never")),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return goodbye if goodbye.at.tzinfo is not None else None
