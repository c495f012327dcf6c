"""Turns texts into lines of 72 columns, as a terminal counts them; addresses stay whole."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

#: columns of a text part
WIDTH: Final = 72
#: the slot of a story's number, which will be two or three digits
_NUMBER: Final = re.compile(r"[0-9a-f]{32}-number\.")
#: columns of a word that fits into a line behind any number
_WORD: Final = 60
_CHUNKS: Final = re.compile(rf".{{1,{_WORD // 2}}}")
_ADDRESS: Final = re.compile(r"[/@]")
_SPACE: Final = re.compile(r"[ \t\r\n]+")
#: a letter that is two columns wide, with what belongs to it and may not begin a line (UAX #14,
#: classes CL and EX); or a run without such letters
_WIDE: Final = (
    r"\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf"
    r"\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\U00020000-\U0003fffd"
)
_CLOSING: Final = r"\u3001\u3002\u300d\u300f\u3011\u3015\uff01\uff09\uff0c\uff0e\uff1a\uff1b\uff1f"
_PIECES: Final = re.compile(rf"[{_WIDE}][{_CLOSING}\u3099\u309a\ufe00-\ufe0f]*|[^{_WIDE}]+")


def columns(text: str) -> int:
    """How many columns a terminal gives a text: letters of East Asia have two, accents none."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def wrap(text: str, indent: str = "", hanging: str | None = None) -> str:
    """Break a text into lines of 72 columns; words that fit and addresses stay whole.

    Scripts without spaces break between their letters. `indent` may hold the slot of a story's
    number: there is room for three digits. `hanging` begins all lines but the first.
    """
    shown = _NUMBER.sub("100", indent)
    hanging = indent if hanging is None else hanging
    lines, line, width, empty = [], indent, columns(shown), True
    for space, piece in _pieces(text):
        glue = "" if empty else space
        if not empty and width + columns(glue + piece) > WIDTH:
            lines.append(line)
            line, width, glue = hanging, columns(hanging), ""
        line += glue + piece
        width += columns(glue + piece)
        empty = False
    return "" if empty else "\n".join([*lines, line])


def beside(label: str, url: str) -> str:
    """What a link is called and where it leads: on one line, or where that is too long on two."""
    line = f"{label}: {url}"
    return line if columns(line) <= WIDTH else f"{wrap(f'{label}:')}\n{url}"


def underlined(text: str, sign: str) -> str:
    """The text in lines, and a line of signs as long as the longest of them."""
    lines = wrap(text)
    longest = max((columns(line) for line in lines.split("\n")), default=0)
    return f"{lines}\n{sign * min(longest, WIDTH)}" if lines else ""


def _pieces(text: str) -> list[tuple[str, str]]:
    """What no line end may stand in, each with what stands before it in a line."""
    found = []
    for word in _SPACE.split(text.strip(" \t\r\n")):
        pieces = _PIECES.findall(word)
        if columns(word) > _WORD and not _ADDRESS.search(word):
            pieces = [each for piece in pieces for each in _CHUNKS.findall(piece)]
        for place, piece in enumerate(pieces):
            found.append(("" if place else " ", piece))
    return found


def _columns(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
