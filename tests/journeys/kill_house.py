"""Turns an empty database into a newsletter with readers and editions, and reads its books."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from kill_relay import Recorder
from kill_workers import LIMIT, Launcher, Process
from shell import Desk
from sqlalchemy import delete, func, insert, select, update

from digest.app import open_app
from digest.jobs.publish import publish_now
from digest.jobs.send import deliver
from digest.jobs.world import World
from digest.model.article import NewArticle
from digest.model.delivery import DeliveryState
from digest.settings import read_settings
from digest.store import articles, feeds, tables
from digest.store.queue import Scope
from digest.store.tables import (
    deliveries,
    edition_articles,
    editions,
    slots,
    subscribers,
    subscriptions,
)
from digest.store.troubles import workers

T = TypeVar("T")

#: all that comes of feeds, in an order in which it can be deleted
NEWS = (
    *(deliveries, edition_articles, slots, editions, workers),
    *(tables.appearances, tables.articles, tables.feeds),
)

#: nobody listens there; articles are brought by the tests themselves
FEED = "http://127.0.0.1:1/feed"


@dataclass(frozen=True)
class House:
    """A folder with settings, a database behind it, a server that records, and processes."""

    folder: Path
    relay: Recorder
    launcher: Launcher

    def set_up(
        self,
        database_url: str,
        *,
        readers: int,
        connections: int = 4,
        feed: str = FEED,
        **settings: str,
    ) -> None:
        """Write the settings, and the readers into the database."""
        Desk(self.folder).set_up(
            feed,
            **settings,
            smtp_port=self.relay.port,
            smtp_connections=connections,
            database_url=database_url,
        )

        async def fill(world: World) -> None:
            await _admit(world, readers)

        self.do(fill)

    @staticmethod
    def kind(database_url: str) -> str:
        return database_url.partition(":")[0]

    def do(self, journey: Callable[[World], Awaitable[T]]) -> T:
        """Run a journey in this process, in a world that is opened for it."""
        return asyncio.run(self._do(journey))

    async def _do(self, journey: Callable[[World], Awaitable[T]]) -> T:
        async with self.world() as world:
            return await journey(world)

    @asynccontextmanager
    async def world(self) -> AsyncIterator[World]:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            settings = read_settings(self.folder)
            async with open_app(settings) as world:
                yield world

    def start(self, *arguments: str, **wish: object) -> Process:
        """Start `digest` here."""
        return self.launcher.start(self.folder, *arguments, **wish)

    def bring(self, *titles: str) -> None:
        """New articles, as if a poll had brought them now."""

        async def keep(world: World) -> None:
            await _bring(world, titles)

        self.do(keep)

    def publish(self, *titles: str) -> int:
        """An edition of new articles for all readers; how many deliveries it has."""

        async def make(world: World) -> int:
            await _bring(world, titles)
            which = world.newsletters[0]
            made = await publish_now(world, which, which.default_schedule)
            assert made is not None
            return made.recipients

        return self.do(make)

    def finish(self) -> None:
        """Be an ordinary worker in this process until nothing is due any more."""

        async def work(world: World) -> None:
            await deliver(world, Scope())

        self.do(work)

    def books(self) -> dict[str, int]:
        """How many deliveries stand in each state."""
        return self.do(_books)

    def until_sent(self, count: int, *processes: Process) -> None:
        """Wait until the books say that so many are sent, or until one of these has ended."""
        until = time.monotonic() + LIMIT
        while self.books().get("sent", 0) < count and not any(each.ended() for each in processes):
            assert time.monotonic() < until, self.books()
            time.sleep(0.05)

    def doubts(self) -> int:
        """How many copies may exist, as the books have it."""

        async def add_up(world: World) -> int:
            async with world.store.read() as connection:
                query = select(func.coalesce(func.sum(deliveries.c.doubts), 0))
                return int((await connection.execute(query)).scalar_one())

        return self.do(add_up)

    def ledger(self) -> list[tuple[object, ...]]:
        """Every delivery as it stands."""

        async def read(world: World) -> list[tuple[object, ...]]:
            async with world.store.read() as connection:
                query = select(deliveries).order_by(deliveries.c.id)
                return [tuple(row) for row in await connection.execute(query)]

        return self.do(read)

    def roll(self) -> int:
        """How many workers are written down."""

        async def count(world: World) -> int:
            async with world.store.read() as connection:
                query = select(func.count()).select_from(workers)
                return int((await connection.execute(query)).scalar_one())

        return self.do(count)

    def rewind(self) -> None:
        """Put every delivery back to its beginning, and forget who worked and what was sent."""
        self.do(_rewind)
        self.relay.forget()

    def unpublish(self) -> None:
        """Take back all but the readers: no article is known, and nothing was sent."""

        async def take_back(world: World) -> None:
            async with world.store.write() as connection:
                for table in NEWS:
                    await connection.execute(delete(table))

        self.do(take_back)
        (self.folder / "digest.journal").unlink(missing_ok=True)
        self.relay.forget()

    def editions(self) -> list[tuple[int, int, int]]:
        """Each edition with how many slots, cards and deliveries it has that belong to it."""
        return self.do(_editions)


async def _books(world: World) -> dict[str, int]:
    query = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
    async with world.store.read() as connection:
        return {row[0]: row[1] for row in await connection.execute(query)}


async def _editions(world: World) -> list[tuple[int, int, int]]:
    parts = (slots.c.edition_id, edition_articles.c.edition_id, deliveries.c.edition_id)
    counts = [
        select(func.count()).where(column == editions.c.id).scalar_subquery() for column in parts
    ]
    async with world.store.read() as connection:
        return [
            (row[0], row[1], row[2])
            for row in await connection.execute(select(*counts).select_from(editions))
        ]


async def _rewind(world: World) -> None:
    async with world.store.write() as connection:
        await connection.execute(delete(workers))
        await connection.execute(
            update(deliveries).values(
                state=DeliveryState.QUEUED.value,
                owner=None,
                attempts=0,
                doubts=0,
                reply=None,
                due_at=deliveries.c.created_at,
            )
        )


async def _admit(world: World, count: int) -> None:
    """Active readers, written at once: their consent is not what is tested here."""
    now = world.clock()
    newsletter = world.newsletters[0]
    people = [f"r{number:05d}@example.org" for number in range(count)]
    async with world.store.write() as connection:
        await connection.execute(
            insert(subscribers),
            [
                {
                    "address": each,
                    "address_key": each,
                    "address_hash": each,
                    "language": "de",
                    "created_at": now,
                }
                for each in people
            ],
        )
        known = (await connection.execute(select(subscribers.c.id))).scalars()
        await connection.execute(
            insert(subscriptions),
            [
                {
                    "ref": world.secret_bytes(12),
                    "subscriber_id": each,
                    "newsletter": newsletter.slug,
                    "state": "active",
                    "frequency": newsletter.default_schedule.name,
                    "topics": [],
                    "requested_at": now,
                    "confirmed_at": now,
                    "request_nonce": world.secret_bytes(8),
                }
                for each in known
            ],
        )


async def _bring(world: World, titles: tuple[str, ...]) -> None:
    now = world.clock()
    found = [
        NewArticle(
            key=title,
            link_key=None,
            url=f"https://stadtblatt.example/{place}",
            title=title,
            excerpt="Mehr dazu im Blatt.",
            image=None,
            author=None,
            categories=(),
            published_at=now - timedelta(minutes=place),
            words=100,
        )
        for place, title in enumerate(titles)
    ]
    async with world.store.write() as connection:
        await feeds.know(connection, [FEED], now=now)
        known = (await feeds.find(connection, [FEED]))[0]
        await articles.keep(connection, known.id, found, now=now)
