"""Turns what must outlive a restored backup into lines of a file outside the database, and back.

It holds no address and no token: people are keyed hashes. What was written is never changed; only
the first line is, for it holds the mark: how far the database had come.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from digest.errors import StoreError
from digest.model.journal import Closed, Considered, Entry, Left, Made, Rejoined, Reopened

#: the first line has this many bytes, so that it can be written over in place and in one sector
WIDTH = 192

#: lines that could not be written are kept for the next try, at most so many
MISSED = 100_000

_FORMAT = 1


_KINDS: dict[str, type[Left | Rejoined | Closed | Reopened]] = {
    "left": Left,
    "rejoined": Rejoined,
    "closed": Closed,
    "reopened": Reopened,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


@dataclass(slots=True, kw_only=True)
class Journal:
    """An open journal. Several processes of one machine may share the file.

    Reading and writing raise OSError: what follows from a full disk is for the caller to say.
    """

    path: Path
    #: random, what this file is called in the database
    id: str
    #: random, what the database is called that it is kept for
    database: str
    #: ids of editions that it is known to hold; a process fills it as it goes
    editions: set[int] = field(default_factory=set)
    _file: int
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _missed: list[bytes] = field(default_factory=list)

    @classmethod
    def open(cls, path: Path) -> Journal | None:
        """The journal at `path`, None when there is none. Raises StoreError for all other trouble.

        A last line that was torn by a crash is cut off.
        """
        try:
            file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise _unusable(path, problem) from problem
        try:
            head = _read_head(file)
            journal = cls(path=path, id=head["journal"], database=head["database"], _file=file)
            with journal._locked():
                journal._cut()
        except (OSError, ValueError, KeyError, TypeError) as problem:
            os.close(file)
            raise _unusable(path, problem) from problem
        return journal

    @classmethod
    def begin(cls, path: Path, *, journal: str, database: str, mark: int) -> Journal:
        """A new journal beside `path`; `settle` puts it there. Raises StoreError."""
        draft = path.with_name(path.name + ".new")
        try:
            file = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            os.pwrite(file, _head(journal, database, mark), 0)
        except OSError as problem:
            raise _unusable(path, problem) from problem
        return cls(path=path, id=journal, database=database, _file=file)

    def settle(self) -> None:
        """Put a journal that was begun in its place, whole or not at all. Raises StoreError."""
        try:
            os.fsync(self._file)
            self.path.with_name(self.path.name + ".new").rename(self.path)
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as problem:
            raise _unusable(self.path, problem) from problem

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def mark(self) -> int:
        """How far the database is known to have come."""
        with self._locked(fcntl.LOCK_SH):
            return int(_read_head(self._file)["mark"])

    def advance(self, mark: int) -> None:
        """Note how far the database has come; a mark that is behind changes nothing.

        Not forced to the disk each time (`sync` does that): a mark may lag, but never lead.
        """
        with self._locked():
            if int(_read_head(self._file)["mark"]) < mark:
                os.pwrite(self._file, _head(self.id, self.database, mark), 0)

    def sync(self) -> None:
        """Force what was written to the disk."""
        os.fdatasync(self._file)

    def append(self, entries: Iterable[Entry], *, sync: bool = True) -> None:
        """Write entries behind the others, on disk when this returns unless `sync` is false.

        All or nothing. What could not be written is kept, and written before the next entries.
        """
        with self._locked():
            lines = [*self._missed, *(_line(each) for each in entries)]
            end = self._cut()
            try:
                _write(self._file, b"".join(lines), at=end)
            except OSError:
                os.ftruncate(self._file, end)
                self._missed = lines[-MISSED:]
                raise
            self._missed = []
        if sync:
            os.fdatasync(self._file)

    def read(self) -> Iterator[Entry | None]:
        """Every entry, oldest first; None stands for a line that cannot be read."""
        with self._locked(fcntl.LOCK_SH):
            size = os.fstat(self._file).st_size
        with self.path.open("rb") as lines:
            at = len(lines.readline())
            for line in lines:
                at += len(line)
                if at > size:
                    return
                yield _entry(line)

    def _cut(self) -> int:
        """Cut off a last line without an end; return how long the file is. Needs the lock."""
        size = end = os.fstat(self._file).st_size
        while end > WIDTH and os.pread(self._file, 1, end - 1) != b"\n":
            start = max(WIDTH, end - 65_536)
            found = os.pread(self._file, end - start, start).rfind(b"\n")
            end = start + found + 1 if found >= 0 else start
        if end < size:
            os.ftruncate(self._file, end)
        return end

    @contextmanager
    def _locked(self, how: int = fcntl.LOCK_EX) -> Iterator[None]:
        """Keep other threads out, and other processes; held for microseconds."""
        with self._turn:
            fcntl.flock(self._file, how)
            try:
                yield
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)


def _head(journal: str, database: str, mark: int) -> bytes:
    head = {"digest": _FORMAT, "journal": journal, "database": database, "mark": f"{mark:020d}"}
    return json.dumps(head).encode().ljust(WIDTH - 1) + b"\n"


def _read_head(file: int) -> dict[str, Any]:
    line = os.pread(file, WIDTH, 0)
    head = json.loads(line) if line.endswith(b"\n") else {}
    if head.get("digest") != _FORMAT or not all(
        isinstance(head.get(name), str) for name in ("journal", "database", "mark")
    ):
        raise ValueError("its first line is damaged")
    int(head["mark"])
    return head


def _write(file: int, data: bytes, *, at: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, at)
        view, at = view[written:], at + written


def _unusable(path: Path, problem: Exception) -> StoreError:
    why = getattr(problem, "strerror", None) or problem
    if isinstance(problem, ValueError):
        why = "its first line is damaged; move it away, and a new one is begun from the database"
    return StoreError(f"the journal {path} cannot be used: {why} (DIGEST_JOURNAL names it)")


def _line(entry: Entry) -> bytes:
    if isinstance(entry, Made):
        row = {"did": "made", **_plain(entry)}
        row["articles"] = [_plain(each) for each in entry.articles]
    else:
        row = {"did": _NAMES[type(entry)], **_plain(entry)}
    return json.dumps(row, separators=(",", ":")).encode() + b"\n"


def _plain(noun: Entry | Considered) -> dict[str, Any]:
    values = {name: getattr(noun, name) for name in noun.__dataclass_fields__}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }


def _entry(line: bytes) -> Entry | None:
    try:
        row = json.loads(line)
        did = row.pop("did")
        if did != "made":
            row["at"] = _time(row["at"])
            return _KINDS[did](**row)
        for name in ("made_at", "slot_at"):
            row[name] = _time(row[name])
        for each in row["articles"]:
            each["seen_at"] = _time(each["seen_at"])
        row["articles"] = tuple(Considered(**each) for each in row["articles"])
        return Made(**row)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at
