"""An entry is known by its strongest sign, and by none that others share."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from digest.articles.identify import TEXT, Identity, identify
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


def test_a_guid_that_only_counts_belongs_to_its_feed() -> None:
    assert alone(ENTRY).key == alone(ENTRY, feed_url=FEED.replace("https:", "http:")).key
    # two shows of one caster both count from 1
    assert alone(ENTRY).key != alone(ENTRY, feed_url="https://site.example/other-feed").key
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


# --------------------------------------------------------------- signs


def signs(*entries: Entry, feed_url: str = FEED, site_url: str | None = None) -> list[set[str]]:
    identities = identify(entries, feed_url=feed_url, site_url=site_url)
    return [set(each.signs) for each in identities]


def test_the_key_is_the_first_sign_and_the_page_is_among_them() -> None:
    identity = alone(ENTRY)
    assert identity.signs[0] == identity.key
    assert identity.link_key in identity.signs
    assert len(identity.signs) == 4
    assert len(alone(replace(ENTRY, title="A longer title")).signs) == 5


def test_a_moved_story_is_still_known_by_its_words_and_its_second() -> None:
    old = replace(ENTRY, title="A title that says something")
    moved = replace(old, guid="new-9", link="https://elsewhere.example/2026/title")
    (one,), (two,) = signs(old), signs(moved, feed_url="https://elsewhere.example/feed")
    (shared,) = one & two
    assert shared.startswith(TEXT)
    (retold,) = signs(replace(old, title="A TITLE that says: “something”"))
    assert shared in retold
    for other in (
        replace(old, title="News"),
        replace(old, published_at=None),
        replace(old, published_at=datetime(2026, 10, 5, 0, 0, 1, tzinfo=UTC)),
    ):
        assert not signs(other)[0] & {shared}


def test_a_sign_that_several_entries_share_is_no_sign() -> None:
    entries = [
        replace(ENTRY, guid=f"g{n}", title="Offene Stelle in der Redaktion", link=link)
        for n, link in enumerate(["https://site.example/jobs"] * 2 + ["https://site.example/x"])
    ]
    first, second, third = identify(entries, feed_url=FEED)
    assert (first.signs, second.signs) == ((first.key,), (second.key,))
    assert len(third.signs) == 4
    assert third.link_key in third.signs


def test_what_leads_to_the_front_page_is_not_known_by_that() -> None:
    for link, site in (
        ("https://site.example/", None),
        ("https://site.example", None),
        ("https://site.example/blog?utm_source=rss", "http://site.example/blog"),
    ):
        with_guid = replace(ENTRY, link=link)
        identity = identify([with_guid], feed_url=FEED, site_url=site)[0]
        assert identity.link_key is None
        assert identity.key in identity.signs
        assert len(identity.signs) == 2  # the other is its words
        bare = replace(ENTRY, guid=None, link=link)
        (one,) = identify([bare], feed_url=FEED, site_url=site)
        (two,) = identify([replace(bare, title="Another")], feed_url=FEED, site_url=site)
        assert one.key != two.key
    query = replace(ENTRY, link="https://site.example/?p=7")
    assert alone(query).link_key is not None


def test_a_guid_that_is_the_front_page_is_none() -> None:
    entry = replace(ENTRY, guid="https://site.example/")
    assert alone(entry) == alone(replace(entry, guid=None))


def test_a_section_of_a_page_is_known_by_its_fragment() -> None:
    old = replace(ENTRY, guid="g1", link="https://site.example/log#v1", title="v1")
    neighbour = replace(ENTRY, guid="g2", link="https://site.example/log#v2", title="v2")
    renamed = [replace(each, guid=f"new-{each.guid}") for each in (old, neighbour)]
    for before, after in zip(signs(old, neighbour), signs(*renamed), strict=True):
        assert len(before & after) == 2  # the link with its fragment, and the words


def test_exact_repeats_keep_their_signs() -> None:
    one, two = signs(ENTRY, ENTRY)
    assert one == two
    assert len(one) == 4


def test_neighbours_with_one_link_may_come_and_go() -> None:
    bare = replace(ENTRY, guid=None, link="https://site.example/ticker", published_at=None)
    news = replace(bare, title="Another story", summary_html="Another.")
    alone_today, (_, beside) = signs(bare)[0], signs(news, bare)
    assert alone_today & beside
    assert not alone_today & signs(news, bare)[0]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, "1", "2", "https://site.example/?p=1"]),
            st.sampled_from([None, "/", "/a", "/a#x", "/b?utm_medium=rss"]),
            st.sampled_from(["", "News", "A long enough title", "a long enough TITLE"]),
            st.sampled_from([None, 1, 2]),
        ),
        max_size=8,
    )
)
def test_no_sign_leads_to_two_entries_of_a_document(
    rows: list[tuple[str | None, str | None, str, int | None]],
) -> None:
    entries = [
        replace(
            ENTRY,
            guid=guid,
            link=path and f"https://site.example{path}",
            title=title,
            published_at=datetime(2026, 10, day, tzinfo=UTC) if day else None,
        )
        for guid, path, title, day in rows
    ]
    leads: dict[str, set[str]] = defaultdict(set)
    for identity in identify(entries, feed_url=FEED):
        assert identity.signs[0] == identity.key
        assert identity.link_key is None or identity.link_key in identity.signs
        for sign in identity.signs:
            leads[sign].add(identity.key)
    assert all(len(keys) == 1 for keys in leads.values())
