"""Turns a slot into the moment at which readers of another zone and hour get their edition.

One for each of their own days: clocks that change, here or there, give nobody two and nobody none.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from digest.editions.calendar import next_times

if TYPE_CHECKING:
    from collections.abc import Iterator

    from digest.model.newsletter import Newsletter, Schedule

_DAY = timedelta(days=1)

#: some 36 years, after which Ramadan is where it was
_FIRST: Final = date(2024, 1, 1)
_WEEKS: Final = 1880


def local_day(at: datetime, timezone: str) -> date:
    """The day that it is somewhere. Raises what ZoneInfo does for a zone that nobody knows."""
    return at.astimezone(ZoneInfo(timezone)).date()


def arrival(
    slot: datetime,
    schedule: Schedule,
    newsletter: Newsletter,
    *,
    hour: int | None,
    timezone: str,
) -> datetime:
    """When a reader gets the edition of a slot, in UTC; never before the slot.

    The rhythm is daily or rarer. His day is the slot's day in the newsletter's zone and so many
    days more or less, the same number all the year. Without an hour it is the slot itself, or, in a
    zone where that is a little before midnight in one half of the year and a little after it in the
    other, the first midnight.
    """
    at = slot.astimezone(UTC)
    today = local_day(at, newsletter.timezone)
    shifts = _shifts(schedule.cron, newsletter.timezone, timezone, today.year)
    if hour is None:
        begin = _at(today + timedelta(days=max(days for days, _ in shifts)), time(), timezone)
        return max(at, begin) if waits(schedule, newsletter, timezone, year=today.year) else at
    # where it is past the hour already, it is the next day's
    all_days = [days + (wall > time(hour)) for days, wall in shifts]
    shift = min(all_days)
    if any(days > shift for days, _ in shifts):  # that day can be over before the slot
        shift = max(all_days)
    # an hour too late for a few weeks of the year rather than a day too late for the rest of it
    return max(at, _at(today + timedelta(days=shift), time(hour), timezone))


def waits(schedule: Schedule, newsletter: Newsletter, timezone: str, *, year: int) -> bool:
    """True in a zone where the slots of a year are at times before midnight and at times after."""
    shifts = _shifts(schedule.cron, newsletter.timezone, timezone, year)
    return len({days for days, _ in shifts}) > 1


def next_day(
    slot: datetime,
    schedule: Schedule,
    newsletter: Newsletter,
    *,
    hour: int | None,
    timezone: str,
) -> date | None:
    """The reader's day on which the edition of the slot after this one comes; None for never."""
    following = next_times(schedule.cron, timezone=newsletter.timezone, after=slot, count=1)
    for each in following:
        comes = arrival(each, schedule, newsletter, hour=hour, timezone=timezone)
        return local_day(comes, timezone)
    return None


def a_day_later(at: datetime, timezone: str) -> datetime:
    """The same hour of the next day somewhere, in UTC; right after a gap in which it is not."""
    local = at.astimezone(ZoneInfo(timezone))
    return _at(local.date() + _DAY, local.time(), timezone)


def _at(day: date, wall: time, timezone: str) -> datetime:
    """The first moment at which it is so late somewhere; later by the gap in which it never is."""
    return datetime.combine(day, wall, ZoneInfo(timezone)).astimezone(UTC)


@lru_cache(maxsize=4096)
def _shifts(cron: str, home: str, away: str, year: int) -> frozenset[tuple[int, time]]:
    """What a slot can be elsewhere: how many days later than at home, and what time.

    On every day of this year, and in every week of many: Ramadan, in which some clocks are put
    back, wanders through the year, and what follows from it must not.
    """
    here, there = ZoneInfo(home), ZoneInfo(away)
    found = set()
    for wall in _walls(cron, home, year):
        for day in (*_days(date(year, 1, 1), 1, 366), *_days(_FIRST, 7, _WEEKS)):
            slot = datetime.combine(day, wall, here).astimezone(UTC)
            local = slot.astimezone(there)
            found.add(((local.date() - day).days, local.time()))
    return frozenset(found)


def _days(first: date, step: int, count: int) -> Iterator[date]:
    return (first + timedelta(days=step * each) for each in range(count))


@lru_cache(maxsize=64)
def _walls(cron: str, home: str, year: int) -> frozenset[time]:
    """At what times of the day a rhythm has its slots."""
    begin = datetime(year, 1, 1, tzinfo=ZoneInfo(home)) - _DAY
    return frozenset(each.time() for each in next_times(cron, timezone=home, after=begin, count=60))
