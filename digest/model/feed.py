"""A feed that we poll, and what a poll of it can bring."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A source that we poll, as the store knows it. Times are UTC."""

    id: int
    url: str
    title: str | None
    etag: str | None
    last_modified: str | None
    next_poll_at: datetime
    last_polled_at: datetime | None
    failures: int
    failing_since: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageCandidate:
    """A picture that an entry offers; nothing about it is trusted. Sizes in CSS pixels."""

    url: str
    alt: str = ""
    width: int | None = None
    height: int | None = None
    #: where it was found: "media", "enclosure", "itunes", "html", "feed"
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One item as its publisher wrote it: absolute links, UTC dates, everything else untrusted."""

    guid: str | None
    link: str | None
    #: plain text, entities decoded, tags dropped; may be empty
    title: str
    summary_html: str
    content_html: str
    author: str | None
    categories: tuple[str, ...]
    published_at: datetime | None
    updated_at: datetime | None
    images: tuple[ImageCandidate, ...]
    comments_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """A feed document, read: what it says of itself and its entries in document order."""

    title: str | None
    site_url: str | None
    language: str | None
    entries: tuple[Entry, ...]
    #: how long the publisher asks us to wait between polls (RSS ttl, sy:updatePeriod)
    ttl: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """The server sent a document (HTTP 200), already decompressed and within the limits."""

    body: bytes
    #: the address that answered, after redirects
    url: str
    content_type: str | None
    etag: str | None
    last_modified: str | None
    #: where a chain of permanent redirects alone (301, 308) led; None if nothing moved for good
    moved_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchanged:
    """The server said that nothing changed since our last poll (HTTP 304)."""

    moved_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFailure:
    """A poll that brought nothing; `reason` is one line for the operator."""

    reason: str
    #: when the server asked us not to come back sooner (429, 503 with Retry-After)
    retry_after: timedelta | None = None
    #: the server said that the feed is gone for good (HTTP 410)
    gone: bool = False
