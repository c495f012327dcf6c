"""In a browser: the archive asks nobody but us, fits a telephone, and is found by its form."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import browsing
import uvicorn
from archive_visit import FAR, GIF, PAPER, bury, point_pictures, publish, story, visit_archive
from loopback import Page, serving_site
from playwright.async_api import Request
from web_visit import Visit

pytestmark = browsing.MARKS

PICTURE = "https://bilder.example"


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[tuple[str, Visit]]:
    door = socket.create_server(("127.0.0.1", 0))
    home = f"http://127.0.0.1:{door.getsockname()[1]}"
    async with visit_archive(folder, PAPER, FAR, public_url=home, private=True) as web:
        config = uvicorn.Config(web.web, log_level="warning", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve(sockets=[door]))
        yield home, web
        server.should_exit = True
        await running
    door.close()


async def test_a_reader_of_the_archive_is_seen_by_nobody_else(tmp_path: Path) -> None:
    with serving_site() as site:
        site.pages["/1.gif"] = Page(GIF, headers={"Content-Type": "image/gif"})
        async with serving(tmp_path) as (home, web), browsing.browser() as browser:
            edition = await publish(
                web,
                story("Brücke offen", picture=f"{PICTURE}/1.gif"),
                story("Bus kommt", picture=f"{PICTURE}/2.gif"),
            )
            await point_pictures(web, edition, PICTURE, site.url)
            asked: list[str] = []

            def note(request: Request) -> None:
                asked.append(request.url)

            context = await browser.new_context()
            context.on("request", note)
            page = await context.new_page()
            problems: list[str] = []
            page.on("console", lambda message: problems.append(message.text))
            await page.goto(f"{home}/archive/stadtblatt/{edition.id}", wait_until="networkidle")
            widths = "Array.from(document.images, image => image.naturalWidth)"
            assert await page.evaluate(widths) == [1, 0]
            await page.goto(f"{home}/archive", wait_until="networkidle")
            await page.goto(f"{home}/archive/stadtblatt", wait_until="networkidle")
    assert sorted(site.asked) == ["/1.gif", "/2.gif"]
    assert len(asked) >= 5
    assert {url.split("/", 3)[2] for url in asked} == {home.removeprefix("http://")}
    # the second picture is not there; nothing was against the page's policy
    assert [text for text in problems if "404" not in text] == []


async def test_one_finds_an_edition_by_the_form_alone(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as (home, web),
        browsing.browser() as browser,
    ):
        await publish(web, story("Brücke offen"), story("Regen"))
        await bury(web, "2026-05-01 07:00", "Im Mai")
        context = await browser.new_context(java_script_enabled=False, locale="en-GB")
        page = await context.new_page()
        await page.goto(f"{home}/archive")
        await page.get_by_label("Newsletter").select_option("stadtblatt")
        await page.get_by_label("Month").select_option(label="November 2026")
        await page.get_by_role("searchbox").fill("regen")
        await page.get_by_role("button", name="Search").click()
        assert await page.locator(".list li").count() == 1
        assert await page.get_by_label("Month").input_value() == "2026-11"
        await page.locator(".list a").click()
        assert page.url.startswith(f"{home}/archive/stadtblatt/")
        await page.locator(".digest-bar a").first.click()
        assert page.url == f"{home}/archive/stadtblatt"


async def test_the_archive_fits_the_narrowest_telephone(tmp_path: Path) -> None:
    wide = {}
    async with serving(tmp_path) as (home, web), browsing.browser() as browser:
        edition = await publish(web, story("Donaudampfschifffahrtsgesellschaft" * 3), story("x"))
        await bury(web, "2026-05-01 07:00", "Im Mai")
        context = await browser.new_context(viewport={"width": 320, "height": 700})
        page = await context.new_page()
        paths = ["/archive", "/archive/stadtblatt?q=x", f"/archive/stadtblatt/{edition.id}"]
        for path in paths:
            await page.goto(home + path)
            wide[path] = await page.evaluate("document.documentElement.scrollWidth")
            for link in await page.locator(".pages a, .feeds a, .digest-bar a").all():
                box = await link.bounding_box()
                assert box is not None
                assert box["height"] >= 24
    assert wide == dict.fromkeys(paths, 320)
