"""Turns the text of an entry into the few sentences that its card shows; never cuts in a word."""

from __future__ import annotations

import re
import unicodedata

from digest.articles.sentences import sentence_ends

#: characters; as many as a card shows, so that nothing is cut twice
LENGTH = 260
ELLIPSIS = "…"
_ZWJ = "\u200d"
#: a text that was cut by its publisher ends like this
_CUT = re.compile(
    r"\s*(?:\[\s*(?:…|\.\.\.)\s*\]|\(\s*(?:…|\.\.\.)\s*\)|…|\.\.\.|\[\+\d+ chars\])\s*$"
)
#: characters at its end are looked at
_END = 60


def excerpt(text: str, *, length: int = LENGTH) -> str:
    """The first whole sentences of a tidy text within `length` characters.

    Where not even the first sentence fits, it ends between two words with an ellipsis; so does a
    text that its publisher had cut.
    """
    if len(text) <= length:
        return _CUT.sub(f" {ELLIPSIS}", text).strip()
    good = [end for end in sentence_ends(text, length) if end >= length // 3]
    return text[: good[-1]] if good else cut(text, length)


def is_cut(text: str) -> bool:
    """Whether the publisher broke a tidy text off."""
    return bool(_CUT.search(text, max(0, len(text) - _END)))


def cut(text: str, length: int) -> str:
    """`text` if it has at most `length` characters, else its first words and an ellipsis.

    Where it has no words to cut between, a letter keeps its accents and an emoji its parts.
    """
    if len(text) <= length:
        return text
    head = text[: length - 1]
    if not text[length - 1].isspace():
        words = head.rpartition(" ")[0]
        head = words if len(words) > length // 2 else _whole_letters(text, length - 1)
    return head.rstrip(" ,;:-\u2013\u2014(") + ELLIPSIS


def _whole_letters(text: str, length: int) -> str:
    """The first letters of `text`, as people count them (UAX #29), at most `length` characters."""
    at = length
    while at > max(0, length - 32) and _belongs(text, at):
        at -= 1
    return text[:at] if at > max(0, length - 32) else text[:length]


def _belongs(text: str, at: int) -> bool:
    """Whether what stands at `at` is one letter with what stands before it."""
    here, before = text[at], text[at - 1]
    if _ZWJ in {before, here} or _is_modifier(here):
        return True
    if _is_flag(here) and _is_flag(before):  # flags are pairs: count back to the first
        start = at
        while start and _is_flag(text[start - 1]):
            start -= 1
        return (at - start) % 2 == 1
    return False


def _is_modifier(character: str) -> bool:
    return (
        unicodedata.category(character) in {"Mn", "Me", "Mc"}
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
        or "\u1160" <= character <= "\u11ff"  # the rest of a Korean syllable
        or character in {"\u0e33", "\u0eb3"}  # Thai and Lao AM
    )


def _is_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
