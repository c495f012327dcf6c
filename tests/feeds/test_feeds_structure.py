"""Only what stands where entries stand is an entry, and it says things once."""

from __future__ import annotations

from xml.parsers import expat

import pytest

from digest.feeds.parse import parse
from digest.feeds.structure import MAX_CATEGORIES, MAX_DEPTH, Intricate, prune
from digest.model.feed import Entry, ParsedFeed


def read(text: str) -> tuple[Entry, ...]:
    parsed = parse(text.encode(), url="https://site.example/feed", content_type=None)
    assert isinstance(parsed, ParsedFeed)
    return parsed.entries


def rss(items: str) -> str:
    return f"<rss version='2.0' xmlns:x='urn:x'><channel><title>T</title>{items}</channel></rss>"


@pytest.mark.parametrize(
    "items",
    [
        "<item><title>One</title></item><x:old><item><title>Gone</title></item></x:old>",
        "<item><title>One</title><item><title>In it</title></item></item>",
        "<item><item/><title>One</title></item>",
        "<item><x:was><item><title>Was</title></item></x:was><title>One</title></item>",
    ],
)
def test_an_entry_inside_of_something_else_is_none(items: str) -> None:
    assert [each.title for each in read(rss(items))] == ["One"]


def test_entries_that_are_all_wrapped_are_entries() -> None:
    wrapped = rss("<list><item><title>One</title></item><item><title>Two</title></item></list>")
    assert [each.title for each in read(wrapped)] == ["One", "Two"]


def test_the_first_of_several_counts() -> None:
    entry = read(
        rss(
            "<item><guid isPermaLink='false'>a</guid><guid isPermaLink='false'>b</guid>"
            "<pubDate> </pubDate><pubDate>Mon, 05 Oct 2026 08:00:00 GMT</pubDate>"
            "<pubDate>Tue, 06 Oct 2026 08:00:00 GMT</pubDate>"
            "<link>https://site.example/1</link><link>https://site.example/2</link></item>"
        )
    )[0]
    assert (entry.guid, entry.link) == ("a", "https://site.example/1")
    assert entry.published_at is not None
    assert entry.published_at.day == 5


def test_names_of_others_do_not_count_as_repeats() -> None:
    text = "<feed><entry><x:title>a</x:title><title>b</title></entry></feed>"
    assert prune(text) == text


def test_parts_go_whole_and_the_rest_stays_as_it_was() -> None:
    text = "<feed><entry>ä<id>1</id><id a='/>'/><b/><id>3</id>\n</entry><entry><id>4</id></entry>"
    assert prune(text + "</feed>") == (
        "<feed><entry>ä<id>1</id><b/>\n</entry><entry><id>4</id></entry></feed>"
    )


def test_a_link_that_says_that_it_is_the_page_comes_first() -> None:
    said = "<link rel='alternate' type='text/html' href='/said'/>"
    assert "vague" not in prune(f"<feed><entry><link href='/vague'/>{said}</entry></feed>")
    assert "vague" in prune("<feed><entry><link href='/vague'/></entry></feed>")


@pytest.mark.parametrize(
    "text",
    [
        "<a>" * (MAX_DEPTH + 2) + "</a>" * (MAX_DEPTH + 2),
        "<item>" + "<category/>" * (MAX_CATEGORIES + 1) + "</item>",
        "<item><keywords>" + "," * (MAX_CATEGORIES + 1) + "</keywords></item>",
    ],
)
def test_what_no_honest_feed_looks_like_is_said(text: str) -> None:
    with pytest.raises(Intricate):
        prune(text)


def test_what_is_not_well_formed_is_said() -> None:
    with pytest.raises(expat.ExpatError):
        prune("<rss><channel></rss>")
