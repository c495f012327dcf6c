"""Turns the text of an entry into the few sentences that its card shows; never cuts in a word."""

from __future__ import annotations

import re

LENGTH = 280
ELLIPSIS = "…"
#: a text that was cut by its publisher ends like this
_CUT = re.compile(r"\s*(?:\[\s*(?:…|\.\.\.)\s*\]|\(\s*(?:…|\.\.\.)\s*\)|…|\.\.\.)\s*$")

# What systems put around a text; looked for in one line at a time.
_MORE = (
    r"(?:continue reading|read (?:more|the (?:full|rest|whole)|full)|weiter ?lesen|mehr lesen"
    r"|jetzt lesen|lesen sie (?:weiter|mehr)|zum (?:ganzen )?(?:artikel|beitrag)"
    r"|view (?:original|full article)|lire la suite|leggi tutto|leer m\u00e1s)\b"
)
_PATTERNS = (
    r"\bThe post\b.{0,300}?\b(?:first appeared|appeared first) on\b.*$",
    r"\bDe[rn] (?:Beitrag|Artikel)\b.{0,300}?\berschien (?:zuerst|zun\u00e4chst)\b.*$",
    r"\bL[\u2019'](?:article|billet)\b.{0,300}?\best apparu en premier sur\b.*$",
    r"\bsubmitted by\s.{0,100}\[link\]\s*\[comments\]\s*$",
    rf"^\W*{_MORE}.{{0,200}}$",
    # Inside a line only after the end of a sentence: people do read more.
    rf"(?<=[.!?\u2026\])])\s*[\[(\u00bb\u2192]?\s*{_MORE}.{{0,120}}$",
    r"^\W*(?:more|comments?|kommentare?|teilen|share|advertisement|anzeige|werbung)\W*$",
    r"^(?:foto|bild|photo|image|quelle|source|credits?|\u00a9)\s?[:/\u00a9].{0,80}$",
)
_BOILERPLATE = tuple(re.compile(pattern, re.IGNORECASE) for pattern in _PATTERNS)
# Not after "z. B.", "Dr.", "3." and the like: at least three letters, or a bracket or a quote.
_CLOSING = r"[\"\u201c\u201d\u00bb)\]]"
_SENTENCE_END = re.compile(
    rf"(?:(?<=[^\W\d_]{{3}})|(?<=[\w%]{_CLOSING}))[.!?\u2026]+{_CLOSING}*(?=\s+\S)"
)


def tidy(text: str) -> str:
    """`text` (lines are blocks) as one line, without what systems put around it."""
    lines = [kept for line in text.split("\n") if (kept := _without_boilerplate(line))]
    return " ".join(lines)


def excerpt(text: str, *, length: int = LENGTH) -> str:
    """The first whole sentences of a tidy text within `length` characters.

    Where not even the first sentence fits, it ends between two words with an ellipsis; so does a
    text that its publisher had cut.
    """
    if len(text) <= length:
        return _CUT.sub(f" {ELLIPSIS}", text).strip()
    ends = [each.end() for each in _SENTENCE_END.finditer(text, 0, length + 2)]
    good = [end for end in ends if length // 3 <= end <= length]
    return text[: good[-1]] if good else cut(text, length)


def is_cut(text: str) -> bool:
    """Whether the publisher broke a tidy text off."""
    return bool(_CUT.search(text))


def cut(text: str, length: int) -> str:
    """`text` if it has at most `length` characters, else its first words and an ellipsis."""
    if len(text) <= length:
        return text
    head = text[: length - 1]
    if not text[length - 1].isspace():
        head = head.rpartition(" ")[0] or head
    return head.rstrip(" ,;:-\u2013\u2014(") + ELLIPSIS


def _without_boilerplate(line: str) -> str:
    kept = line
    for pattern in _BOILERPLATE:
        kept = pattern.sub("", kept)
    return kept.strip()
