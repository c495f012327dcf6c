"""An open world with one or two newsletters, and a browser without a screen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from fastapi import FastAPI

from digest.app import open_app
from digest.jobs import join
from digest.jobs.publish import publish_now
from digest.jobs.world import World
from digest.model.article import NewArticle
from digest.model.edition import Edition
from digest.model.newsletter import FeedSource, Newsletter, Schedule, Sender
from digest.model.subscriber import ConsentEvent, Subscription
from digest.settings import Settings
from digest.store import articles, consents, feeds, subscribers
from digest.subscribers.address import address_key
from digest.web.app import make_web

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
HOME = "http://news.example"
#: where the visitor comes from (RFC 5737)
VISITOR = "192.0.2.7"

STADTBLATT = Newsletter(
    slug="stadtblatt",
    title="Stadtblatt am Morgen",
    description="Was Beispielstadt bewegt, vor dem ersten Kaffee.",
    sender=Sender(name="Stadtblatt", address="post@stadtblatt.example"),
    reply_to=None,
    language="de",
    timezone="Europe/Berlin",
    theme="plain",
    address="Stadtblatt, Am Markt 1, 12345 Beispielstadt",
    imprint_url="https://stadtblatt.example/impressum",
    feeds=(FeedSource(url="https://stadtblatt.example/feed"),),
    schedules=(
        Schedule(name="daily", cron="0 7 * * *"),
        Schedule(name="weekly", cron="0 7 * * mon"),
    ),
    limit=20,
)
HARBOUR = replace(
    STADTBLATT,
    slug="harbour",
    title="Harbour Notes",
    description="Tides, ships and people.",
    language="en",
    imprint_url=None,
    schedules=(Schedule(name="weekly", cron="0 7 * * mon"),),
)


@dataclass
class Clock:
    """A clock that is moved by hand."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at


@dataclass(frozen=True)
class Visit:
    """What is served, and who visits."""

    world: World
    web: FastAPI
    client: httpx.AsyncClient
    clock: Clock

    def offer(self, *newsletters: Newsletter) -> None:
        """From now on these newsletters are there."""
        self.web.state.world = replace(self.world, newsletters=newsletters)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=headers)

    async def post(self, path: str, **fields: str) -> httpx.Response:
        return await self.client.post(path, data=fields)

    async def ask(self, address: str = "anna@example.org") -> Subscription:
        """A pending subscription."""
        await join.request(self.world, address=address, newsletter=STADTBLATT, door="web")
        return await self.known(address)

    async def admit(self, address: str = "anna@example.org") -> Subscription:
        """An active subscription."""
        return await join.admit(
            self.world, address=address, newsletter=STADTBLATT, door="cli", detail="a test"
        )

    async def known(self, address: str = "anna@example.org") -> Subscription:
        found = await self.all_of(address)
        assert len(found) == 1
        return found[0]

    async def all_of(self, address: str) -> list[Subscription]:
        async with self.world.store.read() as connection:
            return await subscribers.by_address(connection, address_key(address))

    async def record(self, address: str = "anna@example.org") -> list[ConsentEvent]:
        known = await self.known(address)
        async with self.world.store.read() as connection:
            return await consents.consent_record(connection, known.id)

    def confirm_path(self, found: Subscription) -> str:
        return f"/confirm/{self.world.signer.confirm_token(found.ref, found.request_nonce)}"

    def unsubscribe_path(self, found: Subscription) -> str:
        return f"/unsubscribe/{self.world.signer.unsubscribe_token(found.ref)}"

    def preferences_path(self, found: Subscription) -> str:
        return f"/preferences/{self.world.signer.preferences_token(found.ref)}"

    async def publish(self, *titles: str) -> Edition:
        """An edition of these articles; a minute passes."""
        url = STADTBLATT.feeds[0].url
        found = [_article(place, title) for place, title in enumerate(titles)]
        async with self.world.store.write() as connection:
            await feeds.know(connection, [url], now=NOW)
            feed = (await feeds.find(connection, [url], due_at=None))[0]
            await articles.keep(connection, feed.id, found, now=NOW)
        made = await publish_now(self.world, STADTBLATT, STADTBLATT.default_schedule)
        assert made is not None
        self.clock.at += timedelta(minutes=1)
        return made.edition


def _article(place: int, title: str) -> NewArticle:
    return NewArticle(
        key=title,
        link_key=None,
        url=f"https://stadtblatt.example/{place}",
        title=title,
        excerpt="Mehr dazu im Blatt.",
        image=None,
        author=None,
        categories=(),
        published_at=NOW - timedelta(minutes=place),
        words=120,
    )


@asynccontextmanager
async def visit(
    folder: Path, *newsletters: Newsletter, public_url: str = HOME, proxies: int = 0
) -> AsyncIterator[Visit]:
    """Open a world on a fresh SQLite in `folder` and a client for its web."""
    settings = Settings.model_validate(
        {
            "database_url": f"sqlite:///{folder / 'digest.db'}",
            "secret_key": "a secret that is long enough for tests",
            "public_url": public_url,
            "outbox": str(folder / "outbox"),
            "templates_dir": folder / "templates",
            "journal": None,
            "spool": folder / "digest.spool",
            "proxies": proxies,
        }
    )
    clock = Clock()
    async with open_app(settings, newsletters or (STADTBLATT,), clock=clock) as world:
        web = make_web(world)
        transport = httpx.ASGITransport(app=web, raise_app_exceptions=False, client=(VISITOR, 4711))
        async with httpx.AsyncClient(transport=transport, base_url=HOME) as client:
            yield Visit(world=world, web=web, client=client, clock=clock)
