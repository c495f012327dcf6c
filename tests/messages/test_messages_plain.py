"""Strangers' text and links, made fit for mail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.messages.plain import host_of, link_to, one_line, picture_at, shorten, tame


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nBcc: b", "a Bcc: b"),
        ("a\u2028b\u2029c\x85d", "a b c d"),
        ("a\x00b\x0bc\x1b[1m", "a b c [1m"),
        ("  a \t\n b  ", "a b"),
        ("a\u202eb\u202c\u2066c\u2069", "abc"),
        ("a\ud800b", "ab"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("", ""),
    ],
)
def test_one_line_is_one_line(text: str, expected: str) -> None:
    assert one_line(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "{{ 7*7 }}", "{% raise %}", "{# x #}", "{{{x}}}", "{\ufeff{x}}", "{\u202e% x %}",
        "<img onerror=x>", "javascript:alert(1)", 'href="http://x', "url(http://x)",
    ],
)  # fmt: skip
def test_no_program_finds_its_marks(text: str) -> None:
    tamed = tame(text)
    for mark in ("{{", "}}", "{%", "%}", "{#", "#}", "onerror=", "javascript:", "href=", "url("):
        assert mark not in tamed
    assert tamed.replace("\u2060", "") == one_line(text)


def test_ordinary_text_stays_as_it_is() -> None:
    text = 'Die „Wärme" {aus} dem 50 % Teich: 3 < 4 & 5 > 4 = wahr'
    assert tame(text) == text


def test_text_is_cut_between_words() -> None:
    assert shorten("eins zwei drei", 14) == "eins zwei drei"
    assert shorten("eins zwei drei", 13) == "eins zwei…"
    assert shorten("x" * 20, 10) == "x" * 9 + "…"


def test_no_character_is_cut_in_two() -> None:
    assert shorten("e\u0301" * 10, 4) == "e\u0301…"
    assert shorten("👩\u200d🚀" * 5, 6) == "👩\u200d🚀…"


@given(st.text(), st.integers(2, 50))
def test_shortened_text_is_never_longer_than_asked(text: str, limit: int) -> None:
    assert len(shorten(text, limit)) <= limit


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.org/a?b=1&c=2#d", "https://example.org/a?b=1&c=2#d"),
        ("http://example.org/a", "https://example.org/a"),
        ("http://example.org:80/a", "https://example.org/a"),
        ("http://example.org:8080/a", "http://example.org:8080/a"),
        ("http://127.0.0.1:8000/a", "http://127.0.0.1:8000/a"),
        ("http://[::1]/a", "http://[::1]/a"),
        ("http://localhost/a", "http://localhost/a"),
        ("https://user:secret@example.org/", "https://example.org/"),
        ("https://example.org/ä b", "https://example.org/%C3%A4%20b"),
        ("https://example.org/%C3%A4", "https://example.org/%C3%A4"),
        ("https://müller.example/", "https://xn--mller-kva.example/"),
        ("https://example.org/{{a}}\"<>'", "https://example.org/%7B%7Ba%7D%7D%22%3C%3E'"),
        ("https://example.org/?u=javascript:x", "https://example.org/?u=javascript%3Ax"),
        ("HTTPS://EXAMPLE.org/A", "https://example.org/A"),
    ],
)
def test_a_link_is_fit_for_mail(url: str, expected: str) -> None:
    assert link_to(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", " javascript:alert(1)", "data:text/html,x", "//example.org/x",
        "/relative", "", "https://", "https://[bad/", "https://a:99999/", "mailto:a@example.org",
        "https://exa mple.org/", "https://" + "a" * 80 + ".example/", "https://\ud800.example/",
    ],
)  # fmt: skip
def test_a_link_that_leads_nowhere_is_none(url: str) -> None:
    assert link_to(url) is None


@given(st.text())
def test_no_address_raises_or_breaks_an_attribute(url: str) -> None:
    for found in (link_to(url), link_to("https://example.org/" + url)):
        assert found is None or (found.isascii() and not set(found) & set(' "<>{}\\\r\n\t`'))


def test_a_picture_is_https_or_nothing() -> None:
    assert picture_at("http://example.org/a.jpg") == "https://example.org/a.jpg"
    assert picture_at("http://10.0.0.1/a.jpg") is None


def test_a_site_is_named_without_www() -> None:
    assert host_of("https://www.example.org/x") == "example.org"
    assert host_of("") == ""
