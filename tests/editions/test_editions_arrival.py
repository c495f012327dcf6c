"""When an edition comes to readers elsewhere: once on each of their days, whatever clocks do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from digest.editions.arrival import a_day_later, arrival, local_day, next_day, waits
from digest.editions.calendar import next_times
from digest.model.newsletter import Newsletter, Schedule, Sender

#: half an hour, three quarters and whole ones, both halves of the earth, and some that never change
ZONES = (
    *("Europe/Berlin", "Europe/London", "America/New_York", "America/Los_Angeles"),
    *("America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tokyo"),
    *("Australia/Sydney", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Honolulu"),
    *("Pacific/Apia", "Pacific/Kiritimati", "America/St_Johns", "Africa/Cairo", "Asia/Beirut"),
    *("Africa/Casablanca", "America/Havana", "Antarctica/Troll", "UTC"),
)


def paper(timezone: str) -> Newsletter:
    return Newsletter(
        slug="paper",
        title="Paper",
        description="News.",
        sender=Sender(name="Paper", address="post@paper.example"),
        reply_to=None,
        language="en",
        timezone=timezone,
        theme="plain",
        address="Paper, Main Street 1",
        imprint_url=None,
        feeds=(),
        schedules=(Schedule(name="daily", cron="0 7 * * *"),),
        limit=20,
    )


BERLIN = paper("Europe/Berlin")
AT_SEVEN, AT_EIGHT = Schedule(name="daily", cron="0 7 * * *"), Schedule(name="d", cron="0 8 * * *")
SEVEN = datetime(2026, 11, 24, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("home", "cron"),
    [
        ("Europe/Berlin", "0 7 * * *"),
        ("Europe/Berlin", "0 8 * * *"),
        ("America/New_York", "0 0 * * *"),
        ("Australia/Lord_Howe", "30 2 * * *"),
    ],
)
def test_each_day_of_a_reader_has_one_edition_over_every_change_of_clocks(
    home: str, cron: str
) -> None:
    newsletter, schedule = paper(home), Schedule(name="daily", cron=cron)
    # from the first change of the winter to the last one of the spring
    begin = datetime(2026, 9, 20, tzinfo=UTC)
    slots = next_times(cron, timezone=home, after=begin, count=230)
    for zone in ZONES:
        for hour in (None, *range(24)):
            comes = [arrival(at, schedule, newsletter, hour=hour, timezone=zone) for at in slots]
            days = [local_day(at, zone) for at in comes]
            told = f"{zone} {hour}"
            assert all(b - a == timedelta(days=1) for a, b in pairwise(days)), told
            waited = [
                (at - slot).total_seconds() / 3600 for at, slot in zip(comes, slots, strict=True)
            ]
            assert min(waited) >= 0, told
            assert max(waited) <= (3 if hour is None else 26), told


@pytest.mark.parametrize(
    ("zone", "hour", "comes"),
    [
        ("Europe/Berlin", None, SEVEN),
        ("Europe/Berlin", 7, SEVEN),
        ("Europe/Berlin", 12, datetime(2026, 11, 24, 11, tzinfo=UTC)),
        ("Europe/Berlin", 6, datetime(2026, 11, 25, 5, tzinfo=UTC)),
        ("America/New_York", 8, datetime(2026, 11, 24, 13, tzinfo=UTC)),
        ("America/Los_Angeles", 22, SEVEN),
    ],
)
def test_an_edition_comes_at_the_hour_that_a_reader_chose(
    zone: str, hour: int | None, comes: datetime
) -> None:
    assert arrival(SEVEN, AT_SEVEN, BERLIN, hour=hour, timezone=zone) == comes


def test_while_clocks_differ_more_it_is_an_hour_late_and_not_a_day() -> None:
    """From 8 to 28 March 2026 California has summer time and Berlin has none."""
    slot = datetime(2026, 3, 10, 6, tzinfo=UTC)  # 23:00 there
    assert arrival(slot, AT_SEVEN, BERLIN, hour=22, timezone="America/Los_Angeles") == slot


def test_where_midnight_passes_over_the_slot_everybody_waits_for_it() -> None:
    """08:00 in Berlin is 23:00 in California, and 00:00 for some weeks."""
    los_angeles = "America/Los_Angeles"
    assert waits(AT_EIGHT, BERLIN, los_angeles, year=2026)
    assert not waits(AT_SEVEN, BERLIN, los_angeles, year=2026)
    assert not waits(AT_EIGHT, BERLIN, "Europe/London", year=2026)
    usual, between = datetime(2026, 2, 10, 7, tzinfo=UTC), datetime(2026, 3, 10, 7, tzinfo=UTC)
    assert arrival(usual, AT_EIGHT, BERLIN, hour=None, timezone=los_angeles) == usual + timedelta(
        hours=1
    )
    assert arrival(between, AT_EIGHT, BERLIN, hour=None, timezone=los_angeles) == between


def test_the_next_day_is_that_of_the_slot_after_this_one() -> None:
    day = next_day(SEVEN, AT_SEVEN, BERLIN, hour=6, timezone="Europe/Berlin")
    assert str(day) == "2026-11-26"
    weekly = Schedule(name="weekly", cron="0 7 * * mon")
    assert str(next_day(SEVEN, weekly, BERLIN, hour=None, timezone="UTC")) == "2026-11-30"


def test_a_day_later_is_the_same_hour_on_the_wall() -> None:
    before = datetime(2026, 10, 24, 6, tzinfo=UTC)  # 08:00, the day before the clocks go back
    assert a_day_later(before, "Europe/Berlin") == datetime(2026, 10, 25, 7, tzinfo=UTC)


def test_a_rhythm_of_leap_days_has_an_arrival_too() -> None:
    leap = Schedule(name="leap", cron="0 7 29 2 *")
    slot = datetime(2028, 2, 29, 6, tzinfo=UTC)
    assert arrival(slot, leap, BERLIN, hour=7, timezone="Europe/Berlin") == slot
