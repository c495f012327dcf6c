"""Turns a cron expression and a time zone into the moments at which an edition is due.

Daylight saving goes as in Debian's cron: a fixed time that the clocks skip runs right after the
gap, one that they repeat runs once. This module never looks at a clock.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from digest.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from digest.model.newsletter import Newsletter, Schedule

_ALIASES: Final = {
    "@HOURLY": "0 * * * *",
    "@DAILY": "0 0 * * *",
    "@MIDNIGHT": "0 0 * * *",
    "@WEEKLY": "0 0 * * 0",
    "@MONTHLY": "0 0 1 * *",
    "@YEARLY": "0 0 1 1 *",
    "@ANNUALLY": "0 0 1 1 *",
}
_MONTHS: Final = (
    "JAN",
    "FEB",
    "MAR",
    "APR",
    "MAY",
    "JUN",
    "JUL",
    "AUG",
    "SEP",
    "OCT",
    "NOV",
    "DEC",
)
_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
#: first and last value of minute, hour, day, month and weekday
_FIELDS: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_MONTH: Final = 3
_WEEKDAY: Final = 4
_LONGEST: Final = 200
_WEEK: Final = timedelta(days=7)
#: a moment after which each calendar pattern comes again within cronsim's fifty years
_ANY_DAY: Final = datetime(2024, 1, 1, tzinfo=UTC)


def check_cron(expr: str) -> str | None:
    """What is wrong with a cron expression, in one line, or None when it can be used.

    Five fields (minute, hour, day, month, weekday; names in any case, 7 is Sunday, a range may go
    round the end as in `fri-mon`) or one of @hourly, @daily, @weekly, @monthly, @yearly.
    """
    shown = repr(expr if len(expr) <= _LONGEST else expr[:40] + "…")
    try:
        slot = next(_slots(expr, zone=ZoneInfo("UTC"), after=_ANY_DAY), None)
    except (CronSimError, ValueError) as error:
        reason = str(error).lower()
        return f"{shown} is not a cron expression ({reason}); write for instance '0 7 * * *'"
    if slot is None:
        return f"{shown} names a day that no calendar has; write for instance '0 7 * * *'"
    return None


def check_timezone(name: str) -> str | None:
    """What is wrong with a time zone's name, in one line, or None when it can be used."""
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return f"{name[:80]!r} is not a time zone; write an IANA name such as 'Europe/Berlin'"
    return None


def next_times(expr: str, *, timezone: str, after: datetime, count: int) -> list[datetime]:
    """The next `count` moments after `after`, which is excluded, as aware times in `timezone`.

    A naive `after` is the wall clock of `timezone`. Fewer come back only where the calendar ends.
    Raises UsageError for an expression or a zone that cannot be used.
    """
    zone = _read(expr, timezone)
    start = after if after.tzinfo else after.replace(tzinfo=zone)
    slots = _slots(expr, zone=zone, after=start.astimezone(UTC))
    return [slot.astimezone(zone) for slot, _ in zip(slots, range(count), strict=False)]


def due_slot(expr: str, *, timezone: str, since: datetime, now: datetime) -> datetime | None:
    """The latest moment in (since, now] at which an edition was due, in UTC; None if there is none.

    Only the latest: what was missed while the service was down is made once. `since` and `now` are
    aware. Raises UsageError for an expression or a zone that cannot be used.
    """
    zone = _read(expr, timezone)
    end = now.astimezone(UTC)
    latest = _first(expr, zone=zone, after=since.astimezone(UTC), until=end)
    # Halving finds the last one in some twenty looks, even where a year of minutes has gone by.
    # Looking forward only, because walking cron backwards over a clock change is not the same.
    high = end
    while latest is not None and high - latest >= timedelta(minutes=1):
        middle = latest + (high - latest) / 2
        later = _first(expr, zone=zone, after=middle, until=end)
        if later is None:
            high = middle
        else:
            latest = later
    return latest


def period(schedule: Schedule, newsletter: Newsletter, *, now: datetime) -> timedelta:
    """How far apart the editions of a rhythm are, on average over the next eight."""
    times = next_times(schedule.cron, timezone=newsletter.timezone, after=now, count=9)
    # the clock's time, not the wall's: two aware times of one zone would be subtracted as walls
    spans = [each.astimezone(UTC) for each in times]
    return (spans[-1] - spans[0]) / (len(spans) - 1) if len(spans) > 1 else timedelta.max


def is_daily_or_rarer(schedule: Schedule, newsletter: Newsletter, *, now: datetime) -> bool:
    """True where no two editions come on one day, so that a reader may name the hour."""
    times = next_times(schedule.cron, timezone=newsletter.timezone, after=now, count=9)
    days = [each.date() for each in times]
    return len(days) == len(set(days))


def rarer_than(schedule: Schedule, newsletter: Newsletter, *, now: datetime) -> Schedule | None:
    """What to offer somebody to whom this rhythm is too much; None where it is the rarest.

    Of the rarer ones it is the one nearest to once a week.
    """
    often = period(schedule, newsletter, now=now)
    spans = {each.name: period(each, newsletter, now=now) for each in newsletter.schedules}
    rarer = [each for each in newsletter.schedules if spans[each.name] > often]
    return min(rarer, key=lambda each: abs(spans[each.name] - _WEEK), default=None)


def _read(expr: str, timezone: str) -> ZoneInfo:
    if reason := check_timezone(timezone) or check_cron(expr):
        raise UsageError(reason)
    return ZoneInfo(timezone)


def _first(expr: str, *, zone: ZoneInfo, after: datetime, until: datetime) -> datetime | None:
    slot = next(_slots(expr, zone=zone, after=after), None)
    return slot if slot is not None and slot <= until else None


def _slots(expr: str, *, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """Every moment after `after`, in UTC, each one later than the one before.

    cronsim walks the wall clock: in a repeated hour it can name a moment that is already over, and
    two times inside one gap become the same moment.
    """
    last = after
    try:
        for local in CronSim(_plain(expr), after.astimezone(zone)):
            slot = local.astimezone(UTC)
            if slot > last:
                yield slot
                last = slot
    except OverflowError:  # the year 9999
        return


def _plain(expr: str) -> str:
    """Aliases and ranges that go round the end, in the five fields that cronsim knows."""
    if len(expr) > _LONGEST:
        raise ValueError(f"longer than {_LONGEST} characters")
    upper = expr.upper()
    fields = _ALIASES.get(upper.strip(), upper).split()
    if len(fields) != len(_FIELDS):
        raise ValueError("not five fields")
    return " ".join(
        ",".join(_unwrap(part, index) for part in field.split(","))
        for index, field in enumerate(fields)
    )


def _unwrap(part: str, index: int) -> str:
    """`FRI-MON/2` as `5,0`; anything but a range that goes round the end stays as it is."""
    range_, slash, step_text = part.partition("/")
    start_text, dash, end_text = range_.partition("-")
    start, end = _number(start_text, index), _number(end_text, index)
    if not dash or start is None or end is None or start <= end:
        return part
    step = int(step_text) if step_text.isascii() and step_text.isdigit() else 0
    if slash and not step:
        return part
    low, high = _FIELDS[index]
    if not (low <= end and start <= high + (index == _WEEKDAY)):
        return part
    values = [*range(start, high + 1), *range(low, end + 1)]
    return ",".join(str(value) for value in values[:: step or 1])


def _number(text: str, index: int) -> int | None:
    names = _MONTHS if index == _MONTH else _DAYS if index == _WEEKDAY else ()
    if text in names:
        return names.index(text) + _FIELDS[index][0]
    return int(text) if text.isascii() and text.isdigit() else None
