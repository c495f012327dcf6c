"""Turns articles into threads: which of them, of any feed, language and day, tell of one event.

It never chooses which of a thread is told. Two stories taken for one hide one of them from the
reader, one story taken for two shows it twice: where it doubts, it keeps them apart.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import combinations
from typing import TYPE_CHECKING, Final

from digest.editions.keys import take_apart, text_of
from digest.editions.likeness import Rarity, Vector, learn, likeness, vector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digest.model.article import Article

# The figures below were chosen on the half of bench/labelled that is for choosing, with a look at
# feeds of real sites; bench/threads.py says what they are worth on the other half.

#: from here two groups of articles are one event
ENOUGH: Final = 0.18
#: from here an article of an event that was told is an update, and not only the same again
NEW_ENOUGH: Final = 0.64
#: hours between two articles after which what they share counts half, and after which nothing
_FADES: Final = 60.0
_OVER: Final = 14 * 24.0
#: what one story in two languages has in common looks smaller by this
_ACROSS: Final = 2.0
#: what counts less: nothing in common that may be a name or a figure; titles that name nobody of
#: the other article in the same language; two articles of one feed, which seldom tells a story
#: twice; two of one series; and a column, a ticker or a vacancy
_NAMELESS: Final = 0.5
_OF_OTHERS: Final = 0.4
_SAME_FEED: Final = 0.6
_SERIES: Final = 0.15
_LONER: Final = 0.2
#: with fewer words than this a text is too short to say what it is about
_WORDS: Final = 6
#: pairs are sought among the strongest words of each article that so many others have at most
_STRONGEST: Final = 20
_CROWD: Final = 60
#: below this a pair is none
_NOTHING: Final = 0.04

_LONERS: Final = re.compile(
    r"\b(?:wochenrückblick|rückblick|kolumne|column|glosse|presseschau|wochenschau|newsletter"
    r"|podcast|(?:live-?)?ticker|live-?blog|live blog|as it happened|round-?up|recap|in review"
    r"|weekly|this week in|ask the|open thread|links der woche|(?:die|der) woche|kurz (?:informiert"
    r"|notiert|gemeldet)|in brief|briefing|deals des tages|(?:folge|episode|ausgabe|issue) #?\d+"
    r"|(?:week|woche|kw) \d+|hiring|vacanc(?:y|ies)|stellenangebote?)\b|\b[mwf]/[mwf]/[dx]\b"
    r"|^(?:montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag"
    r"|monday|tuesday|wednesday|thursday|friday|saturday|sunday)s?:",
    re.IGNORECASE,
)
#: what stands before a colon or a bar, as series have it
_KICKER: Final = re.compile(r"(.{3,40}?)(?:: | [|–-] )")  # noqa: RUF001 -- the dash of titles
_NUMBER: Final = re.compile(r"\d+")
_TITLE: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """Articles about one event: the ids of the new ones and of those told before, oldest first."""

    ids: tuple[int, ...]
    known: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Report:
    """An article as it is compared with others."""

    id: int
    told: bool
    vector: Vector
    hours: float
    feed: str
    series: str
    loner: bool


def group(
    articles: Sequence[Article],
    *,
    known: Sequence[Article] = (),
    rarity: Rarity | None = None,
) -> tuple[Thread, ...]:
    """Each of `articles` in exactly one thread, in the order of the oldest of each.

    `known` were told before. Without a `rarity` the articles themselves teach which words are
    rare. The order of what is given makes no difference.
    """
    reports = _reports(articles, known, rarity)
    threads = []
    for members in _merge(reports):
        ids = tuple(reports[each].id for each in members if not reports[each].told)
        told = tuple(reports[each].id for each in members if reports[each].told)
        if ids:
            threads.append(Thread(ids=ids, known=told))
    return tuple(threads)


def news_in(article: Article, told: Sequence[Article], *, rarity: Rarity | None = None) -> float:
    """How much of an article was not told yet, from 0 (all of it was) to 1, by weight of its words.

    Of an article in a language in which nothing was told only names, figures and the words count
    that both languages have.
    """
    before = [text_of(each) for each in told]
    if rarity is None:
        rarity = learn([text_of(article), *before])
    vectors = [vector(each, rarity) for each in before]
    new = vector(text_of(article), rarity)
    comparable = frozenset(new.weights)
    if vectors and all(each.language != new.language for each in vectors):
        comparable = new.shared_abroad()
    said = frozenset[str]().union(*(each.weights for each in vectors))
    whole = math.fsum(new.weights[key] for key in comparable)
    # of a text without words nothing is new
    return math.fsum(new.weights[key] for key in comparable - said) / whole if whole else 0.0


def _reports(
    articles: Sequence[Article], known: Sequence[Article], rarity: Rarity | None
) -> list[_Report]:
    """All articles once each, oldest first, told ones included."""
    every = [(each, True) for each in {each.id: each for each in known}.values()]
    every += [(each, False) for each in {each.id: each for each in articles}.values()]
    every.sort(key=lambda pair: (pair[0].published_at, pair[0].id, pair[1]))
    words = [take_apart(text_of(each)) for each, _ in every]
    if rarity is None:
        rarity = learn(words)
    return [
        _Report(
            id=article.id,
            told=told,
            vector=vector(taken_apart, rarity),
            hours=article.published_at.timestamp() / 3600,
            feed=article.feed or article.source,
            series=_series(article.title[:_TITLE]),
            loner=_LONERS.search(article.title[:_TITLE]) is not None,
        )
        for (article, told), taken_apart in zip(every, words, strict=True)
    ]


def _series(title: str) -> str:
    """What the titles of a series have in common: what stands before a colon, or three words.

    Their numbers are what they differ in.
    """
    kicker = _KICKER.match(title)
    head = kicker[1] if kicker else " ".join(title.split()[:3])
    return _NUMBER.sub("#", head.casefold())


def _pairs(reports: Sequence[_Report]) -> dict[tuple[int, int], float]:
    """How much speaks for one event, of all pairs that share rare words and are near in time."""
    holders: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for at, report in enumerate(reports):
        weights = report.vector.weights
        for key in sorted(weights, key=lambda key: (-weights[key], key))[:_STRONGEST]:
            holders[key].append((at, weights[key]))
    near: dict[tuple[int, int], float] = defaultdict(float)
    for held in holders.values():
        if len(held) <= _CROWD:
            for (a, much), (b, more) in combinations(held, 2):
                near[a, b] += much * more
    alike = {
        (a, b): _one_event(reports[a], reports[b])
        for (a, b), much in near.items()
        if much > _NOTHING and reports[b].hours - reports[a].hours <= _OVER
    }
    return {pair: alike[pair] for pair in sorted(alike) if alike[pair] > _NOTHING}


def _one_event(a: _Report, b: _Report) -> float:
    """How much speaks for two articles telling of one event, from 0 to 1."""
    much = likeness(a.vector, b.vector)
    if a.vector.language != b.vector.language:
        much = min(1.0, much * _ACROSS)
    elif _of_others(a.vector, b.vector):
        much *= _OF_OTHERS
    if not a.vector.names & b.vector.names:
        much *= _NAMELESS
    if a.feed and a.feed == b.feed:
        much *= _SERIES if a.series == b.series else _SAME_FEED
    if a.loner or b.loner:
        much *= _LONER
    much *= min(1.0, min(len(a.vector.weights), len(b.vector.weights)) / _WORDS)
    return much / (1 + ((a.hours - b.hours) / _FADES) ** 2)


def _of_others(a: Vector, b: Vector) -> bool:
    """Whether each title names somebody, and nobody whom the other article names: two results."""
    named = bool(a.headline and b.headline)
    return named and not (a.headline & b.names or b.headline & a.names)


def _merge(reports: Sequence[_Report]) -> list[list[int]]:
    """Groups of places in `reports`, the most alike joined first, as long as they are enough so.

    Two groups are as alike as their sums are (the cosine of the sums, from the pairs alone): one
    article between two stories does not chain them, and a group in two languages takes a third
    article in either.
    """
    groups = _Groups(len(reports), _pairs(reports))
    while (pair := groups.closest()) is not None:
        groups.join(*pair)
    return sorted(groups.members.values())


class _Groups:
    """Groups that grow together; each is named by one of its members."""

    def __init__(self, size: int, pairs: dict[tuple[int, int], float]) -> None:
        self.members = {each: [each] for each in range(size)}
        self._within = dict.fromkeys(range(size), 1.0)
        self._between: dict[int, dict[int, float]] = {each: {} for each in range(size)}
        for (a, b), much in pairs.items():
            self._between[a][b] = self._between[b][a] = much
        self._heap = [(-much, a, b) for (a, b), much in pairs.items() if much >= ENOUGH]
        heapify(self._heap)

    def closest(self) -> tuple[int, int] | None:
        """The two groups that are most alike; None where no two are alike enough."""
        while self._heap:
            much, a, b = heappop(self._heap)
            # what a group was before it grew is still in the heap
            if b in self._between.get(a, {}) and self._alike(a, b) == -much:
                return a, b
        return None

    def join(self, a: int, b: int) -> None:
        """Make the second a part of the first."""
        ours, theirs = self._between[a], self._between.pop(b)
        self._within[a] += self._within.pop(b) + 2 * ours.pop(b)
        self.members[a] = sorted(self.members[a] + self.members.pop(b))
        del theirs[a]
        for other, much in theirs.items():
            del self._between[other][b]
            ours[other] = self._between[other][a] = ours.get(other, 0.0) + much
        for other in ours:
            if (alike := self._alike(a, other)) >= ENOUGH:
                heappush(self._heap, (-alike, min(a, other), max(a, other)))

    def _alike(self, a: int, b: int) -> float:
        return self._between[a][b] / math.sqrt(self._within[a] * self._within[b])
