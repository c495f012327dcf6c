"""How a newsletter's mail is to look, as its operator says it: colours, a logo, fonts, density."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Density = Literal["airy", "normal", "compact"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Colours:
    """The colours of which the others are mixed, each `#rrggbb`; None: the theme's own."""

    #: links and labels
    accent: str | None = None
    #: around the sheet of paper
    background: str | None = None
    paper: str | None = None
    #: titles; text is a little paler
    ink: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Logo:
    """A picture that stands for the newsletter's name; width and height in CSS pixels."""

    url: str
    width: int
    height: int
    #: what is shown in its place on dark paper, in the same size; None: the same
    dark_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What an operator says about a theme's looks; what is None, the theme says itself."""

    light: Colours = Colours()
    dark: Colours = Colours()
    logo: Logo | None = None
    #: stacks of fonts as CSS has them, without quotes
    title_font: str | None = None
    text_font: str | None = None
    density: Density | None = None
