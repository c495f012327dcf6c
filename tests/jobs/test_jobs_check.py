"""A saved answer is checked as it came: packed, too large, or no feed at all."""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path

import pytest

from digest.feeds.fetch import Fetcher
from digest.feeds.parse import MAX_BYTES
from digest.jobs.check import Checked, check_feeds

FEED = (
    b"<rss version='2.0'><channel><item><title>One</title><link>https://site.example/1</link>"
    b"<pubDate>Mon, 05 Oct 2026 08:00:00 GMT</pubDate></item></channel></rss>"
)


async def check(path: Path, body: bytes) -> Checked:
    await asyncio.to_thread(path.write_bytes, body)
    async with Fetcher(allow_private=False, user_agent="Digest/test") as fetcher:
        return (await check_feeds(fetcher, [str(path)]))[0]


@pytest.mark.parametrize("body", [FEED, gzip.compress(FEED, mtime=0)])
async def test_a_packed_file_is_unpacked(tmp_path: Path, body: bytes) -> None:
    assert await check(tmp_path / "feed.xml", body) == Checked(
        source=str(tmp_path / "feed.xml"),
        entries=1,
        first_title="One",
        first_link="https://site.example/1",
        first_published_utc="2026-10-05T08:00:00Z",
        first_image=None,
        error=None,
    )


async def test_a_file_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    found = await check(tmp_path / "bomb", gzip.compress(bytes(MAX_BYTES + 1), mtime=0))
    assert (found.entries, found.error) == (0, "cannot be unpacked: holds more than 10 MiB")


async def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    found = await check(tmp_path / "damaged", b"\x1f\x8bbroken")
    assert found.error == "cannot be unpacked: the compressed body is damaged"


async def test_a_page_is_refused_with_the_feed_that_it_names(tmp_path: Path) -> None:
    page = (
        b"<html><head><link rel='alternate' type='application/rss+xml' "
        b"href='https://site.example/feed'></head></html>"
    )
    found = await check(tmp_path / "page.html", page)
    assert found.entries == 0
    assert found.error
    assert "https://site.example/feed" in found.error
