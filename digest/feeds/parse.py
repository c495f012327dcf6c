"""Turns the bytes of a feed into its entries in document order, or into the reason why not.

Believes nothing, fetches nothing, and keeps to its limits whatever it is given. The HTML that
comes out is as the publisher wrote it: `articles` makes it safe.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import feedparser

from digest.feeds.dates import parse_date
from digest.feeds.decode import decode
from digest.feeds.jsonfeed import parse_json_feed
from digest.feeds.links import absolute, is_web
from digest.feeds.pictures import is_picture, picture, pictures_in, unique
from digest.feeds.repair import repair
from digest.model.feed import Entry, FeedFailure, ImageCandidate, ParsedFeed
from digest.model.text import one_line, title_text

MAX_BYTES = 16 * 1024 * 1024
MAX_ENTRIES = 1000
#: characters of HTML that an entry may bring
MAX_HTML = 64 * 1024

_ROOT = re.compile(r"<(?:\w+:)?(rss|feed|rdf|channel)[\s>]", re.IGNORECASE)
_FEED_LINK = re.compile(
    r"<link\s[^<>]*?type\s*=\s*[\"']?application/(?:rss\+xml|atom\+xml|feed\+json)[^<>]*>",
    re.IGNORECASE,
)
_PAGE = re.compile(r"<(?:!doctype\s+)?html[\s>]", re.IGNORECASE)
_HREF = re.compile(r"href\s*=\s*[\"']?([^\s\"'<>]+)", re.IGNORECASE)
#: what a relative link belongs to, the most trusted first
Bases = tuple[str | None, ...]
_PERIODS = {"hourly": 1, "daily": 24, "weekly": 24 * 7, "monthly": 24 * 30, "yearly": 24 * 365}


def parse(body: bytes, *, url: str, content_type: str | None) -> ParsedFeed | FeedFailure:
    """The feed that `body` holds: RSS, Atom, RDF or JSON Feed.

    `url` is the address that answered (or a file's name: then links that are relative to it stay
    as they are), `content_type` the header of the response.
    """
    if len(body) > MAX_BYTES:
        return FeedFailure(reason=f"larger than {MAX_BYTES // 2**20} MiB")
    text = decode(body, content_type)
    if not text:
        return FeedFailure(reason="the document is empty")
    if text[0] in "{[":
        return parse_json_feed(text, url=url, max_entries=MAX_ENTRIES, max_html=MAX_HTML)
    root = _ROOT.search(text, 0, 100_000)
    if re.search(
        r"<(?:!doctype\s+)?html[\s>]", text[: root.start() if root else 5000], re.IGNORECASE
    ):
        return FeedFailure(reason=_web_page(text, url))
    if not root:
        return FeedFailure(reason="neither RSS nor Atom nor JSON Feed")
    return _parse_xml(text, url)


def _web_page(text: str, url: str) -> str:
    """A page often names its feed: that is what the operator wanted."""
    for tag in _FEED_LINK.findall(text[:200_000]):
        href = _HREF.search(tag)
        link = absolute(href[1].replace("&amp;", "&"), url) if href else None
        if link:
            return f"a web page, not a feed; the page names this feed: {one_line(link)}"
    return "a web page, not a feed"


def _parse_xml(text: str, url: str) -> ParsedFeed | FeedFailure:
    try:
        # A stream, never the text itself: feedparser would open it as a file or an address.
        stream = io.BytesIO(repair(text, max_entries=MAX_ENTRIES).encode())
        document = feedparser.parse(
            stream,
            response_headers={"content-type": "application/xml; charset=utf-8"},
            sanitize_html=False,  # entries never leave as markup: see model.text
            resolve_relative_uris=False,
        )
    except Exception as error:  # noqa: BLE001 -- a parser of strangers' bytes may fail in any way
        return FeedFailure(reason=f"cannot be read as a feed ({type(error).__name__})")
    if not document.get("version") and not document.entries:
        return FeedFailure(reason="neither RSS nor Atom nor JSON Feed")
    head = document.feed
    site = absolute(_link_of(head), url)
    bases = (site, _first_link(head, "self"), url)
    entries = document.entries[:MAX_ENTRIES]
    return ParsedFeed(
        title=title_text(_text(head, "title")[:2000]) or None,
        site_url=site,
        language=one_line(_text(head, "language"))[:35] or None,
        entries=tuple(_entry(each, bases) for each in entries),
        ttl=_ttl(head),
    )


def _entry(raw: Any, bases: Bases) -> Entry:
    guid = one_line(_text(raw, "id")) or None
    link = absolute(_link_of(raw), *bases)
    summary, content = _text(raw, "summary")[:MAX_HTML], _content(raw)[:MAX_HTML]
    updated = _date(raw, "updated")
    return Entry(
        guid=guid,
        link=link,
        title=title_text(_text(raw, "title")[:2000]),
        summary_html=summary,
        content_html=content,
        author=_author(raw),
        categories=tuple(_categories(raw)),
        published_at=_date(raw, "published") or updated or _date(raw, "created"),
        updated_at=updated,
        images=unique(_pictures(raw, content or summary, (link, *bases))),
        comments_url=absolute(_text(raw, "comments"), *bases),
    )


def _link_of(raw: Any) -> str:
    """Feedparser's choice, which may be the guid: then only if it is an address at all."""
    link = _text(raw, "link") or _first_link(raw, "alternate")
    return "" if link == _text(raw, "id") and not is_web(link) else link


def _first_link(raw: Any, relation: str) -> str:
    links = [each for each in raw.get("links", ()) if each.get("rel") == relation]
    return next((each["href"] for each in links if each.get("href")), "")


def _content(raw: Any) -> str:
    """The longest: feeds carry a teaser, a text and a plain copy of it under many names."""
    values = (each.get("value") or "" for each in raw.get("content", ()))
    return max(values, key=len, default="")


def _date(raw: Any, name: str) -> datetime | None:
    # `dict.get`, for feedparser's own answers "updated" with "published" and warns.
    value = dict.get(raw, name)
    return parse_date(value) if isinstance(value, str) else None


def _author(raw: Any) -> str | None:
    names = [one_line(str(each.get("name") or "")) for each in raw.get("authors", ())]
    return ", ".join(dict.fromkeys(filter(None, names))) or None


def _categories(raw: Any) -> Iterator[str]:
    for tag in raw.get("tags", ())[:50]:
        name = title_text(str(tag.get("label") or tag.get("term") or "")[:200])
        if name:
            yield name


def _pictures(
    raw: Any, html: str, bases: tuple[str | None, ...]
) -> Iterator[ImageCandidate | None]:
    for each in raw.get("media_content", ()):
        if is_picture(each):
            yield picture(each, "media", *bases)
    enclosures = (each for each in raw.get("links", ()) if each.get("rel") == "enclosure")
    for each in filter(is_picture, enclosures):
        yield picture(each, "enclosure", *bases)
    for each in raw.get("media_thumbnail", ()):
        yield picture(each, "media", *bases)
    image = raw.get("image")
    if isinstance(image, dict):
        yield picture(image, "itunes", *bases)
    yield from pictures_in(html, *bases)


def _ttl(head: Any) -> timedelta | None:
    """RSS ttl in minutes, else the syndication module's period and frequency."""
    minutes = _number(_text(head, "ttl"))
    if minutes:
        return timedelta(minutes=minutes)
    hours = _PERIODS.get(_text(head, "sy_updateperiod").lower())
    return (
        timedelta(hours=hours) / (_number(_text(head, "sy_updatefrequency")) or 1)
        if hours
        else None
    )


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 0


def _text(raw: Any, name: str) -> str:
    value = raw.get(name)
    return value.strip() if isinstance(value, str) else ""
