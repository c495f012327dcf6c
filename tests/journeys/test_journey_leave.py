"""People leave while a send runs, while the database is locked, and while it is gone."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import asyncpg
import httpx
import pytest
from loopback import Relay, free_port
from sqlalchemy import func, insert, select
from sqlalchemy.engine import make_url

from digest import service
from digest.app import open_app
from digest.deliveries.transport import Intend, Transport
from digest.jobs import leave, spool
from digest.jobs.balance import balance
from digest.jobs.publish import publish_now
from digest.jobs.send import deliver
from digest.jobs.world import World
from digest.model.article import NewArticle
from digest.model.delivery import Outcome
from digest.model.message import Message
from digest.model.newsletter import FeedSource, Newsletter, Schedule, Sender
from digest.settings import Settings
from digest.store import articles, feeds
from digest.store.queue import Scope
from digest.store.spool import Spool, goodbyes
from digest.store.tables import deliveries, subscribers, subscriptions
from digest.web.app import make_web

READERS = 40
#: seconds between taking a message and saying so
SLOW = 0.04
FEED = "https://stadtblatt.example/feed"
STADTBLATT = Newsletter(
    slug="stadtblatt",
    title="Stadtblatt am Morgen",
    description="",
    sender=Sender(name="Stadtblatt", address="post@stadtblatt.example"),
    reply_to=None,
    language="de",
    timezone="Europe/Berlin",
    theme="plain",
    address="Stadtblatt, Am Markt 1, 12345 Beispielstadt",
    imprint_url=None,
    feeds=(FeedSource(url=FEED),),
    schedules=(Schedule(name="daily", cron="0 7 * * *"),),
    limit=20,
)
EVERYBODY = [f"r{number:02d}@example.org" for number in range(READERS)]


@dataclass
class Witness:
    """A `Transport` that notes when each message passed its fence."""

    transport: Transport
    passed: dict[str, float] = field(default_factory=dict)

    async def send(self, message: Message, intend: Intend) -> Outcome:
        async def noted() -> bool:
            passes = await intend()
            if passes:
                self.passed[message.rcpt_to] = time.monotonic()
            return passes

        return await self.transport.send(message, noted)

    async def close(self) -> None:
        await self.transport.close()


@dataclass
class Town:
    """An edition that is due to everybody, pages that are served, and who left when."""

    world: World
    witness: Witness
    pages: httpx.AsyncClient
    links: dict[str, str]
    #: when the answer to somebody's button came
    answered: dict[str, float] = field(default_factory=dict)

    async def press(self, address: str) -> None:
        answer = await self.pages.post(
            self.links[address], data={"List-Unsubscribe": "One-Click"}, timeout=30
        )
        assert answer.status_code == 200, answer.text
        self.answered[address] = time.monotonic()

    @property
    def spooled(self) -> int:
        return len(goodbyes(Spool(self.world.spool).read())[0])

    async def check(self, relay: Relay, leavers: Sequence[str]) -> None:
        """Nobody passed a fence after he was told that he left, and nobody else is missing."""
        got = set(relay.got)
        assert relay.copies.total() == len(got)
        assert set(EVERYBODY) - set(leavers) <= got
        late = [
            each
            for each in leavers
            if each in got and self.witness.passed[each] > self.answered[each]
        ]
        assert late == []
        (books,) = await balance(self.world, None)
        assert books.balanced
        assert (books.columns["sent"], books.columns["excluded"]) == (
            len(got),
            READERS - len(got),
        )
        assert set(leavers) - got
        async with self.world.store.read() as connection:
            query = select(func.count()).where(subscriptions.c.state == "unsubscribed")
            assert (await connection.execute(query)).scalar_one() == len(leavers)
        assert Spool(self.world.spool).is_empty()


@pytest.fixture
def half() -> list[str]:
    chance = random.Random(20261123)  # noqa: S311 -- the same people each time
    return chance.sample(EVERYBODY, READERS // 2)


@pytest.fixture
async def town(database_url: str, relay: Relay, tmp_path: Path) -> AsyncIterator[Town]:
    relay.delay = SLOW
    settings = Settings.model_validate(
        {
            "database_url": database_url,
            "secret_key": "a secret that is long enough for tests",
            "smtp_host": "127.0.0.1",
            "smtp_port": relay.port,
            "smtp_connections": 4,
            "templates_dir": tmp_path / "none",
            "journal": None,
            "spool": tmp_path / "digest.spool",
        }
    )
    async with open_app(settings, (STADTBLATT,)) as world:
        links = await fill(world)
        witness = Witness(world.transport)
        ours = replace(world, transport=witness)
        async with served(ours) as pages:
            yield Town(ours, witness, pages, links)


@asynccontextmanager
async def served(world: World) -> AsyncIterator[httpx.AsyncClient]:
    door = service.open_door("127.0.0.1", 0)
    home = f"http://127.0.0.1:{door.getsockname()[1]}"
    async with (
        service.serving(make_web(world), door),
        httpx.AsyncClient(base_url=home) as it,
    ):
        yield it


async def fill(world: World) -> dict[str, str]:
    """Readers, written at once, and an edition for them; the link of each."""
    now, refs = world.clock(), [world.secret_bytes(12) for _ in EVERYBODY]
    async with world.store.write() as connection:
        people = [
            {
                "id": number,
                "address": each,
                "address_key": each,
                "address_hash": each,
                "domain": "example.org",
                "language": "de",
                "created_at": now,
            }
            for number, each in enumerate(EVERYBODY, start=1)
        ]
        await connection.execute(insert(subscribers), people)
        consents = [
            {
                "ref": ref,
                "subscriber_id": number,
                "newsletter": STADTBLATT.slug,
                "state": "active",
                "frequency": "daily",
                "requested_at": now,
                "confirmed_at": now,
                "request_nonce": world.secret_bytes(16),
            }
            for number, ref in enumerate(refs, start=1)
        ]
        await connection.execute(insert(subscriptions), consents)
        await feeds.know(connection, [FEED], now=now)
        known = (await feeds.find(connection, [FEED]))[0]
        await articles.keep(connection, known.id, [article()], now=now)
    assert await publish_now(world, STADTBLATT, STADTBLATT.default_schedule)
    tokens = map(world.signer.unsubscribe_token, refs)
    return {each: f"/unsubscribe/{token}" for each, token in zip(EVERYBODY, tokens, strict=True)}


def article() -> NewArticle:
    return NewArticle(
        key="eins",
        link_key=None,
        url="https://stadtblatt.example/eins",
        title="Eins",
        excerpt="Mehr dazu im Blatt.",
        image=None,
        author=None,
        categories=(),
        published_at=None,
        words=100,
    )


async def until_taken(relay: Relay, count: int) -> None:
    async with asyncio.timeout(30):
        while len(relay.mails) < count:  # noqa: ASYNC110 -- it lives in another thread
            await asyncio.sleep(0.005)


async def test_half_of_the_readers_leave_while_the_send_runs(
    town: Town, relay: Relay, half: list[str]
) -> None:
    sending = asyncio.create_task(deliver(town.world, Scope()))
    await until_taken(relay, 2)
    for each in half:
        await town.press(each)
    await sending
    assert town.spooled == 0
    await town.check(relay, half)


async def test_half_of_the_readers_leave_while_the_database_is_locked(
    town: Town, relay: Relay, half: list[str], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The send waits for the lock as they do; when it is released, they have left already."""
    monkeypatch.setattr(leave, "PATIENCE", 0.3)
    sending = asyncio.create_task(deliver(town.world, Scope()))
    await until_taken(relay, 2)
    async with locked(database_url):
        await asyncio.gather(*map(town.press, half))
        assert town.spooled == len(half)
        assert not sending.done()
    await sending
    await town.check(relay, half)


HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


@asynccontextmanager
async def locked(url: str) -> AsyncIterator[None]:
    """Another process has all of the database, until the block ends."""
    if url.startswith("postgresql"):
        connection = await asyncpg.connect(url)
        async with connection.transaction():
            await connection.execute(
                "LOCK TABLE subscriptions, deliveries IN ACCESS EXCLUSIVE MODE"
            )
            yield
        await connection.close()
        return
    holder = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLD, str(make_url(url).database)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"held\n"
    try:
        yield
    finally:
        await holder.communicate(b"")  # its end lets go


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_half_of_the_readers_leave_while_the_server_is_gone(
    town: Town, relay: Relay, half: list[str], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service by itself: it answers, sends nothing, and goes on when the server is back."""
    monkeypatch.setattr(spool, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(service, "REST", 0.2)
    stop, port = asyncio.Event(), free_port()
    async with taken_away(database_url):
        serving = asyncio.create_task(
            service.serve(town.world, port=port, schedule=False, stop=stop)
        )
        await asyncio.gather(*map(town.press, half))
        assert town.spooled == len(half)
        await asyncio.sleep(0.5)
        assert relay.mails == []
    async with asyncio.timeout(30):
        while await still_open(town.world):  # noqa: ASYNC110 -- a database tells nobody
            await asyncio.sleep(0.1)
    stop.set()
    await serving
    await town.check(relay, half)
    assert set(relay.got) == set(EVERYBODY) - set(half)


@asynccontextmanager
async def taken_away(url: str) -> AsyncIterator[None]:
    """The server puts everybody out of this database and lets nobody in."""
    name = make_url(url).database
    connection = await asyncpg.connect(url, database="postgres")
    try:
        await connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
        )
        yield
    finally:
        await connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        await connection.close()


async def still_open(world: World) -> bool:
    async with world.store.read() as connection:
        query = select(deliveries.c.id).where(deliveries.c.state.not_in(("sent", "excluded")))
        return (await connection.execute(query)).first() is not None
