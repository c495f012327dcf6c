"""Pictures of other sites come through us: only those that we signed, only what is a picture."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from archive_visit import GIF, visit_archive
from loopback import Page, Site, serving_site
from web_visit import Visit

from digest.messages.pictures import picture_token
from digest.web.pictures import Gallery, picture_path, recognise

JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 20
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture
def there() -> Iterator[Site]:
    with serving_site() as site:
        site.pages["/a.gif"] = Page(GIF, headers={"Content-Type": "text/html"})
        yield site


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Visit]:
    async with visit_archive(tmp_path, private=True) as opened:
        yield opened


async def ask(web: Visit, url: str) -> httpx.Response:
    path = picture_path(web.world, url)
    assert path is not None
    return await web.get(path)


async def test_a_picture_is_shown_as_what_it_is_and_can_do_nothing(web: Visit, there: Site) -> None:
    got = await ask(web, f"{there.url}/a.gif")
    assert (got.status_code, got.content) == (200, GIF)
    assert got.headers["content-type"] == "image/gif"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert got.headers["cache-control"] == "public, max-age=86400, immutable"
    assert "set-cookie" not in got.headers


async def test_it_is_fetched_once_for_a_day(web: Visit, there: Site) -> None:
    there.pages["/a.gif"].delay = 0.1
    answers = await asyncio.gather(*(ask(web, f"{there.url}/a.gif") for _ in range(12)))
    assert {(each.status_code, each.content) for each in answers} == {(200, GIF)}
    await ask(web, f"{there.url}/a.gif")
    assert there.asked == ["/a.gif"]
    web.clock.at += timedelta(days=1)
    await ask(web, f"{there.url}/a.gif")
    assert there.asked == ["/a.gif"] * 2


@pytest.mark.parametrize(
    "page",
    [
        Page(SVG, headers={"Content-Type": "image/svg+xml"}),
        Page(b"<!doctype html><script>1</script>", headers={"Content-Type": "image/png"}),
        Page(b"", headers={"Content-Type": "image/png"}),
        Page(GIF, status=404),
        Page(GIF, status=500),
        Page(status=302, headers={"Location": "file:///etc/passwd"}),
        Page(JPEG + b"\0" * (2 * 1024 * 1024)),
        Page(b"\x1f\x8b\x08\0nonsense", headers={"Content-Type": "image/png"}),
    ],
    ids=["svg", "html", "empty", "404", "500", "file", "large", "broken gzip"],
)
async def test_what_is_no_picture_is_not_found_for_an_hour(
    web: Visit, there: Site, page: Page
) -> None:
    there.pages["/x"] = page
    for _ in range(2):
        got = await ask(web, f"{there.url}/x")
        assert (got.status_code, got.content) == (404, b"")
        assert got.headers["cache-control"] == "public, max-age=3600"
    assert there.asked == ["/x"]
    web.clock.at += timedelta(hours=1)
    there.pages["/x"] = Page(GIF)
    assert (await ask(web, f"{there.url}/x")).status_code == 200


async def test_we_fetch_nothing_that_we_did_not_sign(web: Visit, there: Site) -> None:
    url = f"{there.url}/a.gif"
    forged = picture_token(url, lambda _: b"0" * 16)
    path = picture_path(web.world, url)
    assert path is not None
    other = web.world.signer.mark("work", url.encode())
    for name in (forged, picture_token(url, lambda _: other), path[10:-2], "x", "%00", "a" * 3000):
        got = await web.get(f"/pictures/{name}")
        assert (got.status_code, got.content) == (404, b"")
    assert (await web.get(f"/pictures/?url={url}")).status_code == 404
    assert there.asked == []


async def test_a_picture_inside_the_house_is_not_fetched(tmp_path: Path, there: Site) -> None:
    async with visit_archive(tmp_path) as web:
        for url in (f"{there.url}/a.gif", "http://169.254.169.254/x", "http://[::1]/x"):
            assert (await ask(web, url)).status_code == 404
    assert there.asked == []


async def test_a_redirect_to_a_picture_is_followed(web: Visit, there: Site) -> None:
    there.pages["/old"] = Page(status=301, headers={"Location": "/a.gif"})
    assert (await ask(web, f"{there.url}/old")).content == GIF


async def test_memory_has_an_end_and_the_oldest_goes_first(web: Visit, there: Site) -> None:
    gallery = Gallery(room=4000)
    for name in "abc":
        there.pages[f"/{name}"] = Page(JPEG + b"\0" * 1000)
    for name in "abacab":
        await gallery._bring(web.world, f"{there.url}/{name}") if gallery._recall(
            f"{there.url}/{name}", now=web.clock.at
        ) is None else None
    assert gallery._taken <= 4000
    assert there.asked == ["/a", "/b", "/c", "/b"]
    there.pages["/huge"] = Page(JPEG + b"\0" * 9000)
    await gallery._bring(web.world, f"{there.url}/huge")
    assert (gallery._taken, len(gallery._kept)) == (0, 0)


async def test_a_crowd_of_slow_pictures_is_sent_away_and_not_queued_for_ever(
    web: Visit, there: Site
) -> None:
    for number in range(80):
        there.pages[f"/{number}"] = Page(GIF, delay=0.02)
    asked = [ask(web, f"{there.url}/{number}") for number in range(80)]
    answers = await asyncio.gather(*asked)
    statuses = [each.status_code for each in answers]
    assert (statuses.count(200), statuses.count(503)) == (64, 16)
    turned = next(each for each in answers if each.status_code == 503)
    assert (turned.headers["cache-control"], turned.headers["retry-after"]) == ("no-store", "10")


async def test_pictures_never_keep_a_feed_of_the_same_site_waiting(web: Visit, there: Site) -> None:
    for number in range(8):
        there.pages[f"/{number}"] = Page(GIF, delay=0.6)
    there.pages["/feed"] = Page(b"<rss/>")
    coming = [asyncio.create_task(ask(web, f"{there.url}/{number}")) for number in range(8)]
    await asyncio.sleep(0.1)
    assert there.asked
    async with asyncio.timeout(0.4):
        await web.world.fetcher.fetch(f"{there.url}/feed")
    assert not all(each.done() for each in coming)
    assert {each.status_code for each in await asyncio.gather(*coming)} == {200}


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (JPEG, "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"GIF87a", "image/gif"),
        (GIF, "image/gif"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\x24\0\0\0WAVEfmt ", None),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", "image/avif"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "image/avif"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", None),
        (SVG, None),
        (b"BM\x1e\0\0\0", None),
        (b"%PDF-1.7", None),
        (b"", None),
    ],
)
def test_a_picture_is_known_by_its_first_bytes(head: bytes, kind: str | None) -> None:
    assert recognise(head) == kind
