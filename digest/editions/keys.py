"""Turns the text of an article into keys, which are the same for one word in both languages.

It takes words apart and spells them alike; how much each of them says is decided elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from digest.editions.cognates import concept, table_words
from digest.editions.stems import fold, is_abbreviation, is_stop_word, language_of, split, stem

if TYPE_CHECKING:
    from digest.model.article import Article

#: what of a title and of a body is read, in characters; the first sentences say what it is about
_TITLE: Final = 300
_BODY: Final = 800
#: how many categories are read
_CATEGORIES: Final = 20
#: what the halves of a compound count beside the whole
_PARTS: Final = 0.6

_DOUBLED: Final = re.compile(r"([^\W\d])\1")
_SOUNDS: Final = str.maketrans({"c": "k", "q": "k", "z": "k", "y": "i"})
_ENDING: Final = re.compile(r"(?<=\w{4})(?:en|em|er|es|e|s|n|i)$")
_UNIT: Final = re.compile(r"(\d+(?:\.\d+)?)(?:bn|mrd|mn|mio|k|m|b)")
_JOINTS: Final = ("", "s", "n", "en", "es", "er", "e")
_SHORTEST_PART: Final = 4
_SHORTEST_COMPOUND: Final = 9
_LONGEST_COMPOUND: Final = 40
#: what everybody writes in capitals and nobody is told apart by
_EVERYWHERE: Final = frozenset({"ki", "ai", "eu", "it", "euro", "dolar"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What is compared of an article. Plain text; times are UTC."""

    title: str
    body: str = ""
    language: str | None = None
    categories: tuple[str, ...] = ()
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word of a text that says something."""

    key: str
    written: str
    #: capitals or digits, so that it may be a name or a figure
    marked: bool
    #: a long word that may be made of two, folded; "" where it is none
    compound: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A text taken apart once, for both learning and comparing."""

    title: tuple[Word, ...]
    body: tuple[Word, ...]
    categories: tuple[Word, ...]
    language: str | None


def text_of(article: Article) -> Text:
    """What is compared of a kept article."""
    return Text(
        title=article.title,
        body=article.excerpt,
        language=article.language,
        categories=article.categories,
        published_at=article.published_at,
    )


def take_apart(text: Text) -> Words:
    """The words of a text, of its body those of the first 800 characters; without stop words."""
    title, body = text.title[:_TITLE], text.body[:_BODY]
    language = language_of(f"{title} {body}", text.language)
    named = " · ".join(each[:_TITLE] for each in text.categories[:_CATEGORIES])
    return Words(
        title=_words(title, language),
        body=_words(body, language),
        categories=_words(named, language),
        language=language,
    )


def forms_of(words: Words) -> frozenset[str]:
    """How the words of a text are written, folded: what a longer word may be made of."""
    found = (fold(each.written) for part in (words.title, words.body) for each in part)
    return frozenset(
        each
        for each in found
        if _SHORTEST_PART <= len(each) <= _LONGEST_COMPOUND and each.isalpha()
    )


def keys_of(
    words: tuple[Word, ...], language: str | None, forms: frozenset[str]
) -> Iterator[tuple[str, str, float]]:
    """The key of each word, how it is written, and its share; of long German words the halves too.

    A word is halved where both halves stand in `forms` or in the table.
    """
    for each in words:
        yield each.key, each.written, 1.0
        if each.compound:
            for part in _halves(each.compound, forms):
                yield _key(part, stem(part, language), language), part.capitalize(), _PARTS


def names_of(words: tuple[Word, ...]) -> frozenset[str]:
    """The keys of what may be names and figures."""
    return frozenset(each.key for each in words if each.marked) - usual() - _EVERYWHERE


@lru_cache(maxsize=1)
def usual() -> frozenset[str]:
    """The keys of the table: what is usual in technology news, whatever the language."""
    return frozenset(
        _key(each, stem(each, language), language)
        for language in ("de", "en")
        for each in table_words()
    )


def _words(text: str, language: str | None) -> tuple[Word, ...]:
    found = (_word(each, language) for each in split(text, language).words)
    return tuple(each for each in found if each is not None)


@lru_cache(maxsize=65_536)
def _word(written: str, language: str | None) -> Word | None:
    """A word taken apart; None where it says nothing, as stop words and single letters do."""
    if is_stop_word(written):
        return None
    key = _key(written, stem(written, language), language)
    if len(key) == 1 and not key.isdigit():
        return None
    is_long = _SHORTEST_COMPOUND <= len(written) <= _LONGEST_COMPOUND
    return Word(
        key=key,
        written=written,
        marked=len(written) > 1 and not written.islower(),
        compound=fold(written) if is_long and language != "en" else "",
    )


@lru_cache(maxsize=65_536)
def _key(word: str, stemmed: str, language: str | None) -> str:
    """What a word is compared by, whatever the language: the table's stem, or how it sounds."""
    if is_abbreviation(word):
        return _sound(concept(word, language) or word.casefold())
    if unit := _UNIT.fullmatch(stemmed):
        return unit[1]
    return _sound(concept(stemmed, language) or stemmed)


def _sound(stemmed: str) -> str:
    """A stem as it would be written if German and English were spelled alike."""
    plain = stemmed.translate(_SOUNDS).replace("ph", "f").replace("th", "t")
    return _ENDING.sub("", _DOUBLED.sub(r"\1", plain))


def _halves(word: str, forms: frozenset[str]) -> tuple[str, ...]:
    """The two words that a long German word is made of, if both are known; the longest second."""
    known = _known_words()
    for at in range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1):
        right = word[at:]
        if right not in forms and right not in known:
            continue
        for joint in _JOINTS:
            left = word[:at].removesuffix(joint) if word[:at].endswith(joint) else ""
            if len(left) >= _SHORTEST_PART and (left in forms or left in known):
                return left, right
    return ()


@lru_cache(maxsize=1)
def _known_words() -> frozenset[str]:
    return frozenset(w for w in table_words() if len(w) >= _SHORTEST_PART)
