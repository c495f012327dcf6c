"""Turns a document into the part of it that is a feed, or into a word on what it is instead.

What stands before the root and behind it goes: junk, notices of PHP, the page that a proxy put
around it, and document types with all that they declare (no bombs, no files read).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: how much may stand before the root
_PROLOGUE = 200_000
_ROOTS = ("rss", "feed", "rdf", "channel")
# Each alternative that begins also matches, so nothing is looked at twice.
_PIECE = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<!\[CDATA\[.*?(?:\]\]>|\Z)"
    r"|<!DOCTYPE\b[^<>\[]*+(?:\[.*?(?:\]\s*+>|\Z)|>?)"
    r"|<\?[^>]*+>?"
    r"|<(?:(?P<prefix>[A-Za-z_][\w.-]*+):)?(?P<name>[A-Za-z_][\w.-]*+)(?=[\s>/])",
    re.DOTALL | re.IGNORECASE,
)
#: a page may speak of feeds: only what is one beyond doubt counts inside a page
_REAL = re.compile(
    r"<(?:rss\s[^<>]*?version\s*=|(?:\w+:)?(?:feed|rdf)\s[^<>]*?xmlns)", re.IGNORECASE
)
_PAGE = re.compile(r"<!DOCTYPE\s+html\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Root:
    """A feed without what stood around it, or a whole document that is none."""

    text: str
    feed: bool = False
    #: it is a page for people, without a feed in it
    page: bool = False


def find_root(text: str) -> Root:
    """The feed in `text`, from its first tag to its last; else the text, and if it is a page."""
    page = False
    first = True
    for piece in _PIECE.finditer(text, 0, _PROLOGUE):
        if not piece["name"]:
            page = page or (first and bool(_PAGE.match(piece[0])))
            continue
        name = piece["name"].lower()
        is_root = name in _ROOTS or (first and name == "entry")
        if is_root and (first or not page or _REAL.match(text, piece.start())):
            return Root(_to_its_end(text, piece), feed=True)
        page = page or name == "html"
        first = False
    return Root(text, page=page)


def _to_its_end(text: str, start: re.Match[str]) -> str:
    """Up to the root's last end tag; what was cut off before it stays as it is."""
    name = f"{start['prefix']}:{start['name']}" if start["prefix"] else start["name"]
    end = text.rfind(f"</{name}", start.start())
    close = text.find(">", end) if end >= 0 else -1
    return text[start.start() : close + 1] if close >= 0 else text[start.start() :]
