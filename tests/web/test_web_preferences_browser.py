"""In a browser: settings are made by keyboard and without JavaScript, on a telephone, with no eyes
upon the reader but ours."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import browsing
import pytest
import uvicorn
from playwright.async_api import Page
from web_visit import HARBOUR, STADTBLATT, Visit, visit

from digest.jobs import join
from digest.model.newsletter import Topic
from digest.model.subscriber import SubscriptionState

pytestmark = browsing.MARKS

CITY = replace(
    STADTBLATT,
    topics=(
        Topic(name="chips", title="Chips", words=("chip*",)),
        Topic(name="robots", title="Robots", words=("robot*",)),
    ),
)
#: WCAG 2.2, 2.5.8: everything that is pressed is 24 pixels wide and high, or stands in a line
SMALL = """Array.from(document.querySelectorAll('button, summary, select, input, .choice'))
    .filter(each => each.offsetParent && !each.matches('.choice input'))
    .map(each => each.getBoundingClientRect())
    .filter(box => box.width < 24 || box.height < 24).length"""


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[tuple[str, Visit]]:
    door = socket.create_server(("127.0.0.1", 0))
    home = f"http://127.0.0.1:{door.getsockname()[1]}"
    async with visit(folder, CITY, HARBOUR, public_url=home) as web:
        config = uvicorn.Config(web.web, log_level="warning", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve(sockets=[door]))
        yield home, web
        server.should_exit = True
        await running
    door.close()


async def press(page: Page, name: str) -> None:
    """By keyboard."""
    button = page.get_by_role("button", name=name, exact=True).first
    await button.focus()
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


@pytest.mark.parametrize("scripts", [True, False])
async def test_settings_are_made_with_and_without_javascript(tmp_path: Path, scripts: bool) -> None:  # noqa: FBT001 -- both ways
    async with serving(tmp_path) as (home, web), browsing.browser() as browser:
        found = await web.admit()
        await join.admit(
            web.world, address="anna@example.org", newsletter=HARBOUR, door="cli", detail="a test"
        )
        context = await browser.new_context(
            java_script_enabled=scripts, locale="en-GB", viewport={"width": 320, "height": 640}
        )
        asked: set[str] = set()
        context.on("request", lambda request: asked.add(request.url.split("/", 3)[2]))
        page = await context.new_page()
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text))
        await page.goto(home + web.preferences_path(found))
        await page.get_by_label("weekly", exact=False).first.check()
        await page.get_by_label("At what time of day?").first.select_option("18")
        await page.get_by_label("Robots").uncheck()
        await press(page, "Save")
        assert "Saved." in await page.get_by_role("status").inner_text()
        assert await page.get_by_label("Robots").is_checked() is False
        # what is folded opens by keyboard
        await page.locator("summary", has_text="Language and time zone").focus()
        await page.keyboard.press("Enter")
        await page.get_by_label("Your time zone").fill("asia/tokyo")
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
        assert "Times are those of Asia/Tokyo." in await page.locator("main").inner_text()
        await page.locator("summary", has_text="Pause").first.click()
        await page.get_by_label("4 weeks").first.check()
        await press(page, "Pause")
        assert "Paused until" in await page.locator("main").inner_text()
        await press(page, "Unsubscribe")
        await page.goto(home + web.preferences_path(found))
        await press(page, "Get it again")
        known = {each.newsletter: each for each in await web.all_of("anna@example.org")}
        chosen = known[CITY.slug]
        assert chosen.state is SubscriptionState.ACTIVE
        assert (chosen.frequency, chosen.hour) == ("weekly", 18)
        assert chosen.topics == ("chips", "other")
        assert chosen.subscriber.timezone == "Asia/Tokyo"
        assert asked == {home.removeprefix("http://")}
        assert problems == []


async def test_every_page_fits_a_telephone_and_a_finger(tmp_path: Path) -> None:
    async with serving(tmp_path) as (home, web), browsing.browser() as browser:
        path = web.preferences_path(await web.admit())
        queries = ("", "?do=frequency&frequency=weekly", "?do=pause", "?do=less&topic=chips")
        page = await browser.new_page(locale="en-GB", viewport={"width": 320, "height": 640})
        for query in (*queries, "?do=erase"):
            await page.goto(home + path + query)
            await page.evaluate(
                "document.querySelectorAll('details').forEach(each => each.open = true)"
            )
            assert await page.evaluate("document.documentElement.scrollWidth") == 320, query
            assert await page.evaluate(SMALL) == 0, query
