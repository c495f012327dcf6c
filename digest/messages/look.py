"""Turns what an operator says about looks into every colour, font and gap of a theme.

Four colours are said, or fewer; the others are mixed of them, and no text is paler than can be
read. A colour that was said is never changed: if it cannot be read, it is refused.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, get_args
from urllib.parse import urlsplit

from digest.messages.colours import (
    READABLE,
    contrast,
    least_contrast,
    mix,
    readable,
    text_upon,
)
from digest.model.look import Colours, Density, Logo, Look

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_FONTS: Final = {
    "sans": "-apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif",
    "serif": "Georgia, Times New Roman, serif",
    "mono": "SF Mono, Consolas, Menlo, Courier New, monospace",
}
_GENERIC: Final = ("serif", "sans-serif", "monospace", "system-ui", "cursive")
_GAPS: Final = {"airy": 1.25, "normal": 1.0, "compact": 0.7}
_LONGEST: Final = {"url": 500, "stack": 200}
_WIDEST: Final = 556
_HIGHEST: Final = 200

_COLOUR: Final = re.compile(r"#[0-9a-f]{6}")
_STACK: Final = re.compile(
    r"-?[A-Za-z][A-Za-z0-9-]*(?: [A-Za-z][A-Za-z0-9-]*)*"
    r"(?:, ?-?[A-Za-z][A-Za-z0-9-]*(?: [A-Za-z][A-Za-z0-9-]*)*)*"
)

_COLOURS: Final = tuple(each.name for each in fields(Colours))
_LOGO: Final = ("logo", "logo_dark", "logo_width", "logo_height")
_KEYS: Final = (*_COLOURS, "dark", *_LOGO, "title_font", "text_font", "density")

#: what a theme has that says nothing
_DAY: Final = Colours(accent="#9a3324", background="#f3f1ec", paper="#ffffff", ink="#1c1b19")
_NIGHT: Final = Colours(background="#111215", paper="#1a1c20", ink="#f2efe8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The colours of a theme on light or on dark paper, each `#rrggbb`.

    `ink`, `text`, `quiet` and `accent` can be read on `paper` and on `tint`, `foot` on `page`,
    and `upon` on `accent`.
    """

    #: around the sheet of paper
    page: str
    paper: str
    #: a part of the paper that is set off, such as an advertisement
    tint: str
    #: titles
    ink: str
    text: str
    #: what is said beside: sources, times
    quiet: str
    #: links and labels
    accent: str
    #: lines between
    rule: str
    #: what is said below the sheet
    foot: str
    #: the words on a button
    upon: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """All that a theme's templates get to know about looks."""

    light: Palette
    dark: Palette
    #: stacks of fonts as CSS has them, without quotes
    title_font: str
    text_font: str
    logo: Logo | None
    density: Density

    def gap(self, pixels: int) -> int:
        """A distance in CSS pixels, wider or narrower by the density."""
        return round(pixels * _GAPS[self.density])


def read_look(table: Mapping[str, Any]) -> Look:
    """The look that a table of TOML says. Raises ValueError with the key and what is wrong."""
    _refuse_strange(table, _KEYS)
    dark = table.get("dark", {})
    if not isinstance(dark, dict):
        raise ValueError('dark: write a table, such as dark = { accent = "#f1a592" }')  # noqa: TRY004 -- one kind of error for a bad file
    try:
        _refuse_strange(dark, _COLOURS)
        night = _colours(dark)
    except ValueError as problem:
        raise ValueError(f"dark.{problem}") from problem
    density = table.get("density")
    if density is not None and density not in get_args(Density):
        raise ValueError(f"density: say one of {', '.join(get_args(Density))}")
    return Look(
        light=_colours(table),
        dark=night,
        logo=_logo(table),
        title_font=_font(table, "title_font"),
        text_font=_font(table, "text_font"),
        density=density,
    )


def read_theme_look(text: str) -> Look:
    """The look that a theme's look.toml says. Raises ValueError with what is wrong."""
    return read_look(tomllib.loads(text))


def appear(said: Look, own: Look) -> Appearance:
    """What a theme looks like by an operator's words and by its `own`, which yield to them.

    Raises ValueError where words could not be read: with the colour, its contrast, and the
    nearest colour that can be read.
    """
    light = _over(said.light, _over(own.light, _DAY))
    night = _over(own.dark, _NIGHT)
    dark = _over(said.dark, night if said.light.accent is None else _without_accent(night))
    return Appearance(
        light=_palette(light, said.light, light.accent),
        dark=_palette(dark, said.dark, light.accent, key="dark."),
        title_font=said.title_font or own.title_font or _FONTS["serif"],
        text_font=said.text_font or own.text_font or _FONTS["sans"],
        logo=said.logo or own.logo,
        density=said.density or own.density or "normal",
    )


def _palette(colours: Colours, said: Colours, accent: str | None, key: str = "") -> Palette:
    """All colours of a palette; `said` are those that must stay as they are."""
    page, paper, ink = colours.background, colours.paper, colours.ink
    accent = colours.accent or accent
    if page is None or paper is None or ink is None or accent is None:  # a default says each
        raise ValueError(f"{key}background, paper, ink and accent: not all are known")
    best = text_upon(paper)
    ink = _read_upon(paper, ink, f"{key}ink") if said.ink else readable(ink, [paper]) or best
    if said.accent:
        accent = _read_upon(paper, accent, f"{key}accent")
    else:
        accent = readable(accent, [paper]) or ink
    tint = _tint(paper, ink, accent)
    behind = (paper, tint)
    return Palette(
        page=page,
        paper=paper,
        tint=tint,
        ink=ink,
        text=readable(mix(ink, paper, 0.14), behind) or ink,
        quiet=readable(mix(ink, paper, 0.31), behind) or ink,
        accent=accent,
        rule=mix(ink, paper, 0.88),
        foot=readable(mix(ink, page, 0.31), [page]) or text_upon(page),
        upon=text_upon(accent),
    )


def _tint(paper: str, ink: str, accent: str) -> str:
    """The paper with a breath of ink, but only so much that both can be read on it."""
    tried = (mix(paper, ink, share) for share in (0.04, 0.03, 0.02, 0.01))
    readers = (ink, accent)
    return next((each for each in tried if least_contrast(each, readers) >= READABLE), paper)


def _read_upon(paper: str, colour: str, key: str) -> str:
    """The colour, where it can be read on the paper. Raises ValueError with the nearest."""
    nearest = readable(colour, [paper]) or text_upon(paper)
    if nearest != colour:
        raise ValueError(
            f"{key}: {colour} on paper {paper} has a contrast of {contrast(colour, paper):.1f}, "
            f"and text needs {READABLE}; {nearest} is the nearest that has it"
        )
    return colour


def _over(said: Colours, own: Colours) -> Colours:
    return Colours(**{name: getattr(said, name) or getattr(own, name) for name in _COLOURS})


def _without_accent(colours: Colours) -> Colours:
    return Colours(background=colours.background, paper=colours.paper, ink=colours.ink)


def _refuse_strange(table: Mapping[str, Any], known: Collection[str]) -> None:
    for name in table:
        if name not in known:
            raise ValueError(f"{name}: unknown; there are {', '.join(known)}")


def _colours(table: Mapping[str, Any]) -> Colours:
    return Colours(**{name: _colour(table[name], name) for name in _COLOURS if name in table})


def _colour(value: object, name: str) -> str:
    if isinstance(value, str) and _COLOUR.fullmatch(value.lower()):
        return value.lower()
    raise ValueError(f'{name}: write a colour as "#rrggbb", such as "#9a3324"')


def _font(table: Mapping[str, Any], key: str) -> str | None:
    value = table.get(key)
    if value is None:
        return None
    if isinstance(value, str) and value in _FONTS:
        return _FONTS[value]
    usable = isinstance(value, str) and len(value) <= _LONGEST["stack"] and _STACK.fullmatch(value)
    if not usable or str(value).rpartition(",")[2].strip() not in _GENERIC:
        raise ValueError(
            f"{key}: say {', '.join(_FONTS)}, or fonts without quotes that end in one of"
            f' {", ".join(_GENERIC)}, such as "Verdana, Segoe UI, sans-serif"'
        )
    return str(value)


def _logo(table: Mapping[str, Any]) -> Logo | None:
    if "logo" not in table:
        if set(_LOGO) & set(table):
            raise ValueError('logo: say where it is, such as "https://example.org/logo.png"')
        return None
    return Logo(
        url=_https(table["logo"], "logo"),
        dark_url=_https(table["logo_dark"], "logo_dark") if "logo_dark" in table else None,
        width=_pixels(table.get("logo_width"), "logo_width", _WIDEST),
        height=_pixels(table.get("logo_height"), "logo_height", _HIGHEST),
    )


def _https(value: object, key: str) -> str:
    wrong = f'{key}: write a whole address, such as "https://example.org/logo.png"'
    if not isinstance(value, str) or len(value) > _LONGEST["url"]:
        raise ValueError(wrong)
    try:
        parts = urlsplit(value)
    except ValueError:
        raise ValueError(wrong) from None
    if parts.scheme != "https" or not parts.hostname or not value.isascii():
        raise ValueError(wrong)
    if re.search(r"[\s<>\"'\\{}|^`\x00-\x1f\x7f]", value):
        raise ValueError(wrong)
    return value


def _pixels(value: object, key: str, most: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most:
        return value
    raise ValueError(f"{key}: say how many pixels it is to have in the mail, 1 to {most}")
