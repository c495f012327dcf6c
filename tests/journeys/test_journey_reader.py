"""The whole way of a reader, in a real browser against the real command: from the form to leaving.

Three readers: one with a mouse, one without scripts, and one with nothing but a keyboard.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

import httpx
import pytest
from browsing import MARKS, browser
from loopback import Mail, Relay, Site, free_port, recent
from playwright.async_api import Browser, Locator, Page, Route
from shell import Desk, newsletters

pytestmark = MARKS

#: a form that comes back sooner was filled in by a machine
READING = 2.2
TOPICS = """\
[newsletter.topics.rathaus]
title = "Rathaus"
words = ["Rathaus"]
[newsletter.topics.sport]
title = "Sport"
words = ["Turnier"]
"""


@pytest.fixture
def desk(tmp_path: Path, site: Site, relay: Relay) -> Desk:
    one, feed = Desk(tmp_path), site.feed("/feed", *recent("Turnier am Hafen", "Rathaus zu"))
    one.set_up(feed, smtp_port=relay.port, public_url=f"http://127.0.0.1:{free_port()}")
    toml = newsletters(feed, more=TOPICS)
    (tmp_path / "newsletters.toml").write_text(toml, encoding="utf-8")
    return one


@asynccontextmanager
async def serving(desk: Desk) -> AsyncIterator[str]:
    """The service, until the reader is done; where it is."""
    found = re.search(r"PUBLIC_URL=(\S+)", (desk.folder / ".env").read_text(encoding="utf-8"))
    assert found
    home = found[1]
    process = desk.start("serve", f"--port={home.rpartition(':')[2]}", "--no-schedule")
    try:
        await _await(home, process)
        yield home
        process.terminate()
        _, err = await asyncio.to_thread(process.communicate, timeout=15)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, err
    assert "Traceback" not in err


async def _await(home: str, process: Popen[str]) -> None:
    async with httpx.AsyncClient() as client:
        for _ in range(200):
            try:
                if (await client.get(f"{home}/healthz")).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                assert process.poll() is None, process.communicate()
            await asyncio.sleep(0.1)
    raise AssertionError("the service did not come up")


@dataclass(frozen=True)
class Reader:
    """Somebody at a screen, with a mouse."""

    page: Page
    address: str

    async def go(self, target: Locator) -> None:
        """Press a button, tick a box or follow a link."""
        await target.click()

    async def write(self, label: str, text: str) -> None:
        await self.page.get_by_label(label).fill(text)

    async def press(self, name: str, heading: str) -> None:
        """Press a button, or follow a link, and come to a page with this heading."""
        button = self.page.get_by_role("button", name=name, exact=True)
        link = self.page.get_by_role("link", name=name, exact=True)
        await self.go(button.or_(link).first)
        await self.page.get_by_role("heading", name=heading, level=1).wait_for()

    async def choose(self, label: str) -> None:
        """Tick a box or a radio button, by the beginning of its label."""
        await self.go(self.page.get_by_label(re.compile(rf"^\s*{label}", re.IGNORECASE)).first)

    async def unfold(self, name: str) -> None:
        await self.go(self.page.locator("summary", has_text=re.compile(f"^{name}$")).first)

    async def open(self, mail: Mail) -> None:
        """Open a mail as a mail program would."""
        part = mail.message.get_body(("html",))
        assert part is not None
        html = str(part.get_content())

        async def answer(route: Route) -> None:
            await route.fulfill(content_type="text/html; charset=utf-8", body=html)

        await self.page.route("http://inbox.example/", answer)
        await self.page.goto("http://inbox.example/")
        await self.page.unroute("http://inbox.example/")


@dataclass(frozen=True)
class Typist(Reader):
    """Somebody who has no mouse: Tab, Space, Enter and the arrows."""

    async def go(self, target: Locator) -> None:
        await self.reach(target)
        kind = await target.evaluate("each => each.type || each.tagName")
        await self.page.keyboard.press("Enter" if kind in ("A", "submit") else "Space")

    async def write(self, label: str, text: str) -> None:
        await self.reach(self.page.get_by_label(label))
        await self.page.keyboard.type(text)

    async def reach(self, target: Locator) -> None:
        """Tab until it has the focus; in a group of radio buttons the arrows go on from there."""
        await target.wait_for()
        for _ in range(80):
            if await target.evaluate("each => each === document.activeElement"):
                return
            near = await target.evaluate(
                "each => each.type === 'radio' && document.activeElement.name === each.name"
            )
            await self.page.keyboard.press("ArrowDown" if near else "Tab")
        raise AssertionError(f"the keyboard does not reach {target}")


@dataclass(frozen=True)
class Books:
    """What is known of the readers."""

    desk: Desk
    relay: Relay

    def of(self, reader: Reader) -> tuple[str, str, str]:
        """State, frequency and topics of a subscription."""
        with closing(sqlite3.connect(self.desk.folder / "digest.db", timeout=10)) as connection:
            ((state, frequency, topics),) = connection.execute(
                "SELECT state, frequency, choice FROM subscriptions JOIN subscribers"
                " ON subscribers.id = subscriber_id WHERE address = ?",
                [reader.address],
            )
        return str(state), str(frequency), str(topics)

    async def mail(self, reader: Reader, number: int) -> Mail:
        """The mail of that number, once it is there."""
        for _ in range(150):
            if len(found := self.relay.to(reader.address)) >= number:
                return found[number - 1]
            await asyncio.sleep(0.1)
        raise AssertionError(f"{reader.address} got no mail {number}")


async def test_readers_join_read_choose_leave_return_and_leave(desk: Desk, relay: Relay) -> None:
    books = Books(desk, relay)
    async with serving(desk) as home, browser() as chromium:
        readers = [
            Reader(await sit_down(chromium), "mouse@example.org"),
            Reader(await sit_down(chromium, scripts=False), "noscript@example.org"),
            Typist(await sit_down(chromium), "keyboard@example.org"),
        ]
        await asyncio.gather(*(join(each, books, home) for each in readers))
        done = await asyncio.to_thread(desk.run, "send", "--json")
        # The service delivers too, and the quicker has sent it: each waits for his mail below.
        assert done.json["recipients"] <= 3
        await asyncio.gather(*(read_on(each, books) for each in readers))
        for each in readers:
            assert await each.page.context.cookies() == []


async def sit_down(chromium: Browser, *, scripts: bool = True) -> Page:
    """A page of somebody's own."""
    context = await chromium.new_context(
        java_script_enabled=scripts, locale="en-GB", viewport={"width": 375, "height": 700}
    )
    context.set_default_timeout(20_000)
    return await context.new_page()


async def join(reader: Reader, books: Books, home: str) -> None:
    """From the form over the inbox to the subscription."""
    await reader.page.goto(f"{home}/stadtblatt")
    await reader.write("Your email address", reader.address)
    await reader.choose("Sport")  # takes it away
    await asyncio.sleep(READING)
    await reader.press("Subscribe", "Please look into your mailbox")
    mail = await books.mail(reader, 1)
    await reader.open(mail)
    await reader.press(mail.link("confirm"), "One click is left")
    assert books.of(reader)[0] == "pending"
    await reader.press("Yes, I want to subscribe", "You are subscribed")
    assert books.of(reader) == ("active", "daily", "other,rathaus")


async def read_on(reader: Reader, books: Books) -> None:
    """What comes after the first edition."""
    edition = await books.mail(reader, 2)
    assert "Rathaus zu" in edition.text
    assert "Turnier" not in edition.text
    await change(reader, books, edition)
    await leave(reader, books, edition)


async def change(reader: Reader, books: Books, edition: Mail) -> None:
    """From a mail to the settings: another rhythm, a pause, and its end."""
    await reader.open(edition)
    await reader.press("Change your settings", "Your settings")
    await reader.choose("weekly")
    await reader.press("Save", "Your settings")
    await reader.page.get_by_text("It counts from the next mail on").wait_for()
    assert books.of(reader)[1] == "weekly"
    await reader.unfold("Pause")
    await reader.choose("4 weeks")
    await reader.press("Pause", "Your settings")
    await reader.page.get_by_text("Paused until").wait_for()
    await reader.press("Go on now", "Your settings")
    await reader.page.get_by_text("comes again from the next edition on").wait_for()
    await reader.choose("daily")
    await reader.press("Save", "Your settings")
    await reader.page.get_by_text("It counts from the next mail on").wait_for()
    assert books.of(reader)[:2] == ("active", "daily")


async def leave(reader: Reader, books: Books, edition: Mail) -> None:
    """Leave, be offered less, take it, and leave for good."""
    away = "Unsubscribe from this newsletter"
    await reader.open(edition)
    await reader.press(away, "Do you want to leave?")
    assert books.of(reader)[0] == "active"
    await reader.press("Unsubscribe", "You have left")
    assert books.of(reader)[0] == "unsubscribed"
    await reader.press("Come back, but weekly", "It is done")
    assert books.of(reader)[:2] == ("active", "weekly")
    await reader.open(edition)
    await reader.press(away, "Do you want to leave?")
    await reader.press("Unsubscribe", "You have left")
    assert books.of(reader)[0] == "unsubscribed"
