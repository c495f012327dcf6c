"""A feed is found in whatever stands around it, and a page is told from a feed."""

from __future__ import annotations

import pytest

from digest.feeds.parse import parse
from digest.feeds.root import find_root
from digest.model.feed import FeedFailure, ParsedFeed

RSS = "<rss version='2.0'><channel><item><title>One</title></item></channel></rss>"
ATOM = "<feed xmlns='http://www.w3.org/2005/Atom'><entry><title>One</title></entry></feed>"
URL = "https://site.example/feed"


@pytest.mark.parametrize("feed", [RSS, ATOM])
@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "<?xml version='1.0'?>\n{}",
        "<?xml?xml version='1.0' ??>{}",
        "<!-- <rss> of the old site -->\n<?xml version='1.0'?>{}",
        "<!DOCTYPE rss [<!ENTITY x 'y'> <!ELEMENT rss (channel)>]>{}",
        "<!DOCTYPE html>{}",
        "<br /><b>Warning</b>: in <b>/x.php</b> on line <b>5</b><br /><?xml version='1.0'?>{}",
        "Some words that a plugin wrote.\n{}",
        "{}\n<script>track()</script>",
        "{}<!-- served in 0.1 s -->",
        "<!doctype html><html><body>{}</body></html>",
    ],
)
def test_what_stands_around_a_feed_goes(around: str, feed: str) -> None:
    parsed = parse(around.format(feed).encode(), url=URL, content_type=None)
    assert isinstance(parsed, ParsedFeed)
    assert [each.title for each in parsed.entries] == ["One"]


def test_a_single_entry_of_atom_is_a_document_too() -> None:
    entry = "<entry xmlns='http://www.w3.org/2005/Atom'><title>One</title></entry>"
    parsed = parse(entry.encode(), url=URL, content_type=None)
    assert isinstance(parsed, ParsedFeed)
    assert [each.title for each in parsed.entries] == ["One"]


def test_a_page_that_speaks_of_feeds_is_a_page() -> None:
    for page in (
        "<html><body><p>Our feed begins with <code>&lt;rss version=...</code></p></body></html>",
        "<!DOCTYPE html><body><feed-list></feed-list><channel>TV</channel></body>",
        "<html><body><!-- <rss version='2.0'> --></body></html>",
    ):
        root = find_root(page)
        assert (root.feed, root.page) == (False, True)


def test_a_doctype_inside_a_text_is_a_text() -> None:
    text = "<rss version='2.0'><channel><item><title><![CDATA[<!DOCTYPE html> in short]]></title>"
    parsed = parse((text + "</item></channel></rss>").encode(), url=URL, content_type=None)
    assert isinstance(parsed, ParsedFeed)
    assert parsed.entries[0].title.endswith("in short")


def test_a_page_names_its_feeds() -> None:
    page = (
        "<html><head>"
        "<link rel=alternate type='application/rss+xml' href='/rss?a=1&amp;b=2'>"
        '<link rel="alternate" type="application/atom+xml" href="/atom">'
        "</head><body>Hello</body></html>"
    )
    failure = parse(page.encode(), url="https://site.example/", content_type="text/html")
    assert isinstance(failure, FeedFailure)
    assert "https://site.example/rss?a=1&b=2, https://site.example/atom" in failure.reason
