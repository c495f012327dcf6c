"""A feed that we poll, and what a poll of it can bring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    #: where it moved for good; it is known by `url` all the same
    moved_to: str | None = None
    site_url: str | None = None
    language: str | None = None
    #: SHA-256 of the last document, in hexadecimal digits
    body_hash: str | None = None
    #: the rhythm that was learned from it; None before the first document
    interval: timedelta | None = None
    #: when its publisher said that it is gone for good; None as long as it is polled
    retired_at: datetime | None = None

    @property
    def address(self) -> str:
        """Where it is asked for: where it moved to, else where the operator says it is.

        While a new address fails, the old one is tried every other time: a site may move back.
        """
        return self.url if self.failures % 2 else self.moved_to or self.url

    @property
    def is_asked_again(self) -> bool:
        """Whether its validators are those of the address that is asked now."""
        return self.address == (self.moved_to or self.url)


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
    #: how many comments the feed counts (slash:comments, thr:count)
    comments: int | None = None
    #: a language tag of its own, as written (xml:lang, JSON Feed)
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """A feed document, read: what it says of itself and its entries in document order."""

    title: str | None
    site_url: str | None
    language: str | None
    entries: tuple[Entry, ...]
    #: how long the publisher asks us to wait between polls (RSS ttl, sy:updatePeriod)
    ttl: timedelta | None = None
    #: where a hub tells what changes, and the feed's own name for itself (W3C WebSub)
    hub_url: str | None = None
    self_url: str | None = None
    #: the page with older entries, and the archive before this one (RFC 5005)
    next_url: str | None = None
    archive_url: str | None = None
    #: it calls itself whole: an entry that is not in it does not exist any more (RFC 5005)
    complete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """The server sent a document (HTTP 200), already decompressed and within the limits."""

    body: bytes
    #: the address that answered, after redirects
    url: str
    #: the address by which we know the feed, wherever it answers from; None for other documents
    known_as: str | None = None
    content_type: str | None
    etag: str | None
    last_modified: str | None
    #: where a chain of permanent redirects alone (301, 308) led; None if nothing moved for good
    moved_to: str | None = None
    #: how long the server says that the document stays as it is (Cache-Control, Expires)
    max_age: timedelta | None = None
    #: the response's headers, names in lower case; several of one name with commas between
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchanged:
    """The server said that nothing changed since our last poll (HTTP 304)."""

    moved_to: str | None = None
    max_age: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFailure:
    """A poll that brought nothing; `reason` is one line for the operator."""

    reason: str
    #: when the server asked us not to come back sooner (429, 503 with Retry-After)
    retry_after: timedelta | None = None
    #: the server said that the feed is gone for good (HTTP 410)
    gone: bool = False
    #: what the server answered, where it answered in HTTP and that was the trouble
    status: int | None = None
