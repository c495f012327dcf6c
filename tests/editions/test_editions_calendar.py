from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.editions.calendar import check_cron, check_timezone, due_slot, next_times
from digest.errors import UsageError

CORPUS = Path(__file__).parents[3] / "shared" / "corpora" / "cron" / "expected.json"


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _next(expr: str, start: str, *, zone: str = "Europe/Berlin", count: int = 3) -> list[str]:
    times = next_times(expr, timezone=zone, after=datetime.fromisoformat(start), count=count)
    return [time.isoformat() for time in times]


def test_a_daily_edition_comes_at_seven_before_and_after_the_clocks_change() -> None:
    assert _next("0 7 * * *", "2026-03-28T12:00:00") == [
        "2026-03-29T07:00:00+02:00",
        "2026-03-30T07:00:00+02:00",
        "2026-03-31T07:00:00+02:00",
    ]


def test_a_time_that_the_clocks_skip_runs_right_after_the_gap_and_once() -> None:
    assert _next("30 2 * * *", "2026-03-28T12:00:00") == [
        "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:30:00+02:00",
        "2026-03-31T02:30:00+02:00",
    ]


def test_a_time_that_the_clocks_repeat_runs_once_and_the_first_time() -> None:
    assert _next("30 2 * * *", "2026-10-24T12:00:00") == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-26T02:30:00+01:00",
        "2026-10-27T02:30:00+01:00",
    ]


def test_asked_in_the_repeated_hour_the_time_that_is_over_does_not_come_again() -> None:
    after = _at("2026-10-25T01:10:00")  # 02:10 for the second time
    times = next_times("30 2 * * *", timezone="Europe/Berlin", after=after, count=1)
    assert [time.isoformat() for time in times] == ["2026-10-26T02:30:00+01:00"]


def test_two_times_in_one_gap_are_one_moment() -> None:
    assert _next("0,30 2 * * *", "2026-03-28T12:00:00", count=2) == [
        "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:00:00+02:00",
    ]


@pytest.mark.parametrize(
    ("expr", "plain"),
    [
        ("0 7 * * MON", "0 7 * * 1"),
        ("0 7 * * mon-fri", "0 7 * * 1-5"),
        ("0 7 * * 7", "0 7 * * 0"),
        ("0 7 * * Sun-Tue", "0 7 * * 0,1,2"),
        ("0 7 * * fri-mon", "0 7 * * 5,6,0,1"),
        ("0 7 * * 6-7", "0 7 * * 6,0"),
        ("0 7 * * 7-2", "0 7 * * 0,1,2"),
        ("0 7 * * fri-mon/2", "0 7 * * 5,0"),
        ("0 7 1 nov-feb *", "0 7 1 11,12,1,2 *"),
        ("0 22-2 * * *", "0 22,23,0,1,2 * * *"),
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        (" @Weekly ", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
    ],
)
def test_names_aliases_and_ranges_round_the_end_mean_the_plain_expression(
    expr: str, plain: str
) -> None:
    start = "2026-01-01T00:00:00"
    assert _next(expr, start, count=30) == _next(plain, start, count=30)


@pytest.mark.parametrize(
    "expr",
    [
        "",
        "0 7 * *",
        "0 0 7 * * *",
        "@dailyy",
        "@reboot",
        "60 * * * *",
        "0 24 * * *",
        "0 7 0 * *",
        "0 7 32 * *",
        "0 7 * 13 *",
        "0 7 * * 8",
        "0 7 * * 8-1",
        "0 7 * * fri-mon/0",
        "0 7 * * fri-mon/x",
        "0-10/ * * * *",
        "-90 * * * *",
        "* ? * * *",
        "*/0 * * * *",
        "0 7 30 2 *",
        "٣ * * * *",
        "1" * 5000 + " * * * *",
        "* * * * *" * 50,
    ],
)
def test_what_is_no_schedule_is_refused_in_one_line(expr: str) -> None:
    reason = check_cron(expr)
    assert reason is not None
    assert len(reason.splitlines()) == 1
    assert len(reason) < 300
    with pytest.raises(UsageError, match=r"cron|calendar"):
        next_times(expr, timezone="UTC", after=_at("2026-01-01"), count=1)


@pytest.mark.parametrize(
    "expr", ["0 7 * * *", "0 9 29 2 *", "@daily", "0 0 * 2 mon#5", "0 7 L * *"]
)
def test_what_is_a_schedule_is_taken(expr: str) -> None:
    assert check_cron(expr) is None


@pytest.mark.parametrize(
    "name",
    ["", "Berlin", "Europe", "../etc/passwd", "/etc/localtime", "Europe/Berlin\0", "x" * 999],
)
def test_what_is_no_zone_is_refused_in_one_line(name: str) -> None:
    reason = check_timezone(name)
    assert reason is not None
    assert len(reason.splitlines()) == 1
    with pytest.raises(UsageError, match="is not a time zone"):
        due_slot("0 7 * * *", timezone=name, since=_at("2026-01-01"), now=_at("2026-01-02"))


def test_a_zone_that_exists_is_taken() -> None:
    assert check_timezone("Europe/Berlin") is None


def test_the_calendar_ends_without_a_noise() -> None:
    after = datetime(9999, 12, 31, 22, 0, tzinfo=UTC)
    assert next_times("0 7 * * *", timezone="UTC", after=after, count=3) == []


def _due(expr: str, since: str, now: str, *, zone: str = "Europe/Berlin") -> datetime | None:
    return due_slot(expr, timezone=zone, since=_at(since), now=_at(now))


def test_nothing_is_due_between_two_slots() -> None:
    assert _due("0 7 * * *", "2026-11-20T06:00:00", "2026-11-21T05:59:59") is None


def test_a_slot_is_due_from_its_own_second_on() -> None:
    assert _due("0 7 * * *", "2026-11-20T06:00:00", "2026-11-21T06:00:00") == _at(
        "2026-11-21T06:00:00"
    )


def test_what_was_missed_is_due_once() -> None:
    assert _due("0 7 * * *", "2026-11-01T06:00:00", "2026-11-21T05:00:00") == _at(
        "2026-11-20T06:00:00"
    )


def test_a_repeated_hour_is_not_due_twice() -> None:
    first = _due("30 2 * * *", "2026-10-24T12:00:00", "2026-10-25T00:45:00")
    assert first == _at("2026-10-25T00:30:00")
    assert _due("30 2 * * *", "2026-10-25T00:30:00", "2026-10-25T12:00:00") is None


def test_the_last_slot_is_found_from_within_the_repeated_hour() -> None:
    # 02:15 for the second time: the wall clock says that 02:30 is still to come
    assert _due("30 2 * * *", "2026-10-20T12:00:00", "2026-10-25T01:15:00") == _at(
        "2026-10-25T00:30:00"
    )


def test_a_year_of_minutes_is_looked_through_in_no_time() -> None:
    begun = perf_counter()
    found = _due("* * * * *", "2025-11-21T05:00:30", "2026-11-21T05:00:30")
    assert found == _at("2026-11-21T05:00:00")
    assert perf_counter() - begun < 1


@given(
    expr=st.sampled_from(
        ["30 2 * * *", "*/20 * * * *", "0 */6 * * *", "15 1-3 * * *", "0 0 * * *", "5 2 * * sun"]
    ),
    zone=st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe", "Asia/Beirut", "UTC"]),
    middle=st.sampled_from(["2026-03-29", "2026-10-25", "2026-04-05", "2026-10-04", "2022-03-27"]),
    offset=st.integers(-3000, 3000),
    length=st.integers(1, 4000),
)
def test_the_latest_due_slot_is_the_last_of_all_that_come(
    expr: str, zone: str, middle: str, offset: int, length: int
) -> None:
    since = _at(middle) + timedelta(minutes=offset)
    now = since + timedelta(minutes=length)
    # one fixed start for the whole list: what comes must not depend on when one looks
    start = _at(middle) - timedelta(days=5)
    slots = next_times(expr, timezone=zone, after=start, count=900)
    passed = [slot.astimezone(UTC) for slot in slots if since < slot <= now]
    assert due_slot(expr, timezone=zone, since=since, now=now) == (passed[-1] if passed else None)


@given(
    zone=st.sampled_from(
        ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut"]
    ),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    day=st.dates(datetime(2021, 1, 1).date(), datetime(2026, 12, 1).date()),  # noqa: DTZ001 -- dates
)
def test_a_daily_schedule_runs_once_on_each_local_day(
    zone: str, hour: int, minute: int, day: object
) -> None:
    after = datetime.fromisoformat(f"{day}T00:00:00").replace(tzinfo=ZoneInfo(zone))
    times = next_times(f"{minute} {hour} * * *", timezone=zone, after=after, count=40)
    days = [time.date() for time in times]
    assert days == [days[0] + timedelta(days=number) for number in range(40)]


@pytest.mark.skipif(not CORPUS.exists(), reason="no real inputs here")
def test_the_corpus_of_schedules_comes_out_as_expected() -> None:
    corpus = json.loads(CORPUS.read_text())
    for case in corpus["cases"]:
        for start, wanted in case["next"].items():
            got = _next(case["expr"], start, zone="UTC", count=len(wanted))
            assert (case["expr"], got) == (case["expr"], [f"{time}+00:00" for time in wanted])
    assert [case["expr"] for case in corpus["invalid"] if not check_cron(case["expr"])] == []
    for case in corpus["timezone"]:
        wanted = case["croniter_7"]
        got = _next(case["expr"], case["start"], zone=case["tz"], count=len(wanted))
        assert (case["note"], got) == (case["note"], wanted)
