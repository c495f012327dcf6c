"""Turns the name of a page and its facts into an answer in the reader's language.

A page has no cookie and nothing from elsewhere; its one style sheet stands in it and is named by
its hash. So is the script of the one page that has one; no other may run anything.
"""

from __future__ import annotations

import re
from base64 import b64encode
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from digest.web.language import choose_language
from digest.words import FALLBACK, languages, translations

if TYPE_CHECKING:
    from starlette.datastructures import FormData
    from starlette.types import Message

    from digest.jobs.world import World
    from digest.model.newsletter import Newsletter

_HALF: Final = re.compile("[\ud800-\udfff]")
_STYLE: Final = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_SCRIPT: Final = re.compile(r"<script>(.*?)</script>", re.DOTALL)
#: a form of ours has ten fields and one for each topic; whoever sends more, or files, or a novel,
#: is not a reader
_FIELDS: Final = 60
_FIELD_BYTES: Final = 4096
_FORM_BYTES: Final = 65_536


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
    runs: bool = False,
    **facts: Any,
) -> HTMLResponse:
    """The page `templates/pages/<name>.html`, which gets these facts and four more.

    `runs`: it has a script of ours in it, which may run.

    They are: `newsletter` (or None), `root` (the path before ours), `lang` (to append to links
    where the reader chose a language), `others` (the page's address in each other language).
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
        others=_others(request, language) if reading else {},
        **facts,
    )
    return HTMLResponse(html, status_code=status, headers=_headers(html, language, runs=runs))


def _others(request: Request, language: str) -> dict[str, str]:
    """The same page in other languages: what else was asked for stays."""
    asked = [pair for pair in request.query_params.multi_items() if pair[0] != "lang"]
    return {
        each: f"?{urlencode([*asked, ('lang', each)])}" for each in languages() if each != language
    }


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
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > _FORM_BYTES:
                raise HTTPException(400, "this is more than a form holds")
    except ClientDisconnect as gone:
        raise HTTPException(400, "the form did not come whole") from gone

    async def receive() -> Message:
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    try:
        whole = Request(request.scope, receive)
        return await whole.form(max_files=0, max_fields=_FIELDS, max_part_size=_FIELD_BYTES)
    except UnicodeError as problem:  # a charset that no form is in
        raise HTTPException(400, "this is not text") from problem


def field(form: FormData, name: str) -> str | None:
    """The text of a field; None where it is missing, empty or a file."""
    return next(iter(fields(form, name)[-1:]), None)


def fields(form: FormData, name: str) -> list[str]:
    """The texts of all fields of this name; those that are empty or files are left out."""
    texts = [value for value in form.getlist(name) if isinstance(value, str)]
    # halves of characters cannot be written anywhere: not to a page, not to a database
    whole = [_HALF.sub("\ufffd", text).strip() for text in texts]
    return [text for text in whole if text]


def _headers(html: str, language: str, *, runs: bool) -> dict[str, str]:
    style, scripts = _STYLE.search(html), _SCRIPT.findall(html) if runs else []
    sheet = f"'sha256-{_digest(style[1])}'" if style else "'none'"
    # should a second one ever get into the page, none of them runs
    script = f" script-src 'sha256-{_digest(scripts[0])}';" if len(scripts) == 1 else ""
    return {
        "Content-Language": language,
        "Vary": "Accept-Language",
        "Cache-Control": "no-cache",
        "Content-Security-Policy": (
            f"default-src 'none'; style-src {sheet};{script} img-src 'self'; form-action 'self';"
            " base-uri 'none'; frame-ancestors 'none'"
        ),
    }


@lru_cache(maxsize=8)
def _digest(style: str) -> str:
    return b64encode(sha256(style.encode()).digest()).decode()
