"""Turns the text of an article into a vector of its words, and two vectors into how alike they are.

It compares what is written, in German and English. It never judges which of two is the better.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from digest.editions.circumstance import circumstances
from digest.editions.keys import (
    Text,
    Words,
    forms_of,
    keys_of,
    names_of,
    take_apart,
    text_of,
    usual,
)
from digest.editions.stems import fold

__all__ = [
    "FOLLOW_THRESHOLD",
    "Rarity",
    "Text",
    "Vector",
    "learn",
    "likeness",
    "resembles",
    "text_of",
    "vector",
    "why",
]

#: what a word counts by where it stands
_IN_TITLE: Final = 2.0
_IN_BODY: Final = 1.0
_IN_CATEGORY: Final = 0.3
#: so many imagined texts are added to a background, so that a small one does not mislead
_IMAGINED: Final = 50.0
#: in what share of those a word that is usual in technology news stands, and any other
_USUAL: Final = 0.05
_UNUSUAL: Final = 0.01
#: with what so many nats tell in common half is believed; a rare word tells four or five
_CONVINCES: Final = 6.0
#: what words count for followers that seldom say what a report is about: any report's words (see
#: `circumstances`), and German ones in small letters, which name no thing
_ASIDE: Final = 0.25
#: and names: who and where; the same firm is in the news for many reasons
_NAMED: Final = 0.7
#: from here a follower of one article is told of another; measured, see bench/follow.py
FOLLOW_THRESHOLD: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Rarity:
    """In how many of so many texts each word stands, and which forms of words were seen at all."""

    texts: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    forms: frozenset[str] = frozenset()

    def of(self, key: str) -> float:
        """How much a word says, at least 0; one that stands in every text says next to nothing."""
        imagined = _IMAGINED * (_USUAL if key in usual() else _UNUSUAL)
        return math.log((self.texts + _IMAGINED) / (self.counts.get(key, 0) + imagined))


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """What a text is about: the weight of each word (of length 1 together).

    A word is named by its key, which is the same for both languages where we know the pair.
    """

    weights: Mapping[str, float]
    #: each word as a person wrote it
    written: Mapping[str, str]
    #: keys of what may be a name or a figure: capitals or digits, and not usual in technology news
    names: frozenset[str]
    #: those of them that stand in the title
    headline: frozenset[str]
    language: str | None = None
    #: `weights` (of length 1 again) as they count for followers: things more, circumstances less
    matter: Mapping[str, float] = field(default_factory=dict)

    def shared_abroad(self) -> frozenset[str]:
        """The keys that a text about the same in the other language would have too."""
        return frozenset(key for key in self.weights if key in self.names or key in usual())


def learn(background: Iterable[Text | Words]) -> Rarity:
    """How rare each word is in these texts. With none, every word but the usual is equally rare."""
    texts = [each if isinstance(each, Words) else take_apart(each) for each in background]
    forms = frozenset[str]().union(*map(forms_of, texts))
    counts: Counter[str] = Counter()
    for words in texts:
        every = (*words.title, *words.body, *words.categories)
        counts.update({key for key, _, _ in keys_of(every, words.language, forms)})
    return Rarity(texts=len(texts), counts=counts, forms=forms)


def vector(text: Text | Words, rarity: Rarity) -> Vector:
    """The words of a text with their weights, those of the title doubled."""
    words = text if isinstance(text, Words) else take_apart(text)
    tally: dict[str, float] = {}
    written: dict[str, str] = {}
    for part, counts in (
        (words.body, _IN_BODY),
        (words.title, _IN_TITLE),
        (words.categories, _IN_CATEGORY),
    ):
        for key, word, share in keys_of(part, words.language, rarity.forms):
            tally[key] = tally.get(key, 0.0) + counts * share
            written.setdefault(key, word)
    weights = _unit({key: math.log1p(count) * rarity.of(key) for key, count in tally.items()})
    names = names_of(words.title + words.body)
    found = Vector(
        weights=weights,
        written=written,
        names=names,
        headline=names_of(words.title),
        language=words.language,
    )
    return replace(
        found, matter=_unit({key: each * _says(key, found) for key, each in weights.items()})
    )


def likeness(a: Vector, b: Vector) -> float:
    """How alike two texts are, from 0 (no word in common) to 1 (the same words)."""
    return min(1.0, _shared(a.weights, b.weights))


def resembles(seed: Vector, other: Vector, rarity: Rarity) -> float:
    """How much a text is about what the followed one is about, from 0 to 1.

    Unlike `likeness` it does not ask whether both say the same, but whether they are about the same
    things: names, verbs, dates and amounts count less. What two languages cannot share does not
    count against them, and one rare word that happens to stand in both is not enough.
    """
    shared = seed.matter.keys() & other.matter.keys()
    most = 1.0
    if seed.language and other.language and seed.language != other.language:
        abroad = seed.shared_abroad()
        shared &= abroad
        most = _length(seed.matter, abroad) * _length(other.matter, other.shared_abroad() | shared)
    if not shared or not most:
        return 0.0
    much = math.fsum(seed.matter[key] * other.matter[key] for key in shared) / most
    told = math.fsum(rarity.of(key) * min(_says(key, seed), _says(key, other)) for key in shared)
    return min(1.0, much) * told / (told + _CONVINCES)


def why(a: Vector, b: Vector, n: int = 3) -> tuple[str, ...]:
    """Up to `n` words that two texts share most, as they are written in the second."""
    shared = sorted(
        (-weight * b.matter[key], key) for key, weight in a.matter.items() if key in b.matter
    )
    found: list[str] = []
    for _, key in shared:
        word = b.written[key]
        folded = fold(word)
        if all(folded not in fold(each) and fold(each) not in folded for each in found):
            found.append(word)
        if len(found) >= n:
            break
    return tuple(found)


def _says(key: str, vector: Vector) -> float:
    """How much a word of a text says of what it is about, from 0 to 1."""
    says = _NAMED if key in vector.names else 1.0
    if key in circumstances() or (vector.language == "de" and vector.written[key][:1].islower()):
        says *= _ASIDE
    return says


def _length(weights: Mapping[str, float], keys: frozenset[str]) -> float:
    return math.sqrt(math.fsum(weights[key] ** 2 for key in keys if key in weights))


def _unit(weights: Mapping[str, float]) -> dict[str, float]:
    size = math.sqrt(sum(each * each for each in weights.values()))
    return {key: each / size for key, each in weights.items()} if size else {}


def _shared(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    return math.fsum([a[key] * b[key] for key in a.keys() & b.keys()])
