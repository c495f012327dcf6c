"""Turns the HTML of a mail into its elements, each with the style that it has on some screen.

It knows what mail is written with: style attributes, a few attributes of old, and rules and @media
rules of simple selectors. What it cannot read says nothing about any element.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lxml import html as lxml_html  # type: ignore[import-untyped]  # ships no types
from lxml.cssselect import CSSSelector  # type: ignore[import-untyped]  # ships no types

if TYPE_CHECKING:
    from collections.abc import Iterator

#: an element of lxml, which ships no types
Element = Any

_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_RULE: Final = re.compile(
    r"@media([^{}]*)\{((?:[^{}]*\{[^{}]*\})*)[^{}]*\}|([^{}@;]+)\{([^{}]*)\}", re.IGNORECASE
)
_PLAIN_RULE: Final = re.compile(r"([^{}]+)\{([^{}]*)\}")
_WIDTH: Final = re.compile(r"\((min|max)-width\s*:\s*(\d{1,5})px\)")
_SCHEME: Final = re.compile(r"\(prefers-color-scheme\s*:\s*(dark|light)\)")
_COLOUR_IN: Final = re.compile(r"rgba?\([^)]*\)|#[0-9a-f]{3,8}\b|[a-z]+", re.IGNORECASE)
_SPECIFIC: Final = re.compile(
    r"(#[\w-]+)|(\.[\w-]+|\[[^]]*\]|:[\w-]+)|([a-z][\w-]*)", re.IGNORECASE
)
#: words of a background that are no colours
_NO_COLOURS: Final = frozenset(
    {
        "none",
        "repeat",
        "no",
        "scroll",
        "fixed",
        "left",
        "right",
        "top",
        "bottom",
        "center",
        "x",
        "y",
    }
)
_STYLE_LIMIT: Final = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What a mail is looked at on; the width in CSS pixels."""

    width: int
    dark: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of a style sheet: whom it means, what it says, and where it holds (None: always)."""

    selector: str
    declarations: str
    media: str | None


#: property, value, whether it is important
_Declaration = tuple[str, str, bool]
#: what wins over what: importance, a style attribute, specificity, the place
_Weight = tuple[bool, bool, tuple[int, int, int], int]


def read_mail(html: str) -> Element:
    """The tree of a mail. Raises ValueError for what is no HTML at all."""
    try:
        return lxml_html.document_fromstring(
            html.encode(), parser=lxml_html.HTMLParser(encoding="utf-8")
        )
    except (lxml_html.etree.LxmlError, ValueError) as error:
        raise ValueError(f"not HTML that can be read: {error}") from error


def read_rules(css: str) -> Iterator[Rule]:
    """The rules of a style sheet, selector by selector, in their order."""
    for found in _RULE.finditer(_COMMENT.sub("", css[:_STYLE_LIMIT])):
        media = found[1].strip().lower() if found[1] is not None else None
        inner = _PLAIN_RULE.findall(found[2]) if media is not None else [(found[3], found[4])]
        for selectors, declarations in inner:
            for selector in selectors.split(","):
                yield Rule(selector=selector.strip(), declarations=declarations, media=media)


def holds(media: str | None, screen: Screen) -> bool:
    """Whether the rules of an @media hold on a screen; what is not known does not."""
    if media is None:
        return True
    return any(
        all(_is_true(each.strip(), screen) for each in query.split(" and "))
        for query in media.split(",")
    )


def styles(tree: Element, screen: Screen) -> dict[Element, dict[str, str]]:
    """What is declared for each element on this screen, by property; nothing is inherited here."""
    weighed: dict[Element, dict[str, tuple[_Weight, str]]] = {each: {} for each in elements(tree)}
    sheets = (each.text or "" for each in tree.iter("style"))
    for place, rule in enumerate(rule for sheet in sheets for rule in read_rules(sheet)):
        if holds(rule.media, screen):
            said = list(_declared(rule.declarations))
            for element in _meant(rule.selector, tree):
                _weigh(weighed[element], said, (False, _specific(rule.selector), place))
    for element, found in weighed.items():
        _weigh(found, list(_of_old(element)), (False, (0, 0, 0), -1))
        _weigh(found, list(_declared(element.get("style", ""))), (True, (0, 0, 0), 0))
    return {
        element: {name: value for name, (_, value) in found.items()}
        for element, found in weighed.items()
    }


def elements(tree: Element) -> list[Element]:
    """All elements of a tree in their order: no comments."""
    return [each for each in tree.iter() if isinstance(each.tag, str)]


def _weigh(
    found: dict[str, tuple[_Weight, str]],
    said: list[_Declaration],
    weight: tuple[bool, tuple[int, int, int], int],
) -> None:
    for name, value, important in said:
        mine = (important, *weight)
        if name not in found or found[name][0] <= mine:
            found[name] = (mine, value)


def _declared(text: str) -> Iterator[_Declaration]:
    for each in _COMMENT.sub("", text).split(";"):
        name, colon, value = each.partition(":")
        if not colon:
            continue
        bare, bang, word = value.rpartition("!")
        important = bool(bang) and word.strip().lower() == "important"
        value = (bare if important else value).strip()
        name = name.strip().lower()
        if name == "background":
            yield from _background(value, important=important)
        else:
            yield name, value, important


def _background(value: str, *, important: bool) -> Iterator[_Declaration]:
    """What the short form says: a colour, or a picture whose colour nobody knows."""
    if "url(" in value or "gradient(" in value:
        yield "background-image", value, important
        value = re.sub(r"[\w-]*\([^)]*\)", " ", value)
    else:
        yield "background-image", "none", important
    words = [each for each in _COLOUR_IN.findall(value) if each.lower() not in _NO_COLOURS]
    yield "background-color", words[0] if words else "transparent", important


def _of_old(element: Element) -> Iterator[_Declaration]:
    """What attributes say that are older than CSS."""
    if element.get("bgcolor"):
        yield "background-color", element.get("bgcolor"), False
    if element.get("background"):
        yield "background-image", "url()", False
    if element.tag == "font" and element.get("color"):
        yield "color", element.get("color"), False


def _meant(selector: str, tree: Element) -> list[Element]:
    """The elements that a selector means; none where it cannot be read, or asks for a pointer."""
    if ":" in selector:
        return []
    try:
        found = CSSSelector(selector, translator="html")(tree)
    except Exception:  # noqa: BLE001 -- a selector may be refused in many ways
        return []
    return [each for each in found if isinstance(each.tag, str)]


def _specific(selector: str) -> tuple[int, int, int]:
    found = _SPECIFIC.findall(selector)
    return (
        sum(bool(each[0]) for each in found),
        sum(bool(each[1]) for each in found),
        sum(bool(each[2]) for each in found),
    )


def _is_true(feature: str, screen: Screen) -> bool:
    if feature in ("all", "screen", "only screen", "only all"):
        return True
    if scheme := _SCHEME.fullmatch(feature):
        return (scheme[1] == "dark") == screen.dark
    if width := _WIDTH.fullmatch(feature):
        limit = int(width[2])
        return screen.width <= limit if width[1] == "max" else screen.width >= limit
    return False
