"""A date of a feed becomes UTC, or nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.feeds.dates import parse_date


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Mon, 05 Oct 2026 08:30:15 GMT", "2026-10-05T08:30:15"),
        ("Mon, 05 Oct 2026 08:30:15 +0200", "2026-10-05T06:30:15"),
        ("5 Oct 26 08:30 EST", "2026-10-05T13:30:00"),
        ("Mon, 05 Oct 2026 08:30:15 BST", "2026-10-05T07:30:15"),
        ("2026-10-05T08:30:15Z", "2026-10-05T08:30:15"),
        ("2026-10-05T08:30:15.123-05:30", "2026-10-05T14:00:15"),
        ("2026-10-05t08:30z", "2026-10-05T08:30:00"),
        ("2026-10-05 08:30:15", "2026-10-05T08:30:15"),
        ("20261005T083015Z", "2026-10-05T08:30:15"),
        ("2026-10-05", "2026-10-05T00:00:00"),
        ("2026-10", "2026-10-01T00:00:00"),
        ("2026-10-05T24:00:00Z", "2026-10-06T00:00:00"),
        ("2026-12-31T23:59:60Z", "2026-12-31T23:59:59"),
        ("Mo, 05 Oktober 2026 08:30:15 +0200", "2026-10-05T06:30:15"),
        ("Montag, 5. Okt. 2026, 08:30 Uhr", "2026-10-05T08:30:00"),
        ("lun., 05 oct. 2026 08:30:15 +0000", "2026-10-05T08:30:15"),
        ("Monday, October 5, 2026 - 3:09pm", "2026-10-05T15:09:00"),
        ("Oct. 5th, 2026 12:05 AM EDT", "2026-10-05T04:05:00"),
        ("Mon Oct  5 08:30:15 MST 2026", "2026-10-05T15:30:15"),
        ("5-Oct-2026", "2026-10-05T00:00:00"),
        ("05.10.26", "2026-10-05T00:00:00"),
        ("2026/10/5 14:33", "2026-10-05T14:33:00"),
        ("15/09/2026", "2026-09-15T00:00:00"),
        ("10/05/2026 4:20 pm PST", "2026-10-06T00:20:00"),
        ("Mon, 10/05/2026 - 19:19", "2026-10-05T19:19:00"),
        ("Mon, 05 Oct 2026 08:30:15 Europe/Berlin", "2026-10-05T06:30:15"),
        ("Mon, 05 Oct 2026 08:30:15 GMT-07:00 (somewhere)", "2026-10-05T15:30:15"),
        ("1790000000", "2026-09-21T14:13:20"),
        ("Mo, 05 Okt 2026 08:30:15 CEST", "2026-10-05T06:30:15"),
        ("Di, 23 Jan 2024 10:00:00 CET", "2024-01-23T09:00:00"),
        ("Mon, 05 Oct 2026 08:30:15 MESZ", "2026-10-05T06:30:15"),
        ("Mon,05 Oct 2026 08:30:15 GMT", "2026-10-05T08:30:15"),
        ("Mon 05 Oct 2026 08:30:15 GMT", "2026-10-05T08:30:15"),
        ("Mon, 05 Oct 2026 8:5:3 GMT", "2026-10-05T08:05:03"),
        ("Mon, 05 Oct 2026 12:30 AM GMT", "2026-10-05T00:30:00"),
        ("Mon, 05 Oct 2026 24:00:00 GMT", "2026-10-06T00:00:00"),
        ("Thu, 01 Jan 70 00:00:01 GMT", "1970-01-01T00:00:01"),
        ("05Oct2026 08:30", "2026-10-05T08:30:00"),
        ("2026-10-05T08:30:15,1234567Z", "2026-10-05T08:30:15"),
        ("2026-10-05 T 08:30:15Z", "2026-10-05T08:30:15"),
        ("2026-10-05T083015+0200", "2026-10-05T06:30:15"),
        ("2026-10-05T08:30:15+02:00[Europe/Berlin]", "2026-10-05T06:30:15"),
        ("mar, 06 ott 2026 08:30:15 +0200", "2026-10-06T06:30:15"),
        ("mar 6 2026", "2026-03-06T00:00:00"),
        ("seg, 05 out 2026 08:30:15 -0300", "2026-10-05T11:30:15"),
        ("pon, 05 paź 2026 08:30:15 +0200", "2026-10-05T06:30:15"),
        ("mån, 05 okt 2026 08:30:15 +0200", "2026-10-05T06:30:15"),
        ("2026年10月5日 08:30", "2026-10-05T08:30:00"),
        ("2026년 10월 05일 08:30:15", "2026-10-05T08:30:15"),
        # templates write the weekday, the article has the day
        ("Fri, 05 Oct 2026 08:30:15 GMT", "2026-10-05T08:30:15"),
    ],
)
def test_a_date_is_read(raw: str, expected: str) -> None:
    assert parse_date(raw) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "invalid",
        "yesterday",
        "03/04/2026",  # March or April
        "Mon, 05 Oct 2026 08:30:15 XYZ",
        "Mon, 05 Oct 2026 08:30:15 Nowhere/Land",
        "Mon, 32 Oct 2026 08:30:15 GMT",
        "Mon, 05 Oct 2026 28:30:15 GMT",
        "October 2026",
        "Mon, 31 Sep 2026 08:30:15 GMT",
        "Mon, 05 Oct 2026 08:30:15 +9900",
        "Mon, 05 Oct 2026 08:30:15 A",  # military letters: the RFC had their sign wrong
        "05/10/26",
        "0000-00-00 00:00:00",
        "Mon, 05 Oct 2026 08:75:15 GMT",
        "5 6 October 2026",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-10:00",
        "99999999999999999999",
    ],
)
def test_a_doubtful_date_is_none(raw: str) -> None:
    assert parse_date(raw) is None


@given(st.text(alphabet="0123456789 :-/.,+TZaprilmonoctGMT()", max_size=40))
def test_no_text_raises(raw: str) -> None:
    moment = parse_date(raw)
    assert moment is None or moment.tzinfo == UTC


@given(st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 -- hypothesis wants it naive
def test_what_python_writes_is_read_back(moment: datetime) -> None:
    whole = moment.replace(microsecond=0)
    assert parse_date(whole.isoformat()) == whole
    assert parse_date(format_datetime(whole)) == whole
