"""Turns what feedparser found in an item into an entry: which link, title, date of several counts.

Works on feedparser's dictionaries and never reads them by their old names, which would warn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import urlsplit

from digest.feeds.dates import parse_date
from digest.feeds.links import absolute, anchored, is_web
from digest.feeds.pictures import is_picture, picture, pictures_in, unique
from digest.model.feed import Entry, ImageCandidate
from digest.model.text import one_line, title_text

#: characters of HTML that an entry may bring
MAX_HTML = 64 * 1024
_MAX_TITLE = 2000

#: what a relative link belongs to, the most trusted first
Bases = tuple[str | None, ...]
_PAGES = ("text/html", "application/xhtml+xml", "")
#: what may stand for the page of an entry that names none, the best first
_INSTEAD = ("related", "via", "self")
#: what is listened to or watched: no package or picture is an article
_SOUND = re.compile(
    r"\.(?:mp3|m4[abv]|mp4|aac|og[agv]|opus|flac|wav|webm|mov)(?:$|[?#])", re.IGNORECASE
)
#: RFC 4287 §4.2.7.2: a relation may be written as its address
_RELATIONS = re.compile(r"^https?://www\.iana\.org/assignments/relation/")
_DATES = ("published", "updated", "created", "prism_publicationdate")


def read_entry(raw: Any, *, bases: Bases, atom: bool, language: str | None) -> Entry:
    """The entry in feedparser's `raw`. `language` is the feed's; `atom` says whose rules hold."""
    link = absolute(_link(raw), *bases)
    summary, content = _html(_one(raw, "summary_detail"), text(raw, "summary")), _content(raw)
    updated = _date(raw, "updated")
    return Entry(
        guid=one_line(text(raw, "id")) or None,
        link=link,
        title=_title(raw, atom=atom),
        summary_html=summary,
        content_html=content,
        author=_author(raw),
        categories=tuple(_categories(raw)),
        published_at=next(filter(None, (_date(raw, name) for name in _DATES)), None),
        updated_at=updated,
        images=unique(_pictures(raw, content or summary, (_base_of(raw), link, *bases))),
        comments_url=absolute(text(raw, "comments"), *bases),
        comments=_comments(raw),
        language=_language(raw, language),
    )


def text(raw: Any, name: str) -> str:
    """The text under a name; "" for none and for what is no text."""
    value = raw.get(name)
    return value.strip() if isinstance(value, str) else ""


def _several(raw: Any, name: str) -> list[Any]:
    """The dictionaries under a name: an element of the feed may be called as feedparser's lists."""
    value = raw.get(name)
    found = value if isinstance(value, list) else []
    return [each for each in found if isinstance(each, dict)]


def _one(raw: Any, name: str) -> Any:
    value = raw.get(name)
    return value if isinstance(value, dict) else {}


def links(raw: Any, relation: str) -> Iterator[str]:
    """The addresses of the links with a relation, in document order."""
    return (each["href"] for each in _several(raw, "links") if _relates(each, relation))


def _relates(link: Any, relation: str) -> bool:
    said = _RELATIONS.sub("", str(link.get("rel") or "alternate")).lower()
    return bool(link.get("href")) and relation in said.split()


def page_of(raw: Any) -> str:
    """The first alternate link that is a page of the web; "" for none."""
    pages = [each for each in _several(raw, "links") if _relates(each, "alternate")]
    return str(min(pages, key=_rank)["href"]) if pages else ""


def _link(raw: Any) -> str:
    """Its page; else an id that is an address, else what is near.

    A guid that says that it is no permanent link is taken all the same where there is nothing else.
    """
    page = page_of(raw)
    if page or is_web(text(raw, "id")):
        return page or text(raw, "id")
    near = (each for name in _INSTEAD for each in links(raw, name))
    return next(near, next(filter(_SOUND.search, links(raw, "enclosure")), ""))


def _rank(link: Any) -> tuple[bool, bool]:
    """The lower the better; what is equal comes in document order."""
    try:
        scheme = urlsplit(link["href"]).scheme
    except ValueError:
        scheme = "?"
    kind = str(link.get("type") or "").partition(";")[0].strip()
    return scheme not in {"http", "https", ""}, kind not in _PAGES


def _title(raw: Any, *, atom: bool) -> str:
    title = text(raw, "title")
    if not title:
        return title_text(text(raw, "itunes_title")[:_MAX_TITLE])
    detail = _one(raw, "title_detail")
    # What Atom calls text has no tags: "<p>" is what the title speaks of (RFC 4287 §3.1.1.1).
    literal = atom and detail.get("type") == "text/plain"
    return title_text(escape(title[:_MAX_TITLE]) if literal else title[:_MAX_TITLE])


def _content(raw: Any) -> str:
    """The longest: feeds carry a teaser, a text and a plain copy of it under many names."""
    found: Any = max(
        _several(raw, "content"), key=lambda each: len(each.get("value") or ""), default={}
    )
    return _html(found, found.get("value") or "")


def _html(detail: Any, html: str) -> str:
    """Where xml:base says what its links belong to, it is put in; else they stay as they are."""
    return anchored(html[:MAX_HTML], detail.get("base"))[:MAX_HTML]


def _base_of(raw: Any) -> str | None:
    """The xml:base that holds in the entry, for the addresses that feedparser leaves alone."""
    for name in ("title_detail", "summary_detail"):
        base = _one(raw, name).get("base")
        if is_web(base):
            return str(base)
    return None


def _date(raw: Any, name: str) -> datetime | None:
    # `dict.get`, for feedparser's own answers "updated" with "published" and warns.
    value = dict.get(raw, name)
    return parse_date(value) if isinstance(value, str) else None


def _author(raw: Any) -> str | None:
    names = [one_line(str(each.get("name") or "")) for each in _several(raw, "authors")]
    return ", ".join(dict.fromkeys(filter(None, names))) or None


def _categories(raw: Any) -> Iterator[str]:
    for tag in _several(raw, "tags")[:50]:
        name = title_text(str(tag.get("label") or tag.get("term") or "")[:200])
        if name:
            yield name


def _comments(raw: Any) -> int | None:
    """The slash module's count, the total of RFC 4685, or the count at its link to the replies."""
    replies = (each for each in _several(raw, "links") if _relates(each, "replies"))
    counts = (str(each.get("thr:count") or "") for each in replies)
    for said in (text(raw, "slash_comments"), text(raw, "thr_total"), *counts):
        if re.fullmatch(r"[0-9]{1,9}", said):
            return int(said)
    return None


def _language(raw: Any, feed: str | None) -> str | None:
    """What the entry says of itself: feedparser hands the feed's language down to each."""
    details = (_one(raw, "title_detail"), _one(raw, "summary_detail"), *_several(raw, "content"))
    said = [text(raw, "language"), *(each.get("language") or "" for each in details)]
    own = (one_line(str(each))[:35] for each in said if each)
    return next((each for each in own if each.lower() != (feed or "").lower()), None)


def _pictures(raw: Any, html: str, bases: Bases) -> Iterator[ImageCandidate | None]:
    for each in _several(raw, "media_content"):
        if is_picture(each):
            yield picture(each, "media", *bases)
    enclosures = (each for each in _several(raw, "links") if _relates(each, "enclosure"))
    for each in filter(is_picture, enclosures):
        yield picture(each, "enclosure", *bases)
    for each in _several(raw, "media_thumbnail"):
        yield picture(each, "media", *bases)
    image = raw.get("image")
    if isinstance(image, dict):
        yield picture(image, "itunes", *bases)
    yield from pictures_in(html, *bases)
