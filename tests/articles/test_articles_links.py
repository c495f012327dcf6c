"""Addresses that a mail may link to, and when two are one page."""

from __future__ import annotations

import pytest

from digest.articles.links import canonical, web_url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://site.example/a?b=c#d", "https://site.example/a?b=c#d"),
        ("HTTPS://Site.Example", "HTTPS://Site.Example"),
        ("https://site.example/ä", "https://site.example/ä"),
        (" https://site.example/a b ", "https://site.example/a%20b"),
        ('https://site.example/"><script>', "https://site.example/%22%3E%3Cscript%3E"),
        (
            "https://site.example/a\u202eb\u2028c\ud800",
            "https://site.example/a%E2%80%AEb%E2%80%A8c%3F",
        ),
        ("javascript:alert(1)", None),
        ("java\nscript:alert(1)", None),
        ("data:text/html,x", None),
        ("mailto:a@b.example", None),
        ("//site.example/a", None),
        ("/a", None),
        ("https://", None),
        ("https://u:p@site.example/", None),
        ("https://good.example\\@bad.example/", None),
        ("https://site.example:port/", None),
        ("https://[bad/", None),
        ("https://site.example/" + "x" * 2000, None),
        ("", None),
        (None, None),
    ],
)
def test_only_web_addresses_are_linked_to(url: str | None, expected: str | None) -> None:
    assert web_url(url) == expected


@pytest.mark.parametrize(
    "same",
    [
        "http://site.example/a?id=1",
        "https://SITE.example:443/a?id=1",
        "https://site.example/a?id=1#comments",
        "https://site.example/a?utm_source=rss&id=1&utm_medium=feed",
        "https://site.example/a?id=1&fbclid=x&gclid=y&mc_cid=z",
    ],
)
def test_spellings_of_one_page_are_one(same: str) -> None:
    assert canonical(same) == "site.example/a?id=1"


@pytest.mark.parametrize(
    "other",
    [
        "https://site.example/A?id=1",
        "https://site.example/a?id=2",
        "https://site.example/a/?id=1",
        "https://site.example:8443/a?id=1",
        "https://www.site.example/a?id=1",
    ],
)
def test_other_pages_stay_apart(other: str) -> None:
    assert canonical(other) != "site.example/a?id=1"


def test_the_fragment_is_kept_where_it_tells_entries_apart() -> None:
    assert canonical("https://site.example#v2", fragment=True) == "site.example/#v2"
    assert canonical("https://site.example#v2") == "site.example/"
