"""Turns a date as a feed writes it into UTC, or into None: a wrong date is worse than none.

A date is read only if every word of it is understood. RFC 822 and RFC 3339 and what is near them,
with month and day names in English, German, French, Spanish, Italian, Dutch, Portuguese, Polish and
the Scandinavian languages, and the signs of Chinese, Japanese and Korean. A weekday that does not
agree with the day of the month is not believed: templates write it, and the article has the day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

_MONTHS = (
    "january jan januar jän jänner janvier janv enero ene gennaio gen januari",
    "february feb februar février fevrier févr fevr fév febrero febbraio februari",
    "march mar märz marz mär mrz mars marzo maart mrt",
    "april apr avril avr abril abr aprile",
    "may mai mayo maggio mag mei",
    "june jun juni juin junio giugno giu",
    "july jul juli juillet juil julio luglio lug",
    "august aug août aout agosto ago augustus",
    "september sep sept septembre septiembre settembre set",
    "october oct oktober okt octobre octubre ottobre ott",
    "november nov novembre noviembre",
    "december dec dezember dez décembre decembre déc diciembre dic dicembre",
)
# Portuguese, Polish (whose months are genitives) and Scandinavian names
_MORE_MONTHS = (
    "janeiro stycznia sty",
    "fevereiro fev lutego lut",
    "março marca",
    "kwietnia kwi",
    "maio maj maja",
    "junho czerwca cze",
    "julho lipca lip",
    "augusti sierpnia sie",
    "setembro września wrz",
    "outubro out października paź",
    "novembro listopada lis",
    "dezembro grudnia gru desember des",
)
_MONTH = {
    name: number % 12 + 1
    for number, names in enumerate((*_MONTHS, *_MORE_MONTHS))
    for name in names.split()
}
_DAYS = (
    "monday mon montag mo lundi lun lunes lunedì lunedi maandag ma",
    "tuesday tue tues dienstag di die mardi martes martedì martedi dinsdag",
    "wednesday wed mittwoch mi mit mercredi mer miércoles miercoles mié mercoledì woensdag wo",
    "thursday thu thur thurs donnerstag do don jeudi jeu jueves jue giovedì gio donderdag",
    "friday fri freitag fr fre vendredi ven viernes vie venerdì vrijdag vr",
    "saturday sat samstag sa sam sonnabend samedi sábado sabado sáb sabato sab zaterdag za",
    "sunday sun sonntag so son dimanche dim domingo dom domenica zondag zo",
)
_MORE_DAYS = (
    "segunda seg poniedziałek pon mandag måndag man mån",
    "terça ter wtorek wto wt tirsdag tisdag tis tir",
    "quarta qua środa śro śr onsdag ons",
    "quinta qui czwartek czw torsdag tors tor",
    "sexta sex piątek pią pt fredag fred",
    "sob sobota lørdag lördag lør lör",
    "niedziela nie niedz nd søndag söndag søn sön",
)
_DAY = {
    name: number % 7 for number, names in enumerate((*_DAYS, *_MORE_DAYS)) for name in names.split()
}
#: in French, Italian and Spanish
_MARCH_OR_TUESDAY = "mar"
_FILLERS = frozenset(
    ("-", "\N{EN DASH}", "|", "at", "um", "uhr", "de", "del", "le", "den", "à", "às", "kl")
)
# RFC 822 names, and those that mean one place only; CST, AST and MST are American as RFC 822 says.
_ZONES = dict.fromkeys(("z", "ut", "utc", "gmt", "wet", "uct"), 0.0) | {
    **dict.fromkeys(("est", "cdt"), -5.0),
    **dict.fromkeys(("edt", "ast"), -4.0),
    **dict.fromkeys(("cst", "mdt"), -6.0),
    **dict.fromkeys(("mst", "pdt"), -7.0),
    **dict.fromkeys(("pst", "akdt"), -8.0),
    **dict.fromkeys(("cet", "met", "mez", "bst", "west"), 1.0),
    **dict.fromkeys(("cest", "mest", "mesz", "eet", "sast"), 2.0),
    **dict.fromkeys(("eest", "msk"), 3.0),
    **dict.fromkeys(("jst", "kst"), 9.0),
    **dict.fromkeys(("sgt", "hkt", "awst"), 8.0),
    **dict.fromkeys(("adt", "brt", "art"), -3.0),
    "akst": -9.0,
    "hst": -10.0,
    "pkt": 5.0,
    "ist": 5.5,
    "acst": 9.5,
    "acdt": 10.5,
    "aest": 10.0,
    "aedt": 11.0,
    "nzst": 12.0,
    "nzdt": 13.0,
}
_AMERICAN = frozenset(("est", "edt", "cst", "cdt", "mst", "mdt", "pst", "pdt"))

_PACKED = re.compile(r"^(\d{4})(-?)(\d\d)\2(\d\d)(?:t(\d\d)(\d\d)(\d\d)?(?!\d))?(?![\d:])")
_CLOCK = re.compile(
    r"(?<![\d:+-])(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,]\d+)?)?(?:\s*([ap])\.?m\b\.?)?(?![\d:])"
)
_TRIPLE = re.compile(r"(?<![\d:])(\d{1,4})([-/. ])(\d{1,2})\2(\d{1,4})(?![\d:])")
_OFFSET = re.compile(r"(?:gmt|utc|ut)?([+-])(\d\d?):?(\d\d)?z?")
_SIGNS = re.compile(
    r"(\d{4})\s?[\u5e74\ub144]\s?(\d{1,2})\s?[\u6708\uc6d4]\s?(\d{1,2})\s?[\u65e5\uc77c]"
)
_EPOCH = re.compile(r"\d{10}(?:\d{3})?")


class _Unclear(ValueError):
    """Something in the date is not understood."""


@dataclass(slots=True)
class _Found:
    """What the words of a date said so far."""

    weekday: int | None = None
    month: int | None = None
    #: the month was named by a word that names a day where another month follows
    may_be_day: bool = False
    numbers: list[str] = field(default_factory=list)
    zone: tzinfo | None = None
    american: bool = False


def parse_date(raw: str) -> datetime | None:
    """The moment that `raw` names, in UTC, or None; without a zone it is taken as UTC."""
    text = " ".join(raw[:100].lower().split())
    try:
        moment = _epoch(text) or _moment(text)
        return moment.astimezone(UTC) if moment.year >= 1900 else None  # noqa: PLR2004 -- zero dates of Go, Excel and .NET
    except (ValueError, OverflowError, OSError):
        return None


def _epoch(text: str) -> datetime | None:
    if not _EPOCH.fullmatch(text):
        return None
    return datetime.fromtimestamp(int(text[:10]), tz=UTC)


def _moment(text: str) -> datetime:
    # what explains the zone: (Coordinated Universal Time), or [Europe/Berlin] behind an offset
    text = re.sub(r"\s*(?:\([^()]*\)|\[[^\[\]]*\])$", "", text)
    text = _PACKED.sub(_unpack, _SIGNS.sub(r"\1-\2-\3 ", text).strip())
    text = re.sub(r"^(\d{4}-\d\d)$", r"\1-01", text)  # W3C-DTF allows a month alone
    text = re.sub(r"(?<=\d) ?t ?(?=\d)", " ", text)
    text = re.sub(r"(?<=\d)-?([^\W\d_]{3,})-?(?=\d)", r" \1 ", text)  # 2-Jan-2006, 2Jan2006
    clock = _CLOCK.search(text)
    if clock:
        text = f"{text[: clock.start()]} {text[clock.end() :]}"
    triple = _TRIPLE.search(text.replace(",", " "))
    if triple:
        text = f"{text[: triple.start()]} {text[triple.end() :]}"
    found = _read_words(text)
    found.american = found.american or bool(clock and clock[4])
    year, month, day = _numeric_day(triple, found) if triple else _worded_day(found)
    midnight = datetime(year, month, day, tzinfo=found.zone or UTC)
    return midnight + _time_of(clock) if clock else midnight


def _unpack(match: re.Match[str]) -> str:
    year, _, month, day, hour, minute, second = match.groups()
    date = f"{year}-{month}-{day}"
    return f"{date} {hour}:{minute}:{second or '00'}" if hour else date


def _read_words(text: str) -> _Found:
    found = _Found()
    for word in text.replace(",", " ").split():
        _take(word, found)
    return found


def _take(word: str, found: _Found) -> None:
    bare = word.rstrip(".")
    number = re.fullmatch(r"(\d{4}|\d{1,2})(?:st|nd|rd|th|er|º|\.)?", word)
    if number:
        found.numbers.append(number[1])
    elif bare in _MONTH and (found.month is None or found.may_be_day):
        found.month, found.may_be_day = _MONTH[bare], bare == _MARCH_OR_TUESDAY
    elif bare in _DAY:
        found.weekday = _DAY[bare]
    elif word not in _FILLERS:
        found.zone = _zone(word, found.zone)
        found.american = found.american or word in _AMERICAN


def _zone(word: str, known: tzinfo | None) -> tzinfo:
    offset = _OFFSET.fullmatch(word)
    if offset:
        hours = int(offset[2]) + int(offset[3] or 0) / 60
        return timezone(timedelta(hours=-hours if offset[1] == "-" else hours))
    if word in _ZONES:
        return known or timezone(timedelta(hours=_ZONES[word]))
    if re.fullmatch(r"[a-z]+(?:/[a-z_]+)+", word):
        # The database writes Europe/Berlin, America/Port_of_Spain: small words stay small.
        name = re.sub(r"[a-z]+", lambda part: _capital(part[0]), word)
        return _zoneinfo(name)
    raise _Unclear(word)


def _capital(part: str) -> str:
    return part if part in {"of", "es", "au"} else part.capitalize()


def _zoneinfo(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (LookupError, OSError) as error:
        raise _Unclear(name) from error


def _worded_day(found: _Found) -> tuple[int, int, int]:
    years = [each for each in found.numbers if len(each) == 4]  # noqa: PLR2004 -- digits of a year
    small = [int(each) for each in found.numbers if len(each) < 4]  # noqa: PLR2004 -- the same
    if found.month is None:
        return _year_only(years, small)
    if len(years) == 1 and len(small) == 1:
        return int(years[0]), found.month, small[0]
    if not years and len(small) == 2:  # noqa: PLR2004 -- day and two-digit year
        return _century(small[1]), found.month, small[0]
    raise _Unclear(str(found.numbers))


def _year_only(years: list[str], small: list[int]) -> tuple[int, int, int]:
    """W3C-DTF allows a year alone; what stands beside it would have to be guessed."""
    if len(years) == 1 and not small:
        return int(years[0]), 1, 1
    raise _Unclear(str(years))


def _numeric_day(triple: re.Match[str], found: _Found) -> tuple[int, int, int]:
    first, separator, second, third = triple.groups()
    if found.month or found.numbers:
        raise _Unclear(triple[0])
    if len(first) == 4:  # noqa: PLR2004 -- digits of a year
        return int(first), int(second), int(third)
    if len(third) not in {2, 4} or len(first) > 2:  # noqa: PLR2004 -- digits
        raise _Unclear(triple[0])
    year = int(third) if len(third) == 4 else _century(int(third))  # noqa: PLR2004 -- digits
    if separator == ".":
        return year, int(second), int(first)
    return _day_or_month_first(year, int(first), int(second), found)


def _day_or_month_first(year: int, one: int, two: int, found: _Found) -> tuple[int, int, int]:
    readings = {(year, two, one), (year, one, two)}
    possible = [each for each in readings if _fits(each, found.weekday)]
    if len(possible) > 1 and found.american:
        return year, one, two
    if len(possible) != 1:
        raise _Unclear(f"{one}/{two}/{year}")
    return possible[0]


def _fits(day: tuple[int, int, int], weekday: int | None) -> bool:
    try:
        return weekday in {None, datetime(*day, tzinfo=UTC).weekday()}
    except ValueError:
        return False


def _century(year: int) -> int:
    """RFC 5322 §4.3: 00 to 49 are of this century."""
    return year + (2000 if year < 50 else 1900)  # noqa: PLR2004 -- as the RFC says


def _time_of(clock: re.Match[str]) -> timedelta:
    hour, minute, second = int(clock[1]), int(clock[2]), int(clock[3] or 0)
    if clock[4] and hour <= 12:  # noqa: PLR2004 -- "20:15 pm" means what it says
        hour = hour % 12 + (12 if clock[4] == "p" else 0)
    if hour > 24 or minute > 59 or second > 60:  # noqa: PLR2004 -- 24:00 and leap seconds exist
        raise _Unclear(clock[0])
    return timedelta(hours=hour, minutes=minute, seconds=min(second, 59))
