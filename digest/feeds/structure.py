"""Turns a well-formed feed into one whose entries stand where entries can stand.

Entries inside of entries or of elements of others are no entries of the feed; where an entry is
named or dated twice in the same words, the first counts; and a link that says that it is the page
counts more than one that says nothing. Feedparser would take all of the entries, and the last of
the rest. Says too what is so intricate that no honest feed looks like it.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.parsers import expat

#: what no honest feed reaches: nesting, elements, attributes of one, categories in one place
MAX_DEPTH = 200
MAX_ELEMENTS = 150_000
MAX_ATTRIBUTES = 200
MAX_CATEGORIES = 300
#: entries or dates that stand where they should not: beyond, all of it is nonsense
MAX_CUTS = 10_000

CATEGORY = "category|subject|keywords|tags"
_CATEGORIES = frozenset(CATEGORY.split("|"))
_ENTRIES = frozenset(("item", "entry"))
_HOMES = frozenset(("rss", "rdf", "channel", "feed", "items", "entries"))
#: what an entry says once
_SAID_ONCE = "title|id|guid|published|updated|issued|modified|created|pubdate|date"
_ONCE = frozenset(_SAID_ONCE.split("|"))


class Intricate(Exception):
    """No honest feed looks like this."""


def prune(text: str) -> str:
    """`text` without misplaced entries and repeated dates.

    Raises `Intricate`, and expat's `ExpatError` where it is not well-formed.
    """
    body = text.encode()
    inspector = _Inspector(body)
    inspector.read()
    if not inspector.cuts or not inspector.entries:
        return text
    kept, end = [], 0
    for start, stop in sorted(inspector.cuts):
        kept.append(body[end:start])
        end = stop
    return b"".join([*kept, body[end:]]).decode()


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where a part begins that has to go, or (`vague`) may have to, and how deep it stands."""

    start: int
    depth: int
    vague: bool


class _Inspector:
    """Counts what makes feedparser slow while expat reads, and notes what has to go."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.cuts: list[tuple[int, int]] = []
        self._parser = expat.ParserCreate("utf-8")
        self._path: list[str] = []
        self._elements = 0
        self._categories = 0
        #: entries that stand where entries stand
        self.entries = 0
        #: what the entry said, as its tags name it, and what it is saying
        self._said: set[str] = set()
        self._saying: str | None = None
        #: links of the entry that say nothing of themselves, and whether another says that it is it
        self._vague: list[tuple[int, int]] = []
        self._has_page = False
        self._cut: _Cut | None = None
        #: nothing came since the last start tag
        self._bare = False

    def read(self) -> None:
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.Parse(self.body, True)  # noqa: FBT003 -- expat takes it by position

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._bare = True
        self._elements += 1
        local = name.rpartition(":")[2].lower()
        if self._cut is None:
            self._look(name, local, attributes)
        self._path.append(local)
        if local in _ENTRIES:
            self._categories = 0
        self._categories += local in _CATEGORIES
        if len(attributes) > MAX_ATTRIBUTES:
            raise Intricate
        self._check()

    def _end(self, name: str) -> None:
        self._path.pop()
        self._saying = None
        if self._cut and self._cut.depth == len(self._path):
            place = (self._cut.start, self._end_of_tag())
            (self._vague if self._cut.vague else self.cuts).append(place)
            self._cut = None
        elif self._cut is None and name.rpartition(":")[2].lower() in _ENTRIES and self._has_page:
            self.cuts.extend(self._vague)
        self._bare = False

    def _text(self, data: str) -> None:
        self._bare = False
        if self._saying and not data.isspace():
            self._said.add(self._saying)
        if self._path[-1] in _CATEGORIES:
            self._categories += data.count(",")
            self._check()

    def _look(self, name: str, local: str, attributes: dict[str, str]) -> None:
        """Note where a part begins that has to go, or may have to."""
        inside = self._path[-1] if self._path else ""
        if local in _ENTRIES:
            self._said, self._vague, self._has_page = set(), [], False
            at_home = _HOMES.issuperset(self._path)
            self.entries += at_home
            if not at_home:
                self._begin_cut()
        elif inside in _ENTRIES and local in _ONCE:
            self._saying = name
            if name in self._said:
                self._begin_cut()
        elif inside in _ENTRIES and local == "link" and "href" in attributes:
            relation, kind = attributes.get("rel"), attributes.get("type", "")
            self._has_page |= relation == "alternate" and kind.startswith("text/html")
            if relation is None and not kind:
                self._begin_cut(vague=True)

    def _begin_cut(self, *, vague: bool = False) -> None:
        place = self._parser.CurrentByteIndex
        self._cut = _Cut(start=place, depth=len(self._path), vague=vague)

    def _end_of_tag(self) -> int:
        """Expat stands at an end tag, or behind an element that is empty."""
        index = self._parser.CurrentByteIndex
        if self._bare and self.body[index - 2 : index] == b"/>":
            return index
        return self.body.index(b">", index) + 1

    def _check(self) -> None:
        if (
            self._categories > MAX_CATEGORIES
            or len(self._path) > MAX_DEPTH
            or self._elements > MAX_ELEMENTS
            or len(self.cuts) > MAX_CUTS
        ):
            raise Intricate
