"""Turns what an entry shows and encloses into picture candidates; loads and trusts none of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import unescape

from digest.feeds.links import absolute
from digest.model.feed import ImageCandidate
from digest.model.text import one_line

_MAX_IMAGES = 10
_IMG = re.compile(r"<img\s([^<>]*+)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"""(?<![\w-])(src|srcset|data-(?:lazy-)?src(?:set)?|alt|width|height)\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+)""",
    re.IGNORECASE,
)
#: "a.jpg 800w, b.jpg 400w" (HTML 4.8.4.2.1); an address may hold commas
_CANDIDATE = re.compile(r"([^\s,]\S*)\s+([0-9]{2,5})w\b")
_WIDEST = 1600
_PICTURE_FILE = re.compile(r"\.(?:jpe?g|png|gif|webp|avif)(?:$|\?)", re.IGNORECASE)


def pictures_in(html: str, *bases: str | None) -> list[ImageCandidate]:
    """The first pictures of an HTML fragment, with the sizes that it names."""
    found = []
    for tag in _IMG.findall(html)[:_MAX_IMAGES]:
        pairs = _ATTRIBUTE.findall(tag)
        said = {name.lower(): unescape(value.strip("\"'")) for name, value in reversed(pairs)}
        source = said.get("src", "")
        if source.startswith("data:"):  # a placeholder until a script loads the real one
            source = said.get("data-src") or said.get("data-lazy-src", "")
        sized = max(_set(said.get("srcset") or said.get("data-srcset", "")), default=None)
        if sized:
            # as wide as it says; the height of the other one is not its height
            said = {"alt": said.get("alt", ""), "width": str(sized[0])}
            source = sized[1]
        found.append(picture({**said, "url": source}, "html", *bases))
    return [each for each in found if each]


def _set(srcset: str) -> list[tuple[int, str]]:
    """The candidates of a srcset that name their width, but for those wider than a mail needs."""
    found = _CANDIDATE.findall(srcset[:4000])
    return [(int(width), url) for url, width in found if int(width) <= _WIDEST]


def picture(said: Mapping[str, object], origin: str, *bases: str | None) -> ImageCandidate | None:
    """A candidate from `url` or `href`, `alt`, `width` and `height`; None without an address."""
    url = absolute(str(said.get("url") or said.get("href") or ""), *bases)
    if not url:
        return None
    return ImageCandidate(
        url=url,
        alt=one_line(str(said.get("alt") or ""))[:300],
        width=_pixels(said.get("width")),
        height=_pixels(said.get("height")),
        origin=origin,
    )


def is_picture(said: Mapping[str, object]) -> bool:
    """Whether a media element or an enclosure is a picture, by its type or else by its name."""
    kind = str(said.get("type") or "")
    if kind or said.get("medium"):
        return kind.startswith("image/") or (not kind and said.get("medium") == "image")
    return bool(_PICTURE_FILE.search(str(said.get("url") or said.get("href") or "")))


def unique(candidates: Iterable[ImageCandidate | None]) -> tuple[ImageCandidate, ...]:
    """The candidates without gaps and repeats, the first ones only."""
    kept: dict[str, ImageCandidate] = {}
    for each in candidates:
        if each:
            kept.setdefault(each.url, each)
    return tuple(kept.values())[:_MAX_IMAGES]


def _pixels(value: object) -> int | None:
    match = re.fullmatch(r"\s*(\d{1,5})(?:\.\d+)?(?:px)?\s*", str(value), re.ASCII)
    return int(match[1]) if match else None
