"""Turns a JSON Feed (jsonfeed.org, versions 1 and 1.1) into a parsed feed; believes no type."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from html import escape

from digest.feeds.dates import parse_date
from digest.feeds.decode import FORBIDDEN
from digest.feeds.links import absolute, is_web
from digest.feeds.pictures import is_picture, picture, pictures_in, unique
from digest.model.feed import Entry, FeedFailure, ImageCandidate, ParsedFeed
from digest.model.text import one_line, title_text

#: of each minor version: what they add can be left alone
_VERSION = re.compile(r"(?:https?://)?(?:www\.)?jsonfeed\.org/version/1(?:\.\d+)?/?")
#: objects, lists and their elements in all: what no honest feed reaches and little memory holds
_MAX_PIECES = 1_000_000

Item = Mapping[str, object]


def parse_json_feed(
    text: str, *, url: str, max_entries: int, max_html: int
) -> ParsedFeed | FeedFailure:
    """The feed that `text` holds, cut to `max_entries` entries of `max_html` characters each."""
    if sum(map(text.count, "[{,")) > _MAX_PIECES:
        return FeedFailure(reason="JSON that is too intricate for a feed")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return FeedFailure(reason="neither a feed nor JSON that can be read")
    if not isinstance(document, dict) or not _is_feed(document):
        return FeedFailure(reason="JSON, but not a JSON Feed: it has no version of jsonfeed.org")
    site = absolute(_text(document, "home_page_url"), url)
    base = site if is_web(site) else absolute(_text(document, "feed_url"), url)
    items = [each for each in _list(document, "items") if isinstance(each, dict)]
    return ParsedFeed(
        title=title_text(_text(document, "title")) or None,
        site_url=site,
        language=one_line(_text(document, "language"))[:35] or None,
        entries=tuple(_entry(each, (base, url), max_html) for each in items[:max_entries]),
        hub_url=_hub(document, url),
        self_url=absolute(_text(document, "feed_url"), url),
        next_url=absolute(_text(document, "next_url"), url),
    )


def _is_feed(document: Item) -> bool:
    known = _VERSION.fullmatch(_text(document, "version"))
    return bool(known) and isinstance(document.get("items"), list)


def _hub(document: Item, url: str) -> str | None:
    """The first hub of the kind that we know; rssCloud is another."""
    hubs = (each for each in _list(document, "hubs") if isinstance(each, dict))
    known = (each for each in hubs if _text(each, "type").lower() in {"websub", "pubsubhubbub"})
    return next((absolute(_text(each, "url"), url) for each in known), None)


def _entry(item: Item, bases: tuple[str | None, ...], max_html: int) -> Entry:
    link = absolute(_text(item, "url") or _text(item, "external_url"), *bases)
    html = _text(item, "content_html")[:max_html]
    published = parse_date(_text(item, "date_published"))
    updated = parse_date(_text(item, "date_modified"))
    return Entry(
        guid=_text(item, "id") or None,
        link=link,
        title=title_text(_text(item, "title")[:2000]),
        summary_html=escape(_text(item, "summary")[:max_html]),
        content_html=html or escape(_text(item, "content_text")[:max_html]),
        author=_author(item),
        categories=tuple(one_line(str(tag)[:200]) for tag in _list(item, "tags")[:50]),
        published_at=published or updated,
        updated_at=updated,
        images=unique([*_pictures(item, bases), *pictures_in(html, link, *bases)]),
        language=one_line(_text(item, "language"))[:35] or None,
    )


def _pictures(item: Item, bases: tuple[str | None, ...]) -> Iterator[ImageCandidate | None]:
    for key in ("image", "banner_image"):
        yield picture({"url": _text(item, key)}, "media", *bases)
    for each in _list(item, "attachments"):
        if isinstance(each, dict):
            said = {"url": _text(each, "url"), "type": _text(each, "mime_type")}
            yield picture(said, "enclosure", *bases) if is_picture(said) else None


def _author(item: Item) -> str | None:
    people = [*_list(item, "authors"), item.get("author")]
    names = (one_line(_text(each, "name")) for each in people if isinstance(each, dict))
    return ", ".join(filter(None, names)) or None


def _text(item: Item, key: str) -> str:
    """Version 1 was lax about numbers as ids; everything else that is no text is nothing."""
    value = item.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool) and key == "id":
        return str(value)
    # An escape such as \\ud800 brings back what decoding took out.
    return FORBIDDEN.sub("", value).strip() if isinstance(value, str) else ""


def _list(item: Item, key: str) -> list[object]:
    value = item.get(key)
    return value if isinstance(value, list) else []
