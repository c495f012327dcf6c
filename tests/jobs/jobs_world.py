"""An open world for jobs: any database, a clock moved by hand, a transport that is told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import func, select

from digest.app import open_app
from digest.deliveries.transport import Intend
from digest.errors import LeaseLost
from digest.jobs import join
from digest.jobs.publish import Published, publish_now
from digest.jobs.world import World
from digest.model.article import NewArticle
from digest.model.delivery import DeliveryState, Outcome, Reply, Sent, Uncertain
from digest.model.message import Message
from digest.model.newsletter import FeedSource, Newsletter, Schedule, Sender
from digest.settings import Settings
from digest.store import articles, feeds
from digest.store.tables import deliveries, metadata, subscribers, subscriptions

#: a Monday, 08:00 in Berlin
NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
FEED = "https://stadtblatt.example/feed"

STADTBLATT = Newsletter(
    slug="stadtblatt",
    title="Stadtblatt am Morgen",
    description="Was Beispielstadt bewegt.",
    sender=Sender(name="Stadtblatt", address="post@stadtblatt.example"),
    reply_to=None,
    language="de",
    timezone="Europe/Berlin",
    theme="plain",
    address="Stadtblatt, Am Markt 1, 12345 Beispielstadt",
    imprint_url=None,
    feeds=(FeedSource(url=FEED),),
    schedules=(
        Schedule(name="daily", cron="0 7 * * *"),
        Schedule(name="weekly", cron="0 7 * * mon"),
    ),
    limit=20,
)
DAILY, WEEKLY = STADTBLATT.schedules
ONLY_DAILY = replace(STADTBLATT, schedules=(DAILY,))


@dataclass
class Clock:
    """A clock that is moved by hand."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


@asynccontextmanager
async def open_world(
    database_url: str, clock: Clock, *newsletters: Newsletter, **settings: Any
) -> AsyncIterator[World]:
    """A world as the program opens it, with another clock and a spool of its own."""
    folder = TemporaryDirectory(prefix="digest-spool-")
    known = {
        "database_url": database_url,
        "secret_key": "a secret that is long enough for tests",
        "public_url": "http://news.example",
        "feed_allow_private": True,
        "templates_dir": Path("/nowhere"),
        "smtp_host": "127.0.0.1",
        "journal": None,
        "spool": Path(folder.name) / "digest.spool",
        **settings,
    }
    with folder:
        async with open_app(
            Settings.model_validate(known), newsletters or (STADTBLATT,), clock=clock
        ) as world:
            yield world


def sqlite(folder: Path) -> str:
    return f"sqlite:///{folder}/digest.db"


# --------------------------------------------------------------- readers and articles


async def admit(world: World, *names: str, frequency: str | None = None) -> None:
    """Active readers."""
    for name in names:
        await join.admit(
            world,
            address=f"{name}@example.org",
            newsletter=world.newsletters[0],
            frequency=frequency,
            door="cli",
            detail="a test",
        )


async def bring(world: World, *titles: str, feed: str = FEED, excerpt: str = "Mehr.") -> None:
    """New articles, as if a poll had brought them now."""
    now = world.clock()
    found = [_article(title, now - timedelta(minutes=n), excerpt) for n, title in enumerate(titles)]
    async with world.store.write() as connection:
        await feeds.know(connection, [feed], now=now)
        known = (await feeds.find(connection, [feed]))[0]
        await articles.keep(connection, known.id, found, now=now)


def _article(title: str, at: datetime, excerpt: str) -> NewArticle:
    return NewArticle(
        key=title,
        link_key=None,
        url=f"https://stadtblatt.example/{title}",
        title=title,
        excerpt=excerpt,
        image=None,
        author=None,
        categories=(),
        published_at=at,
        words=100,
    )


async def publish(world: World, *titles: str, schedule: Schedule = DAILY) -> Published:
    """An edition of these articles."""
    await bring(world, *titles)
    made = await publish_now(world, world.newsletters[0], schedule)
    assert made is not None
    return made


def titles(published: Published) -> list[str]:
    return [each.title for each in published.draft.articles]


# --------------------------------------------------------------- the ledger


@dataclass(frozen=True, kw_only=True)
class Row:
    """A delivery as the ledger has it."""

    id: int
    name: str
    state: DeliveryState
    notice: str | None
    attempts: int
    doubts: int
    owner: str | None
    due_at: datetime
    created_at: datetime
    reply: str | None


async def ledger(world: World) -> list[Row]:
    columns = [deliveries.c[name] for name in Row.__dataclass_fields__ if name != "name"]
    query = (
        select(*columns, subscribers.c.address)
        .join(subscriptions, subscriptions.c.id == deliveries.c.subscription_id)
        .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .order_by(deliveries.c.id)
    )
    async with world.store.read() as connection:
        rows = [each._asdict() for each in await connection.execute(query)]
    return [
        Row(
            **{
                **{name: row[name] for name in row if name != "address"},
                "state": DeliveryState(row["state"]),
                "name": row["address"].partition("@")[0],
            }
        )
        for row in rows
    ]


async def states(world: World) -> dict[str, str]:
    """How each reader's newest delivery stands."""
    return {row.name: row.state.value for row in await ledger(world)}


async def row_counts(world: World) -> dict[str, int]:
    """How many rows each table has."""
    async with world.store.read() as connection:
        return {
            table.name: (
                await connection.execute(select(func.count()).select_from(table))
            ).scalar_one()
            for table in metadata.sorted_tables
        }


# --------------------------------------------------------------- a transport that is told

Act = Outcome | Exception | Callable[[], Awaitable[None]]


def reply(text: str) -> Reply:
    code, enhanced, words = text.split(" ", 2)
    return Reply(code=int(code), enhanced=enhanced, text=words)


SENT = Sent(reply=reply("250 2.0.0 taken"))


@dataclass
class Script:
    """A `Transport` in memory: what happens is written down for each reader, attempt by attempt.

    An outcome comes after the dot; an exception is raised before it; a function is called just
    before the fence. Whoever is not named, and every attempt after those named, is sent.
    """

    acts: dict[str, list[Act]] = field(default_factory=dict)
    #: who has a message
    taken: list[str] = field(default_factory=list)
    attempts: list[str] = field(default_factory=list)

    async def send(self, message: Message, intend: Intend) -> Outcome:
        name = message.rcpt_to.partition("@")[0]
        self.attempts.append(name)
        waiting = self.acts.get(name, [])
        act = waiting.pop(0) if waiting else SENT
        if isinstance(act, Exception):
            raise act
        if callable(act):
            await act()
            act = SENT
        if not await intend():
            raise LeaseLost("not ours")
        if isinstance(act, Sent | Uncertain):
            self.taken.append(name)
        return act

    async def close(self) -> None:
        """Nothing is open."""


def scripted(world: World, acts: dict[str, list[Act]] | None = None) -> tuple[World, Script]:
    script = Script(acts or {})
    return replace(world, transport=script), script


def names(count: int) -> list[str]:
    return [f"r{number:02d}" for number in range(count)]


def each_state(rows: Iterable[Row]) -> list[str]:
    return [row.state.value for row in rows]
