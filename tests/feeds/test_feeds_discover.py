"""What a page names as feeds, and where feeds usually are."""

from __future__ import annotations

import time

import pytest

from digest.feeds.discover import (
    MAX_ANCHORS,
    MAX_CATEGORIES,
    Candidate,
    category_feeds,
    discover,
    kind_of,
    usual_places,
)

HOME = "https://blatt.example/"
RSS = 'rel="alternate" type="application/rss+xml"'


def urls(page: str, url: str = HOME, **more: str) -> list[str]:
    return [each.url for each in discover(page, url, **more)]


def only(page: str, url: str = HOME) -> Candidate:
    (found,) = discover(page, url)
    return found


@pytest.mark.parametrize(
    "link",
    [
        f'<link {RSS} title="Blatt" href="/feed">',
        f'<LINK HREF="/feed" {RSS.upper()} TITLE="Blatt"/>',
        "<link rel=alternate type=application/atom+xml title=Blatt href=/feed>",
        "<link rel='ALTERNATE feed' title='Blatt' href='https://blatt.example/feed#top'>",
        f'<link {RSS} title="Blatt" href="feed:https://blatt.example/feed">',
        f'<link data-href="/no" title="Blatt" {RSS} href="/feed" href="/second">',
        f'<link\n  {RSS}\n  title="Bl&#97;tt"\n  href="&#47;feed">',
        f'<link {RSS} title="Blatt" x="a > b" href="/feed">',
    ],
)
def test_a_link_for_machines_is_a_feed_however_it_is_written(link: str) -> None:
    assert only(link) == Candidate(url=f"{HOME}feed", found_by="link", title="Blatt")


@pytest.mark.parametrize(
    "link",
    [
        '<link rel="alternate" hreflang="en" href="/en/">',
        '<link rel="alternate" type="application/json" href="/wp-json/wp/v2/pages/2">',
        '<link rel="alternate" type="application/json+oembed" href="/oembed?url=feed">',
        '<link rel="stylesheet" type="application/rss+xml" href="/feed">',
        f"<link {RSS}>",
        f'<link {RSS} href="javascript:alert(1)">',
        f'<link {RSS} href="file:///etc/passwd">',
        f'<!-- <link {RSS} href="/feed"> -->',
        f"<script>'<link {RSS} href=\"/feed\">'</script>",
        f'<link {RSS} href="/{"x" * 3000}">',
    ],
)
def test_what_only_looks_like_one_is_none(link: str) -> None:
    assert discover(link, HOME) == ()


def test_links_are_seen_from_the_base_of_the_page() -> None:
    page = f'<base href="/blog/"><link {RSS} href="feed.xml">'
    assert urls(page, "https://blatt.example/a/b") == ["https://blatt.example/blog/feed.xml"]


def test_the_header_names_feeds_too() -> None:
    header = (
        '<https://blatt.example/wp-json/>; rel="https://api.w.org/", </atom.xml>; rel="alternate";'
        ' type="application/atom+xml"; title="Alles, immer; neu"'
    )
    (found,) = discover("", HOME, link_header=header)
    assert (found.url, found.title) == (f"{HOME}atom.xml", "Alles, immer neu")


def test_links_come_before_anchors_and_comments_after_all() -> None:
    page = f"""
    <a href="/news.rss">Nachrichten</a>
    <link {RSS} title="Blatt » Comments Feed" href="/comments/feed/">
    <link {RSS} title="Blatt » Feed" href="/feed/">
    <a href="/news.rss">noch einmal</a>
    """
    found = discover(page, HOME)
    assert [(each.url.removeprefix(HOME), each.found_by) for each in found] == [
        ("feed/", "link"),
        ("news.rss", "anchor"),
        ("comments/feed/", "link"),
    ]
    assert [each.comments for each in found] == [False, False, True]
    assert found[1].title == "Nachrichten"


@pytest.mark.parametrize(
    ("title", "href", "comments"),
    [
        ("Kommentar-Feed", "/x.xml", True),
        ("Comments for Blatt", "/x.xml", True),
        ("Blatt - Comments (Atom)", "/x.xml", True),
        ("Kommentare zu: Ein Haus", "/x.xml", True),
        ("", "/feeds/comments/default", True),
        ("", "/?feed=comments-rss2", True),
        ("Opinion and comment pieces", "/opinion/feed", False),
        ("No comment: pictures", "/no-comment-needed/feed", False),
    ],
)
def test_what_readers_write_is_marked(title: str, href: str, comments: bool) -> None:  # noqa: FBT001
    assert only(f'<link {RSS} title="{title}" href="{href}">').comments is comments


@pytest.mark.parametrize(
    "href",
    [
        "/feed",
        "/feed/",
        "/blog/rss.xml",
        "/rss/news",
        "/news.atom",
        "/index.rdf",
        "/?feed=rss2",
        "/export?format=rss",
        "https://feeds.feedburner.com/blatt",
        "https://news.blatt.example/rss",
    ],
)
def test_anchors_that_lead_to_feeds_are_seen(href: str) -> None:
    assert len(urls(f'<a class="x" href="{href}"><img></a>')) == 1


@pytest.mark.parametrize(
    "href",
    [
        "/feedback",
        "/about",
        "/pressefreiheit",
        "/seed/",
        "/atomkraft",
        "mailto:rss@blatt.example",
        "https://freund.example/feed",
        "https://feedly.com/i/subscription/feed/https://blatt.example/feed",
        "https://notblatt.example/feed",
    ],
)
def test_anchors_that_lead_elsewhere_are_not(href: str) -> None:
    assert urls(f'<a href="{href}">Mehr davon</a>') == []


def test_an_anchor_that_calls_itself_a_feed_is_asked() -> None:
    assert len(urls('<a href="/was-es-gibt">RSS-Feed</a>')) == 1
    assert urls('<a href="https://freund.example/x">RSS</a>') == []


def test_a_page_full_of_anchors_is_asked_for_a_few() -> None:
    page = "".join(f'<a href="/{n}/feed">x</a>' for n in range(5000))
    assert len(urls(page)) == MAX_ANCHORS


def test_usual_places_are_those_of_the_folder_and_of_the_root() -> None:
    found = [each.url for each in usual_places("https://blatt.example/blog/")]
    assert found[0] == "https://blatt.example/blog/feed/"
    wanted = {"feed", "feed/", "rss", "rss.xml", "feed.xml", "atom.xml", "index.xml", "feed.json"}
    assert wanted | {"?feed=rss2"} <= {each.removeprefix(HOME) for each in found}
    assert len(found) == len(set(found)) < 20
    assert usual_places("https://blatt.example/blog") == usual_places("https://blatt.example/blog/")
    assert len(usual_places(HOME)) == 10


def test_a_wordpress_is_asked_where_wordpress_keeps_feeds() -> None:
    page = '<link rel="stylesheet" href="/wp-content/themes/x.css">' + "".join(
        f'<a href="/category/thema-{n}/">Thema {n}</a>' for n in range(20)
    )
    assert [each.url.removeprefix(HOME) for each in usual_places(HOME, page)] == [
        "feed/",
        "?feed=rss2",
    ]
    found = category_feeds(page, HOME)
    assert len(found) == MAX_CATEGORIES
    assert (found[0].url, found[0].title) == (f"{HOME}category/thema-0/feed/", "Thema 0")
    assert category_feeds('<a href="/category/thema/">x</a>', HOME) == ()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('<?xml version="1.0"?><rss version="2.0">', "rss"),
        ('<feed xmlns="http://www.w3.org/2005/Atom">', "atom"),
        ("<!-- x --><a:feed>", "atom"),
        ("<rdf:RDF xmlns:rdf='x'>", "rdf"),
        ('{"version": "https://jsonfeed.org/version/1.1"}', "json"),
    ],
)
def test_the_kind_is_told_by_the_root(text: str, kind: str) -> None:
    assert kind_of(text) == kind


@pytest.mark.parametrize(
    "page",
    [
        '<a href="' * 300_000,
        "<a '" * 300_000,
        "<a \"'" * 300_000,
        "<link " * 300_000,
        "<!--" * 300_000,
        "<script" * 300_000,
        "<a " + "x=y " * 300_000,
        "<a " + "x" * 1_000_000,
        '<a href="/feed">' * 100_000,
        "<link rel=alternate type=application/rss+xml href=" + "'" * 1_000_000,
    ],
    ids=lambda page: page[:12],
)
def test_no_page_takes_long(page: str) -> None:
    began = time.process_time()
    discover(page, HOME, link_header=page)
    category_feeds(page, HOME)
    assert time.process_time() - began < 3
