"""In a browser: mail runs nothing, its links open, and every page fits a telephone."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import BrowserContext, async_playwright
from starlette.applications import Starlette
from starlette.routing import Mount

from digest.demo.inbox import make_inbox
from digest.demo.site import make_site

CHROMIUM = Path("/usr/bin/chromium")
STARTED = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
MAIL = (
    b"From: a@post.example\r\nTo: b@leser.example\r\nSubject: " + b"Wort" * 30 + b"\r\n"
    b"Content-Type: text/html\r\n\r\n<!doctype html><html><body>"
    b"<script>top.document.title = 'gekapert'</script>"
    b"<img src=x onerror=\"document.body.innerHTML = 'gekapert'\">"
    b"<a id=link href='LINK'>Weiter</a></body></html>"
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed"),
]


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[str]:
    door = socket.create_server(("127.0.0.1", 0))
    home = f"http://127.0.0.1:{door.getsockname()[1]}"
    (folder / "0001-b@leser.example.eml").write_bytes(
        MAIL.replace(b"LINK", home.encode() + b"/site/")
    )
    app = Starlette(
        routes=[
            Mount("/site", make_site(base_url=home + "/site", started_at=STARTED)),
            Mount("/inbox", make_inbox(folder)),
        ]
    )
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", ws="none"))
    running = asyncio.create_task(server.serve(sockets=[door]))
    yield home
    server.should_exit = True
    await running
    door.close()


@asynccontextmanager
async def browsing(**wishes: object) -> AsyncIterator[BrowserContext]:
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield await browser.new_context(**wishes)  # type: ignore[arg-type] # passed on as they are
        await browser.close()


async def test_a_mail_runs_nothing_and_its_links_open_a_whole_page(tmp_path: Path) -> None:
    async with serving(tmp_path) as home, browsing() as context:
        page = await context.new_page()
        await page.goto(f"{home}/inbox/m/0001-b@leser.example.eml")
        frame = page.frame_locator("iframe")
        assert await frame.locator("#link").inner_text() == "Weiter"
        assert "gekapert" not in await page.title()
        async with context.expect_page() as opening:
            await frame.locator("#link").click()
        opened = await opening.value
        await opened.wait_for_load_state()
        assert await opened.title() == "Kupfer & Code"
        # not sandboxed: what a link leads to works as it would anywhere
        assert await opened.evaluate("self.origin") == home


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_fits_a_telephone(tmp_path: Path, scheme: str) -> None:
    paths = ["/site/", "/site/hochspannung-drohnen-ueberwachung.html", "/site/jobs/", "/inbox/"]
    paths += [f"/inbox/m/0001-b@leser.example.eml?view={view}" for view in ("html", "headers")]
    wide = {}
    async with (
        serving(tmp_path) as home,
        browsing(viewport={"width": 375, "height": 800}, color_scheme=scheme) as context,
    ):
        page = await context.new_page()
        for path in paths:
            await page.goto(home + path)
            wide[path] = await page.evaluate("document.documentElement.scrollWidth")
    assert wide == dict.fromkeys(paths, 375)
