"""Turns English message ids, dates and numbers into a reader's language, and decides no text.

The catalogues stand in `locales/<language>/LC_MESSAGES/digest.po`. After a change of the words in
code or templates, collect them and bring both catalogues up to date (the build compiles them):

    pybabel extract -F babel.cfg -o digest.pot . && pybabel update -D digest -i digest.pot \
        -d digest/words/locales --no-fuzzy-matching --omit-header && rm digest.pot

A language is there when its folder is there.
"""

from __future__ import annotations

import gettext
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_skeleton
from babel.dates import format_time as babel_time
from babel.numbers import format_decimal

from digest.errors import DigestError
from digest.model.follow import FOLLOWS_ONLY

if TYPE_CHECKING:
    from datetime import date, datetime

LOCALES = Path(__file__).parent / "locales"
DOMAIN = "digest"
FALLBACK = "en"

#: English without a country is written the European way: day before month, 24 hours
_REGIONS = {"en": "en_GB"}


def N_(message: str) -> str:  # noqa: N802 -- the name that extractors know
    """Mark `message` for the catalogues and return it as it is."""
    return message


#: the rhythms that have a name of their own; others are said as the operator wrote them
_RHYTHMS = (N_("hourly"), N_("daily"), N_("weekdays"), N_("weekly"), N_("monthly"))


@cache
def languages() -> tuple[str, ...]:
    """Return the languages that have a catalogue, in alphabetical order."""
    return tuple(sorted(path.name for path in LOCALES.iterdir() if path.is_dir()))


def closest(language: str) -> str:
    """Return the language with a catalogue that is nearest to a tag: "de-AT" is "de", "xx" "en"."""
    code = language.replace("_", "-").partition("-")[0].lower()
    return code if code in languages() else FALLBACK


@cache
def translations(language: str) -> gettext.NullTranslations:
    """Return the catalogue for a language tag. Raises DigestError where it was never compiled."""
    code = closest(language)
    try:
        return gettext.translation(DOMAIN, LOCALES, [code])
    except FileNotFoundError:
        raise DigestError(
            f"{LOCALES / code / 'LC_MESSAGES' / 'digest.mo'} is missing:"
            " install the program (pip install -e .), which compiles the words"
        ) from None


@cache
def _locale(language: str) -> Locale:
    code = closest(language)
    try:
        found = Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        found = Locale.parse(code)
    if found.language != code or found.territory is None:
        return Locale.parse(_REGIONS.get(code, code))
    return found


def direction(language: str) -> str:
    """Return "ltr" or "rtl": how the words of a language run."""
    return _locale(language).text_direction


def format_day(at: datetime, language: str, timezone: str) -> str:
    """Say a moment's day: "Montag, 23. November 2026"."""
    return format_date(at.astimezone(ZoneInfo(timezone)), "full", locale=_locale(language))


def format_time(at: datetime, language: str, timezone: str) -> str:
    """Say a moment's time of day: "07:05"."""
    return babel_time(at, "short", tzinfo=ZoneInfo(timezone), locale=_locale(language))


def format_day_time(at: datetime, language: str, timezone: str) -> str:
    """Say a moment as a record wants it: "23. November 2026, 07:05:09 MEZ"."""
    return format_datetime(at, "long", tzinfo=ZoneInfo(timezone), locale=_locale(language))


def format_short(at: datetime, language: str, timezone: str) -> str:
    """Say a moment briefly, without its year: "23. Nov., 07:05"."""
    local = at.astimezone(ZoneInfo(timezone))
    day = format_skeleton("MMMd", local, locale=_locale(language))
    return f"{day}, {format_time(at, language, timezone)}"


def format_month(first: date, language: str) -> str:
    """Say the month of a day: "November 2026"."""
    return format_skeleton("yMMMM", first, locale=_locale(language))


def format_number(value: float, language: str) -> str:
    """Say a number: "1.234,5"."""
    return format_decimal(value, locale=_locale(language))


def say_rhythm(schedule: str, language: str) -> str:
    """Say the name of a schedule ("daily" is "täglich"); names of our own making stay."""
    if schedule == FOLLOWS_ONLY:
        return translations(language).gettext("only what you follow")
    return translations(language).gettext(schedule) if schedule in _RHYTHMS else schedule
