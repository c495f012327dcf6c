"""Where older entries may stand, and whether another list of a site is the feed's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from digest.feeds.backfill import (
    Dated,
    hosts_of,
    is_own,
    newest_first,
    origin,
    paged,
    reaches_back,
    same_stream,
)

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def ago(*hours: float) -> list[datetime | None]:
    return [NOW - timedelta(hours=each) for each in hours]


def entries(*hours: float, names: str = "n") -> list[Dated]:
    """Entries that are known by their age."""
    return [Dated(NOW - timedelta(hours=each), frozenset({f"{names}{each}"})) for each in hours]


@pytest.mark.parametrize(
    ("url", "second"),
    [
        ("https://a.example/feed/", "https://a.example/feed/?paged=2"),
        ("https://a.example/?feed=rss2", "https://a.example/?feed=rss2&paged=2"),
        ("https://a.example/feed?paged=9&cat=", "https://a.example/feed?cat=&paged=2"),
    ],
)
def test_a_page_of_a_feed_is_asked_for_beside_what_is_asked_already(url: str, second: str) -> None:
    assert paged(url, 2) == second


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("https://www.a.example/wp-json/", True),
        ("http://A.example:8080/x", True),
        ("https://b.a.example/", False),
        ("https://a.example.evil.example/", False),
        ("https://evil.example/a.example", False),
        ("https://a.example@evil.example/", False),
        ("ftp://a.example/", False),
        ("//a.example/x", False),
        ("https://[::1", False),
        ("", False),
    ],
)
def test_only_the_site_of_the_feed_is_asked(url: str, *, own: bool) -> None:
    assert is_own(url, hosts_of("https://a.example/feed", None, "https://[::1")) is own


def test_an_origin_is_scheme_host_and_port() -> None:
    assert origin("https://a.example:8443/x?y#z") == "https://a.example:8443"
    assert origin("https://u:p@a.example/") is None
    assert origin("mailto:a@b.example") is None
    assert origin("https://a.example:x/") is None


def test_a_document_is_read_the_newest_first_whichever_way_it_is_written() -> None:
    assert newest_first(ago(1, 2, 3)) == [0, 1, 2]
    assert newest_first(ago(3, 2, 1)) == [2, 1, 0]
    assert newest_first(ago(5, 1, 4, 2, 3)) == [1, 3, 4, 2, 0]
    assert newest_first([None, None]) == [0, 1]
    assert newest_first([*ago(5), None, *ago(1, 4, 2)]) == [2, 4, 3, 0, 1]


def test_a_post_that_stays_on_top_does_not_make_a_document_reach_back() -> None:
    assert reaches_back(ago(900, 1, 2, 3, 4, 5, 6, 7)) == NOW - timedelta(hours=7)
    assert reaches_back([*ago(1, 2), None]) == NOW - timedelta(hours=2)
    assert reaches_back([None]) is None
    assert reaches_back([]) is None


def test_a_list_that_names_what_the_feed_shows_is_the_feeds() -> None:
    assert same_stream(entries(1, 2, 3), entries(1, 2, 3, 4, 5, 6))


def test_what_came_since_the_document_was_made_does_not_count() -> None:
    assert same_stream(entries(2, 3, 4), entries(0, 0.5, 1, 1.5, 2, 3, 4, 5))


def test_a_list_of_the_whole_site_is_not_that_of_one_section() -> None:
    everything = entries(1, 1.25, 1.5, 2, 2.25, 2.5, 3, 3.5)
    assert not same_stream(entries(1, 2, 3), everything)


def test_of_what_came_in_one_second_a_document_may_show_a_part() -> None:
    together = [Dated(NOW, frozenset({str(number)})) for number in range(15)]
    assert same_stream(together[:10], together)


def test_a_list_without_anything_of_the_feed_is_another_one() -> None:
    assert not same_stream(entries(1, 2, 3), entries(1, 2, 3, names="other"))
    assert not same_stream(entries(1, 2, 3), entries(5, 6))
    assert not same_stream(entries(1, 2, 3), [])
    assert not same_stream([], entries(1))


def test_entries_without_dates_are_compared_by_what_they_are_known_by() -> None:
    bare = [Dated(None, frozenset({name})) for name in "abcd"]
    assert same_stream(bare[:2], bare)
    assert not same_stream(bare[:2], bare[2:])
