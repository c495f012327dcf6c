"""No bytes break the reading of reports: neither made-up ones nor real ones that were broken.

`DIGEST_TEST_MUTATIONS=10000` runs the large campaign; real reports are used where they are.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.deliveries.reports import read_report
from digest.model.report import Report

COUNT = int(os.environ.get("DIGEST_TEST_MUTATIONS", "400"))
SECOND = 1.0
CHARSETS = (
    b"utf-7",
    b"iso-2022-jp",
    b"utf-16",
    b"hz",
    b"idna",
    b"zlib",
    b"gb18030",
    b"",
    b"x" * 300,
)
JUNK = (
    b"\0",
    b"@",
    b"=",
    b"<",
    b"a@",
    b"\xff",
    b" ",
    b'"',
    b"-",
    b"user ",
    b"=?utf-8?q?",
    b"5.1.1 ",
)
ENDS = (b"\r\n", b"\r", b"\n\n", b"\0\n", b"\n\r", b"")
OURS = b"""\
Return-Path: <>
From: MAILER-DAEMON@relay.example
To: news@ours.example
Subject: =?utf-8?q?Undelivered?=
Content-Type: multipart/report; report-type=delivery-status; boundary="=="

--==
Content-Type: text/plain; charset=iso-2022-jp
Content-Transfer-Encoding: 7bit

<anna@there.example>: host mx.there.example said: 550 5.1.1 user unknown

--==
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example

Final-Recipient: rfc822; anna@there.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 user unknown

--==
Content-Type: message/rfc822

From: news@ours.example
To: anna@there.example
Message-ID: <m1@ours.example>

Good morning.
--==--
"""

Mutation = Callable[[random.Random, bytes], bytes]


def place(chance: random.Random, data: bytes) -> int:
    return chance.randrange(len(data) + 1)


def cut(chance: random.Random, data: bytes) -> bytes:
    return data[: place(chance, data)]


def swap(chance: random.Random, data: bytes) -> bytes:
    at = place(chance, data)
    return data[at:] + data[:at]


def flip(chance: random.Random, data: bytes) -> bytes:
    flipped = bytearray(data)
    for _ in range(chance.choice((1, 10, 200)) if flipped else 0):
        flipped[chance.randrange(len(flipped))] = chance.randrange(256)
    return bytes(flipped)


def double_a_line(chance: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    at = chance.randrange(len(lines))
    lines[at:at] = [lines[at]] * chance.choice((1, 10, 1000))
    return b"\n".join(lines)


def lose_lines(chance: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    at = chance.randrange(len(lines))
    return b"\n".join(lines[:at] + lines[at + chance.randint(1, 20) :])


def shuffle_lines(chance: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    chance.shuffle(lines)
    return b"\n".join(lines)


def lie_about_the_charset(chance: random.Random, data: bytes) -> bytes:
    lie = b"charset=" + chance.choice(CHARSETS)
    return re.sub(rb'(?i)charset="?[\w-]+"?', lambda _: lie, data)


def lie_about_the_encoding(chance: random.Random, data: bytes) -> bytes:
    return data.replace(b"7bit", chance.choice((b"base64", b"quoted-printable", b"x-uuencode")))


def change_line_ends(chance: random.Random, data: bytes) -> bytes:
    return data.replace(b"\n", chance.choice(ENDS))


def insert_junk(chance: random.Random, data: bytes) -> bytes:
    at = place(chance, data)
    return data[:at] + chance.choice(JUNK) * chance.choice((1, 100, 20_000)) + data[at:]


def lose_colons(chance: random.Random, data: bytes) -> bytes:
    return data.replace(b":", b"", chance.randint(1, 30))


def append_itself(_: random.Random, data: bytes) -> bytes:
    return data + data


MUTATIONS: tuple[Mutation, ...] = (
    *(cut, swap, flip, double_a_line, lose_lines, shuffle_lines, lie_about_the_charset),
    *(lie_about_the_encoding, change_line_ends, insert_junk, lose_colons, append_itself),
)


@pytest.fixture(scope="module")
def reports() -> list[bytes]:
    """Our own report, and real ones where we have them."""
    folder = Path(__file__).parents[3] / "shared" / "corpora" / "bounces"
    real = sorted(path for path in folder.rglob("*") if path.suffix in (".eml", ".msg", ".txt"))
    return [OURS, *(path.read_bytes() for path in real)]


def check(report: Report) -> None:
    """What comes out can be stored and printed, and is bounded."""
    for each in report.failures:
        f"{each.address} {each.status} {each.text}".encode()
        assert "\n" not in each.address + each.text
        assert "@" in each.address
        assert len(each.text) <= 500
    for value in (*report.traces, *report.addresses):
        value.encode()
        assert len(value) <= 1000
    assert len(report.failures) <= 100
    assert len(report.traces) <= 50


def test_broken_reports_are_read_in_time(reports: list[bytes]) -> None:
    chance = random.Random(20261123)  # noqa: S311 -- no secret
    for _ in range(COUNT):
        data = chance.choice(reports)
        for _ in range(chance.randint(1, 4)):
            data = chance.choice(MUTATIONS)(chance, data)
        began = time.process_time()
        check(read_report(data))
        assert time.process_time() - began < SECOND


@given(st.binary(max_size=2000))
def test_any_bytes_are_read(data: bytes) -> None:
    check(read_report(data))


@given(st.text(max_size=500), st.text(max_size=500))
def test_any_text_is_read_wherever_it_stands(told: str, said: str) -> None:
    extra = f"{told}\nDiagnostic-Code: {said}".encode("utf-8", "surrogatepass")
    for at in (b"Undelivered", b"user unknown\n\n--", b"smtp; 550", b"Good morning.", b"rfc822;"):
        check(read_report(OURS.replace(at, at + extra)))
