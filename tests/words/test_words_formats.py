"""Dates and numbers are said as readers of the language write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from digest import words

AT = datetime(2026, 11, 22, 23, 30, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("de", "Montag, 23. November 2026"),
        ("de-AT", "Montag, 23. November 2026"),
        ("en", "Monday, 23 November 2026"),
        ("en-US", "Monday, November 23, 2026"),
        ("xx", "Monday, 23 November 2026"),
    ],
)
def test_a_day_is_the_readers_own(language: str, expected: str) -> None:
    assert words.format_day(AT, language, "Europe/Berlin") == expected


def test_a_zone_west_of_greenwich_has_another_day() -> None:
    assert words.format_day(AT, "de", "America/New_York") == "Sonntag, 22. November 2026"


@pytest.mark.parametrize("language", ["de", "en"])
def test_time_has_24_hours(language: str) -> None:
    assert words.format_time(AT, language, "Europe/Berlin") == "00:30"
    assert words.format_time(AT, language, "UTC") == "23:30"


def test_a_record_names_second_and_zone() -> None:
    said = words.format_day_time(AT, "de", "Europe/Berlin")
    assert said == "23. November 2026, 00:30:09 MEZ"
    summer = datetime(2026, 7, 1, 5, 0, tzinfo=UTC)
    assert words.format_day_time(summer, "de", "Europe/Berlin") == "1. Juli 2026, 07:00:00 MESZ"


def test_short_leaves_out_the_year() -> None:
    assert words.format_short(AT, "de", "Europe/Berlin") == "23. Nov., 00:30"
    assert words.format_short(AT, "en", "Europe/Berlin") == "23 Nov, 00:30"


def test_numbers_are_grouped() -> None:
    assert words.format_number(1234567, "de") == "1.234.567"
    assert words.format_number(1234567, "en") == "1,234,567"


@pytest.mark.parametrize(("language", "expected"), [("de", "ltr"), ("en", "ltr"), ("xx", "ltr")])
def test_both_languages_run_from_left_to_right(language: str, expected: str) -> None:
    assert words.direction(language) == expected
