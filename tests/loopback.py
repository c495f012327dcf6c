"""Servers on loopback: a site with feeds, and a real mail server that keeps what it takes.

Both live in threads of the test process, so that processes of our own program can talk to them.
"""

from __future__ import annotations

import asyncio
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from email.utils import format_datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from aiosmtpd.smtp import SMTP

# --------------------------------------------------------------- feeds


@dataclass(frozen=True)
class Item:
    """One item of a feed; its link is made of its title."""

    title: str
    at: datetime | None
    text: str = "Mehr dazu im Blatt."


def rss(*items: Item, title: str = "Stadtblatt") -> bytes:
    """A feed of these items."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>{title}</title>'
        f"<link>https://stadtblatt.example/</link><description>d</description>"
        f"{''.join(map(_item, items))}</channel></rss>"
    ).encode()


def _item(item: Item) -> str:
    link = "https://stadtblatt.example/" + re.sub(r"\W+", "-", item.title.lower())
    date = f"<pubDate>{format_datetime(item.at)}</pubDate>" if item.at else ""
    return (
        f"<item><title>{escape(item.title)}</title><link>{link}</link><guid>{link}</guid>{date}"
        f"<description>{escape(item.text)}</description></item>"
    )


def recent(*titles: str) -> tuple[Item, ...]:
    """Items of the last minutes by the real clock, the first one the newest."""
    now = datetime.now(UTC)  # noqa: TID251 -- whole processes read the real clock
    return tuple(
        Item(title, now - timedelta(minutes=place)) for place, title in enumerate(titles, start=1)
    )


@dataclass
class Page:
    """What is served at a path."""

    body: bytes = b""
    status: int = 200
    #: the words behind the status
    reason: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    #: seconds before the answer
    delay: float = 0


@dataclass
class Site:
    """A web site: pages by path, and who asked for what."""

    url: str = ""
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    #: called with the path, before the answer
    on_asked: Callable[[str], None] = lambda _: None

    def feed(self, path: str, *items: Item, **headers: str) -> str:
        """Serve these items at `path` from now on; the address."""
        self.pages[path] = Page(rss(*items), headers=headers)
        return self.url + path


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet: whoever asked may hang up, and not wait for the answer."""


@contextmanager
def serving_site() -> Iterator[Site]:
    """A site on loopback."""
    site = Site()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self.path)
            site.on_asked(self.path)
            page = site.pages.get(self.path, Page(status=404))
            time.sleep(page.delay)
            etag = page.headers.get("ETag")
            unchanged = etag is not None and self.headers["If-None-Match"] == etag
            self.send_response(304 if unchanged else page.status, page.reason)
            for name, value in page.headers.items():
                self.send_header(name, value)
            body = b"" if unchanged else page.body
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the library's name
            """Keep quiet."""

    server = _Server(("127.0.0.1", 0), Answer)
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# --------------------------------------------------------------- mail


@dataclass(frozen=True)
class Mail:
    """A message that the relay took."""

    to: str
    data: bytes

    @property
    def message(self) -> EmailMessage:
        return BytesParser(EmailMessage, policy=default).parsebytes(self.data)

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"])

    @property
    def text(self) -> str:
        part = self.message.get_body(("plain",))
        assert part is not None
        return str(part.get_content())

    def link(self, word: str) -> str:
        """The first address in the text that leads to `/word/…`."""
        found = re.search(rf"https?://\S+/{word}/[\w-]+", self.text)
        assert found, self.text
        return found[0]


@dataclass
class Relay:
    """A mail server, and how it behaves; set any of it at any time."""

    port: int = 0
    mails: list[Mail] = field(default_factory=list)
    #: seconds between taking a message and saying so
    delay: float = 0
    #: what RCPT TO is answered, by address
    at_rcpt: dict[str, str] = field(default_factory=dict)
    #: what the final dot is answered, by address; "" hangs up after taking the message
    at_dot: dict[str, str] = field(default_factory=dict)
    #: called with the number of messages taken so far, before the reply to the dot
    on_taken: Callable[[int], None] = lambda _: None
    #: called with the address, before the reply to RCPT TO
    on_rcpt: Callable[[str], None] = lambda _: None
    #: what RCPT TO was asked for, in order
    asked: list[str] = field(default_factory=list)

    @property
    def got(self) -> list[str]:
        """To whom messages came, in alphabetical order."""
        return sorted(mail.to for mail in self.mails)

    @property
    def copies(self) -> Counter[str]:
        return Counter(mail.to for mail in self.mails)

    def calm(self) -> None:
        """Call nobody any more."""
        self.on_taken = lambda _: None
        self.on_rcpt = lambda _: None

    def to(self, address: str) -> list[Mail]:
        return [mail for mail in self.mails if mail.to == address]

    def wait(self, count: int, *, seconds: float = 15) -> None:
        """Wait until so many messages came."""
        until = time.monotonic() + seconds
        while len(self.mails) < count:
            assert time.monotonic() < until, f"{len(self.mails)} of {count} mails came"
            time.sleep(0.02)

    async def handle_RCPT(  # noqa: N802 -- the library's name
        self, _server: SMTP, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        self.asked.append(address)
        self.on_rcpt(address)
        answer = self.at_rcpt.get(address, "250 2.1.5 ok")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(  # noqa: N802 -- the library's name
        self, server: SMTP, _session: Any, envelope: Any
    ) -> str:
        to = envelope.rcpt_tos[0]
        answer = self.at_dot.get(to, "250 2.0.0 taken")
        if answer[:1] in ("", "2"):
            self.mails.append(Mail(to, envelope.original_content))
            self.on_taken(len(self.mails))
        if not answer:
            cast("asyncio.Transport", server.transport).abort()
        await asyncio.sleep(self.delay)
        return answer


@contextmanager
def running(relay: Relay, *, port: int = 0) -> Iterator[Relay]:
    """Let this relay listen on loopback, at any free port or at a given one."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> asyncio.Server:
        server = await loop.create_server(
            lambda: SMTP(relay, hostname="relay.example", enable_SMTPUTF8=True, loop=loop),
            "127.0.0.1",
            port,
        )
        relay.port = server.sockets[0].getsockname()[1]
        return server

    async def end(server: asyncio.Server) -> None:
        server.close()
        talks = asyncio.all_tasks(loop) - {asyncio.current_task(loop)}
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        await server.wait_closed()

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(5)
    try:
        yield relay
    finally:
        asyncio.run_coroutine_threadsafe(end(server), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def free_port() -> int:
    """A port at which nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
