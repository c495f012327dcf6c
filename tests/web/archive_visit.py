"""A web with an archive on any database: editions of any day, topics, and pictures on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from sqlalchemy import insert, update
from web_visit import HARBOUR, HOME, NOW, STADTBLATT, Clock, Visit

from digest.app import open_app
from digest.jobs.publish import publish_now
from digest.model.article import Image, NewArticle
from digest.model.edition import Edition
from digest.model.newsletter import Newsletter, Topic
from digest.settings import Settings
from digest.store import articles, feeds
from digest.store.tables import edition_articles, editions
from digest.web.app import make_web

PAPER = replace(
    STADTBLATT,
    topics=(
        Topic(name="verkehr", title="Verkehr", words=("Brücke", "Bus")),
        Topic(name="kultur", title="Kunst & Kultur", words=("Theater",)),
    ),
)
#: at the other end of the clock
FAR = replace(HARBOUR, slug="far", title="Far Notes", timezone="America/Los_Angeles")
#: the smallest whole GIF
GIF = bytes.fromhex(
    "47494638396101000100800000ffffff00000021f90401000000002c00000000010001000002024401003b"
)


@asynccontextmanager
async def visit_archive(
    folder: Path,
    *newsletters: Newsletter,
    database_url: str | None = None,
    public_url: str = HOME,
    private: bool = False,
) -> AsyncIterator[Visit]:
    """Open a world and a client for its web; `private`: pictures may come from loopback."""
    settings = Settings.model_validate(
        {
            "database_url": database_url or f"sqlite:///{folder / 'digest.db'}",
            "secret_key": "a secret that is long enough for tests",
            "public_url": public_url,
            "outbox": str(folder / "outbox"),
            "templates_dir": folder / "templates",
            "journal": None,
            "spool": folder / "digest.spool",
            "feed_allow_private": private,
        }
    )
    clock = Clock()
    async with open_app(settings, newsletters or (PAPER,), clock=clock) as world:
        web = make_web(world)
        transport = httpx.ASGITransport(app=web, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=HOME) as client:
            yield Visit(world=world, web=web, client=client, clock=clock)


def story(title: str, *, picture: str | None = None, url: str | None = None) -> NewArticle:
    return NewArticle(
        key=f"guid of {title}",
        link_key=None,
        url=url or "https://stadtblatt.example/meldung",
        title=title,
        excerpt=f"Mehr zu: {title}.",
        image=Image(url=picture, alt=f"Bild: {title}", width=600, height=400) if picture else None,
        author=None,
        categories=(),
        published_at=NOW,
        words=120,
    )


async def publish(web: Visit, *found: NewArticle, newsletter: Newsletter = PAPER) -> Edition:
    """An edition of these articles; a minute passes."""
    url = newsletter.feeds[0].url
    async with web.world.store.write() as connection:
        await feeds.know(connection, [url], now=NOW)
        feed = (await feeds.find(connection, [url], due_at=None))[0]
        await articles.keep(connection, feed.id, found, now=NOW)
    made = await publish_now(web.world, newsletter, newsletter.default_schedule)
    assert made is not None
    web.clock.at += timedelta(minutes=1)
    return made.edition


async def point_pictures(web: Visit, edition: Edition, old: str, new: str) -> None:
    """As if the theme had let this address through: mail shows https alone, loopback has none."""
    where = edition_articles.c.edition_id == edition.id
    async with web.world.store.write() as connection:
        for card in edition.written.cards:
            await connection.execute(
                update(edition_articles)
                .where(where, edition_articles.c.article_id == card.article_id)
                .values(card_html=card.html.replace(old, new))
            )


async def bury(web: Visit, made_at: str, subject: str, newsletter: str = "stadtblatt") -> int:
    """An edition of some day long ago, without articles; its id. Times are UTC."""
    async with web.world.store.write() as connection:
        added = await connection.execute(
            insert(editions)
            .values(
                newsletter=newsletter,
                schedule="daily",
                number=int(datetime.fromisoformat(made_at).timestamp() // 60),
                made_at=datetime.fromisoformat(made_at).replace(tzinfo=UTC),
                language="de",
                nonce="0" * 32,
                subject=subject,
                preheader=f"Vorab: {subject}",
                html=f"<html><head></head><body><p>{subject}</p></body></html>",
                text=subject,
            )
            .returning(editions.c.id)
        )
        return int(added.scalar_one())
