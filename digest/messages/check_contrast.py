"""Turns a mail into findings about colours: which text is too pale, on light and on dark paper."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from digest.messages.cascade import Screen, elements, read_mail, styles
from digest.messages.colours import READABLE, contrast, mix, read_colour
from digest.model.finding import Finding
from digest.words import format_number, translations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from digest.messages.cascade import Element

#: where text may be paler: from 24 px, or from 18.66 px in bold (WCAG 2.2, 1.4.3)
_LARGE: Final = 24.0
_LARGE_BOLD: Final = 18.66
_LARGE_READABLE: Final = 3.0
_BOLD: Final = 700
_QUOTED: Final = 60
#: what a browser takes where nobody says a colour: behind, text, links
_LIGHT: Final = ("#ffffff", "#000000", "#0000ee")
_DARK: Final = ("#121212", "#ffffff", "#9e9eff")
_SCREENS: Final = tuple(
    Screen(width=width, dark=dark) for dark in (False, True) for width in (680, 375)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ink:
    """How text is drawn; `behind` is None where a picture is behind it."""

    colour: str
    behind: str | None
    size: float = 16.0
    bold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A text, or what a picture says where pictures are off, as it is drawn."""

    text: str
    ink: Ink

    @property
    def contrast(self) -> float | None:
        """1 to 21; None where nobody can say."""
        return contrast(self.ink.colour, self.ink.behind) if self.ink.behind else None

    @property
    def wanted(self) -> float:
        """The contrast that it needs."""
        large = _LARGE_BOLD if self.ink.bold else _LARGE
        return _LARGE_READABLE if self.ink.size >= large else READABLE


def check_contrast(html: str, *, language: str) -> tuple[Finding, ...]:
    """Findings in `language` about all text of a mail, light and dark, wide and narrow."""
    gettext = translations(language).gettext
    tree = read_mail(html)
    found: dict[tuple[bool, str, str | None], Finding] = {}
    least = {False: 21.0, True: 21.0}
    for screen in _SCREENS:
        paper = gettext("dark") if screen.dark else gettext("light")
        for each in drawn(tree, screen):
            measured = each.contrast
            if measured is not None:
                least[screen.dark] = min(least[screen.dark], measured)
                if measured >= each.wanted:
                    continue
            key = (screen.dark, each.ink.colour, each.ink.behind)
            if key not in found:
                found[key] = _finding(each, measured, paper, language)
    if found:
        return tuple(found.values())
    said = gettext("All text can be read: the least contrast is %(light)s light and %(dark)s dark.")
    figures = {"light": _said(least[False], language), "dark": _said(least[True], language)}
    return (Finding(level="ok", what=said % figures),)


def _finding(each: Drawn, measured: float | None, paper: str, language: str) -> Finding:
    gettext = translations(language).gettext
    where = f"{paper}: {each.text[:_QUOTED]}"
    if measured is None:
        return Finding(
            level="warning",
            what=gettext("Text stands on a picture: nobody can say how well it is read."),
            where=where,
            do=gettext("Give it a background-color like the picture."),
        )
    said = gettext("%(colour)s on %(behind)s has a contrast of %(measured)s; %(wanted)s is needed.")
    return Finding(
        level="error",
        what=said
        % {
            "colour": each.ink.colour,
            "behind": each.ink.behind,
            "measured": _said(measured, language),
            "wanted": _said(each.wanted, language),
        },
        where=where,
        do=gettext("Choose a darker or a lighter colour in style.css or look."),
    )


def _said(number: float, language: str) -> str:
    """One decimal, never rounded up: 4.49 is not enough."""
    return format_number(int(number * 10) / 10, language)


def drawn(tree: Element, screen: Screen) -> Iterator[Drawn]:
    """All that is to be read of a mail on this screen, in its order."""
    declared = styles(tree, screen)
    knows_dark = any(
        each.get("name") == "color-scheme" and "dark" in each.get("content", "")
        for each in tree.iter("meta")
    )
    behind, colour, link = _DARK if screen.dark and knows_dark else _LIGHT
    inks: dict[Element, Ink | None] = {}
    for element in elements(tree):
        parent = element.getparent()
        above = Ink(colour=colour, behind=behind) if parent is None else inks.get(parent)
        mine = _ink(element, declared[element], above, link) if above is not None else None
        inks[element] = mine
        outer = above if parent is not None else None
        if mine is not None:
            yield from _read(element.text, mine)
            if element.tag == "img":
                yield from _read(element.get("alt"), mine)
        if outer is not None:
            yield from _read(element.tail, outer)


def _read(text: str | None, ink: Ink) -> Iterator[Drawn]:
    said = " ".join((text or "").split())
    if any(each.isalnum() for each in said):
        yield Drawn(text=said, ink=ink)


def _ink(element: Element, said: dict[str, str], above: Ink, link: str) -> Ink | None:
    """How an element's own text is drawn; None where it is not shown."""
    if element.tag in ("head", "script", "style", "title", "template") or _is_hidden(said):
        return None
    ink = above
    if element.tag in ("b", "strong", "h1", "h2", "h3", "h4", "th"):
        ink = replace(ink, bold=True)
    if element.tag == "a" and element.get("href"):
        ink = replace(ink, colour=link)
    if said.get("background-image", "none") != "none":
        ink = replace(ink, behind=None)
    if (found := read_colour(said.get("background-color", "transparent"))) and found[1] > 0:
        base = ink.behind if found[1] < 1 else found[0]
        ink = replace(ink, behind=mix(base, found[0], found[1]) if base else None)
    if (found := read_colour(said.get("color", "inherit"))) is not None:
        over = mix(ink.behind, found[0], found[1]) if ink.behind else found[0]
        ink = replace(ink, colour=over)
    elif said.get("color") == "inherit":
        ink = replace(ink, colour=above.colour)
    return _sized(ink, said)


def _sized(ink: Ink, said: dict[str, str]) -> Ink:
    size, weight = said.get("font-size", ""), said.get("font-weight", "")
    if size.endswith("px") and size[:-2].replace(".", "", 1).isdecimal():
        ink = replace(ink, size=float(size[:-2]))
    if weight:
        number = int(weight) if weight.isdecimal() else 0
        ink = replace(ink, bold=weight in ("bold", "bolder") or number >= _BOLD)
    return ink


def _is_hidden(said: dict[str, str]) -> bool:
    return (
        said.get("display") == "none"
        or said.get("visibility") == "hidden"
        or (said.get("max-height") in ("0", "0px") and said.get("overflow") == "hidden")
    )
