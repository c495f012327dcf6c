"""Turns the page of an article into what its feed left out: the text, a picture, a language.

It loads nothing. What a page can cost is bounded before a parser sees it: scripts and styles are
taken out by one pass of linear time, then counted are characters, tags and depth. A page beyond
that gives its head alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from urllib.parse import urljoin

from digest.articles import names
from digest.articles.clean import clean
from digest.articles.images import alt_text, fits, is_decoration
from digest.articles.links import web_url
from digest.model.article import Image
from digest.model.text import is_charset, one_line

#: characters of a page that are looked at, and without its scripts
RAW, SIZE = 4 * 1024 * 1024, 1024 * 1024
TAGS, DEPTH = 20_000, 100

# What is never closed runs to the end, so that nothing is looked at twice.
_DEAD = re.compile(
    r"<!--.*?(?:-->|\Z)|<(?P<name>script|style|svg|template|iframe|noscript|object|select)"
    r"(?![\w:-]).*?(?:</(?P=name)\s*>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_HEAD_TAG = re.compile(
    r"<(?P<name>meta|link|html)(?=\s)(?P<rest>(?:[^>\"']++|\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))*+)"
    r"(?:>|\Z)",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(
    r"([^\s=>/\"']++)\s*+(?:=\s*+(\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z)|[^\s>]*+))?+"
)
_TAG = re.compile(r"<(/?)([a-zA-Z][\w:-]*+)")
_NO_END = frozenset(
    {
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param",
        "source", "track", "wbr", "p", "li", "dt", "dd", "td", "th", "tr",
    }
)  # fmt: skip
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)
#: what calls itself Latin-1 is Windows-1252 (WHATWG Encoding 4.2)
_LATIN = frozenset({"iso-8859-1", "latin1", "latin-1", "us-ascii", "ascii"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a page says of the article that stands on it."""

    #: of the small allow-list; "" where no text was found
    text_html: str = ""
    #: the picture that it wants to be shared with
    image: Image | None = None
    canonical_url: str | None = None
    #: as short a tag as there is: "de"
    language: str | None = None
    #: UTC
    published_at: datetime | None = None
    author: str | None = None


def decode(body: bytes, content_type: str | None) -> str:
    """The characters of a page, by its byte order mark, header or meta element, else UTF-8."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le")):
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    said = re.search(r"charset\s*=\s*[\"']?([\w.:-]{2,40})", content_type or "", re.IGNORECASE)
    meta = _CHARSET.search(body[:4096])
    named = [said[1]] if said else []
    named += [meta[1].decode()] if meta else []
    for encoding in (*filter(is_charset, named), "utf-8", "cp1252"):
        try:
            return body.decode("cp1252" if encoding.lower() in _LATIN else encoding)
        except (LookupError, ValueError):
            continue
    return body.decode("utf-8", "replace")


def read(html: str, url: str) -> Page:
    """What `html`, the page at `url`, says. Takes time in proportion to its size; never raises."""
    living = _DEAD.sub(" ", html[:RAW])
    # the head of a page may be long, and some pages name their picture below it
    said = dict(reversed(list(_said(living[: SIZE // 4]))))
    canonical = _whole(said.get("canonical"), url)
    return Page(
        text_html=_text(living, canonical or url),
        image=_image(said, url),
        canonical_url=canonical,
        language=names.language(said.get("html"), said.get("og:locale")),
        published_at=_moment(said.get("article:published_time")),
        author=names.author(said.get("author") or said.get("article:author")),
    )


def _said(html: str) -> Iterator[tuple[str, str]]:
    """What the elements of a head say, by name: metas, the canonical link, the language."""
    for tag in _HEAD_TAG.finditer(html):
        facts = _attributes(tag["rest"])
        match tag["name"].lower():
            case "html":
                yield "html", facts.get("lang") or facts.get("xml:lang", "")
            case "link":
                if "canonical" in facts.get("rel", "").lower().split():
                    yield "canonical", facts.get("href", "")
            case _:
                name = facts.get("property") or facts.get("name") or facts.get("itemprop", "")
                if facts.get("content"):
                    yield name.lower(), facts["content"]


def _attributes(rest: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, quoted in _ATTRIBUTE.findall(rest):
        value = quoted[1:].removesuffix(quoted[0]) if quoted[:1] in {'"', "'"} else quoted
        found.setdefault(name.lower(), one_line(unescape(value)))
    return found


def _whole(reference: str | None, url: str) -> str | None:
    try:
        return web_url(urljoin(url, reference)) if reference else None
    except ValueError:
        return None


def _image(said: dict[str, str], url: str) -> Image | None:
    names_of_it = ("og:image:secure_url", "og:image", "og:image:url", "twitter:image")
    for name in (*names_of_it, "twitter:image:src", "thumbnailurl"):
        found = _whole(said.get(name), url)
        if not found or is_decoration(found):
            continue
        of_og = name.startswith("og:")
        width, height = (
            _pixels(said.get(f"og:image:{side}")) if of_og else None for side in ("width", "height")
        )
        if fits(width, height):
            alt = said.get("og:image:alt" if of_og else "twitter:image:alt", "")
            return Image(url=found, alt=alt_text(alt, found), width=width, height=height)
    return None


def _pixels(text: str | None) -> int | None:
    found = re.fullmatch(r"(\d{1,5})(?:px)?", (text or "").strip(), re.ASCII)
    return int(found[1]) or None if found else None


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat((text or "").strip())
        return moment.astimezone(UTC) if moment.tzinfo else None  # a time without a zone is none
    except (ValueError, OverflowError):
        return None


def _text(living: str, url: str) -> str:
    if len(living) > SIZE or not _is_plain(living):
        return ""
    import trafilatura  # noqa: PLC0415 -- a seventh of a second, which most commands can do without

    try:
        found = trafilatura.extract(
            living,
            url=url,
            output_format="html",
            include_comments=False,
            include_formatting=True,
            include_links=True,
            include_images=True,
            include_tables=True,
            favor_recall=True,
        )
    except Exception:  # noqa: BLE001 -- a parser of strangers' pages may fail in any way
        return ""
    return clean(found or "", base=url)


def _is_plain(html: str) -> bool:
    """Whether a page has no more elements, and none deeper, than anybody writes."""
    depth = 0
    for count, tag in enumerate(_TAG.finditer(html)):
        if tag[2].lower() not in _NO_END:
            depth = max(0, depth + (-1 if tag[1] else 1))
        if depth > DEPTH or count > TAGS:
            return False
    return True
