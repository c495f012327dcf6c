"""Turns newsletters and their editions into the map of the site, and into rules for robots."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from fastapi.responses import PlainTextResponse
from starlette.exceptions import HTTPException

from digest.store import told
from digest.web.answer import world_of
from digest.web.conditional import answer_if_new

if TYPE_CHECKING:
    from datetime import datetime

    from fastapi import FastAPI, Request
    from starlette.responses import Response

    from digest.jobs.world import World

    #: an address, and when what stands there changed
    Place = tuple[str, datetime | None]

_NOT_FOUND: Final = 404
#: addresses in one file (sitemaps.org/protocol.html)
MOST: Final = 50_000
_SCHEMA: Final = "http://www.sitemaps.org/schemas/sitemap/0.9"
#: what stands behind these is somebody's own, or an answer to a form
_PRIVATE: Final = ("confirm", "desk", "unsubscribe", "preferences", "preview", "subscribe")
_DIGITS: Final = 6


def add_sitemap(web: FastAPI) -> None:
    """Add `/sitemap.xml` and `/robots.txt`."""
    web.add_route("/sitemap.xml", show_map, methods=["GET"])
    web.add_route("/robots.txt", show_rules, methods=["GET"])


async def show_rules(request: Request) -> Response:
    """What robots may read (RFC 9309), and where the map is."""
    world = world_of(request)
    root = urlsplit(world.public_url).path.rstrip("/")
    # a rule is the beginning of a path; the longest that fits counts (section 2.2.2), for old
    # robots the first
    allowed = [each.slug for each in world.newsletters if each.slug.startswith(_PRIVATE)]
    lines = [
        "User-agent: *",
        *(f"Allow: {root}/{slug}" for slug in allowed),
        *(f"Disallow: {root}/{name}" for name in _PRIVATE),
        "",
        f"Sitemap: {world.public_url}/sitemap.xml",
    ]
    headers = {"Cache-Control": "public, max-age=3600"}
    return PlainTextResponse("\n".join(lines) + "\n", headers=headers)


async def show_map(request: Request) -> Response:
    """The pages that everybody may read; an index of such maps where one cannot hold them."""
    world, asked = world_of(request), request.query_params.get("page")
    slugs = [each.slug for each in world.newsletters]
    async with world.store.read() as connection:
        sizes = await told.sizes(connection, slugs)
        latest = max((at for _, at in sizes.values()), default=None)
        fixed = _fixed(world, {slug: at for slug, (_, at) in sizes.items()}, latest)
        a_page = max(1, MOST - len(fixed))
        pages = max(1, -(-sum(count for count, _ in sizes.values()) // a_page))
        if asked is None and pages > 1:
            body = _write_index(world.public_url, pages)
            return answer_if_new(request, body, media_type="application/xml", modified=latest)
        number = _page(asked, pages)
        rows = await told.all_of(connection, slugs, limit=a_page, offset=(number - 1) * a_page)
    places = [(f"{world.public_url}/archive/{slug}/{key}", at) for key, slug, at in rows]
    # a full one takes a second to write: not while others wait
    body = await asyncio.to_thread(_write_map, [*(fixed if number == 1 else []), *places])
    return answer_if_new(request, body, media_type="application/xml", modified=latest)


def _page(asked: str | None, pages: int) -> int:
    if asked is None:
        return 1
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) <= _DIGITS else 0
    if not 1 <= number <= pages:
        raise HTTPException(_NOT_FOUND)
    return number


def _fixed(world: World, made: dict[str, datetime], latest: datetime | None) -> list[Place]:
    """The pages that are not editions; they change with the latest one."""
    home = world.public_url
    places: list[Place] = [(f"{home}/", latest), (f"{home}/archive", latest)]
    for each in world.newsletters:
        at = made.get(each.slug)
        places += [(f"{home}/{each.slug}", at), (f"{home}/archive/{each.slug}", at)]
    return places


def _write_map(places: Sequence[Place]) -> bytes:
    return _write("urlset", "url", places)


def _write_index(home: str, pages: int) -> bytes:
    places = [(f"{home}/sitemap.xml?page={number}", None) for number in range(1, pages + 1)]
    return _write("sitemapindex", "sitemap", places)


def _write(name: str, part: str, places: Sequence[Place]) -> bytes:
    lines = [f'<?xml version="1.0" encoding="utf-8"?>\n<{name} xmlns="{_SCHEMA}">']
    for url, at in places:
        changed = f"<lastmod>{at:%Y-%m-%dT%H:%M:%SZ}</lastmod>" if at else ""
        lines.append(f"<{part}><loc>{escape(url)}</loc>{changed}</{part}>")
    return "\n".join([*lines, f"</{name}>\n"]).encode()
