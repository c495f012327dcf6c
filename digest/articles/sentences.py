"""Turns a text into where its sentences end: not at "z. B.", not at "3. März"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_CLOSING = "\"'\u2019\u201c\u201d\u00bb\u203a\u00ab)\\]\u300d\u300f"
_CANDIDATE = re.compile(
    rf"[.!?\u2026\u06d4\u061f\u0964]+[{_CLOSING}]*(?=\s)|[\u3002\uff01\uff1f\uff61]+[{_CLOSING}]*"
)
_WORD_BEFORE = re.compile(r"[\w&]+\Z")
_OPENING = "\"'\u201e\u201c\u2018\u201a\u00bb\u00ab\u203a\u2039([\u00bf\u00a1"
# What ends with a full stop and goes on; single letters and numbers of one or two digits are not
# named: "z. B.", "J. Doe", "3. März".
_SHORT = frozenset(
    {
        # German
        "abb", "abs", "allg", "anm", "aufl", "bd", "bes", "betr", "bez", "bspw", "bzgl",
        "bzw", "ca", "dgl", "dipl", "dr", "ebd", "ehem", "eigtl", "einschl", "evtl", "exkl",
        "ff", "geb", "gest", "ggf", "ggü", "hr", "hrsg", "inkl", "ing", "insb", "jh",
        "kath", "lfd", "lt", "max", "min", "mio", "mrd", "nr", "od", "phil", "prof", "röm",
        "sog", "spez", "st", "std", "str", "stv", "südl", "tel", "tsd", "tägl", "ua", "usf",
        "vgl", "vll", "vorm", "zb", "zit", "zt", "zus", "zzgl", "östl", "nördl", "westl",
        "jan", "feb", "mär", "apr", "jun", "jul", "aug", "sep", "sept", "okt", "nov", "dez",
        "einw", "bearb",
        # English
        "mr", "mrs", "ms", "jr", "sr", "vs", "inc", "ltd", "corp", "co", "vol", "fig",
        "approx", "est", "gov", "sen", "rep", "gen", "col", "sgt", "capt", "cmdr", "adm",
        "maj", "rev", "hon", "pres", "oct", "dec", "mar", "ave", "blvd", "mt", "ft", "dept",
        "univ", "assn", "bros", "eg", "ie", "cf", "viz", "pp",
        # French, Spanish, Italian
        "mme", "mlle", "mm", "av", "éd", "chap", "sra", "srta", "ud", "uds", "dña", "pág",
        "núm", "sig", "sigg", "dott", "avv", "pag",
    }
)  # fmt: skip


def sentence_ends(text: str, limit: int) -> Iterator[int]:
    """Where sentences of `text` end within `limit` characters, in order; its own end is none."""
    for found in _CANDIDATE.finditer(text, 0, limit + 1):
        if found.end() <= limit and _ends(text, found):
            yield found.end()


def _ends(text: str, found: re.Match[str]) -> bool:
    following = text[found.end() : found.end() + 12].lstrip().lstrip(_OPENING)[:1]
    if following.islower():
        return False
    if not found[0].startswith(".") or found[0].startswith(".."):
        return True
    before = _WORD_BEFORE.search(text, max(0, found.start() - 24), found.start())
    # after a bracket, a percent sign or a quotation mark it ends, too
    return before is None or not _is_short(before[0], following)


def _is_short(word: str, following: str) -> bool:
    """Whether a full stop behind `word` belongs to the word."""
    if word.isdecimal():
        return len(word) <= 2  # noqa: PLR2004 -- a day of a month, and no year
    if len(word) == 1:
        return unicodedata.category(word) != "Lo"  # one letter of an alphabet is an initial
    if following.isdecimal() and len(word) <= 3:  # noqa: PLR2004 -- "So. 4.10.", "Nr. 5"
        return True
    return word.casefold() in _SHORT
