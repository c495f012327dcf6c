"""Turns the name of a page and its facts into an answer in the reader's language.

A page has no script, no cookie and nothing from elsewhere; its one style sheet stands in it and is
named by its hash.
"""

from __future__ import annotations

import re
from base64 import b64encode
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from fastapi.responses import HTMLResponse

from digest.web.language import choose_language
from digest.words import FALLBACK, languages, translations

if TYPE_CHECKING:
    from fastapi import Request
    from starlette.datastructures import FormData

    from digest.jobs.world import World
    from digest.model.newsletter import Newsletter

_STYLE: Final = re.compile(r"<style>(.*?)</style>", re.DOTALL)
#: a form of ours has six fields; whoever sends more, or files, or a novel, is not a reader
_FIELDS: Final = 30
_FIELD_BYTES: Final = 4096


def world_of(request: Request) -> World:
    """What the program has open."""
    world: World = request.app.state.world
    return world


def newsletter_of(request: Request, slug: str) -> Newsletter | None:
    """The newsletter of that name, or None."""
    return next((each for each in world_of(request).newsletters if each.slug == slug), None)


def language_of(request: Request, newsletter: Newsletter | None = None) -> str:
    """The language in which to answer."""
    first = newsletter or next(iter(world_of(request).newsletters), None)
    return choose_language(
        request.query_params.get("lang"),
        request.headers.get("accept-language", ""),
        otherwise=first.language if first else FALLBACK,
    )


def page(
    request: Request,
    name: str,
    *,
    status: int = 200,
    newsletter: Newsletter | None = None,
    **facts: Any,
) -> HTMLResponse:
    """The page `templates/pages/<name>.html`, which gets these facts and four more.

    They are: `newsletter` (or None), `root` (the path before ours), `lang` (to append to links
    where the reader chose a language), `others` (the languages that the page can be switched to).
    """
    world = world_of(request)
    language = language_of(request, newsletter)
    asked = request.query_params.get("lang") is not None
    reading = request.method in {"GET", "HEAD"} and status < 400  # noqa: PLR2004 -- HTTP
    html = world.renderer.render_page(
        name,
        language=language,
        newsletter=newsletter,
        root=urlsplit(world.public_url).path.rstrip("/"),
        lang=f"?lang={language}" if asked else "",
        others=[each for each in languages() if each != language] if reading else [],
        **facts,
    )
    return HTMLResponse(html, status_code=status, headers=_headers(html, language))


def message(
    request: Request, *, title: str, text: str, status: int, newsletter: Newsletter | None = None
) -> HTMLResponse:
    """A page that says one thing; `title` and `text` are message ids."""
    say = translations(language_of(request, newsletter)).gettext
    return page(
        request, "message", status=status, newsletter=newsletter, title=say(title), text=say(text)
    )


async def read_form(request: Request) -> FormData:
    """The fields that a reader or a mail program sent, urlencoded or as multipart/form-data.

    Raises HTTPException (400) for what is too much or no form at all.
    """
    return await request.form(max_files=0, max_fields=_FIELDS, max_part_size=_FIELD_BYTES)


def field(form: FormData, name: str) -> str | None:
    """The text of a field; None where it is missing, empty or a file."""
    value = form.get(name)
    return value.strip() or None if isinstance(value, str) else None


def _headers(html: str, language: str) -> dict[str, str]:
    style = _STYLE.search(html)
    allowed = f"'sha256-{_digest(style[1])}'" if style else "'none'"
    return {
        "Content-Language": language,
        "Vary": "Accept-Language",
        "Cache-Control": "no-cache",
        "Content-Security-Policy": (
            f"default-src 'none'; style-src {allowed}; img-src 'self'; form-action 'self';"
            " base-uri 'none'; frame-ancestors 'none'"
        ),
    }


@lru_cache(maxsize=8)
def _digest(style: str) -> str:
    return b64encode(sha256(style.encode()).digest()).decode()
