"""Turns a feed's address and its entries' dates into where older ones may stand; asks nobody.

Also says whether another list of the site is the same stream as the feed: a site lists everything,
a feed may show a selection of it, and what its publisher left out of it is not ours to add.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

#: of neighbours in a document, so many go one way where it is in the order of time
_ORDERED = 0.8
#: so many of what a list names must be in the document, and the other way round
_SAME, _LISTED = 0.8, 0.5


def paged(url: str, number: int) -> str:
    """The address of a page of a WordPress feed, counted from 1."""
    parts = urlsplit(url)
    known = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != "paged"]
    return urlunsplit(parts._replace(query=urlencode([*known, ("paged", str(number))])))


def hosts_of(*urls: str | None) -> frozenset[str]:
    """The names of the sites that these addresses stand on, without `www.`."""
    return frozenset(filter(None, (_host(each) for each in urls if each)))


def is_own(url: str, hosts: Collection[str]) -> bool:
    """Whether a document's address leads to one of these sites: http or https, and no other."""
    try:
        return urlsplit(url).scheme in {"http", "https"} and _host(url) in hosts
    except ValueError:
        return False


def origin(url: str) -> str | None:
    """Scheme, host and port, without a path; None for what is no web address."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.netloc}" if _host(url) and "@" not in parts.netloc else None


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower().removeprefix("www.")
    except ValueError:
        return ""


def newest_first(dates: Sequence[datetime | None]) -> list[int]:
    """The places of a document's entries, the newest one first.

    Mostly the document's own order, which also says which entries stand out of turn (a post that
    stays on top). A document in no order of time is put in one, and what has no date stays behind.
    """
    places = list(range(len(dates)))
    dated = [each for each in dates if each is not None]
    steps = [(a > b) - (a < b) for a, b in pairwise(dated) if a != b]
    falling = steps.count(1)
    if not steps or falling >= _ORDERED * len(steps):
        return places
    if len(steps) - falling >= _ORDERED * len(steps):
        return places[::-1]
    return sorted(places, key=lambda place: _age(dates[place]))


def _age(moment: datetime | None) -> float:
    return -moment.timestamp() if moment else float("inf")


def reaches_back(dates: Sequence[datetime | None]) -> datetime | None:
    """The date at the older end of a document: an old post that stays on top does not count."""
    order = newest_first(dates)
    return next((dates[place] for place in reversed(order) if dates[place]), None)


@dataclass(frozen=True, slots=True)
class Dated:
    """An entry, as far as two lists are compared: its date and everything that it is known by."""

    at: datetime | None
    signs: frozenset[str]


def same_stream(document: Sequence[Dated], listed: Sequence[Dated]) -> bool:
    """Whether `listed` names what the feed's `document` shows, in the time that this covers.

    False where nothing can be compared: a list that we cannot check is not the feed's.
    """
    shown = frozenset[str]().union(*(each.signs for each in document))
    named = frozenset[str]().union(*(each.signs for each in listed))
    since = reaches_back([each.at for each in document])
    until = max((each.at for each in document if each.at), default=None)
    # not of the oldest second itself: of what came in it together, the document may show a part
    inside = [each for each in listed if since and until and each.at and since < each.at <= until]
    if since is None:
        inside = [each for each in listed if each.signs & shown]
    back = min((each.at for each in listed if each.at), default=None)
    expected = [each for each in document if not (each.at and back and each.at < back)]
    both = [each for each in expected if each.signs & named]
    fits = sum(1 for each in inside if each.signs & shown) >= _SAME * len(inside)
    return bool(both) and fits and len(both) >= _LISTED * len(expected)
