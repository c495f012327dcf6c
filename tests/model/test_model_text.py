"""What strangers write becomes plain text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.model.text import one_line, plain_text, title_text

MARKUPISH = st.text(alphabet="<>&;/!-=\"' \nabpscriptli#x01\u2028\u202e\x00\ud800", max_size=200)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("  two\n\twords ", "two words"),
        ("a\u2028b\u2029c\x85d\x0be", "a b c d e"),
        ("nul\x00bell\x07del\x7f", "nulbelldel"),
        ("\u202eevil\u202c \u2066x\u2069 z\u200bw\ufeff", "evil x zw"),
        ("half \ud83d pair", "half pair"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
    ],
)
def test_one_line_keeps_letters_and_drops_what_cannot_be_seen(given: str, expected: str) -> None:
    assert one_line(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Plain &amp; simple", "Plain & simple"),
        ("Twice &amp;amp; escaped &amp;#8211; here", "Twice & escaped \u2013 here"),
        ("<b>Bold</b> claim", "Bold claim"),
        ("&lt;em&gt;Escaped&lt;/em&gt; markup", "Escaped markup"),
        ("How &lt;div&gt; works", "How <div> works"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("One<br/>two", "One two"),
        ("a <!-- hidden --> b", "a b"),
        ("Left <unclosed", "Left <unclosed"),
        ("", ""),
    ],
)
def test_a_title_is_text(given: str, expected: str) -> None:
    assert title_text(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("<p>One.</p><p>Two<br>three</p>", "One.\nTwo\nthree"),
        ("<p>in <b>one</b> word<i>s</i></p>", "in one words"),
        ("line\nends are\r\nspaces", "line ends are spaces"),
        ("<script>alert(1)</script><style>p{}</style>text", "text"),
        ('<img alt="a > b" src=x>after', "after"),
        ("<figure><img><figcaption>Photo: me</figcaption></figure>Text", "Text"),
        ("cut <a href='https://example.or", "cut"),
        ("&lt;p&gt;Escaped once too often&lt;/p&gt;", "Escaped once too often"),
        ("<p>About &lt;p&gt; itself</p>", "About <p> itself"),
        ("1 < 2", "1 < 2"),
        ("<td>a</td><td>b</td>", "a b"),
        ("<p class=it's>kept</p> don't", "kept\ndon't"),
    ],
)
def test_html_becomes_lines(given: str, expected: str) -> None:
    assert plain_text(given) == expected


@given(MARKUPISH)
def test_nothing_raises_and_no_control_comes_through(text: str) -> None:
    for made in (one_line(text), title_text(text), plain_text(text).replace("\n", " ")):
        made.encode()
        assert made == " ".join(made.split())
        assert not set(made) & set("\x00\u2028\u202e")


@pytest.mark.parametrize("piece", ["<", "<a ", '<a b="', "<!--", "<script>", "&lt;b", "<a =", " "])
def test_long_nonsense_takes_no_time(piece: str) -> None:
    nonsense = piece * (200_000 // len(piece))  # quadratic time would be minutes
    assert len(plain_text(nonsense)) <= len(nonsense)
    assert len(title_text(nonsense)) <= len(nonsense)
