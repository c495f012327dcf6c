"""Turns the bytes of a feed into its entries in document order, or into the reason why not.

Believes nothing, fetches nothing, and keeps to its limits whatever it is given. The HTML that
comes out is as the publisher wrote it: `articles` makes it safe.
"""

from __future__ import annotations

import io
import re
from datetime import timedelta
from typing import Any

import feedparser

from digest.feeds.decode import decode
from digest.feeds.discover import discover
from digest.feeds.entries import MAX_HTML, links, page_of, read_entry, text
from digest.feeds.jsonfeed import parse_json_feed
from digest.feeds.links import absolute
from digest.feeds.repair import repair, simplified
from digest.feeds.root import find_root
from digest.model.feed import FeedFailure, ParsedFeed
from digest.model.text import one_line, title_text

#: twice what we take over the network: files may be larger
MAX_BYTES = 10 * 1024 * 1024
#: what podcasts of many years reach
MAX_ENTRIES = 3000

#: characters of a page that are searched for its feeds, and feeds that the operator is told of
_MAX_PAGE = 200_000
_MAX_NAMED = 3
_PERIODS = {"hourly": 1, "daily": 24, "weekly": 24 * 7, "monthly": 24 * 30, "yearly": 24 * 365}


def parse(body: bytes, *, url: str, content_type: str | None) -> ParsedFeed | FeedFailure:
    """The feed that `body` holds: RSS, Atom, RDF or JSON Feed.

    `url` is the address that answered (or a file's name: then links that are relative to it stay
    as they are), `content_type` the header of the response.
    """
    if len(body) > MAX_BYTES:
        return FeedFailure(reason=f"larger than {MAX_BYTES // 2**20} MiB")
    document = decode(body, content_type)
    if not document:
        return FeedFailure(reason="the document is empty")
    if document[0] in "{[":
        return parse_json_feed(document, url=url, max_entries=MAX_ENTRIES, max_html=MAX_HTML)
    root = find_root(document)
    if root.page:
        return FeedFailure(reason=_web_page(document, url))
    if not root.feed:
        return FeedFailure(reason="neither RSS nor Atom nor JSON Feed")
    whole = repair(root.text, max_entries=MAX_ENTRIES).encode()
    del document, root  # one emoji makes each of their characters four bytes long
    return _parse_xml(whole, url)


def _web_page(page: str, url: str) -> str:
    """A page often names its feed: that is what the operator wanted."""
    found = [each for each in discover(page[:_MAX_PAGE], url) if each.found_by == "link"]
    named = ", ".join(one_line(each.url) for each in found[:_MAX_NAMED])
    if not named:
        return "a web page, not a feed"
    return f"a web page, not a feed; the page names this feed: {named}"


def _parse_xml(whole: bytes, url: str) -> ParsedFeed | FeedFailure:
    try:
        found = _read(whole)
    except Exception:  # noqa: BLE001 -- a parser of strangers' bytes may fail in any way
        try:
            found = _read(simplified(whole.decode()).encode())
        except Exception as error:  # noqa: BLE001 -- the same
            return FeedFailure(reason=f"cannot be read as a feed ({type(error).__name__})")
    if not found.get("version") and not found.entries:
        return FeedFailure(reason="neither RSS nor Atom nor JSON Feed")
    return _feed(found, url)


def _read(whole: bytes) -> Any:
    # A stream, never the text itself: feedparser would open it as a file or an address.
    return feedparser.parse(
        io.BytesIO(whole),
        response_headers={"content-type": "application/xml; charset=utf-8"},
        sanitize_html=False,  # entries never leave as markup: see model.text
        resolve_relative_uris=False,  # only in HTML, and at a great cost: see `links.anchored`
    )


def _feed(found: Any, url: str) -> ParsedFeed:
    head = found.feed
    site = absolute(page_of(head), url)
    own = next(links(head, "self"), None)
    bases = (site, own, url)
    language = one_line(text(head, "language"))[:35] or None
    atom = str(found.get("version") or "").startswith("atom")
    return ParsedFeed(
        title=title_text(text(head, "title")[:2000]) or None,
        site_url=site,
        language=language,
        entries=tuple(
            read_entry(each, bases=bases, atom=atom, language=language)
            for each in found.entries[:MAX_ENTRIES]
        ),
        ttl=_ttl(head),
        hub_url=absolute(next(links(head, "hub"), None), url),
        self_url=absolute(own, url),
        next_url=absolute(next(links(head, "next"), None), url),
        archive_url=absolute(next(links(head, "prev-archive"), None), url),
        complete="fh_complete" in head,
    )


def _ttl(head: Any) -> timedelta | None:
    """RSS ttl in minutes, else the syndication module's period and frequency."""
    minutes = _number(text(head, "ttl"))
    if minutes:
        return timedelta(minutes=minutes)
    hours = _PERIODS.get(text(head, "sy_updateperiod").lower())
    return (
        timedelta(hours=hours) / (_number(text(head, "sy_updatefrequency")) or 1) if hours else None
    )


def _number(said: str) -> int:
    return int(said) if re.fullmatch(r"[0-9]{1,6}", said) else 0
