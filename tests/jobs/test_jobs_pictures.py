"""An edition shows pictures from their sites, from us or not at all, as its newsletter says."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from jobs_world import DAILY, FEED, NOW, STADTBLATT, Clock, open_world, row_counts, sqlite
from loopback import Page, Site, serving_site
from PIL import Image as Paint

from digest.jobs import pictures as job
from digest.jobs.illustrate import count_linked
from digest.jobs.pictures import Brought, bring_pictures, forget_pictures
from digest.jobs.publish import publish_now
from digest.jobs.rehearse import rehearse
from digest.jobs.world import World
from digest.model.article import Image, NewArticle
from digest.model.edition import Edition
from digest.model.newsletter import Newsletter, Pictures
from digest.store import articles, feeds

HOME = "https://news.example"
SERVED = replace(STADTBLATT, pictures="served")
_SOURCES = re.compile(r'<img\b[^>]*\bsrc="([^"]*)"')


def png(colour: str = "teal", size: tuple[int, int] = (800, 450)) -> bytes:
    out = BytesIO()
    Paint.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def there() -> Iterator[Site]:
    with serving_site() as site:
        site.pages["/a.png"] = Page(png())
        yield site


@asynccontextmanager
async def world_of(
    tmp_path: Path, newsletter: Newsletter = SERVED, **more: Any
) -> AsyncIterator[World]:
    settings = {"public_url": HOME, **more}
    async with open_world(sqlite(tmp_path), Clock(), newsletter, **settings) as world:
        yield world


async def bring(world: World, *urls: str, width: int | None = None) -> None:
    """Articles with these pictures."""
    found = [
        NewArticle(
            key=url,
            link_key=None,
            url="https://stadtblatt.example/meldung",
            title=title,
            excerpt="Mehr.",
            image=Image(url=url, alt=f"Bild {number}", width=width),
            author=None,
            categories=(),
            published_at=NOW - timedelta(minutes=number),
            words=100,
        )
        for number, (url, title) in enumerate(zip(urls, TITLES, strict=False))
    ]
    async with world.store.write() as connection:
        await feeds.know(connection, [FEED], now=NOW)
        known = (await feeds.find(connection, [FEED]))[0]
        await articles.keep(connection, known.id, found, now=NOW)


TITLES = (
    "Der Hafen bekommt einen neuen Kran",
    "Zweihundert Eichen am Kanal gepflanzt",
    "Orchester spielt in der Straßenbahn",
    "Bäcker streiken gegen das Nachtbackverbot",
    "Museum zeigt vergessene Landkarten",
)


async def publish(world: World) -> Edition:
    made = await publish_now(world, world.newsletters[0], DAILY)
    assert made is not None
    return made.edition


def sources(edition: Edition) -> list[str]:
    written = edition.written
    return _SOURCES.findall("".join([written.html, *(card.html for card in written.cards)]))


async def test_a_served_picture_has_our_address_and_its_true_size(
    tmp_path: Path, there: Site
) -> None:
    there.pages["/b.png"] = Page(png("navy", (300, 200)))
    async with world_of(tmp_path) as world:
        await bring(world, f"{there.url}/a.png", f"{there.url}/b.png")
        edition = await publish(world)
        found = sources(edition)
        assert len(found) == 2
        assert all(re.fullmatch(rf"{HOME}/pictures/[0-9a-f]{{64}}\.jpg", each) for each in found)
        html = "".join(card.html for card in edition.written.cards)
        assert "127.0.0.1" not in html
        assert 'alt="Bild 0"' in html
        shown = re.findall(r'<img\b[^>]*\bwidth="(\d+)" height="(\d+)"', html)
        assert shown == [("556", "313"), ("300", "200")]
        assert sorted(there.asked) == ["/a.png", "/b.png"]


@pytest.mark.parametrize(("theme", "count"), [("plain", 5), ("cards", 5), ("brief", 0)])
async def test_no_theme_shows_a_picture_of_another_host(
    tmp_path: Path, there: Site, theme: str, count: int
) -> None:
    urls = [f"{there.url}/{number}.png" for number in range(5)]
    for number, url in enumerate(urls):
        there.pages[url.removeprefix(there.url)] = Page(png(size=(800, 400 + number)))
    async with world_of(tmp_path, replace(SERVED, theme=theme)) as world:
        await bring(world, *urls)
        edition = await publish(world)
        html = "".join([edition.written.html, *(card.html for card in edition.written.cards)])
        assert len(set(sources(edition))) == count
        assert all(each.startswith(f"{HOME}/pictures/") for each in sources(edition))
        assert there.url not in html
        assert not re.search(r"\burl\(|\bbackground=|\bsrcset=", html)


async def test_a_picture_is_fetched_once_for_all_editions(tmp_path: Path, there: Site) -> None:
    async with world_of(tmp_path) as world:
        await bring(world, f"{there.url}/a.png")
        assert await bring_pictures(world, SERVED) == Brought(made=1)
        assert await bring_pictures(world, SERVED) == Brought()
        await publish(world)
        assert there.asked == ["/a.png"]


@pytest.mark.parametrize(
    "page",
    [
        Page(b'<svg xmlns="http://www.w3.org/2000/svg"/>', headers={"Content-Type": "image/svg"}),
        Page(b"<!doctype html><p>Please log in", headers={"Content-Type": "image/png"}),
        Page(b"", headers={"Content-Type": "image/png"}),
        Page(png()[:200]),
        Page(png(), status=404),
        Page(png() + b"\0" * (10 * 1024 * 1024)),
        Page(status=302, headers={"Location": "file:///etc/passwd"}),
    ],
    ids=["svg", "html", "nothing", "truncated", "404", "large", "file"],
)
async def test_a_story_without_a_picture_to_be_had_is_told_without_one(
    tmp_path: Path, there: Site, page: Page, caplog: pytest.LogCaptureFixture
) -> None:
    there.pages["/x.png"] = page
    async with world_of(tmp_path) as world:
        await bring(world, f"{there.url}/x.png", f"{there.url}/a.png")
        with caplog.at_level("WARNING", logger="digest.pictures"):
            edition = await publish(world)
        assert len(sources(edition)) == 1
        assert all(each.startswith(HOME) for each in sources(edition))
        assert TITLES[0] in "".join(card.html for card in edition.written.cards)
    assert "/x.png status=none reason=" in caplog.text


async def test_nothing_inside_the_house_is_asked(tmp_path: Path, there: Site) -> None:
    async with world_of(tmp_path, feed_allow_private=False) as world:
        await bring(world, f"{there.url}/a.png", "http://169.254.169.254/x", "http://[::1]/y")
        assert await bring_pictures(world, SERVED) == Brought(none=3)
        assert sources(await publish(world)) == []
    assert there.asked == []


async def test_a_slow_site_keeps_the_mail_waiting_for_a_little_only(
    tmp_path: Path, there: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.pages["/slow.png"] = Page(png(), delay=3)
    monkeypatch.setattr(job, "PATIENCE", 1.5)
    async with world_of(tmp_path) as world:
        await bring(world, f"{there.url}/slow.png", f"{there.url}/a.png")
        began = asyncio.get_running_loop().time()
        edition = await publish(world)
        assert len(sources(edition)) == 1
        assert asyncio.get_running_loop().time() - began < 2.9


async def test_no_pictures_are_no_pictures(tmp_path: Path, there: Site) -> None:
    ways: tuple[tuple[Pictures, int], ...] = (("none", 0), ("linked", 1))
    for way, count in ways:
        newsletter = replace(STADTBLATT, pictures=way)
        folder = tmp_path / way
        folder.mkdir()
        async with world_of(folder, newsletter) as world:
            await bring(world, "https://site.example/a.png")
            found = sources(await publish(world))
            assert found == ["https://site.example/a.png"] * count
            assert (await row_counts(world))["pictures"] == 0
    assert there.asked == []


async def test_a_rehearsal_asks_no_site_and_stores_nothing(tmp_path: Path, there: Site) -> None:
    async with world_of(tmp_path) as world:
        await bring(world, "https://site.example/a.png", f"{there.url}/a.png")
        before = await row_counts(world)
        found = await rehearse(world, SERVED, DAILY, gathering=False)
        assert found.prepared is not None
        assert await row_counts(world) == before
        assert count_linked(world, SERVED, found.prepared.draft.articles) == 2
        assert "https://site.example/a.png" in "".join(
            card.html for card in found.prepared.written.cards
        )
    assert there.asked == []


async def test_what_an_edition_shows_is_kept_and_the_rest_forgotten(
    tmp_path: Path, there: Site
) -> None:
    there.pages["/b.png"] = Page(png("navy"))
    one = replace(SERVED, limit=1)
    clock = Clock()
    async with open_world(sqlite(tmp_path), clock, one, public_url=HOME) as world:
        await bring(world, f"{there.url}/a.png", f"{there.url}/b.png")
        edition = await publish(world)
        assert len(sources(edition)) == 1
        assert (await row_counts(world))["pictures"] == 2
        clock.forward(days=31)
        assert await forget_pictures(world) == 1
        assert (await row_counts(world))["pictures"] == 1
