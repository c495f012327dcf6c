"""Every picture of a page becomes ours, and only we can name what we fetch."""

from __future__ import annotations

import hashlib
import html
import re
from dataclasses import replace

import pytest
from message_samples import edition, ordinary

from digest.messages.pictures import (
    first_picture,
    picture_token,
    read_token,
    with_our_pictures,
)

URL = "https://bilder.example/a.jpg?x=1&y=ü"


def sign(data: bytes) -> bytes:
    return hashlib.sha256(b"one" + data).digest()[:16]


def other(data: bytes) -> bytes:
    return hashlib.sha256(b"two" + data).digest()[:16]


def ours(url: str) -> str:
    return f"/pictures/{url.rpartition('/')[2]}"


def test_a_token_carries_its_address_and_nobody_else_can_make_one() -> None:
    token = picture_token(URL, sign)
    assert token is not None
    assert re.fullmatch(r"[A-Za-z0-9_-]+", token)
    assert read_token(token, sign) == URL
    assert read_token(token, other) is None


@pytest.mark.parametrize("change", [0, 10, 24, 40, -1])
def test_a_changed_token_is_none(change: int) -> None:
    token = picture_token("https://bilder.example/abc", sign)
    assert token is not None
    letters = list(token)
    letters[change] = "A" if letters[change] != "A" else "B"
    assert read_token("".join(letters), sign) != "https://bilder.example/abc" or change == -1
    assert read_token(token[:change], sign) is None


@pytest.mark.parametrize("token", ["", "x", "a" * 25, "a" * 24, "ä" * 30, "a" * 5000, "a\n" * 15])
def test_nonsense_is_no_token(token: str) -> None:
    assert read_token(token, sign) is None


def test_an_address_without_end_gets_no_token() -> None:
    assert picture_token("https://bilder.example/" + "a" * 1500, sign) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('<img src="https://b.example/1.jpg">', '<img src="/pictures/1.jpg">'),
        ("<IMG SRC='http://b.example/1.jpg'>", '<IMG SRC="/pictures/1.jpg">'),
        ("<img src=https://b.example/1.jpg alt=x>", '<img src="/pictures/1.jpg" alt=x>'),
        ('<img src=" //b.example/1.jpg ">', '<img src="/pictures/1.jpg">'),
        ('<img src="https://b.example/a&amp;b">', '<img src="/pictures/a&amp;b">'),
        (
            '<img srcset="https://b.example/1 1x,https://b.example/2 2x">',
            '<img srcset="/pictures/1 1x,/pictures/2 2x">',
        ),
        (
            '<td background="https://b.example/1.jpg" align="left">',
            '<td background="/pictures/1.jpg" align="left">',
        ),
        (
            "<p style=\"color:red;background:url('https://b.example/1.jpg')\">",
            '<p style="color:red;background:url(/pictures/1.jpg)">',
        ),
        (
            "<style>.a{background:url( https://b.example/1.jpg )}</style>",
            "<style>.a{background:url(/pictures/1.jpg)}</style>",
        ),
        ('<img src="/own.png">', '<img src="/own.png">'),
        ('<img src="data:image/gif;base64,AA">', '<img src="data:image/gif;base64,AA">'),
        ('<a href="https://b.example/">x</a>', '<a href="https://b.example/">x</a>'),
        (
            '<p title="<img src=https://b.example/1>">src="https://b.example/1"</p>',
            '<p title="<img src=https://b.example/1>">src="https://b.example/1"</p>',
        ),
        ('<a title=">" href="https://b.example/">', '<a title=">" href="https://b.example/">'),
    ],
)
def test_a_picture_is_ours_and_all_else_stays(before: str, after: str) -> None:
    assert with_our_pictures(before, ours) == after


def test_what_we_cannot_show_has_no_address() -> None:
    page = with_our_pictures('<img src="https://b.example/1" alt="Brücke">', lambda _: None)
    assert page == '<img src="" alt="Brücke">'


def test_hostile_markup_takes_no_time() -> None:
    for piece in ("<a ", '<a b="', "<style>", "url(", '<img src="', "<a b='c\" "):
        with_our_pictures(piece * 20_000, ours)


def test_the_first_picture_is_a_storys() -> None:
    chosen = ordinary(3)
    made = edition(chosen)
    logo = '<img src="https://logo.example/l.png" alt="Logo">'
    made = replace(made, written=replace(made.written, html=logo + made.written.html))
    found = first_picture(made)
    images = [each.image for each in chosen.articles if each.image]
    assert found is not None
    assert html.unescape(found[0]) == images[0].url
    bare = replace(made.written, cards=())
    assert first_picture(replace(made, written=bare)) == ("https://logo.example/l.png", "Logo")
    assert first_picture(replace(made, written=replace(bare, html="<p>Nichts"))) is None
