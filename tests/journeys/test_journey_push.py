"""A story goes from a site through its hub into the database while the next poll is far away."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from loopback import Page, Site, free_port
from shell import Desk
from websub_hub import Hub, serving_hub, wait_until

from digest.app import utc_now

#: the real command, but for how long it sleeps between two looks at the clock
QUICK = (
    "from digest import scheduler; scheduler.TICK = scheduler.HUBS = 1;"
    "from digest.__main__ import main; main()"
)


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving_hub() as one:
        yield one


def serve_feed(site: Site, hub: Hub, *titles: str) -> bytes:
    """A feed that names its hub, and wants to be polled once an hour."""
    items = "".join(
        f"<item><title>{title}</title><link>{site.url}/{title}</link><guid>{title}</guid></item>"
        for title in titles
    )
    body = (
        '<rss version="2.0" xmlns:a="http://www.w3.org/2005/Atom"><channel><title>Blatt</title>'
        f'<ttl>60</ttl><a:link rel="hub" href="{hub.url}"/>'
        f'<a:link rel="self" href="{site.url}/feed"/>{items}</channel></rss>'
    ).encode()
    site.pages["/feed"] = Page(body)
    return body


@contextmanager
def serving(desk: Desk, port: int) -> Iterator[None]:
    process = subprocess.Popen(  # noqa: S603 -- our own program
        [sys.executable, "-c", QUICK, "serve", f"--port={port}", "--no-delivery"],
        cwd=desk.folder,
        env=desk._environment({}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        yield
        process.terminate()
        out, err = process.communicate(timeout=15)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, out) == (0, ""), err
    assert "Traceback" not in err


def rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    if not (folder / "digest.db").exists():
        return []
    with closing(sqlite3.connect(folder / "digest.db")) as connection:
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError:  # it is being made
            return []


def test_a_push_brings_a_story_within_seconds(tmp_path: Path, site: Site, hub: Hub) -> None:
    desk, port = Desk(tmp_path), free_port()
    serve_feed(site, hub, "Eins")
    desk.set_up(f"{site.url}/feed", public_url=f"http://127.0.0.1:{port}", smtp_port=1)
    with serving(desk, port):
        wait_until(lambda: hub.subscribers)
        assert rows(tmp_path, "SELECT title FROM articles") == [("Eins",)]
        assert rows(tmp_path, "SELECT state FROM pushes") == [("active",)]
        ((next_poll,),) = rows(tmp_path, "SELECT next_poll_at FROM feeds")
        far = (utc_now() + timedelta(minutes=50)).strftime("%Y-%m-%d %H:%M:%S")
        assert str(next_poll) > far

        body = serve_feed(site, hub, "Zwei", "Eins")
        began = time.monotonic()
        assert hub.push(body) == [202]
        wait_until(lambda: ("Zwei",) in rows(tmp_path, "SELECT title FROM articles"), seconds=10)
        assert time.monotonic() - began < 5
