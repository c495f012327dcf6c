"""An entry is known by its strongest sign, and by none that others share."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from digest.articles.identify import Identity, identify
from digest.model.feed import Entry

FEED = "https://site.example/feed"
ENTRY = Entry(
    guid="id-1",
    link="https://site.example/1",
    title="Title",
    summary_html="Text",
    content_html="",
    author=None,
    categories=(),
    published_at=datetime(2026, 10, 5, tzinfo=UTC),
    updated_at=None,
    images=(),
)


def alone(entry: Entry, *, feed_url: str = FEED) -> Identity:
    (identity,) = identify([entry], feed_url=feed_url)
    return identity


def test_an_edited_entry_keeps_its_key() -> None:
    edited = replace(ENTRY, title="Better", link="https://site.example/1-new", published_at=None)
    assert alone(edited).key == alone(ENTRY).key
    assert alone(edited).link_key != alone(ENTRY).link_key


def test_a_guid_that_only_counts_belongs_to_its_host() -> None:
    assert alone(ENTRY).key == alone(ENTRY, feed_url="http://site.example/other-feed").key
    assert alone(ENTRY).key != alone(ENTRY, feed_url="https://other.example/feed").key


def test_a_universal_guid_is_the_same_everywhere() -> None:
    for guid in ("https://site.example/?p=1", "urn:uuid:1", "tag:site.example,2026:1"):
        entry = replace(ENTRY, guid=guid)
        assert alone(entry).key == alone(entry, feed_url="https://planet.example/feed").key


def test_without_a_guid_the_link_counts_without_its_tracking() -> None:
    entry = replace(ENTRY, guid=None)
    tracked = replace(entry, link="http://site.example/1?utm_source=rss", title="New title")
    assert alone(entry).key == alone(tracked).key
    assert alone(entry).link_key == alone(tracked).link_key


def test_a_guid_that_everybody_has_says_nothing() -> None:
    entries = [replace(ENTRY, guid="same", link=f"https://site.example/{n}") for n in range(3)]
    identities = identify(entries, feed_url=FEED)
    assert len({each.key for each in identities}) == 3
    assert [each.key for each in identities] == [alone(replace(e, guid=None)).key for e in entries]


def test_a_link_that_everybody_has_says_nothing() -> None:
    entries = [
        replace(ENTRY, guid=None, link="https://site.example/", title=f"Title {n}")
        for n in range(99)
    ]
    identities = identify(entries, feed_url=FEED)
    assert len({each.key for each in identities}) == 99
    assert {each.link_key for each in identities} == {None}


def test_undated_entries_with_one_link_and_one_title_are_told_apart_by_their_text() -> None:
    bare = replace(ENTRY, guid=None, link=None, title="", published_at=None)
    entries = [replace(bare, summary_html=f"Text {n}") for n in range(3)]
    assert len({each.key for each in identify(entries, feed_url=FEED)}) == 3


def test_sections_of_one_page_are_told_apart_and_share_no_page() -> None:
    entries = [
        replace(ENTRY, guid=None, link=f"https://site.example/log#v{n}", title="Log")
        for n in (1, 2)
    ]
    one, two = identify(entries, feed_url=FEED)
    assert one.key != two.key
    assert (one.link_key, two.link_key) == (None, None)


def test_exact_repeats_are_one() -> None:
    for entry in (ENTRY, replace(ENTRY, guid=None), replace(ENTRY, guid=None, link=None)):
        one, two = identify([entry, entry], feed_url=FEED)
        assert one == two


def test_the_same_page_in_two_feeds_has_one_link_key() -> None:
    elsewhere = replace(ENTRY, guid="other-7", link="http://site.example/1?utm_medium=feed")
    assert alone(ENTRY).link_key == alone(elsewhere, feed_url="https://planet.example/").link_key
    assert alone(ENTRY).link_key is not None


def test_keys_are_hex_digests() -> None:
    identity = alone(ENTRY)
    assert len(identity.key) == 64
    assert int(identity.key, 16) >= 0
