"""Turns what claims to be an XML feed into text that feedparser reads within seconds.

Bare ampersands and angle brackets and HTML's entities become XML, prefixes that nobody declared go,
and so do entries that are too many or stand where none can. What is not well-formed even then, or
so intricate that feedparser would take minutes (its time grows with the square of the categories of
an entry), is cut to a size that is harmless.
"""

from __future__ import annotations

import re
from html import escape
from html.entities import html5
from itertools import islice
from xml.parsers import expat

from digest.feeds.structure import CATEGORY, Intricate, prune

#: where one of those is passed or the XML is broken: tags and references in all, and categories
MAX_MARKS = 50_000
MAX_ALL_CATEGORIES = 5000
#: tags and references in any document
MAX_REFERENCES = 1_000_000

_ITEM = re.compile(r"<(?:\w+:)?(?:item|entry)[\s>]", re.IGNORECASE)
_ITEM_END = re.compile(r"</(?:\w+:)?(?:item|entry)\s*>", re.IGNORECASE)
# rdf is a prefix that feedparser knows even undeclared
_PREFIXED = re.compile(
    r"<(?!rdf:)([A-Za-z_][\w.-]{0,30}):(?:item|entry|channel|feed)[\s>]", re.IGNORECASE
)
_REFERENCE = re.compile(
    r"(?P<literal><!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z))"
    r"|(?P<less><(?![A-Za-z_/!?]))"
    r"|&(?:(?P<name>[A-Za-z][A-Za-z0-9]{0,31});|#(?P<number>\d{1,7}|[xX][0-9A-Fa-f]{1,6});)?",
    re.DOTALL,
)
_XML_NAMES = frozenset({"amp", "lt", "gt", "quot", "apos"})
_KEYWORDS = re.compile(
    r"<(?:\w+:)?(?:keywords|tags)\b[^<>]*+>(?:<!\[CDATA\[)?[^<]*+", re.IGNORECASE
)
_ANY_CATEGORY = re.compile(rf"<(?:\w+:)?(?:{CATEGORY})\b", re.IGNORECASE)
# the picture of a feed has a title and a link of its own
_HEAD_PICTURE = re.compile(
    r"<(?P<kind>image|textinput)\b[^<>]*+>[^<]{0,2000}+"
    r"(?:<(?!/(?P=kind)|item|entry)[^<]{0,2000}+){0,40}+</(?P=kind)\s*>",
    re.IGNORECASE,
)
_TAG = re.compile(
    r"(?P<literal><!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z))"
    r"|</?(?:[A-Za-z_][\w.-]*+:)?(?P<name>[A-Za-z_][\w.-]*+)[^<>]*+>?",
    re.DOTALL,
)
_ARTICLE = (
    "rss|rdf|channel|feed|item|entry|title|link|guid|id|pubdate|published|updated|issued|modified"
    "|created|date|description|summary|content|encoded|author|creator|name|category|subject"
    "|enclosure|language|comments|ttl"
)
_KNOWN = frozenset(_ARTICLE.split("|"))
_MARK = re.compile("[<&]")
_LONG_TAG = re.compile(r"<[^<>]{10000}[^<>]*+>?")
# expat takes a gigabyte for some millions of attributes
_ENDLESS_TAG = re.compile(r"<[A-Za-z_][^<>]{100000}[^<>]*+>?")


def repair(text: str, *, max_entries: int) -> str:
    """`text` as well-formed as it can be made, with `max_entries` entries at most."""
    bounded = _without_entries(_up_to(MAX_REFERENCES, _MARK, text), max_entries)
    bounded = _ENDLESS_TAG.sub("", bounded)
    whole = _REFERENCE.sub(_reference, _without_loose_prefix(bounded))
    try:
        return prune(whole)
    except (expat.ExpatError, Intricate):
        return _harmless(whole)


def _without_loose_prefix(text: str) -> str:
    """Without a prefix of feed, channel or entries that nobody declared, as in `<rss:item>`."""
    prefixes = {match[1] for match in islice(_PREFIXED.finditer(text), 20)}
    for prefix in sorted(prefixes):
        if not re.search(rf"xmlns:{re.escape(prefix)}\s*=", text):
            text = re.sub(rf"<(/?){re.escape(prefix)}:", r"<\1", text)
    return text


def _without_entries(text: str, limit: int) -> str:
    """Without the entries that are too many; what stands around them stays well-formed."""
    beyond = next(islice(_ITEM.finditer(text), limit, None), None)
    if beyond is None:
        return text
    ends = [end.end() for end in _ITEM_END.finditer(text, beyond.start())]
    return text[: beyond.start()] + (text[ends[-1] :] if ends else "")


def _reference(match: re.Match[str]) -> str:
    name, number = match["name"], match["number"]
    if match["less"]:
        return "&lt;"
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


def simplified(text: str) -> str:
    """`text` with the elements alone that an article is made of, where feedparser stumbled.

    What stumbles over a misplaced tag is its knowledge of pictures, places, licences and chapters.
    """
    return _TAG.sub(_known_tag, _HEAD_PICTURE.sub("", text))


def _known_tag(match: re.Match[str]) -> str:
    if match["literal"]:  # one without an end would hide what feedparser stumbles over
        return match[0] if match[0].endswith(("]]>", "-->")) else ""
    return match[0] if match["name"].lower() in _KNOWN else ""


def _harmless(text: str) -> str:
    text = _LONG_TAG.sub("", _KEYWORDS.sub("", text))
    text = _up_to(MAX_ALL_CATEGORIES, _ANY_CATEGORY, text)
    return _up_to(MAX_MARKS, _MARK, text)


def _up_to(limit: int, pattern: re.Pattern[str], text: str) -> str:
    """What stands before the match that is one too many."""
    beyond = next(islice(pattern.finditer(text), limit, None), None)
    return text[: beyond.start()] if beyond else text
