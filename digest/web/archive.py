"""Turns stored editions into the archive: lists, an Atom feed, and each edition as it was sent.

Nothing personal is shown: what a mail has for one reader alone is not in here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest.messages.assemble import archive_html
from digest.store import editions
from digest.web.answer import newsletter_of, page, world_of
from digest.web.atom import write_feed

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

    from digest.jobs.world import World
    from digest.model.newsletter import Newsletter

_NOT_FOUND: Final = 404
_PAGE: Final = 30
_FEED: Final = 20
#: an id has no more digits (PostgreSQL refuses larger ones)
_DIGITS: Final = 9


def add_archive(web: FastAPI) -> None:
    """Add the archive."""
    web.add_route("/archive", show_all, methods=["GET"])
    web.add_route("/archive/{newsletter}", show_list, methods=["GET"])
    web.add_route("/archive/{newsletter}/feed.xml", show_feed, methods=["GET"])
    web.add_route("/archive/{newsletter}/{edition}", show_edition, methods=["GET"])


async def show_all(request: Request) -> Response:
    """Past editions of all newsletters."""
    newsletters = world_of(request).newsletters
    return await _list(request, newsletters[0] if len(newsletters) == 1 else None)


async def show_list(request: Request) -> Response:
    """Past editions of one newsletter."""
    return await _list(request, _newsletter(request))


async def _list(request: Request, newsletter: Newsletter | None) -> Response:
    world = world_of(request)
    async with world.store.read() as connection:
        found = await editions.past(
            connection,
            newsletter=newsletter.slug if newsletter else None,
            limit=_PAGE + 1,
            before=_number(request.query_params.get("before", "")),
        )
    known = {each.slug: each for each in world.newsletters}
    return page(
        request,
        "archive",
        newsletter=newsletter,
        known=known,
        editions=[each for each in found[:_PAGE] if each.newsletter in known],
        older=found[_PAGE - 1].id if len(found) > _PAGE else None,
    )


async def show_feed(request: Request) -> Response:
    """The latest editions of one newsletter as an Atom feed."""
    newsletter, world = _newsletter(request), world_of(request)
    async with world.store.read() as connection:
        latest = await editions.past(connection, newsletter=newsletter.slug, limit=_FEED)
    feed = write_feed(newsletter, latest, public_url=world.public_url, now=world.clock())
    return Response(
        feed, media_type="application/atom+xml", headers={"Cache-Control": "public, max-age=300"}
    )


async def show_edition(request: Request) -> Response:
    """One edition as it was sent, without anything personal."""
    newsletter, world = _newsletter(request), world_of(request)
    number = _number(request.path_params["edition"])
    if number is None:
        raise HTTPException(_NOT_FOUND)
    async with world.store.read() as connection:
        edition = await editions.get(connection, number)
    if edition is None or edition.newsletter != newsletter.slug:
        raise HTTPException(_NOT_FOUND)
    return HTMLResponse(
        archive_html(edition, public_url=world.public_url), headers=_edition_headers(world)
    )


def _newsletter(request: Request) -> Newsletter:
    found = newsletter_of(request, request.path_params["newsletter"])
    if found is None:
        raise HTTPException(_NOT_FOUND)
    return found


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


def _edition_headers(world: World) -> dict[str, str]:
    """A mail brings its own styles and shows the pictures of the articles' sites; nothing else."""
    pictures = "https:" if world.public_url.startswith("https:") else "https: http:"
    return {
        "Cache-Control": "public, max-age=300",
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'unsafe-inline'; img-src 'self' {pictures};"
            " form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
        ),
    }
