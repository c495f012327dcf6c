"""The whole service in this process, on loopback: a feed, a relay, pages, and a clock by hand.

What readers do goes through the pages and the mail, as it does for them.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import html5lib
import httpx
from fastapi import FastAPI
from loopback import Item, Mail, Relay, Site

from digest.app import open_app
from digest.jobs.dispatch import send_now
from digest.jobs.send import deliver
from digest.jobs.world import World
from digest.model.newsletter import FeedSource, Newsletter, Schedule, Sender, Topic
from digest.service import open_door, serving
from digest.settings import Settings
from digest.store.queue import Scope
from digest.web.app import make_web

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SLUG = "stadtblatt"


@dataclass
class Clock:
    """A clock that is moved by hand."""

    at: datetime = NOW
    #: how far it goes each time somebody looks
    pace: timedelta = timedelta()

    def __call__(self) -> datetime:
        self.at += self.pace
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


def paper(feed: str) -> Newsletter:
    """A newsletter with all there can be to choose from."""
    return Newsletter(
        slug=SLUG,
        title="Stadtblatt am Morgen",
        description="Was Beispielstadt bewegt, vor dem ersten Kaffee.",
        sender=Sender(name="Stadtblatt", address="post@stadtblatt.example"),
        reply_to=None,
        language="de",
        timezone="Europe/Berlin",
        theme="plain",
        address="Stadtblatt, Am Markt 1, 12345 Beispielstadt",
        imprint_url="https://stadtblatt.example/impressum",
        feeds=(FeedSource(url=feed),),
        schedules=(
            Schedule(name="daily", cron="0 7 * * *"),
            Schedule(name="weekly", cron="0 7 * * mon"),
        ),
        limit=20,
        topics=(
            Topic(name="rathaus", title="Rathaus & Ämter", words=("Rathaus",)),
            Topic(name="sport", title="Sport", words=("Turnier",)),
        ),
    )


def notes(feed: str) -> Newsletter:
    """A second one, with nothing to choose from."""
    return replace(
        paper(feed),
        slug="harbour",
        title="Harbour Notes",
        description="Tides, ships and people.",
        language="en",
        imprint_url=None,
        schedules=(Schedule(name="weekly", cron="0 7 * * mon"),),
        topics=(),
    )


@dataclass(frozen=True)
class House:
    """What is open."""

    world: World
    web: FastAPI
    home: str
    folder: Path
    site: Site
    relay: Relay
    client: httpx.AsyncClient
    clock: Clock
    #: what the feed has told so far
    told: list[Item] = field(default_factory=list)

    @property
    def newsletter(self) -> Newsletter:
        return self.world.newsletters[0]

    async def sign_up(self, address: str, **choices: Any) -> Mail:
        """Fill in the form on the newsletter's page; the mail that asks to confirm."""
        page = await self.client.get(f"/{SLUG}")
        self.clock.forward(seconds=30)  # nobody types faster
        answer = await self.client.post(
            "/subscribe", data={**hidden_fields(page.text), "email": address, **choices}
        )
        assert answer.status_code == 200, answer.text
        await self.deliver()
        return self.relay.to(address)[-1]

    async def join(self, address: str, **choices: Any) -> None:
        """Sign up and confirm."""
        mail = await self.sign_up(address, **choices)
        answer = await self.client.post(mail.link("confirm"))
        assert answer.status_code == 200, answer.text

    async def move(self, address: str, to: str) -> Mail:
        """Ask for mail at another address; the mail that asks there to confirm."""
        link = self.relay.to(address)[-1].link("preferences")
        answer = await self.client.post(link, data={"do": "move", "address": to})
        assert answer.status_code == 200, answer.text
        await self.deliver()
        return self.relay.to(to)[-1]

    async def publish(self, *titles: str) -> None:
        """The feed brings these; everybody gets his edition."""
        now = self.clock()
        items = [Item(title, now - timedelta(minutes=place)) for place, title in enumerate(titles)]
        self.told[:0] = items
        self.site.feed("/feed", *self.told)
        self.clock.forward(minutes=1)
        done = await send_now(
            self.world,
            self.newsletter,
            self.newsletter.schedules,
            gathering=True,
            stop=asyncio.Event(),
            told=lambda _: None,
        )
        assert done.editions, "nothing was new"

    async def deliver(self) -> None:
        """Deliver what is waiting, but for editions."""
        await deliver(self.world, Scope(editions=frozenset()))

    def rows(self) -> dict[str, list[tuple[object, ...]]]:
        """Every row of every table."""
        with closing(sqlite3.connect(self.folder / "digest.db")) as connection:
            names = [
                str(name)
                for (name,) in connection.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table'"
                )
            ]
            return {
                name: sorted(connection.execute(f'SELECT * FROM "{name}"'), key=repr)  # noqa: S608 -- a table's own name
                for name in names
            }

    def files(self) -> dict[str, bytes]:
        """Everything that is kept beside the database."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and not path.name.startswith("digest.db")
        }


def hidden_fields(html: str) -> dict[str, str]:
    """What the first form of a page sends without being asked."""
    form = html5lib.parse(html, namespaceHTMLElements=False).find(".//form")
    fields = [each.attrib for each in form.iter("input") if each.attrib.get("type") == "hidden"]
    return {each["name"]: each.get("value", "") for each in fields if "name" in each}


def links_of(mail: Mail) -> list[str]:
    """Every address in either part of a mail and in its header that leads to the web."""
    found = re.findall(r"https?://[^\s<>]+", mail.text)
    html = mail.message.get_body(("html",))
    if html is not None:
        tree = html5lib.parse(html.get_content(), namespaceHTMLElements=False)
        found += [each.attrib["href"] for each in tree.iter() if "href" in each.attrib]
        found += [each.attrib["src"] for each in tree.iter() if "src" in each.attrib]
    for name, value in mail.message.items():
        if name.lower().startswith("list-"):
            found += re.findall(r"<(https?://[^>]+)>", str(value))
    return list(dict.fromkeys(each for each in found if each.startswith("http")))


#: whoever says so comes from one network (RFC 5737); all others come through the proxy itself
NEIGHBOUR = {"X-Forwarded-For": "192.0.2.7"}


@asynccontextmanager
async def open_house(
    folder: Path, site: Site, relay: Relay, **more: object
) -> AsyncIterator[House]:
    """A fresh service in `folder`, which ends in order; `more` are further settings."""
    door, clock = open_door("127.0.0.1", 0), Clock()
    home = f"http://127.0.0.1:{door.getsockname()[1]}"
    settings = Settings.model_validate(
        {
            "database_url": f"sqlite:///{folder / 'digest.db'}",
            "secret_key": "a secret that is long enough for tests",
            "public_url": home,
            "templates_dir": folder / "templates",
            "smtp_host": "127.0.0.1",
            "smtp_port": relay.port,
            "feed_allow_private": True,
            "journal": folder / "digest.journal",
            "spool": folder / "digest.spool",
            "proxies": 1,
            **more,
        }
    )
    papers = (paper(site.url + "/feed"), notes(site.url + "/notes"))
    async with open_app(settings, papers, clock=clock) as world:
        web = make_web(world)
        async with serving(web, door), httpx.AsyncClient(base_url=home, timeout=20) as client:
            yield House(world, web, home, folder, site, relay, client, clock)
