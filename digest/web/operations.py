"""Turns a summary, statuses and fields into an operation in the words of OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Data = dict[str, Any]
#: what a status comes with: media types, or no body
Types = Mapping[int, str | None]

HTML: Final = "text/html"
TEXT: Final = "text/plain"
JSON: Final = "application/json"
ATOM: Final = "application/atom+xml"
XML: Final = "application/xml"
SCRIPT: Final = "text/javascript"

#: a page, or that there is none
PAGE: Final = {200: HTML, 404: HTML}

#: what each status says here
_SAYS: Final = {
    200: "Here it is, or it is done",
    202: "Heard, and nothing more is said",
    204: "Nothing",
    304: "Nothing new since then",
    400: "What was sent could not be read",
    403: "Not signed by that provider",
    404: "There is no such thing, or the link does not work any more",
    410: "Nobody listens here any more",
    413: "Too large",
    422: "Something in it cannot be; the page says what",
    429: "Too many at the moment: the page or Retry-After says what to do",
    503: "Something of ours does not answer; again after Retry-After",
}


def get(summary: str, answers: Types, *parameters: Data) -> Data:
    """An operation; whatever answers with a page can find the database away."""
    away: Types = {503: HTML} if HTML in answers.values() else {}
    return {
        "summary": summary,
        "parameters": list(parameters),
        "responses": responses({**away, **answers}),
    }


def post(summary: str, answers: Types, fields: Data, *parameters: Data) -> Data:
    """An operation that takes a form, urlencoded or as multipart/form-data."""
    form = {"schema": {"type": "object", "properties": fields}}
    kinds = ("application/x-www-form-urlencoded", "multipart/form-data")
    body = {"requestBody": {"content": dict.fromkeys(kinds, form)}}
    return get(summary, answers, *parameters) | body


def responses(answers: Types) -> Data:
    """What is answered, by status."""
    return {str(status): _response(status, kinds) for status, kinds in sorted(answers.items())}


def _response(status: int, kinds: str | None) -> Data:
    said: Data = {"description": _SAYS[status]}
    return said | {"content": {kind: {} for kind in kinds.split()}} if kinds else said


def path(name: str, pattern: str, words: str) -> Data:
    """A part of the path."""
    schema = {"type": "string", "pattern": pattern}
    return {"name": name, "in": "path", "required": True, "description": words, "schema": schema}


def query(name: str, words: str) -> Data:
    """A parameter after the question mark."""
    return {"name": name, "in": "query", "description": words, "schema": {"type": "string"}}


def text(words: str) -> Data:
    """A field of a form."""
    return {"type": "string", "description": words}


def many(words: str) -> Data:
    """A field of a form that may come several times."""
    return {"type": "array", "items": {"type": "string"}, "description": words}


LANG: Final = query("lang", "the language of the page: de or en")
IF_NEW: Final = tuple(
    {"name": name, "in": "header", "schema": {"type": "string"}}
    for name in ("If-None-Match", "If-Modified-Since")
)
