from __future__ import annotations

import re
from collections.abc import Callable
from string import ascii_letters, digits

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from digest.errors import LinkRefused, SettingsError
from digest.subscribers.links import Signer, read_ref

SIGNER = Signer("an old secret that nobody knows")
REF = bytes(range(12))
NONCE = bytes(range(16))
ALPHABET = ascii_letters + digits + "-_"


def _tokens(signer: Signer) -> dict[str, str]:
    return {
        "unsubscribe": signer.unsubscribe_token(REF),
        "preferences": signer.preferences_token(REF),
        "confirm": signer.confirm_token(REF, NONCE),
    }


CHECKS: dict[str, Callable[[str], object]] = {
    "unsubscribe": SIGNER.check_unsubscribe,
    "preferences": SIGNER.check_preferences,
    "confirm": lambda token: SIGNER.check_confirm(token, NONCE),
}


def test_a_token_brings_its_reference_back() -> None:
    assert SIGNER.check_unsubscribe(SIGNER.unsubscribe_token(REF)) == REF
    assert SIGNER.check_preferences(SIGNER.preferences_token(REF)) == REF
    SIGNER.check_confirm(SIGNER.confirm_token(REF, NONCE), NONCE)
    assert {read_ref(token) for token in _tokens(SIGNER).values()} == {REF}


def test_a_token_is_short_enough_for_one_header_line_and_needs_no_escaping() -> None:
    for token in _tokens(SIGNER).values():
        assert len(token) == 38
        assert set(token) <= set(ALPHABET)


@pytest.mark.parametrize("made", CHECKS)
@pytest.mark.parametrize("used", CHECKS)
def test_a_token_of_one_purpose_is_refused_for_another(made: str, used: str) -> None:
    token = _tokens(SIGNER)[made]
    if made == used:
        CHECKS[used](token)
        return
    with pytest.raises(LinkRefused):
        CHECKS[used](token)


def test_a_new_request_makes_the_older_confirm_link_void() -> None:
    with pytest.raises(LinkRefused):
        SIGNER.check_confirm(SIGNER.confirm_token(REF, NONCE), bytes(16))


@pytest.mark.parametrize("purpose", CHECKS)
def test_a_token_of_another_secret_is_refused(purpose: str) -> None:
    with pytest.raises(LinkRefused):
        CHECKS[purpose](_tokens(Signer("another secret"))[purpose])


@given(
    purpose=st.sampled_from(sorted(CHECKS)),
    place=st.integers(0, 37),
    letter=st.sampled_from(ALPHABET),
)
def test_a_token_with_one_other_letter_is_refused(purpose: str, place: int, letter: str) -> None:
    token = _tokens(SIGNER)[purpose]
    changed = token[:place] + letter + token[place + 1 :]
    assume(changed != token)
    with pytest.raises(LinkRefused):
        CHECKS[purpose](changed)


@given(st.text(max_size=60) | st.text(alphabet=ALPHABET + "=+/\n .%", min_size=36, max_size=42))
def test_what_is_no_token_is_refused_and_never_crashes(text: str) -> None:
    for check in CHECKS.values():
        with pytest.raises(LinkRefused):
            check(text)


@pytest.mark.parametrize("change", ["{}=", "{}\n", " {}", "{}A", "%00{}"])
def test_a_token_with_something_around_it_is_refused(change: str) -> None:
    with pytest.raises(LinkRefused):
        SIGNER.check_unsubscribe(change.format(SIGNER.unsubscribe_token(REF)))


def test_an_empty_secret_signs_nothing() -> None:
    with pytest.raises(SettingsError, match="DIGEST_SECRET_KEY"):
        Signer("")


def test_a_reference_of_the_wrong_length_is_a_fault_of_ours() -> None:
    with pytest.raises(ValueError, match="12 bytes"):
        SIGNER.unsubscribe_token(b"short")


def test_the_secret_is_not_shown() -> None:
    assert "secret" not in repr(SIGNER)


def test_a_suppression_is_found_again_with_the_same_secret_only() -> None:
    kept = Signer("a").suppression_hash("anna@example.org")
    assert kept == Signer("a").suppression_hash("anna@example.org")
    assert kept != Signer("b").suppression_hash("anna@example.org")
    assert kept != Signer("a").suppression_hash("bert@example.org")
    assert len(kept) == 64


#: a second of November 2026
SECOND = 1_795_446_000
DELIVERIES = [1, 255, 70_000, 2**48 - 1]


@pytest.mark.parametrize("number", DELIVERIES)
def test_a_bounce_token_brings_its_delivery_back_from_any_address(number: int) -> None:
    token = SIGNER.bounce_token(number, SECOND)
    assert re.fullmatch(r"[a-z2-7]{42}", token)
    for trace in (
        token,
        f"b+{token}@bounces.example",
        f"<b+{token.upper()}@BOUNCES.EXAMPLE>",
        f"rfc822; b={token}@x",
    ):
        assert SIGNER.find_bounce(["nothing here", trace]) == (number, SECOND)


def test_a_mail_token_brings_its_reference_back_from_any_address() -> None:
    token = SIGNER.mail_token(REF)
    assert re.fullmatch(r"[a-z2-7]{45}", token)
    # an address has room for 64 octets before the @ (RFC 5321 4.5.3.1.1)
    assert len(f"u+{token}") <= 64
    assert SIGNER.find_mail([f"u+{token}@bounces.example"]) == REF
    assert SIGNER.find_mail([f"U+{token.upper()}@bounces.example"]) == REF


def test_address_tokens_of_another_purpose_or_secret_are_not_found() -> None:
    other = Signer("another secret that nobody knows")
    bounce, mail = SIGNER.bounce_token(7, SECOND), SIGNER.mail_token(REF)
    assert SIGNER.find_mail([bounce]) is None
    assert SIGNER.find_bounce([mail]) is None
    assert other.find_bounce([bounce]) is None
    assert other.find_mail([mail]) is None
    assert SIGNER.find_bounce([]) is None


@given(place=st.integers(0, 41), letter=st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_a_bounce_token_with_one_other_letter_is_nobodys(place: int, letter: str) -> None:
    token = SIGNER.bounce_token(7, SECOND)
    assume(token[place] != letter)
    assert SIGNER.find_bounce([token[:place] + letter + token[place + 1 :]]) is None


@given(place=st.integers(0, 44), letter=st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_a_mail_token_with_one_other_letter_is_nobodys(place: int, letter: str) -> None:
    token = SIGNER.mail_token(REF)
    assume(token[place] != letter)
    assert SIGNER.find_mail([token[:place] + letter + token[place + 1 :]]) is None


@given(st.lists(st.text(max_size=200), max_size=5))
def test_any_text_may_be_searched_for_tokens(traces: list[str]) -> None:
    assert SIGNER.find_bounce(traces) is None
    assert SIGNER.find_mail(traces) is None


def test_a_forged_token_before_a_true_one_hides_nothing() -> None:
    forged, token = "a" * 42, SIGNER.bounce_token(9, SECOND)
    assert SIGNER.find_bounce([f"{forged}@x {forged} {token}@x"]) == (9, SECOND)
    # a token inside a longer word is not one
    assert SIGNER.find_bounce([f"x{token}"]) is None
    assert SIGNER.find_bounce([f"{token}2"]) is None
