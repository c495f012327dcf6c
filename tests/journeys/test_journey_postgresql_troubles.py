"""PostgreSQL lets nobody in for a while, or a sleeper holds its rows: workers get over both."""

from __future__ import annotations

import asyncio
import signal

import asyncpg
import pytest
from kill_house import House
from sqlalchemy.engine import make_url

pytest_plugins = ["kill_fixtures"]
pytestmark = [
    pytest.mark.kill,
    pytest.mark.parametrize("database_url", ["postgresql"], indirect=True),
]


def test_a_server_that_takes_nobody_in(house: House, database_url: str) -> None:
    """As it says while it starts up, or when it has too many clients."""
    readers = 40
    house.set_up(database_url, readers=readers, connections=4)
    house.relay.delay = 0.05
    house.publish("Eins", "Zwei")
    worker = house.start("worker", lease=1.5)
    house.relay.wait_for("dot kept", 10)
    asyncio.run(_shut_for_a_while(database_url))
    house.until_sent(readers, worker)
    worker.send(signal.SIGTERM)
    assert worker.wait() == 0, worker.said()
    assert "not currently accepting" in worker.said()
    assert (house.books(), house.roll()) == ({"sent": readers}, 0)
    assert len(house.relay.people) == readers
    assert house.relay.copies <= 4


async def _shut_for_a_while(url: str) -> None:
    name = make_url(url).database
    connection = await asyncpg.connect(url, database="postgres")
    try:
        await connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
        )
        await asyncio.sleep(1.5)
        await connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    finally:
        await connection.close()


def test_a_sleeper_inside_a_write_is_put_out(house: House, database_url: str) -> None:
    """The server ends its transaction, so that another worker can take its rows."""
    readers = 3
    house.set_up(database_url, readers=readers, connections=1)
    house.publish("Eins", "Zwei")
    fence, stop = "UPDATE deliveries dotted", int(signal.SIGSTOP)
    zombie = house.start("worker", lease=1.5, idle=2, only=fence, point=1, signal=stop)
    zombie.wait_until_says(f"ended after {fence}")
    other = house.start("worker", lease=1.5)
    house.relay.wait_for("dot answered", readers)
    zombie.send(signal.SIGCONT)
    zombie.wait_until_says("the database cannot be used")
    for each in (zombie, other):
        each.send(signal.SIGTERM)
        assert each.wait() == 0, each.said()
    assert (house.books(), house.roll()) == ({"sent": readers}, 0)
    assert (len(house.relay.people), house.relay.copies) == (readers, 0)
