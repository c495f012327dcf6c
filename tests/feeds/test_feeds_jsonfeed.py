"""JSON Feeds become entries, and odd types become nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from digest.feeds.parse import parse
from digest.model.feed import Entry, FeedFailure, ImageCandidate, ParsedFeed

VERSION = "https://jsonfeed.org/version/1.1"


def read(document: object) -> ParsedFeed | FeedFailure:
    body = json.dumps(document).encode()
    return parse(body, url="https://site.example/feed.json", content_type=None)


def test_an_item_is_read_whole() -> None:
    item = {
        "id": 7,
        "url": "/1",
        "title": "One &amp; two",
        "content_html": "<p>Text</p>",
        "summary": "1 < 2",
        "image": "/a.jpg",
        "date_published": "2026-10-05T08:30:15+02:00",
        "authors": [{"name": "Ada"}, {"name": "Bob"}],
        "tags": ["Netz"],
    }
    feed = {"version": VERSION, "title": "Site", "home_page_url": "https://site.example/"}
    assert read(feed | {"items": [item]}) == ParsedFeed(
        title="Site",
        site_url="https://site.example/",
        language=None,
        entries=(
            Entry(
                guid="7",
                link="https://site.example/1",
                title="One & two",
                summary_html="1 &lt; 2",
                content_html="<p>Text</p>",
                author="Ada, Bob",
                categories=("Netz",),
                published_at=datetime(2026, 10, 5, 6, 30, 15, tzinfo=UTC),
                updated_at=None,
                images=(ImageCandidate(url="https://site.example/a.jpg", origin="media"),),
            ),
        ),
    )


def test_the_feed_speaks_of_itself() -> None:
    document = {
        "version": "http://jsonfeed.org/version/1.2/",
        "feed_url": "https://site.example/feed.json",
        "next_url": "?page=2",
        "hubs": [5, {"type": "rssCloud", "url": "/c"}, {"type": "WebSub", "url": "/hub"}],
        "items": [{"id": "1", "language": "fr"}],
    }
    parsed = read(document)
    assert isinstance(parsed, ParsedFeed)
    assert parsed.hub_url == "https://site.example/hub"
    assert parsed.self_url == "https://site.example/feed.json"
    assert parsed.next_url == "https://site.example/feed.json?page=2"
    assert (parsed.archive_url, parsed.complete) == (None, False)
    assert parsed.entries[0].language == "fr"


def test_what_would_fill_the_memory_is_refused() -> None:
    body = f'{{"version":"{VERSION}","items":[{"[]," * 600_000}[]]}}'.encode()
    failure = parse(body, url="https://site.example/", content_type=None)
    assert failure == FeedFailure(reason="JSON that is too intricate for a feed")


def test_odd_types_are_nothing() -> None:
    odd = {"id": [], "url": 5, "title": {}, "tags": "x", "authors": [5], "attachments": [1, {}]}
    parsed = read({"version": VERSION, "title": 5, "items": [5, None, {}, odd]})
    assert isinstance(parsed, ParsedFeed)
    assert [(each.guid, each.link, each.title) for each in parsed.entries] == [(None, None, "")] * 2


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        {"version": VERSION},
        {"version": "https://jsonfeed.org/version/99", "items": []},
        {"items": [{"id": "1"}]},
    ],
)
def test_other_json_is_no_feed(document: object) -> None:
    failure = read(document)
    assert isinstance(failure, FeedFailure)
    assert failure.reason.startswith("JSON, but not a JSON Feed")


def test_an_escaped_half_of_a_character_does_no_harm() -> None:
    text = '{"version":"%s","items":[{"id":"\\ud800x","title":"a\\ud800b","url":"/\\ud800"}]}'
    parsed = parse((text % VERSION).encode(), url="https://site.example/", content_type=None)
    assert isinstance(parsed, ParsedFeed)
    repr(parsed).encode()
    assert parsed.entries[0].title == "ab"
