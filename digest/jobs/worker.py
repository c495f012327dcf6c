"""Says who this process is to other workers, and which of the others are gone for certain."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

#: a worker that was not seen for this long has lost its lease
LEASE = timedelta(seconds=60)

#: how often a worker shows itself, seconds
SHOWN_EVERY = LEASE.total_seconds() / 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A process that delivers: its name in the ledger, and where and what it is."""

    id: str
    #: the boot and the process namespace in which `process` means something; "" if unknown
    machine: str
    #: pid and start time: a pid alone is given to another process one day
    process: str


def this_worker(token: bytes) -> Worker:
    """The process that runs this, under a name of its own for this run."""
    pid = os.getpid()
    try:
        machine, start = _machine(), _start_of(pid)
    except OSError:
        machine, start = "", None
    # who cannot say since when it lives is told by its lease alone
    return Worker(
        id=f"{pid}-{token.hex()}", machine=machine if start else "", process=f"{pid}-{start or ''}"
    )


def gone(others: list[tuple[str, str, str, datetime]], *, machine: str, now: datetime) -> list[str]:
    """The ids of workers that hold nothing any more.

    On this very machine a process can be looked up, so that a restart after a kill need not wait;
    elsewhere only the lease can tell.
    """
    return [
        owner
        for owner, where, process, seen_at in others
        if now - seen_at > LEASE or (where and where == machine and not _lives(process))
    ]


def _lives(process: str) -> bool:
    pid, _, start = process.partition("-")
    try:
        return bool(start) and _start_of(int(pid)) == start
    except OSError:
        # too many open files, say: who cannot look must not bury the living, nor itself
        return True


def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 -- it is no path to anything
    except OSError:
        return ""
    return f"{boot} {namespace}"


def _start_of(pid: int) -> str | None:
    """When the process began, in clock ticks after boot (proc(5), field 22); None if it is gone.

    Raises OSError when it cannot be looked up.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # the name in field 2 may hold anything, even brackets and blanks
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]
