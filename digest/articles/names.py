"""Turns what publishers say of an entry (who wrote it, what about, in which language) into names.

No address of a person passes: a reader wants to know who wrote, and harvesters read archives.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from digest.articles.excerpt import cut
from digest.model.text import one_line

MAX_AUTHOR = 100
MAX_CATEGORIES = 10
MAX_CATEGORY = 60

_ADDRESS = re.compile(r"(?:mailto:)?[^\s@<>(),;:\"]+@[^\s@<>(),;:\"]+", re.IGNORECASE)
_HIDDEN_ADDRESS = re.compile(r"\[email(?:\s|\xa0)protected\]", re.IGNORECASE)
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"^\s*[(<\[\"'\u201e\u201c]+(.*?)[)>\]\"'\u201d\u201c]+\s*$")
_BY = re.compile(
    r"^(?:von|by|par|por|di|door|av|author|autor(?:in)?|text|written by|geschrieben von|posted by)"
    r"(?:\s*:\s*|\s+)(?=\S)",
    re.IGNORECASE,
)
#: "Von Storch" is a name, and so is "Di Lorenzo": these count only before two words
_MAY_BE_A_NAME = re.compile(r"^(?:von|di|text|author|av|door)\s+\S+$", re.IGNORECASE)
_NOBODY = re.compile(
    r"(?:web ?)?(?:admin(?:istrator)?|master)\d*|root|no-?reply|do-?not-?reply|unknown|unbekannt"
    r"|anonymous|anonym|author|autor|null|none|undefined|n/?a|nobody|wordpress|user|test|-+|\(.*\)?",
    re.IGNORECASE,
)
_NO_CATEGORY = frozenset(
    {
        "uncategorized", "uncategorised", "unkategorisiert", "nicht kategorisiert",
        "allgemein", "allgemeines", "ohne kategorie", "keine kategorie", "non classé",
        "non classifié", "sin categoría", "sin categorizar", "senza categoria",
        "non categorizzato", "sem categoria", "geen categorie", "niet gecategoriseerd",
        "bez kategorii", "okategoriserade", "ukategorisert", "ikke kategoriseret",
        "luokittelematon", "nezařazené", "без рубрики", "未分類", "未分类", "미분류",
        "none", "null", "default",
    }
)  # fmt: skip
_LANGUAGE = re.compile(r"([a-z]{2,3})(?:[-_][\w-]*)?", re.IGNORECASE)
#: ISO 639-2 where people write it for ISO 639-1, and tags that name no language
_SHORTER = {
    "deu": "de", "ger": "de", "eng": "en", "fra": "fr", "fre": "fr", "spa": "es", "ita": "it",
    "nld": "nl", "dut": "nl", "por": "pt", "pol": "pl", "swe": "sv", "dan": "da", "jpn": "ja",
    "zho": "zh", "chi": "zh", "rus": "ru", "tur": "tr", "ukr": "uk", "ara": "ar", "kor": "ko",
    "iw": "he", "in": "id", "no": "nb", "und": "", "mul": "", "zxx": "", "mis": "",
}  # fmt: skip


def author(name: str | None) -> str | None:
    """Who wrote it, as a reader may see it; None for nobody, an address or an account."""
    text = one_line(name or "")[: 4 * MAX_AUTHOR]
    bare = _LINK.sub("", _HIDDEN_ADDRESS.sub("", _ADDRESS.sub("", text)))
    bare = re.sub(r"[<(\[]\s*[)>\]]", "", bare).strip(" \t,;:|/-\u2013\u2014<>")
    inside = _IN_BRACKETS.match(bare)
    bare = (inside[1] if inside else bare).strip(" ,;:|")
    if not _MAY_BE_A_NAME.match(bare):
        bare = _BY.sub("", bare, count=1)
    bare = cut(" ".join(bare.split()), MAX_AUTHOR)
    if not any(map(str.isalpha, bare)) or _NOBODY.fullmatch(bare):
        return None
    return bare


def categories(names: Iterable[str]) -> tuple[str, ...]:
    """What it is about, each once whatever its case, without what blogs say for nothing."""
    kept: dict[str, str] = {}
    for name in names:
        bare = one_line(name).lstrip("#").strip()
        if bare and bare.casefold() not in _NO_CATEGORY and not _LINK.match(bare):
            kept.setdefault(bare.casefold(), cut(bare, MAX_CATEGORY))
    return tuple(kept.values())[:MAX_CATEGORIES]


def language(*tags: str | None) -> str | None:
    """The first of these tags that names a language, as its shortest code: "de" for "de-DE"."""
    for tag in tags:
        found = _LANGUAGE.fullmatch((tag or "").strip())
        code = found[1].lower() if found else ""
        code = _SHORTER.get(code, code)
        if code:
            return code
    return None
