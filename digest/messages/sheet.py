"""Turns what was cut out of a theme into a sheet, and a sheet's notes back into facts.

A sheet is stored as it is: everything that a plan or a layout needs to know stands in it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from digest.model.layout import Form, Piece, Sheet

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from digest.messages.contents import Contents

#: pieces that hold no markup: about the edition, and about each article ("told:ID")
_FACTS, _TOLD = "facts", "told"
_WORDS_A_MINUTE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What all selections of an edition have in common."""

    nonce: str
    number: int
    made_at: datetime
    public_url: str
    rarer: str | None
    #: octets of the longest address of a selection on the web, behind the public one
    view: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What is known of an article: its title, and how many words each of its cards has."""

    title: str
    words: Mapping[str, int]


def card_name(article_id: int, form: Form) -> str:
    """The name of a card's piece."""
    return f"card:{article_id}:{form}"


def make_sheet(
    html: Mapping[str, str],
    text: Mapping[str, str],
    contents: Contents,
    facts: Facts,
    *,
    language: str,
) -> Sheet:
    """Put the pieces of both parts together by their names in the sheet."""
    parts = {f"part:{part.index}": part.name for part in contents.parts}
    pieces: dict[str, Piece] = {}
    for name, said in html.items():
        kind, _, rest = name.partition(":")
        kept = parts[name] if kind == "part" else f"also:{rest}" if kind == "other" else name
        pieces[kept] = Piece(html=said, text=text.get(name, ""))
    for part in contents.parts:
        if part.text:
            pieces[f"fixed:{part.name}"] = Piece(html="", text="")
    pieces[_FACTS] = _note({**asdict(facts), "made_at": facts.made_at.isoformat()})
    pieces |= {f"{_TOLD}:{key}": _note(told) for key, told in _articles(contents).items()}
    return Sheet(language=language, pieces=pieces)


def wanted_pieces(contents: Contents) -> dict[str, bool]:
    """The names of pieces that a theme has to have; True where cards belong into them."""
    wanted = {card_name(each.id, each.form): False for each in contents.stories}
    wanted |= {f"part:{part.index}": bool(part.stories) for part in contents.parts}
    wanted["why"] = False
    if contents.sponsors:
        wanted["sponsors"] = False
    return wanted


def read_facts(sheet: Sheet) -> Facts:
    """The facts of a sheet."""
    data = json.loads(sheet.pieces[_FACTS].text)
    return Facts(**{**data, "made_at": datetime.fromisoformat(data["made_at"])})


def read_telling(sheet: Sheet, article_id: int) -> Telling:
    """What a sheet knows of an article that it has a card of."""
    title, words = json.loads(sheet.pieces[f"{_TOLD}:{article_id}"].text)
    return Telling(title=title, words=words)


def form_in(sheet: Sheet, article_id: int, form: Form) -> Form | None:
    """The form in which the sheet has a card: this one, else the next shorter, else a longer."""
    forms = list(Form)
    place = forms.index(form)
    tried = (*forms[place:], *reversed(forms[:place]))
    return next((each for each in tried if card_name(article_id, each) in sheet.pieces), None)


def minutes_of(sheet: Sheet, cards: Iterable[tuple[int, Form]]) -> int:
    """How long reading these cards takes, at 200 words a minute."""
    words = sum(read_telling(sheet, key).words.get(form, 0) for key, form in cards)
    return max(1, round(words / _WORDS_A_MINUTE))


def _note(data: object) -> Piece:
    return Piece(html="", text=json.dumps(data, separators=(",", ":")))


def _articles(contents: Contents) -> dict[int, tuple[str, dict[str, int]]]:
    found: dict[int, tuple[str, dict[str, int]]] = {}
    for story in contents.stories:
        _, words = found.setdefault(story.id, (story.title, {}))
        words[story.form] = story.words
    return found
