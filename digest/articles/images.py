"""Turns the pictures that an entry offers into the one that its card shows, or into none.

Refuses what is no picture to look at: counters, pixels, smileys, avatars, icons, banners. Loads
nothing: what no size is given for may have one in its address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from digest.articles.links import web_url
from digest.model.article import Image
from digest.model.feed import ImageCandidate
from digest.model.text import one_line, plain_text

SMALLEST = 100
#: as wide as a card shows it, or nearly
LARGE = 400
#: a thumbnail: better than nothing
SMALL = 250
#: wider ones only cost readers time
WIDEST = 1600
#: the longer side over the shorter one: beyond it, it is a banner or a rule
ASPECT = 4
_MAX_ALT = 200
#: where a publisher says "this is the picture of the story"
_NAMED = frozenset({"media", "enclosure", "page"})

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
    r"|feed-?icon|share[-_]button|/(?:placeholder|default[-_]image|no[-_]?image)[^/]*$"
    r"|/(?:undefined|null|none|nan)$",
    re.IGNORECASE,
)
_NO_PHOTO = re.compile(r"\.(?:svg|ico|bmp|tiff?)$", re.IGNORECASE)

# "photo-150x150.jpg" as blog software names what it made smaller; "?w=600", "?resize=600,400".
_SIZED_NAME = re.compile(r"[-_](\d{2,4})x(\d{2,4})(?:@2x)?(\.[a-z]{3,4})?$", re.IGNORECASE)
_SIZED_PAIR = re.compile(r"(?:^|[&;])(?:resize|fit|crop)=(\d{2,4})(?:,|%2C)(\d{2,4})(?=&|$)")
_SIZED_WIDTH = re.compile(r"(?:^|[&;])(?:w|width)=(\d{2,4})(?=&|$)")
_SIZED_HEIGHT = re.compile(r"(?:^|[&;])(?:h|height)=(\d{2,4})(?=&|$)")

_FILE_NAME = re.compile(
    r"\S+\.(?:jpe?g|png|gif|webp|avif|svg|bmp|tiff?)|(?=\S*(?:_|\d{3}))[\w().-]{5,}|https?:\S+"
    r"|(?:img|dsc[nf]?|pict?|image|photo|foto|bild|screenshot|bildschirmfoto|unnamed|thumb(?:nail)?"
    r"|featured image|beitragsbild|symbolbild|picture|logo|header|untitled|null)[\W\d_]*"
    r"|(?:screenshot|bildschirmfoto|screen shot)\b.{0,8}\d{4}-\d\d-\d\d.*",
    re.IGNORECASE,
)
#: who took it: for a caption, not for those who cannot see it
_CREDIT = re.compile(
    r"\s*(?:[|\u00a9]|\((?:foto|bild|photo|image|quelle|source|credit)s?\s?:)[^|\u00a9]{0,80}$"
    r"|\s+(?:foto|bild|photo(?: by)?|credits?|quelle)\s?:\s?[^:]{1,60}$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Usable:
    image: Image
    origin: str

    @property
    def rank(self) -> tuple[int, int]:
        """The best has the lowest: known to be large, then unknown, then known to be small."""
        width = self.image.width
        if width is None or SMALL <= width < LARGE:
            return (2 if self.origin in _NAMED else 3), 0
        if width < SMALL:
            return 4, -width
        if self.origin not in _NAMED:
            return 1, 0  # in the order in which a text shows them
        return (0, -width) if width <= WIDEST else (1, width)


def choose_image(candidates: Iterable[ImageCandidate]) -> Image | None:
    """The picture that a card shows; None where none will do.

    The largest of those that the publisher names the story's, up to 1600 pixels, before the first
    large one of the text, before those of unknown size, before small ones.
    """
    usable = [each for each in map(_usable, candidates) if each]
    if not usable:
        return None
    best = min(usable, key=lambda each: each.rank).image
    if best.alt:
        return best
    alt = next(
        (each.image.alt for each in usable if each.image.alt and _same(each.image, best)), ""
    )
    return Image(url=best.url, alt=alt, width=best.width, height=best.height)


def fits(width: int | None, height: int | None) -> bool:
    """Whether a picture of this size is one to look at; what is not known may be."""
    sides = [side for side in (width, height) if side is not None]
    if any(side < SMALLEST for side in sides):
        return False
    return len(sides) < 2 or max(sides) <= ASPECT * min(sides)  # noqa: PLR2004 -- both of them


def alt_text(text: str, url: str) -> str:
    """What a picture shows, in words on one line; "" for a file's name or a mere credit."""
    alt = one_line(plain_text(text) if "<" in text else text)
    alt = _CREDIT.sub("", alt[:600]).strip()
    stem = unquote(urlsplit(url).path).rpartition("/")[2].partition(".")[0]
    if _FILE_NAME.fullmatch(alt) or _letters(alt) == _letters(_SIZED_NAME.sub("", stem)):
        return ""
    return alt if len(alt) <= _MAX_ALT else alt[: _MAX_ALT - 1].rpartition(" ")[0] + "\u2026"


def is_decoration(url: str) -> bool:
    """Whether a web address is that of a counter, an icon, a smiley or a face, not of a picture."""
    parts = urlsplit(url)
    return bool(
        _HOSTS.search(parts.hostname or "")
        or _PATHS.search(parts.path)
        or _NO_PHOTO.search(parts.path)
    )


def _usable(candidate: ImageCandidate) -> _Usable | None:
    url = web_url(candidate.url)
    if not url or is_decoration(url):
        return None
    width, height = candidate.width, candidate.height
    if width is None and height is None:
        width, height = _named_size(url)
    if not fits(width, height):
        return None
    alt = alt_text(candidate.alt, url)
    return _Usable(Image(url=url, alt=alt, width=width, height=height), candidate.origin)


def _named_size(url: str) -> tuple[int | None, int | None]:
    """The size that an address names, if it does."""
    parts = urlsplit(url)
    pair = _SIZED_PAIR.search(parts.query)
    if not pair and not _SIZED_WIDTH.search(parts.query):
        pair = _SIZED_NAME.search(parts.path)
    if pair:
        return int(pair[1]), int(pair[2])
    sides: Sequence[re.Match[str] | None] = (
        _SIZED_WIDTH.search(parts.query),
        _SIZED_HEIGHT.search(parts.query),
    )
    width, height = (int(side[1]) if side else None for side in sides)
    return width, height


def _same(one: Image, other: Image) -> bool:
    """Whether two addresses are of one picture in two sizes."""
    return _picture(one.url) == _picture(other.url)


def _picture(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return (parts.hostname or "").lower(), _SIZED_NAME.sub(r"\3", parts.path)


def _letters(text: str) -> str:
    return "".join(each for each in text.casefold() if each.isalnum())
