"""Opening every link of every mail, as filters do, changes nothing, with scripts or without."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from browsing import MARKS, browser
from loopback import Mail, Relay, Site
from playwright.async_api import BrowserContext
from reader_house import House, links_of, open_house

pytestmark = MARKS

#: how long a filter looks at a page, seconds
LOOKS = 10


@pytest.fixture
async def house(tmp_path: Path, site: Site, relay: Relay) -> AsyncIterator[House]:
    async with open_house(tmp_path, site, relay) as one:
        yield one


async def mails(house: House) -> list[Mail]:
    """Those of each kind: to confirm, an edition, to confirm a new address, and word of that."""
    await house.join("anna@example.org")
    await house.join("carl@example.org", frequency="weekly")
    await house.sign_up("ben@example.org")
    await house.publish("Turnier im Hafen", "Rathaus wird gestrichen", "Regen")
    moving = [
        await house.move(f"{name}@example.org", f"{name}@neu.example") for name in ("anna", "carl")
    ]
    answer = await house.client.post(moving[0].link("confirm"))
    assert answer.status_code == 200
    await house.deliver()
    assert house.relay.copies == {
        "anna@example.org": 3,
        "anna@neu.example": 1,
        "ben@example.org": 1,
        "carl@example.org": 2,
        "carl@neu.example": 1,
    }
    return list(house.relay.mails)


async def open_in(context: BrowserContext, url: str) -> None:
    """Open a page as a person's browser would, and wait."""
    page = await context.new_page()
    await page.goto(url)
    await asyncio.sleep(LOOKS)


async def test_opening_every_link_of_every_mail_changes_nothing(house: House) -> None:
    links = {url for mail in await mails(house) for url in links_of(mail)}
    past = house.relay.to("anna@example.org")[0].link("confirm")
    ours = sorted(url for url in links if url.startswith(house.home))
    kinds = {url.removeprefix(house.home).split("/")[1] for url in ours}
    assert {"confirm", "unsubscribe", "preferences", "archive"} <= kinds
    before, files = house.rows(), house.files()
    async with httpx.AsyncClient() as scanner:
        for method in ("HEAD", "GET"):
            for url in ours:
                answer = await scanner.request(method, url)
                # whoever moved on has nothing to confirm any more
                assert answer.status_code == (404 if url == past else 200), (method, url)
                assert "set-cookie" not in answer.headers
    async with browser() as chromium:
        context = await chromium.new_context()
        await context.route(
            lambda asked: not asked.startswith(house.home), lambda route: route.abort()
        )
        await asyncio.gather(*(open_in(context, url) for url in ours))
    assert len(before["subscriptions"]) == 5
    assert house.rows() == before
    assert house.files() == files
