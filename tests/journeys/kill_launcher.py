"""Turns lines on standard input into processes that run `digest`, and can make them end themselves.

Each is forked from this one, which has everything imported: a process of its own in all that the
kernel and the ledger see, without the two seconds that Python takes to begin. A line is a JSON
object: `folder`, `arguments`, `errors` (a file), and what the process does to itself:

`point`     how many points it passes before its `signal` comes; a point is each INSERT, UPDATE or
            DELETE just after the database did it, and each COMMIT of these just after it is done
            (its name ends in that of the last write before it)
`only`      count only points whose SQL begins so
`signal`    what comes then: 9 kills, 19 stops
`lease`     seconds that a lease lasts, instead of 60
`idle`      seconds that PostgreSQL keeps a transaction in which nothing is said
`fresh`     begin Python anew, as an operator does; the others are of no effect then

Run as `python kill_launcher.py`. When its input ends it kills what it started.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import sys
from datetime import timedelta
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.ext.asyncio import create_async_engine

from digest import service
from digest.cli.main import main
from digest.jobs import lease, worker
from digest.model.delivery import DeliveryState
from digest.store import dialect

PR_SET_PDEATHSIG = 1
_STATES = frozenset(DeliveryState)
_WRITES = ("INSERT", "UPDATE", "DELETE")


def _end_at(wish: dict[str, Any]) -> None:
    """Arrange that this process gets its signal when it has passed so many points."""
    only, left = wish.get("only", ""), wish["point"]

    def pass_point(what: str) -> None:
        nonlocal left
        if what.startswith(only):
            left -= 1
            if left == 0:
                sys.stderr.write(f"ended after {what}\n")
                sys.stderr.flush()
                os.kill(os.getpid(), wish.get("signal", signal.SIGKILL))

    #: the last write of each connection that is in a transaction
    written: dict[int, str] = {}

    @event.listens_for(Engine, "after_cursor_execute")
    def _executed(connection: Any, _: Any, statement: str, values: Any, *_more: Any) -> None:
        words = statement.split()
        if words[0] in _WRITES:
            name = _name(words, values)
            if "journals" not in words[:3]:  # they count in most transactions, and name none
                written[id(connection.connection.dbapi_connection)] = name
            pass_point(name)

    commit: Any = DefaultDialect.do_commit

    def do_commit(self: DefaultDialect, connection: Any) -> None:
        commit(self, connection)
        which = id(getattr(connection, "dbapi_connection", connection))
        if which in written:
            pass_point(f"COMMIT {written.pop(which)}")

    DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]


def _name(words: list[str], values: Any) -> str:
    """`INSERT INTO slots`, `UPDATE workers`, and for a delivery the state that it gets."""
    what = words[: 2 if words[0] == "UPDATE" else 3]
    if what == ["UPDATE", "deliveries"]:
        what += [next(each for each in values if each in _STATES)]
    return " ".join(what)


def _shorten_lease(seconds: float) -> None:
    worker.LEASE = timedelta(seconds=seconds)
    vars(lease)["SHOWN_EVERY"] = seconds / 4
    vars(service)["REST"] = seconds / 4


def _become(wish: dict[str, Any]) -> None:
    """Be `digest` with these arguments; never returns."""
    os.setpgid(0, 0)
    # whoever ends the launcher, however roughly, leaves no process behind (prctl(2))
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(each, signal.default_int_handler if each == signal.SIGINT else signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    os.chdir(wish["folder"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(os.open(wish["errors"], os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    if wish.get("fresh"):
        os.execv(sys.executable, [sys.executable, "-m", "digest", *wish["arguments"]])  # noqa: S606
    if "lease" in wish:
        _shorten_lease(wish["lease"])
    if "idle" in wish:
        vars(dialect)["IDLE_SECONDS"] = wish["idle"]
    if "point" in wish:
        _end_at(wish)
    sys.argv = ["digest", *wish["arguments"]]
    try:
        main()
    except SystemExit as end:
        sys.stderr.flush()
        os._exit(end.code if isinstance(end.code, int) else int(end.code is not None))
    except BaseException:  # noqa: BLE001 -- the test reads the trace
        sys.excepthook(*sys.exc_info())
    os._exit(1)


def _serve() -> None:
    for name in [each for each in os.environ if each.startswith("DIGEST_")]:
        del os.environ[name]
    # the drivers too, so that no child has to import them
    for address in ("sqlite+aiosqlite://", "postgresql+asyncpg://"):
        create_async_engine(address)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    heard, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker)
    children: set[int] = set()
    rest = b""
    while True:
        ready, _, _ = select.select([0, heard], [], [])
        if heard in ready:
            os.read(heard, 512)
            _reap(children)
        if 0 in ready:
            read = os.read(0, 65536)
            if not read:
                break
            *lines, rest = (rest + read).split(b"\n")
            for line in lines:
                child = os.fork()
                if child == 0:
                    _become(json.loads(line))
                children.add(child)
                _tell(f"began {child}")
    for child in children:
        os.kill(child, signal.SIGKILL)


def _reap(children: set[int]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        children.discard(pid)
        _tell(f"ended {pid} {os.waitstatus_to_exitcode(status)}")


def _tell(line: str) -> None:
    os.write(1, line.encode() + b"\n")


if __name__ == "__main__":
    _serve()
