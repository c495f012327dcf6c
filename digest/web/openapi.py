"""Turns what the web answers into an OpenAPI 3.1 document, for programs and for those who test it.

Written by hand, and kept true by the tests: no route without its place here, and the reverse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi.responses import JSONResponse

from digest import __version__
from digest.web.answer import world_of
from digest.web.openapi_follow import mailed_paths
from digest.web.openapi_machines import hub_paths, machine_paths
from digest.web.operations import (
    ATOM,
    HTML,
    IF_NEW,
    JSON,
    LANG,
    PAGE,
    Data,
    get,
    many,
    path,
    post,
    query,
    text,
)

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from starlette.responses import Response

_SLUG: Final = "^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$"
_TOKEN: Final = "^[A-Za-z0-9_-]{38}$"  # noqa: S105 -- the shape of one
_NUMBER: Final = "^[0-9]{1,9}$"


def add_openapi(web: FastAPI) -> None:
    """Add `/openapi.json`."""
    web.add_route("/openapi.json", show_description, methods=["GET"])


async def show_description(request: Request) -> Response:
    """The description of everything that is answered here."""
    headers = {"Cache-Control": "public, max-age=3600"}
    return JSONResponse(describe(world_of(request).public_url), headers=headers)


def describe(public_url: str) -> Data:
    """The whole document. HEAD is answered wherever GET is, and is not named."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Digest",
            "version": __version__,
            "description": (
                "What readers, mail programs, mail providers and hubs ask for. GET and HEAD never"
                " change anything, but for a hub's question, which W3C WebSub asks by GET."
                " Pages are HTML in the language of `lang` or of Accept-Language; there"
                " are no cookies. Links with a token come from mails: whoever has one speaks for"
                " its reader."
            ),
        },
        "servers": [{"url": public_url}],
        "paths": _front()
        | _signed()
        | mailed_paths(_TOKEN)
        | _archive()
        | machine_paths(_SLUG)
        | hub_paths(),
    }


# --------------------------------------------------------------- what people open


def _front() -> Data:
    newsletter = path("newsletter", _SLUG, "the slug of a newsletter")
    return {
        "/": {"get": get("All newsletters, or the page of the only one", {200: HTML}, LANG)},
        "/{newsletter}": {
            "get": get(
                "What one gets, how often, a sample, and the form",
                PAGE,
                newsletter,
                LANG,
            )
        },
        "/subscribe": {
            "get": get("The front page, for whoever reloads the answer", {200: HTML}, LANG),
            "post": post(
                "Ask for a newsletter: the same answer whatever is known of the address",
                # without an address; when many come: some work to do, or to come back later
                {200: HTML, 400: HTML, 404: HTML, 422: HTML, 429: HTML},
                {
                    "newsletter": text("its slug; may be left out where there is only one"),
                    "email": text("where the mail goes that asks for a confirmation"),
                    "language": text("of our pages and notices"),
                    "frequency": text("the name of one of its schedules; else the first"),
                    "topic": many("names of topics, and `other`; none or all: everything"),
                    "website": text("empty: only machines fill it in"),
                    "stamp": text("when our form was made; forms on other sites have none"),
                    "words": text("which version of the words of consent the form shows"),
                    "work": text("the question of the answer with status 429"),
                    "nonce": text("a number that solves it; empty after the time to wait"),
                },
                LANG,
            ),
        },
    }


def _signed() -> Data:
    token = path("token", _TOKEN, "from a link in a mail")
    return {
        "/confirm/{token}": {
            "get": get("The button that confirms", PAGE, token, LANG),
            "post": post("The subscription begins; again, nothing more", PAGE, {}, token, LANG),
        },
        "/unsubscribe/{token}": {
            "get": get("The button that ends the subscription", PAGE, token, LANG),
            "post": post(
                "It ends, whatever is sent: also RFC 8058, as often as one likes, no redirect",
                PAGE,
                {
                    "List-Unsubscribe": text("One-Click, from a mail program"),
                    "never": text("1: close the address that never asked to subscribe"),
                },
                token,
                LANG,
            ),
        },
        "/preferences/{token}": {
            "get": get(
                "The settings; with `do`, one button for one change",
                PAGE,
                token,
                LANG,
                query("do", "frequency, pause, less, return or erase"),
                query("frequency", "with do=frequency"),
                query("weeks", "with do=pause: 1, 2, 4 or 8"),
                query("topic", "with do=less"),
            ),
            "post": post(
                "Change what `do` says; what is not offered changes nothing, and is said (422)",
                {200: f"{HTML} {JSON}", 400: HTML, 404: HTML, 422: HTML},
                _choices(),
                token,
                LANG,
            ),
        },
    }


#: what a reader can do with his settings
ACTS: Final = "save frequency pause resume less return leave move export erase"


def _choices() -> Data:
    do = text("missing: save. `export` answers with JSON, all others with a page")
    return {
        "do": do | {"enum": ACTS.split()},
        "frequency": text("the name of a schedule: save, frequency, return"),
        "topics": text("shown: `topic` is the whole choice: save"),
        "topic": many("names of topics, and `other`: save, less"),
        "hour": text("0 to 23; empty: as soon as it is made: save"),
        "language": text("of our pages and notices: save"),
        "timezone": text("an IANA name; empty: the newsletter's: save"),
        "weeks": text("1, 2, 4 or 8: pause, return"),
        "until": text("a day, YYYY-MM-DD: pause, return"),
        "address": text("the new one, which is asked to confirm: move"),
        "at": text("settings: answer with the settings"),
    }


# --------------------------------------------------------------- what everybody may read


def _archive() -> Data:
    newsletter = path("newsletter", _SLUG, "the slug of a newsletter")
    search = (
        LANG,
        query("q", "words, all of which stand in an edition's headlines"),
        query("month", "YYYY-MM"),
        query("before", "editions before this one"),
        query("after", "editions after this one"),
    )
    known = {200: ATOM, 304: None, 404: HTML}
    return {
        "/archive": {
            "get": get(
                "Past editions of all newsletters",
                PAGE,
                *search,
                query("newsletter", "only of this one"),
            )
        },
        "/archive/{newsletter}": {
            "get": get("Past editions of one newsletter", PAGE, newsletter, *search)
        },
        "/archive/{newsletter}/feed.xml": {
            "get": get("Its editions as an Atom feed", known, newsletter, *IF_NEW)
        },
        "/archive/{newsletter}/topics/{topic}/feed.xml": {
            "get": get(
                "Its articles about one topic as an Atom feed",
                known,
                newsletter,
                path("topic", _SLUG, "the name of a topic"),
                *IF_NEW,
            )
        },
        "/archive/{newsletter}/{edition}": {
            "get": get(
                "One edition as it was sent, with nothing personal",
                PAGE,
                newsletter,
                path("edition", _NUMBER, "its id"),
                query("topics", "names with commas: as the readers of these topics got it"),
                query("in", "a language: as its readers got it"),
            )
        },
    }
