"""Turns colours into others: mixed ones, and the nearest that can be read on a background.

Colours are `#rrggbb` in small letters. Contrast is WCAG 2.2's (success criterion 1.4.3 and the
definitions of "contrast ratio" and "relative luminance").
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

#: the least contrast of text with what is behind it (WCAG 2.2, 1.4.3)
READABLE: Final = 4.5

_BLACK: Final = "#000000"
_WHITE: Final = "#ffffff"
_STEPS: Final = 256
_HEX: Final = re.compile(r"#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})")
_RGB: Final = re.compile(
    r"rgba?\(\s*(\d{1,3})\s*[, ]\s*(\d{1,3})\s*[, ]\s*(\d{1,3})\s*(?:[,/]\s*([\d.]{1,9})(%?)\s*)?\)"
)
#: the names that mail is written with (CSS Color 4 has 148)
_NAMES: Final = {
    "black": "#000000",
    "white": "#ffffff",
    "red": "#ff0000",
    "lime": "#00ff00",
    "blue": "#0000ff",
    "yellow": "#ffff00",
    "aqua": "#00ffff",
    "fuchsia": "#ff00ff",
    "gray": "#808080",
    "grey": "#808080",
    "silver": "#c0c0c0",
    "maroon": "#800000",
    "green": "#008000",
    "navy": "#000080",
    "olive": "#808000",
    "purple": "#800080",
    "teal": "#008080",
    "orange": "#ffa500",
}
#: below it sRGB is linear
_LINEAR: Final = 0.04045


def mix(first: str, second: str, share: float) -> str:
    """`first` with `share` (0 to 1) of `second` in it."""
    pairs = zip(_octets(first), _octets(second), strict=True)
    return "#" + "".join(f"{round(one + (other - one) * share):02x}" for one, other in pairs)


def contrast(first: str, second: str) -> float:
    """How well one is read on the other: 1 (not at all) to 21 (black on white)."""
    dark, light = sorted((_luminance(first), _luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def least_contrast(colour: str, behind: Collection[str]) -> float:
    """The contrast of a colour with that of `behind` on which it is read worst."""
    return min(contrast(colour, each) for each in behind)


def readable(colour: str, behind: Collection[str], least: float = READABLE) -> str | None:
    """The colour, or the nearest darker or lighter one that is read on all of `behind`.

    None where there is none: no colour is read on black and on white at 4.6.
    """
    for step in range(_STEPS + 1):
        tries = [mix(colour, end, step / _STEPS) for end in (_BLACK, _WHITE)]
        best = max(tries, key=lambda each: least_contrast(each, behind))
        if least_contrast(best, behind) >= least:
            return best
    return None


def text_upon(background: str) -> str:
    """White or black, whichever is read better on it: always at 4.5 or more."""
    return max((_WHITE, _BLACK), key=lambda each: contrast(each, background))


def read_colour(text: str) -> tuple[str, float] | None:
    """A colour as CSS writes it: `#rrggbb`, and how much of it covers what is behind (0 to 1).

    None for what this module does not know: `hsl()`, variables, most names.
    """
    text = text.strip().lower()
    if text == "transparent":
        return _BLACK, 0.0
    if text in _NAMES:
        return _NAMES[text], 1.0
    if _HEX.fullmatch(text):
        digits = text[1:] if len(text) > 5 else "".join(2 * each for each in text[1:])  # noqa: PLR2004 -- #rgba
        return f"#{digits[:6]}", int(digits[6:] or "ff", 16) / 255
    found = _RGB.fullmatch(text)
    if found is None:
        return None
    red, green, blue = (min(255, int(each)) for each in found.group(1, 2, 3))
    try:
        share = float(found[4] or 1) / (100 if found[5] else 1)
    except ValueError:
        return None
    return f"#{red:02x}{green:02x}{blue:02x}", min(1.0, share)


def _octets(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("#")))


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(each / 255) for each in _octets(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= _LINEAR else ((part + 0.055) / 1.055) ** 2.4
