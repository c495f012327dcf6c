"""Turns long words into the same words with soft hyphens, where a narrow screen may break them.

The only door to pyphen. The language is the edition's, since feeds rarely say theirs: in a foreign
word a break may stand in an odd place, which is why short words are left alone.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import pyphen

#: letters: what is shorter fits into the narrowest column beside another word
_LONG: Final = 12
#: letters: what is longer is no word, and looking for its breaks takes ever longer
_LONGEST: Final = 80
#: letters that stay together at either end of a word
_END: Final = 3
_SOFT_HYPHEN: Final = "\u00ad"
_DICTIONARIES: Final = {"de": "de_DE", "en": "en_US"}

#: a word of Latin letters alone, hyphens in it and punctuation around it; not a part of an
#: address, a name with dots, a number, or of what has soft hyphens already
_LATIN: Final = r"A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e9e"
_BOUND: Final = r"\s()\[\]\"'\u2018-\u201f\u2039\u203a\u00ab\u00bb"
_WORDS: Final = re.compile(
    rf"(?<![^{_BOUND}])[{_LATIN}]+(?:-[{_LATIN}]+)*(?=[.,;:!?\u2026]*(?:[{_BOUND}]|$))"
)
_WORD: Final = re.compile(rf"[{_LATIN}]{{{_LONG},}}")


def soften(text: str, language: str) -> str:
    """The text with soft hyphens (U+00AD) in its long words.

    `language` is an RFC 5646 tag; a text in one that we have no dictionary of stays as it is.
    """
    known = _DICTIONARIES.get(language.partition("-")[0].lower())
    if known is None or len(text) < _LONG:
        return text
    return _WORDS.sub(
        lambda found: _WORD.sub(lambda word: _softened(known, word[0]), found[0]), text
    )


@lru_cache(maxsize=8192)
def _softened(dictionary: str, word: str) -> str:
    return word if len(word) > _LONGEST else _breaks(dictionary).inserted(word, _SOFT_HYPHEN)


@lru_cache
def _breaks(dictionary: str) -> pyphen.Pyphen:
    return pyphen.Pyphen(lang=dictionary, left=_END, right=_END)
