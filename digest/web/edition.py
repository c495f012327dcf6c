"""Turns a stored edition into its own page: as it was sent, and with nothing personal in it.

Ours is what stands around the mail: how others may show it, and the way to its neighbours. What
pictures it has come through us, and its policy lets nothing else be asked for.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from digest.jobs.press import abroad_of
from digest.jobs.reprint import read_edition
from digest.messages.assemble import archive_html
from digest.messages.exhibit import dress
from digest.messages.pictures import first_picture, with_our_pictures
from digest.model.layout import name_selection
from digest.store import editions, past
from digest.store.subscribers import write_choice
from digest.web.answer import newsletter_of, world_of
from digest.web.pictures import picture_path

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from starlette.responses import Response

    from digest.jobs.world import World
    from digest.model.edition import Edition
    from digest.model.newsletter import Newsletter

_NOT_FOUND: Final = 404
#: an id has no more digits (PostgreSQL refuses larger ones)
_DIGITS: Final = 9
#: names of topics; no newsletter has more
_CHOICE: Final = re.compile(r"[a-z0-9-]{1,40}(?:,[a-z0-9-]{1,40}){0,30}")
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; form-action 'none';"
    " base-uri 'none'; frame-ancestors 'none'"
)


def add_edition(web: FastAPI) -> None:
    """Add the page of each edition."""
    web.add_route("/archive/{newsletter}/{edition}", show_edition, methods=["GET"])


async def show_edition(request: Request) -> Response:
    """One edition; with `?topics=…` what of it the readers of these topics were sent."""
    world = world_of(request)
    newsletter = newsletter_of(request, request.path_params["newsletter"])
    number = read_number(request.path_params["edition"])
    if newsletter is None or number is None:
        raise HTTPException(_NOT_FOUND)
    name = _name(request, newsletter)
    async with world.store.read() as connection:
        whole = await editions.get(connection, number)
        if whole is None or whole.newsletter != newsletter.slug:
            raise HTTPException(_NOT_FOUND)
        selected = await read_edition(connection, number, name=name) if name else None
        before, after = await past.neighbours(connection, number, newsletter.slug)
    facts: dict[str, Any] = {
        "newsletter": newsletter,
        "root": urlsplit(world.public_url).path.rstrip("/"),
        "edition": whole,
        "before": before,
        "after": after,
        "selected": selected is not None,
    }
    page = _page(world, whole, selected or whole, facts)
    shown = selected or whole
    return HTMLResponse(page, headers=_headers(shown.language, selected=selected is not None))


def read_number(text: str) -> int | None:
    """The id in part of an address; None for what cannot be one."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


def _name(request: Request, newsletter: Newsletter) -> str:
    """The name of a selection, of topics that were offered then; "" for nonsense."""
    topics = request.query_params.get("topics", "")
    choice = write_choice(topics.split(",")) if _CHOICE.fullmatch(topics) else ""
    language = request.query_params.get("in")
    return name_selection(choice, language if language in abroad_of(newsletter) else None)


def _page(world: World, whole: Edition, shown: Edition, facts: dict[str, Any]) -> str:
    ours = partial(picture_path, world)
    picture = first_picture(whole)
    path = ours(picture[0]) if picture else None
    head = world.renderer.render_page(
        "exhibit_head",
        language=whole.language,
        public_url=world.public_url,
        picture=world.public_url + path if path else None,
        picture_text=picture[1] if picture else "",
        **facts,
    )
    bar = world.renderer.render_page("exhibit_bar", language=whole.language, **facts)
    page = with_our_pictures(
        archive_html(shown, public_url=world.public_url),
        # below our own path: the page may be reached by another name than the public one
        lambda url: _below(facts["root"], ours(url)),
    )
    return dress(page, head=head, bar=bar)


def _below(root: str, path: str | None) -> str | None:
    return root + path if path else None


def _headers(language: str, *, selected: bool) -> dict[str, str]:
    headers = {
        "Cache-Control": "public, max-age=300",
        "Content-Language": language,
        "Content-Security-Policy": _POLICY,
        # a browser would look up where the links lead before anybody follows one
        "X-DNS-Prefetch-Control": "off",
    }
    return headers | ({"X-Robots-Tag": "noindex"} if selected else {})
