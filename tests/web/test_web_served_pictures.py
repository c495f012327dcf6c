"""Pictures that we hold are served under signed names, the same for everybody, for ever."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from archive_visit import PAPER, publish, story, visit_archive
from loopback import Page, Site, serving_site
from PIL import Image as Paint
from web_visit import Visit

from digest.model.edition import Edition

SERVED = replace(PAPER, pictures="served")
_NAME = re.compile(r"/pictures/[0-9a-f]{64}\.jpg")


@pytest.fixture
def there() -> Iterator[Site]:
    out = BytesIO()
    Paint.new("RGB", (800, 450), "teal").save(out, "PNG")
    with serving_site() as site:
        site.pages["/a.png"] = Page(out.getvalue())
        yield site


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Visit]:
    async with visit_archive(
        tmp_path, SERVED, private=True, public_url="https://news.example"
    ) as opened:
        yield opened


async def make(web: Visit, there: Site) -> tuple[Edition, str]:
    """An edition, and the path of its picture."""
    edition = await publish(
        web, story("Der Hafen bekommt einen Kran", picture=f"{there.url}/a.png"), newsletter=SERVED
    )
    html = "".join(card.html for card in edition.written.cards)
    assert "127.0.0.1" not in html
    [path] = set(_NAME.findall(html))
    return edition, path


async def test_it_is_a_jpeg_that_never_changes_and_knows_nobody(web: Visit, there: Site) -> None:
    _, path = await make(web, there)
    got = await web.get(path)
    assert got.status_code == 200
    assert got.content.startswith(b"\xff\xd8\xff")
    assert len(got.content) <= 60_000
    assert got.headers["content-type"] == "image/jpeg"
    assert got.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert "set-cookie" not in got.headers
    again = await web.client.get(path, headers={"If-None-Match": got.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert there.asked == ["/a.png"]


async def test_a_name_that_we_did_not_sign_is_not_found(web: Visit, there: Site) -> None:
    _, path = await make(web, there)
    name = path.removeprefix("/pictures/").removesuffix(".jpg")
    forged = f"{name[:32]}{'0' * 32}"
    other = f"{'0' * 32}{name[32:]}"
    unheld = "0" * 32 + web.world.signer.mark("served", bytes(16)).hex()
    for each in (forged, other, unheld, name.upper(), name[:-1], f"x{name}", f"-{name}", "", "%00"):
        got = await web.get(f"/pictures/{each}.jpg")
        assert (got.status_code, got.content) == (404, b"")
    assert (await web.get(f"/pictures/{name}")).status_code == 404


async def test_the_archive_shows_our_picture_and_asks_nobody(web: Visit, there: Site) -> None:
    edition, path = await make(web, there)
    page = await web.get(f"/archive/{SERVED.slug}/{edition.id}")
    shown = re.findall(r'<img\b[^>]*\bsrc="([^"]*)"', page.text)
    assert shown == [path]
    assert f'content="https://news.example{path}"' in page.text
    assert (await web.get(shown[0])).status_code == 200
    assert there.asked == ["/a.png"]
