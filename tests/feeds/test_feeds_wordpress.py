"""What is asked of a WordPress, and its posts as the entries that its feed would have shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from digest.articles.make import make_articles
from digest.feeds.parse import parse
from digest.feeds.wordpress import (
    Place,
    Term,
    api_root,
    has_its_guids,
    looks_like_wordpress,
    pages,
    place_of,
    posts_url,
    read_posts,
    read_term,
    route,
    term_url,
)
from digest.model.feed import ParsedFeed

HOME = "https://blatt.example"
NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("feed", "site", "place"),
    [
        (f"{HOME}/feed/", HOME, Place("site")),
        (f"{HOME}/feed", None, Place("site")),
        (f"{HOME}/feed/atom/", HOME, Place("site")),
        (f"{HOME}/?feed=rss2", HOME, Place("site")),
        (f"{HOME}/rss.xml", HOME, Place("site")),
        (f"{HOME}/blog/feed/", f"{HOME}/blog", Place("site")),
        (f"{HOME}/category/politik/feed/", HOME, Place("category", "politik")),
        (f"{HOME}/category/stadt/politik/feed/", HOME, Place("category", "politik")),
        (f"{HOME}/category/k%C3%BCche/feed/", HOME, Place("category", "küche")),
        (f"{HOME}/tag/hafen/feed/", HOME, Place("tag", "hafen")),
        (f"{HOME}/thema/hafen/feed/", HOME, Place("unknown", "hafen")),
        (f"{HOME}/?feed=rss2&cat=12", HOME, Place("category", "12")),
        (f"{HOME}/feed/?category_name=stadt/politik", HOME, Place("category", "politik")),
        (f"{HOME}/feed/?tag=hafen", HOME, Place("tag", "hafen")),
        ("https://feeds.dienst.example/blatt", HOME, Place("site")),
        ("https://www.blatt.example/tag/x/feed/", HOME, Place("tag", "x")),
        (f"{HOME}/comments/feed/", HOME, None),
        (f"{HOME}/author/anna/feed/", HOME, None),
        (f"{HOME}/2026/11/feed/", HOME, None),
        (f"{HOME}/?s=hafen&feed=rss2", HOME, None),
        (f"{HOME}/feed/?post_type=event", HOME, None),
    ],
)
def test_an_address_says_which_posts_a_feed_carries(
    feed: str, site: str | None, place: Place | None
) -> None:
    assert place_of(feed, site) == place


def test_the_api_is_found_by_the_header_or_by_the_page() -> None:
    header = f'<{HOME}/?p=1>; rel=shortlink, <{HOME}/wp-json/>; rel="https://api.w.org/"'
    assert api_root({"link": header}, "", HOME) == f"{HOME}/wp-json/"
    page = f"<link rel='https://api.w.org/' href='{HOME}/?rest_route=/&#038;x=1' />"
    assert api_root({}, page, HOME) == f"{HOME}/?rest_route=/&x=1"
    assert api_root({}, '<link rel="https://api.w.org/" href="/wp-json/">', HOME) == (
        f"{HOME}/wp-json/"
    )
    assert api_root({"link": f'<{HOME}/hub>; rel="hub"'}, '<link rel="x" href="y">', HOME) is None
    # an address is no relation
    assert api_root({}, '<link rel="x" href="https://api.w.org/">', HOME) is None


def test_a_route_is_asked_for_with_and_without_pretty_addresses() -> None:
    assert route(f"{HOME}/wp-json/", "/wp/v2/posts", {"page": "2"}) == (
        f"{HOME}/wp-json/wp/v2/posts?page=2"
    )
    asked = parse_qs(urlsplit(route(f"{HOME}/?rest_route=/", "/wp/v2/posts", {"page": "2"})).query)
    assert asked == {"rest_route": ["/wp/v2/posts"], "page": ["2"]}


def test_posts_are_asked_for_from_before_the_moment_because_old_sites_ignore_the_zone() -> None:
    url = posts_url(f"{HOME}/wp-json/", after=NOW, number=3, per_page=100, term=None)
    asked = parse_qs(urlsplit(url).query)
    assert asked["after"] == ["2026-11-22T17:00:00Z"]
    assert (asked["page"], asked["per_page"]) == (["3"], ["100"])
    assert "after" not in posts_url(f"{HOME}/wp-json/", after=None, number=1, per_page=9)


def test_a_category_is_asked_for_with_its_children_and_a_tag_by_its_number() -> None:
    def asked(term: Term) -> dict[str, list[str]]:
        url = posts_url(f"{HOME}/wp-json/", after=None, number=1, per_page=9, term=term)
        return parse_qs(urlsplit(url).query)

    category = asked(Term("category", 7))
    assert category["categories[terms]"] == ["7"]
    assert category["categories[include_children]"] == ["true"]
    assert asked(Term("tag", 7))["tags"] == ["7"]
    assert term_url(f"{HOME}/wp-json/", "category", "küche").endswith(
        "/wp/v2/categories?slug=k%C3%BCche&_fields=id%2Cslug"
    )
    assert read_term(b'[{"id": 7, "slug": "x"}]') == 7
    for other in (b"[]", b'[{"id": 1}, {"id": 2}]', b'[{"id": true}]', b"{}", b"x", b"[3]"):
        assert read_term(other) is None


def test_how_many_pages_there_are_stands_in_a_header() -> None:
    assert pages({"x-wp-totalpages": "12"}) == 12
    assert pages({"x-wp-totalpages": "-1"}) is None
    assert pages({}) is None


POST = {
    "id": 9,
    "date": "2026-11-23T07:30:00",
    "date_gmt": "2026-11-23T06:30:00",
    "modified_gmt": "2026-11-23T06:45:00",
    "guid": {"rendered": f"{HOME}/?post_type=post&#038;p=9"},
    "link": f"{HOME}/hafen/",
    "title": {"rendered": "Rat &#038; B\u00fcrger \u2026 <em>heute</em>"},
    "excerpt": {"rendered": "<p>Der Hafen wird gebaut.</p>"},
    "content": {"rendered": f'<p>Der Hafen.</p><img src="{HOME}/b.jpg" width="900" height="600">'},
    "_embedded": {
        "author": [{"name": "Anna &amp; Otto"}],
        "wp:term": [
            [{"taxonomy": "category", "name": "Stadt &amp; Land"}],
            [{"taxonomy": "post_tag", "name": "Hafen"}, {"taxonomy": "mood", "name": "froh"}],
        ],
        "wp:featuredmedia": [
            {
                "source_url": f"{HOME}/a.jpg",
                "alt_text": "Ein Kran",
                "media_details": {"width": 1200, "height": 800},
                "mime_type": "image/jpeg",
            }
        ],
    },
}
FEED = f"""<?xml version="1.0"?><rss version="2.0"><channel><title>Blatt</title>
<link>{HOME}</link><item><title>Rat &#038; Bürger … heute</title><link>{HOME}/hafen/</link>
<pubDate>Mon, 23 Nov 2026 06:30:00 +0000</pubDate>
<guid isPermaLink="false">{HOME}/?post_type=post&#038;p=9</guid>
<description>Der Hafen wird gebaut.</description></item></channel></rss>"""


def test_a_post_is_the_entry_that_the_feed_would_have_shown() -> None:
    found = read_posts(json.dumps([POST]).encode(), url=f"{HOME}/wp-json/wp/v2/posts")
    assert found is not None
    [entry] = found
    assert entry.title == "Rat & Bürger … heute"
    assert entry.published_at == datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
    assert (entry.author, entry.categories) == ("Anna & Otto", ("Stadt & Land", "Hafen"))
    assert [each.url for each in entry.images] == [f"{HOME}/a.jpg", f"{HOME}/b.jpg"]
    assert (entry.images[0].alt, entry.images[0].width) == ("Ein Kran", 1200)

    shown = parse(FEED.encode(), url=f"{HOME}/feed/", content_type=None)
    assert isinstance(shown, ParsedFeed)
    listed = ParsedFeed(title=None, site_url=HOME, language=None, entries=found)
    [one], [two] = (
        make_articles(each, feed_url=f"{HOME}/feed/", now=NOW) for each in (shown, listed)
    )
    assert one.key == two.key
    assert set(one.signs) == set(two.signs)


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"title": "x", "link": 3, "guid": None, "date_gmt": []},
        {"link": f"{HOME}/x", "_embedded": []},
        {"link": f"{HOME}/x", "_embedded": {"author": [{"code": "rest_user_invalid_id"}, 4]}},
        {"link": f"{HOME}/x", "_embedded": {"author": 1, "wp:term": [3, [4]], "x": None}},
        {"link": f"{HOME}/x", "_embedded": {"wp:featuredmedia": [{"media_details": 4}]}},
        {"link": "/x", "date_gmt": None, "date": "2026-11-23T07:30:00"},
        {"link": f"{HOME}/x", "title": {"rendered": "\x00" * 9}, "content": {"rendered": {}}},
        3,
        None,
        [],
    ],
)
def test_nothing_that_a_stranger_writes_raises(odd: object) -> None:
    found = read_posts(json.dumps([odd, POST]).encode(), url=HOME)
    assert found is not None
    assert found[-1].title == "Rat & Bürger … heute"
    # the site's own time without saying which is no date
    assert all(each.published_at is None for each in found[:-1])


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"code": "rest_no_route"}', b"[" * 100_000, b'"x"', b"\xff\xfe["]
)
def test_what_is_no_list_of_posts_is_none(body: bytes) -> None:
    assert read_posts(body, url=HOME) is None


def test_wordpress_is_known_by_its_guids_and_by_what_its_pages_load() -> None:
    found = read_posts(json.dumps([POST]).encode(), url=HOME)
    assert found
    assert has_its_guids(found)
    assert not has_its_guids([])
    assert looks_like_wordpress(f'<script src="{HOME}/wp-includes/x.js">')
    assert not looks_like_wordpress("<p>WordPress</p>")
