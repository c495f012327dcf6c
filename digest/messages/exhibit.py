"""Turns the page of an edition and two pieces of markup of ours into what the archive shows.

The page is as it was sent, also years ago: it is not made again, only added to.
"""

from __future__ import annotations

import re
from typing import Final

_HEAD_END: Final = re.compile(r"</head\s*>", re.IGNORECASE)
_BODY: Final = re.compile(r"<body\b(?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+>", re.IGNORECASE)
_OPENING: Final = re.compile(r"\s*(?:<!doctype[^>]*>\s*)?(?:<html[^>]*>)?", re.IGNORECASE)


def dress(page: str, *, head: str, bar: str) -> str:
    """The page with `head` at the end of its head and `bar` at the beginning of its body.

    Where a theme has no head or no body, both stand where a browser would begin them.
    """
    body = _BODY.search(page)
    head_end = _HEAD_END.search(page, 0, body.start() if body else len(page))
    begin = _OPENING.match(page)
    start = begin.end() if begin else 0
    at_head = head_end.start() if head_end else body.start() if body else start
    at_body = body.end() if body else head_end.end() if head_end else start
    return f"{page[:at_head]}{head}{page[at_head:at_body]}{bar}{page[at_body:]}"
