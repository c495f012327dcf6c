"""Turns the status and the headers of an answer into what they mean; believes none of them far."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from yarl import URL

from digest.model.feed import FeedFailure
from digest.model.text import one_line

#: what we ask for: feeds, other pages, pictures
ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9,"
    " application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)
ACCEPT_PAGES = "text/html, application/json, application/xml;q=0.9, */*;q=0.5"
#: by the names of what we show, which is known by its first bytes and not by what it is called
ACCEPT_PICTURES = "image/avif, image/webp, image/png, image/jpeg, image/gif"
#: what is drawn anew may come as it left the camera, in the kinds that we decode
ACCEPT_ORIGINALS = "image/webp, image/png, image/jpeg, image/gif;q=0.8"
#: nothing that we ask for stays as it is for longer
_LONGEST = timedelta(days=366)
_MAX_VALIDATOR = 1000
_PERMANENT = frozenset({301, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A redirect: where to, whether for good, and by which status."""

    url: str
    permanent: bool
    status: int


def redirect(status: int, url: URL, headers: Mapping[str, str]) -> Moved | FeedFailure:
    """Where an answer sends us. Raises ValueError for what is no address."""
    location = headers.get("Location")
    if not location:
        reason = f"HTTP {status} without an address to go to"
        return FeedFailure(reason=reason, status=status)
    # The fragment is for browsers; without it a circle is seen as one.
    target = url.join(URL(location.strip())).with_fragment(None)
    return Moved(url=str(target), permanent=status in _PERMANENT, status=status)


def refused(status: int, reason: str | None, headers: Mapping[str, str]) -> FeedFailure:
    """An answer that brings nothing; `reason` are the server's words for its status."""
    words = one_line(reason or "")[:60]
    return FeedFailure(
        reason=f"HTTP {status} {words}".rstrip(),
        retry_after=retry_after(headers) if status in {429, 503} else None,
        gone=status == HTTPStatus.GONE,
        status=status,
    )


def validators(etag: str | None, last_modified: str | None) -> dict[str, str]:
    """The request headers that ask for a document only if it changed (RFC 9110 §13.1)."""
    pairs = (("If-None-Match", etag), ("If-Modified-Since", last_modified))
    return {name: value for name, value in pairs if value}


def kept(validator: str | None) -> str | None:
    """A validator that can be sent back, or None (what is not ASCII cannot, RFC 9110 §5.5)."""
    fits = validator and len(validator) <= _MAX_VALIDATOR and validator.isascii()
    return validator if fits else None


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """Seconds, or a date (RFC 9110 §10.2.3), which is read by the server's own clock."""
    raw = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", raw):
        return timedelta(seconds=int(raw))
    return _until(raw, headers)


def max_age(headers: Mapping[str, str]) -> timedelta | None:
    """How much longer the server says that its answer stays good (RFC 9111 §4.2); None: no word.

    A cache on the way has spent a part of it, which it tells in Age.
    """
    wishes = headers.get("Cache-Control", "").lower()
    if re.search(r"\bno-(cache|store)\b", wishes):
        return None
    asked = re.search(r"(?<![\w-])max-age\s*=\s*\"?([0-9]{1,9})\b", wishes)
    if asked is None:
        return _bounded(_until(headers.get("Expires", ""), headers))
    age = headers.get("Age", "").strip()
    spent = int(age) if re.fullmatch(r"[0-9]{1,9}", age) else 0
    return _bounded(timedelta(seconds=max(int(asked[1]) - spent, 0)))


def _bounded(wait: timedelta | None) -> timedelta | None:
    return None if wait is None else min(wait, _LONGEST)


def http_date(raw: str | None) -> datetime | None:
    """The moment that a header names, aware; None for what is no date."""
    try:
        moment = parsedate_to_datetime(raw or "")
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else None


def _until(raw: str, headers: Mapping[str, str]) -> timedelta | None:
    until, there = http_date(raw), http_date(headers.get("Date", ""))
    return max(until - there, timedelta(0)) if until and there else None
