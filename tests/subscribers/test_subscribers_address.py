from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import AddressRefused
from digest.subscribers.address import address_key, parse_address

CORPUS = Path(__file__).parents[3] / "shared" / "corpora" / "addresses" / "expected.json"


@pytest.mark.parametrize(
    ("typed", "wire"),
    [
        ("anna@example.org", "anna@example.org"),
        ("leser@demo.example", "leser@demo.example"),
        ("leser@mail.test", "leser@mail.test"),
        ("Anna.Maria+news@Example.ORG", "Anna.Maria+news@example.org"),
        ("  anna@example.org\u00a0", "anna@example.org"),
        ("anna@example.org\u200b", "anna@example.org"),
        ("o'hara@example.org", "o'hara@example.org"),
        ("anna@bücher.example", "anna@xn--bcher-kva.example"),
        ("anna@XN--BCHER-KVA.example", "anna@xn--bcher-kva.example"),
        ("a" * 64 + "@example.org", "a" * 64 + "@example.org"),
    ],
)
def test_an_address_is_taken_as_it_goes_on_the_wire(typed: str, wire: str) -> None:
    assert parse_address(typed) == wire


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "anna",
        "@example.org",
        "anna@",
        "anna@localhost",
        "anna@test",
        "anna@box.local",
        "anna@[127.0.0.1]",
        "anna@[IPv6:::1]",
        "anna@127.0.0.1",
        '"anna maria"@example.org',
        "Anna <anna@example.org>",
        "anna@example.org, bert@example.org",
        "anna@example.org\r\nBcc: bert@example.org",
        "anna@example.org\n",
        "anna\x00@example.org",
        "anna maria@example.org",
        "anna..maria@example.org",
        "änna@example.org",
        "anna＠example.org",  # noqa: RUF001 -- the full-width @ is the case
        "a" * 65 + "@example.org",
        "a@" + ".".join(["b" * 60] * 5) + ".example",
        "x" * 100_000,
    ],
)
def test_what_is_no_address_is_refused_in_one_short_line(typed: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        parse_address(typed)
    assert len(str(refused.value).splitlines()) == 1
    assert len(str(refused.value)) < 600
    assert str(refused.value).isprintable()


def test_a_local_part_beyond_ascii_is_taken_where_the_relay_carries_it() -> None:
    assert parse_address("änna@bücher.example", smtputf8=True) == "änna@xn--bcher-kva.example"


def test_two_spellings_of_one_address_are_one_person() -> None:
    spellings = {"Anna@Example.org", "anna@EXAMPLE.org", "ANNA@example.org"}
    assert {address_key(parse_address(each)) for each in spellings} == {"anna@example.org"}


@given(st.text(max_size=80) | st.from_regex(r"[a-zA-Zä.+@ <>\"\r\n-]{1,40}@[a-zü.-]{1,30}"))
def test_whatever_is_taken_is_one_bare_ascii_address(typed: str) -> None:
    try:
        wire = parse_address(typed)
    except AddressRefused:
        return
    assert wire.isascii()
    assert wire.isprintable()
    assert not set(wire) & set(' <>"(),:;\\[]')
    assert wire.count("@") == 1
    assert len(wire) <= 254
    assert parse_address(wire) == wire


@pytest.mark.skipif(not CORPUS.exists(), reason="no real inputs here")
def test_the_corpus_of_addresses_is_told_apart() -> None:
    for case in json.loads(CORPUS.read_text())["addresses"]:
        taken = _is_taken(case["address"], smtputf8=True)
        if case["expect"] != "either":
            assert (case["address"], taken) == (case["address"], case["expect"] == "accept")
        ascii_local = case["address"].rpartition("@")[0].isascii()
        assert _is_taken(case["address"], smtputf8=False) == (taken and ascii_local)


def _is_taken(address: str, *, smtputf8: bool) -> bool:
    try:
        parse_address(address, smtputf8=smtputf8)
    except AddressRefused:
        return False
    return True
