"""Turns a theme's style sheet into findings: what mail programs lack, and what loses its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from digest.messages.cascade import read_rules
from digest.model.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

#: more make every mail heavy, for each becomes attributes of many elements
RULES: Final = 120

#: what several of the great mail programs do not know, and what to write instead
_LACKING: Final = {
    "position": "place it with tables and padding",
    "float": "use a table with two cells; inside @media it may stand",
    "grid": "use a table",
    "flex": "use a table, or inline-block with max-width",
    "transform": "do without",
    "filter": "do without",
    "animation": "do without",
    "transition": "do without",
    "object-fit": "cut pictures to their size before",
    "aspect-ratio": "write width and height",
    "gap": "use padding",
    "clip-path": "do without",
    "background-image": "set a colour: pictures behind text are not shown, and load from elsewhere",
}
#: properties that begin so are of one kind
_KINDS: Final = ("grid", "animation", "transition")
_PLACE: Final = re.compile(r":(?:first|last|nth|only)-|[+~>]")
_UNITS: Final = re.compile(r"(?:\d(?:vw|vh|rem)\b|\bcalc\(|\bvar\()")


def check_css(css: str, where: str) -> Iterator[Finding]:
    """What is to be said about a rendered style sheet, each thing once."""
    rules = list(read_rules(css))
    blocks = css.count("{")
    if blocks >= RULES:
        what = f"{blocks} rules: more than {RULES - 1} make every mail heavy"
        yield Finding(level="warning", what=what, where=where, do="join rules that say the same")
    seen: set[str] = set()
    for rule in rules:
        for said, do in _said(rule.selector, rule.declarations, rule.media):
            if said not in seen:
                seen.add(said)
                yield Finding(level="warning", what=said, where=f"{where}: {rule.selector}", do=do)


def _said(selector: str, declarations: str, media: str | None) -> Iterator[tuple[str, str]]:
    if _PLACE.search(selector):
        what = f"{selector}: asks where an element stands, and its neighbours change"
        yield what, "give the element a class"
    for each in declarations.split(";"):
        name, _, value = (part.strip().lower() for part in each.partition(":"))
        if not name:
            continue
        kind = next((kind for kind in _KINDS if name.startswith(kind)), name)
        if name == "display" and value.split(" ")[0].removeprefix("inline-") in ("flex", "grid"):
            kind = value.split(" ")[0].removeprefix("inline-")
        if kind in _LACKING and not (kind == "float" and media):
            yield f"{kind}: several mail programs do not know it", _LACKING[kind]
        if _UNITS.search(value):
            yield f"{value}: Outlook cannot reckon with it", "write pixels or per cent"
        if media and "!important" not in value:
            what = f"@media {media}: {name} without !important loses to the style attributes"
            yield what, "write !important"
