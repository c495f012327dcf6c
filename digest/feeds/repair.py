"""Turns what claims to be an XML feed into text that feedparser reads within seconds.

Document types and their entities go (no bombs, no files read), bare ampersands and HTML's entities
become XML, entries that are too many go. What is not well-formed even then, or so intricate that
feedparser would take minutes (its time grows with the square of the categories of an entry), is
cut to a size that is harmless.
"""

from __future__ import annotations

import re
from html import escape
from html.entities import html5
from itertools import islice
from xml.parsers import expat

#: what no honest feed reaches: nesting, elements, attributes of one, categories in one place
MAX_DEPTH = 200
MAX_ELEMENTS = 100_000
MAX_ATTRIBUTES = 200
MAX_CATEGORIES = 300
#: where one of those is passed or the XML is broken: tags and references in all, and categories
MAX_MARKS = 100_000
MAX_ALL_CATEGORIES = 5000

_DOCTYPE = re.compile(r"<!DOCTYPE\b[^<>\[]*+(?:\[.*?\]\s*+)?>", re.DOTALL | re.IGNORECASE)
_ITEM = re.compile(r"<(?:\w+:)?(?:item|entry)[\s>]", re.IGNORECASE)
_ITEM_END = re.compile(r"</(?:\w+:)?(?:item|entry)\s*>", re.IGNORECASE)
_REFERENCE = re.compile(
    r"(?P<literal><!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z))"
    r"|&(?:(?P<name>[A-Za-z][A-Za-z0-9]{0,31});|#(?P<number>\d{1,7}|[xX][0-9A-Fa-f]{1,6});)?",
    re.DOTALL,
)
_XML_NAMES = frozenset({"amp", "lt", "gt", "quot", "apos"})
_CATEGORY = "category|subject|keywords|tags"
_CATEGORIES = frozenset(_CATEGORY.split("|"))
_KEYWORDS = re.compile(
    r"<(?:\w+:)?(?:keywords|tags)\b[^<>]*+>(?:<!\[CDATA\[)?[^<]*+", re.IGNORECASE
)
_ANY_CATEGORY = re.compile(rf"<(?:\w+:)?(?:{_CATEGORY})\b", re.IGNORECASE)
_MARK = re.compile("[<&]")
_LONG_TAG = re.compile(r"<[^<>]{10000}[^<>]*+>")


class _Intricate(Exception):
    """No honest feed looks like this."""


def repair(text: str, *, max_entries: int) -> str:
    """`text` as well-formed as it can be made, with `max_entries` entries at most."""
    whole = _REFERENCE.sub(_reference, _without_doctype(_without_entries(text, max_entries)))
    try:
        _inspect(whole)
    except (expat.ExpatError, _Intricate):
        return _harmless(whole)
    return whole


def _without_doctype(text: str) -> str:
    start = text[:100_000].upper().find("<!DOCTYPE")
    match = _DOCTYPE.match(text, start) if start >= 0 else None
    return text[:start] + text[match.end() :] if match else text


def _without_entries(text: str, limit: int) -> str:
    """Without the entries that are too many; what stands around them stays well-formed."""
    beyond = next(islice(_ITEM.finditer(text), limit, None), None)
    if beyond is None:
        return text
    ends = [end.end() for end in _ITEM_END.finditer(text, beyond.start())]
    return text[: beyond.start()] + (text[ends[-1] :] if ends else "")


def _reference(match: re.Match[str]) -> str:
    name, number = match["name"], match["number"]
    if match["literal"] or name in _XML_NAMES:
        return match[0]
    if name:
        known = html5.get(f"{name};")
        return escape(known) if known else f"&amp;{name};"
    if number:
        code = int(number[1:], 16) if number[0] in "xX" else int(number)
        return match[0] if _is_legal(code) else ""
    return "&amp;"


def _is_legal(code: int) -> bool:
    """XML 1.0 §2.2."""
    return (
        code in {0x9, 0xA, 0xD}
        or 0x20 <= code < 0xD800  # noqa: PLR2004 -- as the specification writes it
        or 0xE000 <= code < 0xFFFE  # noqa: PLR2004 -- the same
        or 0x10000 <= code <= 0x10FFFF  # noqa: PLR2004 -- the same
    )


class _Inspector:
    """Counts what makes feedparser slow while expat reads."""

    def __init__(self) -> None:
        self.depth = 0
        self.elements = 0
        self.categories = 0
        self.in_category = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.elements += 1
        local = name.rpartition(":")[2].lower()
        if local in {"item", "entry"}:
            self.categories = 0
        self.in_category = local in _CATEGORIES
        self.categories += self.in_category
        if len(attributes) > MAX_ATTRIBUTES:
            raise _Intricate
        self._check()

    def end(self, _name: str) -> None:
        self.depth -= 1
        self.in_category = False

    def text(self, data: str) -> None:
        if self.in_category:
            self.categories += data.count(",")
            self._check()

    def _check(self) -> None:
        if (
            self.categories > MAX_CATEGORIES
            or self.depth > MAX_DEPTH
            or self.elements > MAX_ELEMENTS
        ):
            raise _Intricate


def _inspect(text: str) -> None:
    inspector = _Inspector()
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = inspector.start
    parser.EndElementHandler = inspector.end
    parser.CharacterDataHandler = inspector.text
    parser.Parse(text.encode(), True)  # noqa: FBT003 -- expat takes it by position


def _harmless(text: str) -> str:
    text = _LONG_TAG.sub("", _KEYWORDS.sub("", text))
    text = _up_to(MAX_ALL_CATEGORIES, _ANY_CATEGORY, text)
    return _up_to(MAX_MARKS, _MARK, text)


def _up_to(limit: int, pattern: re.Pattern[str], text: str) -> str:
    beyond = next(islice(pattern.finditer(text), limit, None), None)
    return text[: beyond.start()] if beyond else text
