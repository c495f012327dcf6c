"""Measures a poll of many feeds: ours, and one feed after the other, against a server of its own.

    python bench/feeds.py [--feeds 500] [--changed 19] [--items 20]

The server is another process on loopback, each feed on an address of its own (127.0.x.y), as feeds
live on hosts of their own. All feeds but `--changed` answer 304; one of them takes the connection
and never says a word. Prints seconds, requests and what of it the hanging one cost.
"""

# ruff: noqa: INP001, T201 -- a script that prints

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from digest.app import open_app, utc_now
from digest.feeds.parse import parse
from digest.jobs.gather import Poll, gather
from digest.model.newsletter import FeedSource, Newsletter, Schedule, Sender
from digest.settings import Settings

TIMEOUT = 20
WORDS = "Der Markt am Fluss bekommt ein neues Dach, und die Stadt zahlt die Hälfte davon. " * 25


# --------------------------------------------------------------- the server


def address(number: int) -> str:
    """The host of a feed."""
    return f"127.0.{1 + number // 250}.{1 + number % 250}"


def document(number: int, items: int, edition: int) -> bytes:
    """A feed of so many items, three hours apart; each edition has one more."""
    newest = utc_now() - timedelta(hours=1)
    told = "".join(
        f"<item><title>Feed {number} Nr. {n}</title><guid>{number}-{n}</guid>"
        f"<link>https://f{number}.example/{n}</link><description>{WORDS}</description>"
        f'<media:content url="https://f{number}.example/{n}.jpg" medium="image" width="1200"'
        f' height="630"/><pubDate>{date(newest, edition + items - 1 - n)}</pubDate></item>'
        for n in range(edition, edition + items)
    )
    return (
        '<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel>'
        f"<title>Feed {number}</title><link>https://f{number}.example/</link>{told}</channel></rss>"
    ).encode()


def date(newest: datetime, place: int) -> str:
    """Three hours between two items, as a feed says it."""
    return format_datetime((newest - timedelta(hours=3 * place)).astimezone(UTC))


async def serve(feeds: int, changed: int, items: int) -> None:
    """Answer until killed. `/round` begins a round and says how many requests the last one had."""
    asked: Counter[str] = Counter()
    edition = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal edition
        host = writer.get_extra_info("sockname")[0].split(".")
        number = (int(host[2]) - 1) * 250 + int(host[3]) - 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                if head.startswith(b"get /round"):
                    body, status, etag = str(asked.total()).encode(), "200 OK", ""
                    asked.clear()
                    edition += 1
                else:
                    asked[head.split()[1].decode()] += 1
                    if number == feeds - 1 and edition > 1:
                        await asyncio.sleep(3600)
                    mine = edition if number < changed else 0
                    etag = f'ETag: "{mine}"\r\n'
                    same = f'if-none-match: "{mine}"'.encode() in head
                    status = "304 Not Modified" if same else "200 OK"
                    body = b"" if same else document(number, items, mine)
                writer.write(
                    f"HTTP/1.1 {status}\r\n{etag}Content-Length: {len(body)}\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    first = await asyncio.start_server(answer, address(0), 0, backlog=512)
    port = first.sockets[0].getsockname()[1]
    others = [address(n) for n in range(1, feeds)]
    if others:
        await asyncio.start_server(answer, others, port)
    print(port, flush=True)
    await asyncio.Event().wait()


@contextmanager
def serving(options: argparse.Namespace) -> Iterator[int]:
    """The port of a server in another process."""
    numbers = [str(each) for each in (options.feeds, options.changed, options.items)]
    command = [sys.executable, __file__, "--serve", *numbers]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 -- ourselves
        assert server.stdout is not None  # noqa: S101 -- it is a pipe
        try:
            yield int(server.stdout.readline())
        finally:
            server.send_signal(signal.SIGKILL)


def next_round(port: int) -> int:
    """Begin a round; how many requests the last one had."""
    with urllib.request.urlopen(f"http://{address(0)}:{port}/round") as answer:
        return int(answer.read())


# --------------------------------------------------------------- those who poll


@dataclass(frozen=True, kw_only=True)
class Round:
    """How long a poll of all took, and how long it took for all but those who failed."""

    seconds: float
    well: float
    ok: int
    unchanged: int
    failed: int


async def ours(urls: list[str], port: int) -> tuple[Round, Round, int, int]:
    """A first poll of all and the one after it, each with its requests."""
    sources = tuple(FeedSource(url=url) for url in urls)
    newsletter = Newsletter(
        slug="bench",
        title="Bench",
        description="",
        sender=Sender(name="Bench", address="bench@news.example"),
        reply_to=None,
        language="de",
        timezone="Europe/Berlin",
        theme="plain",
        address="Bench",
        imprint_url=None,
        feeds=sources,
        schedules=(Schedule(name="daily", cron="0 7 * * *"),),
        limit=20,
    )
    with TemporaryDirectory() as folder:
        settings = Settings.model_validate(
            {
                "database_url": f"sqlite:///{folder}/digest.db",
                "secret_key": "a secret that is long enough for this",
                "feed_allow_private": True,
                "journal": None,
                "spool": Path(folder) / "spool",
                "templates_dir": Path(folder),
            }
        )
        async with open_app(settings, (newsletter,), clock=utc_now) as world:

            async def once() -> Round:
                began = time.perf_counter()
                heard: list[tuple[float, Poll]] = []
                await gather(
                    world,
                    [newsletter],
                    only_due=False,
                    told=lambda poll: heard.append((time.perf_counter() - began, poll)),
                )
                states = Counter(poll.status for _, poll in heard)
                return Round(
                    seconds=time.perf_counter() - began,
                    well=max(at for at, poll in heard if poll.status != "error"),
                    ok=states["ok"],
                    unchanged=states["unchanged"],
                    failed=states["error"],
                )

            next_round(port)
            first = await once()
            asked = next_round(port)
            second = await once()
            return first, second, asked, next_round(port)


def one_by_one(urls: list[str], etags: dict[str, str]) -> Round:
    """What anybody writes first: ask, read, and only then ask the next."""
    states: Counter[str] = Counter()
    began = time.perf_counter()
    lost = 0.0
    for url in urls:
        asked_at = time.perf_counter()
        headers = {"If-None-Match": etags[url]} if url in etags else {}
        try:
            request = urllib.request.Request(url, headers=headers)  # noqa: S310 -- ours
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
                parse(answer.read(), url=url, content_type=None)
                etags[url] = answer.headers["ETag"]
            states["ok"] += 1
        except urllib.error.HTTPError as error:
            states["unchanged" if error.code == 304 else "error"] += 1  # noqa: PLR2004 -- RFC 9110
        except OSError:
            states["error"] += 1
            lost += time.perf_counter() - asked_at
    seconds = time.perf_counter() - began
    return Round(
        seconds=seconds,
        well=seconds,
        ok=states["ok"],
        unchanged=states["unchanged"],
        failed=states["error"],
    )


def show(name: str, result: Round, requests: int) -> None:
    """One line of the table."""
    print(
        f"{name:34} {result.seconds:7.2f} {result.well:7.2f} {requests:8} {result.ok:5}"
        f" {result.unchanged:9} {result.failed:6}"
    )


def main() -> None:
    """Measure, and print a table."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--feeds", type=int, default=500)
    options.add_argument("--changed", type=int, default=19)
    options.add_argument("--items", type=int, default=20)
    options.add_argument("--serve", nargs=3, type=int, help=argparse.SUPPRESS)
    asked = options.parse_args()
    if asked.serve:
        asyncio.run(serve(*asked.serve))
        return
    size = len(document(0, asked.items, 0)) // 1024
    print(
        f"$ python bench/feeds.py --feeds {asked.feeds} --changed {asked.changed}"
        f" --items {asked.items}"
    )
    print(
        f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()},"
        f" SQLite on disk; documents of {size} KB"
    )
    print(
        f"{'':34} {'seconds':>7} {'others':>7} {'requests':>8} {'ok':>5} {'unchanged':>9}"
        f" {'failed':>6}"
    )
    with serving(asked) as port:
        urls = [f"http://{address(n)}:{port}/feed" for n in range(asked.feeds)]
        first, second, at_first, later = asyncio.run(ours(urls, port))
        show("digest, first poll", first, at_first)
        show("digest, most unchanged, one hangs", second, later)
    with serving(asked) as port:
        urls = [f"http://{address(n)}:{port}/feed" for n in range(asked.feeds)]
        etags: dict[str, str] = {}
        next_round(port)
        result = one_by_one(urls, etags)
        show("one by one, first poll", result, next_round(port))
        result = one_by_one(urls, etags)
        show("one by one, most unchanged", result, next_round(port))
    print("others: seconds until every feed was recorded but those that failed")


if __name__ == "__main__":
    main()
