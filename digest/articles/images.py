"""Turns the pictures that an entry offers into the one that its card shows, or into none.

Refuses what is no picture to look at: counters, pixels, smileys, avatars, icons. Loads nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from digest.articles.links import web_url
from digest.model.article import Image
from digest.model.feed import ImageCandidate
from digest.model.text import one_line

SMALLEST = 100
LARGE = 400
_MAX_ALT = 200
_HOSTS = re.compile(
    r"(?:^|\.)(?:feedburner\.com|feedsportal\.com|doubleclick\.net|gravatar\.com|pheedo\.com"
    r"|feedblitz\.com|vgwort\.de|ivwbox\.de|ioam\.de|stats\.wordpress\.com|pixel\.wp\.com"
    r"|s\.w\.org|google-analytics\.com|quantserve\.com|scorecardresearch\.com|chartbeat\.net"
    r"|addtoany\.com|badges?\.[^.]+\.[a-z]+|shields\.io)$",
    re.IGNORECASE,
)
_PATHS = re.compile(
    r"/(?:pixel|[bp]|1x1|blank|spacer|transparent|clear|dot|count(?:er)?)\.(?:gif|png|php|pl|cgi)$"
    r"|/(?:pixel|beacon|track(?:ing|er)?)(?:/|$)|emoji|smil(?:ey|ies)|/avatars?/|/icons?/|favicon"
    r"|feed-?icon|share[-_]button",
    re.IGNORECASE,
)
_NO_PHOTO = re.compile(r"\.(?:svg|ico|bmp|tiff?)$", re.IGNORECASE)


def choose_image(candidates: Iterable[ImageCandidate]) -> Image | None:
    """The first picture known to be large, else the first that may be; None where none will do."""
    usable = [image for image in map(_usable, candidates) if image]
    large = (each for each in usable if each.width and each.width >= LARGE)
    return next(large, usable[0] if usable else None)


def _usable(candidate: ImageCandidate) -> Image | None:
    url = web_url(candidate.url)
    if not url or _is_small(candidate) or _is_decoration(url):
        return None
    alt = one_line(candidate.alt)[:_MAX_ALT]
    return Image(url=url, alt=alt, width=candidate.width, height=candidate.height)


def _is_small(candidate: ImageCandidate) -> bool:
    return any(size is not None and size < SMALLEST for size in (candidate.width, candidate.height))


def _is_decoration(url: str) -> bool:
    parts = urlsplit(url)
    return bool(
        _HOSTS.search(parts.hostname or "")
        or _PATHS.search(parts.path)
        or _NO_PHOTO.search(parts.path)
    )
