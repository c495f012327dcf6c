"""Turns whatever goes wrong into a small page that says what to do; never into a traceback."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from fastapi.responses import PlainTextResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from digest.errors import DigestError, LinkRefused, StoreError
from digest.web.answer import message
from digest.web.middleware import guard
from digest.words import N_

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from starlette.responses import Response

log = logging.getLogger("digest.web")

_NOT_FOUND: Final = 404
_NOT_ALLOWED: Final = 405
_TEXTS: Final = {
    400: (
        N_("We did not understand that"),
        N_("We could not read what was sent. Please try again."),
    ),
    _NOT_FOUND: (
        N_("There is nothing here"),
        N_("Perhaps the address was cut off on its way. Everything we have is on the front page."),
    ),
    _NOT_ALLOWED: (
        N_("This does not work this way"),
        N_("This address expects something else. Please begin at the front page."),
    ),
    503: (
        N_("One moment, please"),
        N_("Something on our side does not answer. Nothing is lost; please try again soon."),
    ),
}
_OTHER: Final = (
    N_("That was our fault"),
    N_("Something went wrong on our side. Please try again later."),
)
_REFUSED: Final = (
    N_("This link does not work any more"),
    N_(
        "It was used already, is too old, or was cut off on its way."
        " Please use the newest link from our mail, or sign up again."
    ),
)


def add_faults(web: FastAPI) -> None:
    """Answer every fault with a page."""
    web.add_exception_handler(HTTPException, answer_http)
    web.add_exception_handler(LinkRefused, answer_refused)
    web.add_exception_handler(StoreError, answer_store)
    web.add_exception_handler(Exception, answer_fault)


async def answer_http(request: Request, problem: Exception) -> Response:
    """The request was wrong."""
    status = problem.status_code if isinstance(problem, HTTPException) else 500
    title, text = _TEXTS.get(status, _OTHER)
    answer = message(request, title=title, text=text, status=status)
    answer.headers.update((isinstance(problem, HTTPException) and problem.headers) or {})
    if status == _NOT_ALLOWED:
        answer.headers["Allow"] = _allowed(request)
    return answer


def _allowed(request: Request) -> str:
    """All methods of a path, which may have several routes (RFC 9110 section 15.5.6)."""
    fits = [each for each in request.app.routes if each.matches(request.scope)[0] != Match.NONE]
    return ", ".join(sorted({method for each in fits for method in each.methods or ()}))


async def answer_refused(request: Request, _: Exception) -> Response:
    """A link is unknown, used, malformed or for something else: one answer for all of them."""
    title, text = _REFUSED
    return message(request, title=title, text=text, status=_NOT_FOUND)


async def answer_store(request: Request, problem: Exception) -> Response:
    """The database does not answer."""
    log.error("path=%s status=503 reason=%s", _shown(request), problem)
    title, text = _TEXTS[503]
    answer = message(request, title=title, text=text, status=503)
    answer.headers["Retry-After"] = "30"
    return answer


async def answer_fault(request: Request, problem: Exception) -> Response:
    """A fault of ours; the server logs where it arose. Even the templates may be broken."""
    log.error("path=%s status=500 reason=%s: %s", _shown(request), type(problem).__name__, problem)
    title, text = _OTHER
    answer: Response
    try:
        answer = message(request, title=title, text=text, status=500)
    except DigestError:
        answer = PlainTextResponse(f"{title}. {text}\n", status_code=500)
    guard(answer.headers, path=request.url.path)  # this answer passes no middleware
    return answer


def _shown(request: Request) -> str:
    """The first part of the path: the rest may be a token."""
    return "/" + request.url.path.lstrip("/").partition("/")[0]
