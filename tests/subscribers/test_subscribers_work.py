from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.subscribers import work
from digest.subscribers.links import Signer
from digest.subscribers.work import Challenge, challenge, read_challenge, read_stamp, stamp

SIGNER = Signer("an old secret that nobody knows")
NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ANNA = {"typed": "anna@example.org", "newsletter": "stadtblatt"}


def asked(bits: int = 4) -> Challenge:
    return challenge(SIGNER, **ANNA, bits=bits, now=NOW)


def answer(asked: Challenge) -> str:
    return next(str(n) for n in count() if asked.is_solved_by(str(n)))


def test_a_stamp_says_how_old_a_form_is_to_the_millisecond_and_for_a_day() -> None:
    text = stamp(SIGNER, NOW)
    assert len(text) == 30
    for age in (timedelta(), timedelta(milliseconds=1999), work.STAMP_LIFE):
        assert read_stamp(SIGNER, text, now=NOW + age) == age
    assert read_stamp(SIGNER, text, now=NOW + work.STAMP_LIFE + SECOND) is None
    assert read_stamp(SIGNER, text, now=NOW - SECOND) == timedelta()


def test_a_stamp_of_another_secret_or_purpose_is_none() -> None:
    assert read_stamp(SIGNER, stamp(Signer("another"), NOW), now=NOW) is None
    assert read_stamp(SIGNER, asked().text, now=NOW) is None
    assert read_challenge(SIGNER, stamp(SIGNER, NOW), **ANNA, now=NOW) is None


@given(place=st.integers(0, 29), letter=st.sampled_from("AZaz09-_"))
def test_a_stamp_with_another_letter_is_none(place: int, letter: str) -> None:
    text = stamp(SIGNER, NOW)
    changed = text[:place] + letter + text[place + 1 :]
    assert changed == text or read_stamp(SIGNER, changed, now=NOW) is None


@given(text=st.none() | st.text())
def test_nonsense_is_no_stamp_and_no_challenge(text: str | None) -> None:
    assert read_stamp(SIGNER, text, now=NOW) is None
    assert read_challenge(SIGNER, text, **ANNA, now=NOW) is None


def test_a_challenge_is_for_one_address_one_newsletter_and_a_quarter_of_an_hour() -> None:
    one = asked()
    assert read_challenge(SIGNER, one.text, **ANNA, now=NOW) == one
    assert read_challenge(SIGNER, one.text, **ANNA, now=NOW + work.CHALLENGE_LIFE) == one
    late = NOW + work.CHALLENGE_LIFE + SECOND
    assert read_challenge(SIGNER, one.text, **ANNA, now=late) is None
    for other in ({"typed": "ben@example.org"}, {"newsletter": "harbour"}):
        assert read_challenge(SIGNER, one.text, **{**ANNA, **other}, now=NOW) is None


@pytest.mark.parametrize("bits", [1, 8, 11])
def test_an_answer_makes_so_many_zeros(bits: int) -> None:
    one = asked(bits)
    number = answer(one)
    hashed = sha256(f"{one.text}.{number}".encode()).digest()
    assert f"{int.from_bytes(hashed):0256b}".startswith("0" * bits)
    # and most numbers are none
    assert sum(one.is_solved_by(str(n)) for n in range(64)) < 64


@pytest.mark.parametrize("nonce", [None, "", "x", "-1", "1 ", "٣", "1" * 17])
def test_what_is_no_number_is_no_answer(nonce: str | None) -> None:
    assert not asked(0).is_solved_by(nonce)
    assert asked(0).is_solved_by("7")


def test_whoever_does_not_work_waits_half_a_minute() -> None:
    one = asked()
    assert one.rest(NOW) == work.PATIENCE
    assert one.rest(NOW + work.PATIENCE - SECOND) == SECOND
    assert one.rest(NOW + work.PATIENCE) == one.rest(NOW + 9 * work.PATIENCE) == timedelta()
