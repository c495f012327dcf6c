"""New articles get from their pages what the feed left out, politely, and nothing is lost by it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any

import PIL.Image
import pytest
from jobs_world import FEED, NOW, Clock, open_world
from loopback import Page, Site
from sqlalchemy import select, update

from digest.articles.page import read as read_page
from digest.feeds.fetch import Fetcher
from digest.jobs import enrich as job
from digest.jobs.enrich import enrich
from digest.jobs.world import World
from digest.model.article import Image, NewArticle
from digest.model.newsletter import FeedSource
from digest.store import articles, texts
from digest.store.tables import articles as rows

SENTENCES = [
    f"Absatz {n}: Die Brücke am Hafen ist seit heute Morgen wieder offen, sagte die Stadt heute,"
    f" nachdem sie {n} Wochen lang gesperrt gewesen war und niemand hinüber durfte."
    for n in range(1, 8)
]
TEASERS, FULL = FeedSource(url=FEED), FeedSource(url=FEED, full_text=True)


def page(*, image: str | None = "/gross.png", lang: str = "de-DE", text: bool = True) -> Page:
    meta = f'<meta property="og:image" content="{image}">' if image else ""
    body = "".join(f"<p>{each}</p>" for each in SENTENCES) if text else ""
    html = f'<html lang="{lang}"><head>{meta}</head><body><article>{body}</article></body></html>'
    return Page(
        html.encode(),
        headers={"Content-Type": "text/html; charset=utf-8"},
    )


def png(width: int, height: int) -> Page:
    file = BytesIO()
    PIL.Image.new("RGB", (width, height)).save(file, "PNG")
    return Page(file.getvalue(), headers={"Content-Type": "image/png"})


@asynccontextmanager
async def hasty(database_url: str) -> AsyncIterator[World]:
    """A world whose fetcher does not wait out of politeness."""

    async def at_once(_: float) -> None:
        """No pause."""

    async with (
        open_world(database_url, Clock()) as world,
        Fetcher(allow_private=True, user_agent="tests", pause=at_once) as fetcher,
    ):
        yield replace(world, fetcher=fetcher)


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with hasty(database_url) as one:
        yield one


async def bring(world: World, url: str, **said: Any) -> int:
    """A new article that leads to `url`; its id."""
    candidate = said.pop("candidate", True)
    article = NewArticle(
        **{
            "key": url + str(said),
            "link_key": None,
            "url": url,
            "title": "Brücke offen",
            "excerpt": "Die Brücke ist …",
            "image": None,
            "author": None,
            "categories": (),
            "published_at": NOW - timedelta(hours=1),
            "words": 3,
            **said,
        }
    )
    async with world.store.write() as connection:
        [one] = await articles.add(connection, [(article, candidate, None)], now=NOW)
    return one


async def held(world: World, one: int) -> Any:
    async with world.store.read() as connection:
        return (await connection.execute(select(rows).where(rows.c.id == one))).one()


async def text_of(world: World, one: int) -> str | None:
    async with world.store.read() as connection:
        return (await texts.read(connection, [one])).get(one)


def pages_asked(site: Site) -> list[str]:
    return [path for path in site.asked if path != "/robots.txt"]


async def test_a_page_gives_text_words_excerpt_picture_and_language(
    world: World, site: Site
) -> None:
    site.pages |= {"/a": page(), "/gross.png": png(1200, 800)}
    one = await bring(world, site.url + "/a")
    assert await enrich(world, FULL, [one]) == 1
    row = await held(world, one)
    assert row.image == {"url": site.url + "/gross.png", "alt": "", "width": 1200, "height": 800}
    assert row.excerpt == SENTENCES[0]
    assert row.words > 150
    assert row.language == "de"
    assert row.page_read_at == NOW
    assert (row.version, row.updated_at) == (1, None)
    text = await text_of(world, one)
    assert text is not None
    assert all(each in text for each in SENTENCES)


async def test_without_full_text_only_the_picture_and_the_language_are_taken(
    world: World, site: Site
) -> None:
    site.pages |= {"/a": page(), "/gross.png": png(1200, 800)}
    one = await bring(world, site.url + "/a")
    assert await enrich(world, TEASERS, [one]) == 1
    row = await held(world, one)
    assert row.image["width"] == 1200
    assert (row.excerpt, row.words, row.language) == ("Die Brücke ist …", 3, "de")
    assert await text_of(world, one) is None


async def test_an_article_that_lacks_nothing_costs_no_request(world: World, site: Site) -> None:
    image = Image(url=site.url + "/x.png", alt="", width=800, height=600)
    one = await bring(world, site.url + "/a", image=image)
    assert await enrich(world, TEASERS, [one]) == 0
    assert site.asked == []
    assert (await held(world, one)).page_read_at is None


async def test_a_picture_of_unknown_size_costs_one_request_and_no_page(
    world: World, site: Site
) -> None:
    site.pages["/x.png"] = png(640, 360)
    one = await bring(world, site.url + "/a", image=Image(url=site.url + "/x.png", alt="Boot"))
    assert await enrich(world, TEASERS, [one]) == 1
    assert site.asked == ["/x.png"]
    assert (await held(world, one)).image == {
        "url": site.url + "/x.png",
        "alt": "Boot",
        "width": 640,
        "height": 360,
    }


@pytest.mark.parametrize(
    "answer",
    [
        png(80, 80),
        png(900, 150),
        Page(status=404),
        Page(b"<html>", headers={"Content-Type": "text/html"}),
    ],
    ids=["small", "banner", "gone", "page"],
)
async def test_what_is_no_picture_to_look_at_gives_way_to_the_pages(
    world: World, site: Site, answer: Page
) -> None:
    site.pages |= {"/a": page(), "/b": page(image=None), "/gross.png": png(1200, 800), "/x": answer}
    image = Image(url=site.url + "/x", alt="")
    one = await bring(world, site.url + "/a", image=image)
    two = await bring(world, site.url + "/b", image=image)
    assert await enrich(world, TEASERS, [one, two]) == 2
    assert (await held(world, one)).image["url"] == site.url + "/gross.png"
    assert (await held(world, two)).image is None


@pytest.mark.parametrize("status", [403, 500])
async def test_a_server_that_shuts_us_out_may_let_readers_in(
    world: World, site: Site, status: int
) -> None:
    site.pages["/x"] = Page(status=status)
    one = await bring(world, site.url + "/a", image=Image(url=site.url + "/x", alt=""))
    assert await enrich(world, TEASERS, [one]) == 0
    assert (await held(world, one)).image["url"] == site.url + "/x"


async def test_a_feeds_good_excerpt_stays(world: World, site: Site) -> None:
    site.pages["/a"] = page(image=None)
    good = "Seit heute Morgen ist die Brücke am Hafen offen, und alle freuen sich."
    one = await bring(world, site.url + "/a", excerpt=good)
    assert await enrich(world, FULL, [one]) == 1
    row = await held(world, one)
    assert row.excerpt == good
    assert row.words > 150


async def test_a_feeds_longer_text_stays_with_its_words(world: World, site: Site) -> None:
    site.pages["/a"] = page(image=None)
    one = await bring(world, site.url + "/a", words=999)
    long = "<p>" + "Lang und breit. " * 500 + "</p>"
    async with world.store.write() as connection:
        await texts.keep(connection, one, long, origin="feed")
    await enrich(world, FULL, [one])
    row = await held(world, one)
    assert (row.excerpt, row.words) == ("Die Brücke ist …", 999)
    assert await text_of(world, one) == long


async def test_robots_are_obeyed_unless_the_site_is_ours(world: World, site: Site) -> None:
    site.pages |= {"/a": page(image=None), "/robots.txt": Page(b"User-agent: *\nDisallow: /\n")}
    one = await bring(world, site.url + "/a")
    assert await enrich(world, FULL, [one]) == 0
    assert pages_asked(site) == []
    async with world.store.write() as connection:
        await connection.execute(update(rows).values(page_read_at=None))
    assert await enrich(world, replace(FULL, robots=False), [one]) == 1


async def test_what_is_not_told_is_not_asked_for(world: World, site: Site) -> None:
    site.pages |= {f"/{name}": page() for name in ("old", "held", "gone", "read")}
    old = await bring(world, site.url + "/old", candidate=False)
    kept, gone, read = [await bring(world, f"{site.url}/{n}") for n in ("held", "gone", "read")]
    nowhere = await bring(world, "")
    async with world.store.write() as connection:
        for one, what in (
            (kept, {"flood_id": 7}),
            (gone, {"withdrawn_at": NOW}),
            (read, {"page_read_at": NOW}),
        ):
            await connection.execute(update(rows).where(rows.c.id == one).values(what))
    assert await enrich(world, FULL, [old, kept, gone, read, nowhere, 999]) == 0
    assert await enrich(world, FULL, []) == 0
    assert site.asked == []


async def test_a_poll_costs_at_most_so_many_pages(
    world: World, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "PAGES", 3)
    site.pages |= {f"/{n}": page(image=None) for n in range(6)}
    found = [await bring(world, f"{site.url}/{n}") for n in range(6)]
    assert await enrich(world, FULL, found) == 3
    assert sorted(pages_asked(site)) == ["/0", "/1", "/2"]


async def test_one_bad_page_stops_no_other_and_nothing_is_raised(
    world: World, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pages |= {"/good": page(image=None), "/bad": page(image=None), "/junk": Page(b"\xff\x00<")}

    def breaks(html: str, url: str) -> Any:
        if url.endswith("/bad"):
            raise RuntimeError("a bug")
        return read_page(html, url)

    monkeypatch.setattr("digest.jobs.enrich.page.read", breaks)
    found = [await bring(world, f"{site.url}/{n}") for n in ("bad", "junk", "missing", "good")]
    assert await enrich(world, FULL, found) == 1
    assert (await held(world, found[3])).words > 150
    broken = replace(world, store=None)  # type: ignore[arg-type]
    assert await enrich(broken, FULL, found) == 0


async def test_an_edit_that_came_meanwhile_is_not_undone(world: World, site: Site) -> None:
    one = await bring(world, site.url + "/a")
    site.pages["/a"] = page(image=None)
    fetch = world.fetcher.fetch_page

    class Slow:
        async def fetch_page(self, url: str, *, robots: bool = True) -> Any:
            answer = await fetch(url, robots=robots)
            async with world.store.write() as connection:
                await connection.execute(update(rows).values(title="Neu", excerpt="Neu gesagt."))
            return answer

    await enrich(replace(world, fetcher=Slow()), FULL, [one])  # type: ignore[arg-type]
    row = await held(world, one)
    assert (row.title, row.excerpt) == ("Neu", "Neu gesagt.")
