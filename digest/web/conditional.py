"""Turns a document for machines into an answer, or into "you have it" (RFC 9110 section 13)."""

from __future__ import annotations

import re
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request

_TAG: Final = re.compile(r'(?:W/)?("[^"]*")')


def answer_if_new(
    request: Request, body: bytes, *, media_type: str, modified: datetime | None = None
) -> Response:
    """The document, or 304 for whoever has it. `modified`: when what it tells last changed."""
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "public, max-age=300"}
    if modified is not None:
        modified = modified.replace(microsecond=0)
        headers["Last-Modified"] = format_datetime(modified, usegmt=True)
    if _has(request, tag, modified):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def _has(request: Request, tag: str, modified: datetime | None) -> bool:
    known = request.headers.get("if-none-match")
    if known is not None:  # whoever has a tag is not asked for a date (13.2.2)
        return known.strip() == "*" or tag in _TAG.findall(known)
    since = request.headers.get("if-modified-since")
    if since is None or modified is None:
        return False
    try:
        return modified <= parsedate_to_datetime(since)
    except (ValueError, TypeError):  # no date, or one without a zone
        return False
