"""Turns a rendered page or text into pieces, by the marks of its theme; it knows no article.

What a theme forgot or set wrongly is a TemplateFault that says what to mend.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from digest.errors import TemplateFault
from digest.messages import marks

if TYPE_CHECKING:
    from collections.abc import Mapping

#: the slots of a layout that each kind of piece may hold; those of a reader may stand anywhere
_ALLOWED: Final = {
    "frame": {
        "subject", "preheader", "stories", "minutes", "below", "more", "more_url", "more_host"
    },
    "card": {"number", "also"},
    "headline": {"number"},
    "why": {"followed", "stop"},
}  # fmt: skip
_EMPTY_LINES: Final = re.compile(r"\n[ \t]*(?:\n[ \t]*){2,}")
#: regions that belong into the frame or into cards
_WITHIN: Final = {
    "frame": ("headlines", "below", "more", "more_link"),
    "card": ("also",),
}
#: empty lines before and after a piece of a text
_APART: Final = {
    "card": ("", "\n"),
    "why": ("", "\n"),
    "part": ("\n", ""),
    "sponsors": ("\n", "\n"),
}
#: how a region is begun, where it takes something
_TAKES: Final = {"card": "(story)", "headline": "(story)", "other": "(other)", "part": "(part)"}


@dataclass(frozen=True, slots=True)
class _Region:
    """What stands between a mark and its end."""

    name: str
    argument: str = ""
    children: list[str | _Region] = field(default_factory=list)


def cut(page: str, *, nonce: str, html: bool, where: str) -> dict[str, str]:
    """Return the pieces of a rendered theme by their marks' names, the rest as "frame".

    "card:ID:FORM", "headline:ID", "other:ID", "part:INDEX", "sponsors" and "why". Where others
    belong into one, it holds a mark: "parts", "cards" or "items". `where` names the template.
    Raises TemplateFault where marks are not in pairs, or a slot stands where nobody fills it.
    """
    pieces: dict[str, str] = {}
    frame = _Region("frame", children=_parse(page, nonce=nonce, html=html, where=where))
    pieces["frame"] = _write(frame, pieces, nonce=nonce, html=html)
    for name, piece in pieces.items():
        _check(name, piece, nonce=nonce, html=html, where=where)
    return {name: _tidy(name, piece, html=html) for name, piece in pieces.items()}


def check_pieces(
    pieces: Mapping[str, str],
    *,
    wanted: Mapping[str, bool],
    nonce: str,
    html: bool,
    where: str,
) -> None:
    """Raise TemplateFault unless all wanted pieces are there; those of True hold cards."""
    outside = (
        f"{where}: marks.card(story) stands outside of its part: put all cards between"
        " marks.part(part) and marks.part_end"
    )
    for name, holds_cards in wanted.items():
        kind = name.partition(":")[0]
        begin = f"marks.{kind}{_TAKES.get(kind, '')}"
        if name not in pieces:
            some = " for some of them" if kind in _TAKES else ""
            raise TemplateFault(
                f"{where}: {begin} and marks.{kind}_end are missing{some}: see docs/theming.md"
            )
        if holds_cards and marks.write_mark(nonce, "cards", html=html) not in pieces[name]:
            raise TemplateFault(outside)
    if marks.slot(nonce, "stop") not in pieces["why"]:
        raise TemplateFault(
            f"{where}: between marks.why and marks.why_end stands no slot.stop:"
            " whoever gets something because he follows it needs the link"
        )
    frame = pieces["frame"]
    if marks.write_mark(nonce, "parts", html=html) not in frame:
        raise TemplateFault(f"{where}: marks.part(part) stands in another region: put it outside")
    if marks.write_mark(nonce, "cards", html=html) in frame:
        raise TemplateFault(outside)
    if marks.slot(nonce, "unsubscribe") not in frame:
        raise TemplateFault(f"{where} has no slot.unsubscribe: every mail needs the link")


def tidy(text: str) -> str:
    """A text with at most one empty line in a row, ending in one line end."""
    lines = "\n".join(map(str.rstrip, text.splitlines()))
    return _EMPTY_LINES.sub("\n\n", lines).strip("\n") + "\n"


def _parse(page: str, *, nonce: str, html: bool, where: str) -> list[str | _Region]:
    """The page as a tree of regions."""
    open_ones = [_Region("")]
    end = 0
    for mark in marks.find_marks(nonce, html=html).finditer(page):
        open_ones[-1].children.append(page[end : mark.start()])
        end = mark.end()
        closing, name, argument = mark[1], mark[2], mark[3] or ""
        if not closing:
            begun = _Region(name, argument)
            open_ones[-1].children.append(begun)
            open_ones.append(begun)
        elif open_ones[-1].name == name:
            open_ones.pop()
        else:
            raise TemplateFault(_unpaired(where, name, open_ones))
    open_ones[-1].children.append(page[end:])
    if len(open_ones) > 1:
        raise TemplateFault(_unpaired(where, "", open_ones))
    return open_ones[0].children


def _unpaired(where: str, ended: str, open_ones: list[_Region]) -> str:
    begun = open_ones[-1].name
    if ended and ended not in {each.name for each in open_ones[1:]}:
        begin = f"marks.{ended}{_TAKES.get(ended, '')}"
        return f"{where}: marks.{ended}_end ends nothing: write {begin} before it"
    found = f"marks.{ended}_end" if ended else "the end"
    return (
        f"{where}: marks.{begun}{_TAKES.get(begun, '')} has no marks.{begun}_end before {found}:"
        " regions stand in one another or beside one another"
    )


def _write(region: _Region, pieces: dict[str, str], *, nonce: str, html: bool) -> str:
    """What stands in a region, without the pieces in it: those are put into `pieces`."""
    written: list[str] = []
    holes: set[str] = set()
    for child in region.children:
        if isinstance(child, str):
            written.append(child)
            continue
        inner = _write(child, pieces, nonce=nonce, html=html)
        if child.name not in marks.PIECES:
            begin, end = child.name, f"/{child.name}"
            written += (
                marks.write_mark(nonce, begin, html=html),
                inner,
                marks.write_mark(nonce, end, html=html),
            )
            continue
        # the sample of another part may have brought it already
        pieces.setdefault(f"{child.name}:{child.argument}".rstrip(":"), inner)
        hole = marks.HOLES.get(child.name)
        if hole is not None and hole not in holes:
            holes.add(hole)
            written.append(marks.write_mark(nonce, hole, html=html))
    return "".join(written)


def _check(name: str, piece: str, *, nonce: str, html: bool, where: str) -> None:
    kind = name.partition(":")[0]
    for place, boxes in _WITHIN.items():
        for box in boxes if place != kind else ():
            if marks.write_mark(nonce, box, html=html) in piece:
                raise TemplateFault(f"{where}: {_misplaced(f'marks.{box}', kind, place)}")
    left = marks.find_marks(nonce, html=html).sub("", piece)
    for each in marks.SLOTS:
        left = left.replace(marks.slot(nonce, each), "")
    for each in _ALLOWED.get(kind, ()):
        left = left.replace(marks.slot(nonce, each), "")
    if nonce not in left.lower():
        return
    for each in marks.LAYOUT_SLOTS:
        if marks.slot(nonce, each) in left:
            place = next(kind for kind, allowed in _ALLOWED.items() if each in allowed)
            raise TemplateFault(f"{where}: {_misplaced(_said(each), kind, place)}")
    raise TemplateFault(
        f"{where}: a mark or a slot stands in other letters, or (in a text) not on a line of its"
        " own: write it as docs/theming.md says, without filters"
    )


def _misplaced(what: str, kind: str, place: str) -> str:
    within = "" if kind == "frame" else f" between marks.{kind} and marks.{kind}_end"
    right = "outside of all pieces" if place == "frame" else f"inside marks.{place}"
    return f"{what} stands{within} where nobody fills it in: it belongs {right}"


def _said(slot: str) -> str:
    """A slot as a template writes it."""
    return {"number": "story.number"}.get(
        slot, slot if slot in {"subject", "preheader"} else f"slot.{slot}"
    )


def _tidy(name: str, piece: str, *, html: bool) -> str:
    """A piece that can stand beside any other: in a text, an empty line parts it from the next."""
    kind = name.partition(":")[0]
    if html:
        return piece.strip() if kind == "other" else f"{piece.strip()}\n"
    before, after = _APART.get(kind, ("", ""))
    return f"{before}{tidy(piece)}{after}"
