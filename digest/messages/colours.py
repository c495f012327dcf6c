"""Turns colours into others: mixed ones, and the nearest that can be read on a background.

Colours are `#rrggbb` in small letters. Contrast is WCAG 2.2's (success criterion 1.4.3 and the
definitions of "contrast ratio" and "relative luminance").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

#: the least contrast of text with what is behind it (WCAG 2.2, 1.4.3)
READABLE: Final = 4.5

_BLACK: Final = "#000000"
_WHITE: Final = "#ffffff"
_STEPS: Final = 256
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


def _octets(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("#")))


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(each / 255) for each in _octets(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= _LINEAR else ((part + 0.055) / 1.055) ** 2.4
