"""Addresses that a mail may link to, and when two are one page."""

from __future__ import annotations

import pytest

from digest.articles.links import canonical, untracked, web_url


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


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("?utm_source=rss&utm_medium=feed", ""),
        ("?p=12&utm_campaign=x", "?p=12"),
        ("?id=1&fbclid=2&page=3&gclid=4", "?id=1&page=3"),
        ("?at_medium=RSS&at_campaign=X", ""),
        ("?wt_mc=rss.red&wt.mc_id=1&wt_zmc=2", ""),
        ("?maca=de-rss-de-all", ""),
        ("?partner=rss&emc=rss&x=1", "?x=1"),
        ("?ref=rss", ""),
        ("?source=rss-feed", ""),
        ("?a=1&amp;utm_medium=rss", "?a=1"),
        ("?mtm_campaign=a&pk_kwd=b&_hsenc=c&mc_eid=d", ""),
        ("#xtor=RSS-32", ""),
        ("#ref=rss", ""),
        ("?a=1#utm_source=rss&utm_medium=x", "?a=1"),
        ("?p=1#kommentare", "?p=1#kommentare"),
        ("?utm_source=a#kommentare", "#kommentare"),
    ],
)
def test_readers_links_tell_nobody_where_they_came_from(said: str, shown: str) -> None:
    assert untracked(f"https://site.example/a{said}") == f"https://site.example/a{shown}"
    assert untracked(f"https://site.example/a{shown}") == f"https://site.example/a{shown}"


@pytest.mark.parametrize(
    "url",
    [
        "https://site.example/?p=1",
        "https://site.example/a?id=utm_source",
        "https://site.example/a?utmost=1",
        "https://site.example/?feed=rss2",
        "https://site.example/a?source=rssland&ref=home&from=3",
        "https://site.example/a?page=2&cat=4&lang=de&v=abc",
        "https://site.example/a?q=a%26utm_source%3Db",
        "https://site.example/a#abschnitt=2",
        "https://site.example/utm_source=1/a",
        "https://site.example/a?at=3&wt=4",
    ],
)
def test_what_means_something_stays_in_a_link(url: str) -> None:
    assert untracked(url) == url


def test_what_articles_are_known_by_never_changes_with_what_we_learn_of_tracking() -> None:
    assert canonical("https://site.example/a?maca=x&ref=rss") == "site.example/a?maca=x&ref=rss"
    assert canonical("https://site.example/a?utm_x=1&xtor=2&wt_mc=3") == "site.example/a"
