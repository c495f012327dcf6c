"""In a browser: the page that asks for work does it, waits for the person, and serves others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from browsing import MARKS, browser
from playwright.async_api import Page
from web_visit import VISITOR, Visit, visit

from digest.service import open_door, serving
from digest.store import crowds
from digest.subscribers import crowd

pytestmark = MARKS
BUTTON = "main form button"
REFUSED = "the server responded with a status of 429 (Too Many Requests)"
SAID = "#said"


@dataclass
class Desk:
    web: Visit
    page: Page
    home: str
    asked_for: list[str]

    async def sign_up(self, typed: str) -> None:
        """Open the page, read it for three seconds, type and press the button."""
        await self.page.goto(f"{self.home}/stadtblatt?lang=en")
        self.web.clock.at += timedelta(seconds=3)
        await self.page.fill("#email", typed)
        await self.page.click(BUTTON)

    async def title(self) -> str:
        return await self.page.inner_text("h1")

    async def known(self, typed: str) -> int:
        return len(await self.web.all_of(typed))


@asynccontextmanager
async def sitting(folder: Path, *, scripts: bool) -> AsyncIterator[Desk]:
    """A visitor whose network may sign up once more without work."""
    async with visit(folder, proxies=1) as web:
        web.web.state.beat = 0
        mark = web.world.signer.mark("network", b"192.0.2.0/24").hex()
        used = crowd.NETWORK.soft - 1
        many = crowds.Want(name=f"network/{mark}", count=used, limit=used)
        async with web.world.store.write() as connection:
            await crowds.take(connection, [many], now=web.clock.at, window=crowd.WINDOW)
        door = open_door("127.0.0.1", 0)
        home = f"http://127.0.0.1:{door.getsockname()[1]}"
        async with serving(web.web, door), browser() as chromium:
            context = await chromium.new_context(
                java_script_enabled=scripts,
                locale="en-GB",
                extra_http_headers={"X-Forwarded-For": VISITOR},
            )
            page = await context.new_page()
            desk = Desk(web=web, page=page, home=home, asked_for=[])
            page.on("request", lambda request: desk.asked_for.append(request.method))
            page.on("pageerror", lambda problem: desk.asked_for.append(str(problem)))
            page.on("console", lambda line: desk.asked_for.append(line.text))
            yield desk
            await context.close()


async def test_the_browser_works_and_the_person_presses_the_button(tmp_path: Path) -> None:
    async with sitting(tmp_path, scripts=True) as desk:
        await desk.sign_up("free@example.org")
        assert await desk.title() == "Please look into your mailbox"
        await desk.sign_up("anna@example.org")
        assert await desk.title() == "One more step"
        await desk.page.wait_for_function(
            "document.getElementById('said').textContent.startsWith('Done')", timeout=30_000
        )
        before = list(desk.asked_for)
        await desk.page.wait_for_timeout(1500)
        assert desk.asked_for == before  # nothing goes by itself
        assert await desk.known("anna@example.org") == 0
        assert await desk.page.get_attribute(SAID, "role") == "status"
        await desk.page.click(BUTTON)
        await desk.page.wait_for_function("document.querySelector('.typed') && !window.said")
        assert await desk.title() == "Please look into your mailbox"
        assert await desk.known("anna@example.org") == 1
        assert set(desk.asked_for) <= {
            "GET",
            "POST",
            # what Chromium says of the status of the page
            f"Failed to load resource: {REFUSED}",
        }


async def test_whoever_presses_at_once_is_sent_on_when_the_work_is_done(tmp_path: Path) -> None:
    async with sitting(tmp_path, scripts=True) as desk:
        await desk.sign_up("free@example.org")
        await desk.sign_up("anna@example.org")
        await desk.page.focus(BUTTON)
        await desk.page.keyboard.press("Enter")
        await desk.page.wait_for_selector("h1:has-text('Please look')", timeout=30_000)
        assert await desk.known("anna@example.org") == 1


async def test_without_scripts_one_waits_half_a_minute(tmp_path: Path) -> None:
    async with sitting(tmp_path, scripts=False) as desk:
        await desk.sign_up("free@example.org")
        await desk.sign_up("anna@example.org")
        assert "Please wait 30 seconds" in await desk.page.inner_text(SAID)
        desk.web.clock.at += timedelta(seconds=12)
        await desk.page.click(BUTTON)
        assert "Please wait 18 seconds" in await desk.page.inner_text(SAID)
        desk.web.clock.at += timedelta(seconds=18)
        await desk.page.click(BUTTON)
        assert await desk.title() == "Please look into your mailbox"
        assert await desk.known("anna@example.org") == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_fits_a_telephone(tmp_path: Path, scheme: str) -> None:
    async with sitting(tmp_path, scripts=True) as desk:
        await desk.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        await desk.page.set_viewport_size({"width": 320, "height": 700})
        await desk.sign_up("free@example.org")
        for typed in ("a" * 60 + "@" + "b" * 60 + ".example", "anna@example.org"):
            await desk.sign_up(typed)
            assert await desk.title() == "One more step"
            assert await desk.page.evaluate("document.documentElement.scrollWidth") == 320
