"""Turns what a reader asked for and what his browser accepts into one language that we speak."""

from __future__ import annotations

from typing import Final

from digest.words import languages

#: more than any browser sends; the rest of a hostile header is not read
_CONSIDERED: Final = 20


def choose_language(asked: str | None, accepted: str, *, otherwise: str) -> str:
    """The language of a page: `?lang=`, else the best of Accept-Language, else `otherwise`."""
    spoken = languages()
    if asked and _code(asked) in spoken:
        return _code(asked)
    wishes = [_wish(part) for part in accepted.split(",", _CONSIDERED)[:_CONSIDERED]]
    wishes.sort(key=lambda wish: wish[1], reverse=True)
    return next((code for code, weight in wishes if weight > 0 and code in spoken), otherwise)


def _code(tag: str) -> str:
    return tag.strip().replace("_", "-").partition("-")[0].lower()


def _wish(part: str) -> tuple[str, float]:
    """RFC 9110 section 12.5.4: `de-AT;q=0.8`; no weight is 1, a nonsensical one is 0."""
    tag, _, weight = part.partition(";")
    value = weight.strip().lower().removeprefix("q=")
    try:
        number = float(value) if value else 1.0
    except ValueError:
        number = 0.0
    return _code(tag), number if 0 <= number <= 1 else 0.0
