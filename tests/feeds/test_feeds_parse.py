"""Documents become entries, as they are in the wild."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from digest.feeds.entries import MAX_HTML
from digest.feeds.parse import MAX_BYTES, MAX_ENTRIES, parse
from digest.model.feed import Entry, FeedFailure, ImageCandidate, ParsedFeed

URL = "https://site.example/feed.xml"
RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"
 xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">
<channel><title>Site &amp;amp; Co</title><link>https://site.example/</link><language>de-DE</language>
{}</channel></rss>"""
ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>Site</title>
<link rel="self" href="https://site.example/feed.xml"/><link href="https://site.example/"/>
{}</feed>"""


def read(text: str, *, url: str = URL) -> ParsedFeed:
    parsed = parse(text.encode(), url=url, content_type=None)
    assert isinstance(parsed, ParsedFeed), parsed
    return parsed


def rss(item: str, *, url: str = URL) -> Entry:
    return read(RSS.format(f"<item>{item}</item>"), url=url).entries[0]


def atom(entry: str, *, url: str = URL) -> Entry:
    return read(ATOM.format(f"<entry>{entry}</entry>"), url=url).entries[0]


def reason(document: str | bytes) -> str:
    body = document.encode() if isinstance(document, str) else document
    failure = parse(body, url=URL, content_type=None)
    assert isinstance(failure, FeedFailure)
    return failure.reason


def test_an_rss_item_is_read_whole() -> None:
    entry = rss(
        "<title>Eins &amp;amp; zwei</title><link>https://site.example/1</link>"
        "<guid isPermaLink='false'>id-1</guid><dc:creator>Ada</dc:creator>"
        "<pubDate>Mon, 05 Oct 2026 08:30:15 +0200</pubDate>"
        "<category>Netz</category><category><![CDATA[Technik & Co]]></category>"
        "<description>Kurz</description><comments>https://site.example/1#c</comments>"
        "<content:encoded><![CDATA[<p>Lang <img src='/a.jpg' alt='Ein Bild' width='640'></p>]]>"
        "</content:encoded>"
    )
    assert entry == Entry(
        guid="id-1",
        link="https://site.example/1",
        title="Eins & zwei",
        summary_html="Kurz",
        content_html="<p>Lang <img src='/a.jpg' alt='Ein Bild' width='640'></p>",
        author="Ada",
        categories=("Netz", "Technik & Co"),
        published_at=datetime(2026, 10, 5, 6, 30, 15, tzinfo=UTC),
        updated_at=None,
        images=(
            ImageCandidate(
                url="https://site.example/a.jpg", alt="Ein Bild", width=640, origin="html"
            ),
        ),
        comments_url="https://site.example/1#c",
    )


def test_an_atom_entry_is_read_whole() -> None:
    entry = atom(
        "<title type='html'>One &amp;lt;b&amp;gt;two&amp;lt;/b&amp;gt;</title>"
        "<id>tag:site.example:1</id>"
        "<link rel='edit' href='/edit'/><link href='/1'/><author><name>Ada</name></author>"
        "<author><name>Bob</name></author><category term='net' label='Netz'/>"
        "<published>2026-10-05T08:30:15+02:00</published><updated>2026-10-06T00:00:00Z</updated>"
        "<content type='html'>&lt;p&gt;Text&lt;/p&gt;</content>"
    )
    assert entry.guid == "tag:site.example:1"
    assert entry.link == "https://site.example/1"
    assert entry.title == "One two"
    assert entry.author == "Ada, Bob"
    assert entry.categories == ("Netz",)
    assert entry.published_at == datetime(2026, 10, 5, 6, 30, 15, tzinfo=UTC)
    assert entry.updated_at == datetime(2026, 10, 6, tzinfo=UTC)
    assert entry.content_html == "<p>Text</p>"


def test_the_feed_speaks_of_itself() -> None:
    parsed = read(RSS.format("<ttl>30</ttl>"))
    assert (parsed.title, parsed.site_url) == ("Site & Co", "https://site.example/")
    assert (parsed.language, parsed.ttl) == ("de-DE", timedelta(minutes=30))
    assert parsed.entries == ()


def test_the_syndication_module_says_how_often() -> None:
    period = "<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>"
    assert read(RSS.format(period)).ttl == timedelta(hours=6)
    assert read(RSS.format("<sy:updateFrequency>0</sy:updateFrequency>")).ttl is None


RELATIONS = (
    "<{0}link rel='hub' href='https://hub.example/'/><{0}link rel='self' href='/feed.xml'/>"
    "<{0}link rel='next' href='?page=2'/><{0}link rel='prev-archive' href='/2026/09.xml'/>"
    "<fh:complete xmlns:fh='http://purl.org/syndication/history/1.0'/>"
)


@pytest.mark.parametrize(
    "document",
    [
        ATOM.format(RELATIONS.format("")).replace(
            '<link rel="self" href="https://site.example/feed.xml"/>', ""
        ),
        RSS.format(RELATIONS.format("atom:")).replace(
            "<rss ", "<rss xmlns:atom='http://www.w3.org/2005/Atom' "
        ),
    ],
)
def test_it_names_its_hub_itself_and_its_archives(document: str) -> None:
    parsed = read(document)
    assert parsed.hub_url == "https://hub.example/"
    assert parsed.self_url == "https://site.example/feed.xml"
    assert parsed.next_url == "https://site.example/feed.xml?page=2"
    assert parsed.archive_url == "https://site.example/2026/09.xml"
    assert parsed.complete


def test_a_feed_that_names_nothing_has_nothing() -> None:
    parsed = read("<rss version='2.0'><channel><title>T</title></channel></rss>")
    assert (parsed.site_url, parsed.hub_url, parsed.self_url) == (None, None, None)
    assert (parsed.next_url, parsed.archive_url, parsed.complete) == (None, None, False)


def test_rdf_is_read() -> None:
    parsed = read(
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'"
        " xmlns='http://purl.org/rss/1.0/' xmlns:dc='http://purl.org/dc/elements/1.1/'>"
        "<channel><title>Old</title><link>https://old.example/</link></channel>"
        "<item rdf:about='https://old.example/1'><title>One</title>"
        "<link>https://old.example/1</link><dc:date>2026-10-05</dc:date></item></rdf:RDF>"
    )
    assert [(each.title, each.link) for each in parsed.entries] == [
        ("One", "https://old.example/1")
    ]
    assert parsed.entries[0].published_at == datetime(2026, 10, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("https://other.example/x", "https://other.example/x"),
        ("/x", "https://site.example/x"),
        ("x?a=1&amp;b=2", "https://site.example/x?a=1&b=2"),
        ("//cdn.example/x", "https://cdn.example/x"),
        (" https://site.example/\n  x ", "https://site.example/  x"),
        ("http://[bad", None),
        ("", None),
    ],
)
def test_links_become_absolute(link: str, expected: str | None) -> None:
    assert rss(f"<title>t</title><link>{link}</link>").link == expected


def test_xml_base_comes_first() -> None:
    entry = atom("<title>t</title><link xml:base='https://base.example/d/' href='x'/>")
    assert entry.link == "https://base.example/d/x"


def test_a_file_without_any_base_keeps_its_relative_links() -> None:
    bare = "<rss version='2.0'><channel><item><link>posts/1</link></item></channel></rss>"
    assert read(bare, url="/tmp/feed.xml").entries[0].link == "posts/1"  # noqa: S108 -- only a name


def test_a_guid_is_no_link_unless_it_is_one() -> None:
    assert (
        rss("<title>t</title><guid>https://site.example/1</guid>").link == "https://site.example/1"
    )
    assert rss("<title>t</title><guid>12345</guid>").link is None


def test_the_alternate_is_the_link_whatever_stands_around_it() -> None:
    entry = atom(
        "<title>t</title><link rel='enclosure' href='/a.mp3' type='audio/mpeg'/>"
        "<link rel='alternate' type='text/html' href='/page'/><link rel='replies' href='/r'/>"
    )
    assert entry.link == "https://site.example/page"


def test_an_unreadable_date_leaves_the_updated_one() -> None:
    entry = atom("<title>t</title><published>soon</published><updated>2026-10-06</updated>")
    assert entry.published_at == datetime(2026, 10, 6, tzinfo=UTC)


def test_a_date_in_the_future_is_kept_as_the_feed_says() -> None:
    entry = rss("<title>t</title><pubDate>Fri, 01 Jan 2038 00:00:00 GMT</pubDate>")
    assert entry.published_at == datetime(2038, 1, 1, tzinfo=UTC)


def test_pictures_come_from_wherever_they_stand() -> None:
    entry = rss(
        "<title>t</title><link>https://site.example/news/1</link>"
        "<media:content url='https://i.example/m.jpg' medium='image' width='800' height='600'/>"
        "<media:content url='https://i.example/v.mp4' type='video/mp4'/>"
        "<media:thumbnail url='https://i.example/t.jpg'/>"
        "<enclosure url='https://i.example/e.png' type='image/png' length='1'/>"
        "<enclosure url='https://i.example/e.mp3' type='audio/mpeg' length='1'/>"
        "<description>&lt;img src=&quot;h.jpg&quot;&gt;&lt;img src='data:x' data-src='l.jpg'&gt;"
        "</description>"
    )
    assert [(each.url, each.origin) for each in entry.images] == [
        ("https://i.example/m.jpg", "media"),
        ("https://i.example/e.png", "enclosure"),
        ("https://i.example/t.jpg", "media"),
        ("https://site.example/news/h.jpg", "html"),
        ("https://site.example/news/l.jpg", "html"),
    ]
    assert (entry.images[0].width, entry.images[0].height) == (800, 600)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("A & B", "A & B"),
        ("A &nbsp;&uuml;&unknown; B", "A ü&unknown; B"),
        ("&#8222;x&#8220; &#0;&#xD800;y", "\u201ex\u201c y"),
        ("<![CDATA[A & B <i>c</i>]]>", "A & B c"),
        ("a\x0b\x00b\u2028c", "ab c"),
        ("1 < 2 & 3 <> 4", "1 < 2 & 3 <> 4"),
    ],
)
def test_broken_references_in_titles_are_mended(title: str, expected: str) -> None:
    assert rss(f"<title>{title}</title>").title == expected


def test_a_document_that_is_not_well_formed_is_read_as_far_as_it_goes() -> None:
    text = RSS.format("<item><title>One</title><description><p>open <br> tags</description></item>")
    assert [each.title for each in read(text.replace("</channel>", "")).entries] == ["One"]
    assert [each.title for each in read(text[: text.index("</item>")]).entries] == ["One"]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("", "the document is empty"),
        ("  \n", "the document is empty"),
        ("hello", "neither RSS nor Atom nor JSON Feed"),
        ("<root><a>text</a></root>", "neither RSS nor Atom nor JSON Feed"),
        ("<!DOCTYPE html><html><body>Hi</body></html>", "a web page, not a feed"),
        (
            '<html><head><link rel="alternate" type="application/rss+xml" href="/feed?a=1&amp;b"/>',
            "a web page, not a feed; the page names this feed: https://site.example/feed?a=1&b",
        ),
    ],
)
def test_what_is_no_feed_is_told_apart(document: str, expected: str) -> None:
    assert reason(document) == expected


def test_prefixes_that_nobody_declared_do_not_hide_the_entries() -> None:
    parsed = read(
        "<?xml?xml version='1.0' ??><rss rss:version=2.0><rss:channel><rss:title>T</rss:title>"
        "<rss:item><rss:title>One</rss:title><rss:link>https://site.example/1</rss:link></rss:item>"
        "</rss:channel></rss>"
    )
    assert [(each.title, each.link) for each in parsed.entries] == [
        ("One", "https://site.example/1")
    ]


@pytest.mark.parametrize("prefix", ["a", "atom", "x-y"])
def test_odd_prefixes_are_read(prefix: str) -> None:
    text = (
        f"<{prefix}:feed xmlns:{prefix}='http://www.w3.org/2005/Atom'><{prefix}:entry>"
        f"<{prefix}:title>One</{prefix}:title><{prefix}:link href='/1'/></{prefix}:entry>"
        f"</{prefix}:feed>"
    )
    assert [(each.title, each.link) for each in read(text).entries] == [
        ("One", "https://site.example/1")
    ]


@pytest.mark.parametrize("version", ["0.91", "0.92", "0.93", "0.94", "2.0", "2.0.1", "3"])
def test_every_rss_is_read(version: str) -> None:
    text = f"<rss version='{version}'><channel><item><title>One</title></item></channel></rss>"
    assert [each.title for each in read(text).entries] == ["One"]


def test_atom_0_3_is_read() -> None:
    entry = read(
        "<feed version='0.3' xmlns='http://purl.org/atom/ns#'><entry><title>One</title>"
        "<link rel='alternate' type='text/html' href='/1'/><issued>2026-10-05T08:00:00Z</issued>"
        "<modified>2026-10-06T08:00:00Z</modified></entry></feed>"
    ).entries[0]
    assert (entry.title, entry.link) == ("One", "https://site.example/1")
    assert entry.published_at == datetime(2026, 10, 5, 8, tzinfo=UTC)
    assert entry.updated_at == datetime(2026, 10, 6, 8, tzinfo=UTC)


def test_a_file_name_or_an_address_is_not_opened() -> None:
    assert reason("/etc/passwd") == "neither RSS nor Atom nor JSON Feed"
    assert reason("http://127.0.0.1:1/feed") == "neither RSS nor Atom nor JSON Feed"


def test_limits_hold() -> None:
    many = "".join(f"<item><title>{n}</title></item>" for n in range(MAX_ENTRIES + 5))
    entries = read(RSS.format(many)).entries
    assert [each.title for each in entries] == [str(n) for n in range(MAX_ENTRIES)]
    assert len(rss(f"<description>{'x' * (MAX_HTML + 5)}</description>").summary_html) == MAX_HTML
    assert reason(b"x" * (MAX_BYTES + 1)) == "larger than 10 MiB"


@pytest.mark.parametrize(
    "broken",
    [
        "<image><width>9</width><title>Logo</title></image></width>",
        "</media:player>",
        "<item></channel><image><height>x</image></height>",
        "</cc:license><gml:pos>1</gml:pos></georss:where>",
        "<psc:chapter></psc:chapters>",
    ],
)
def test_a_misplaced_tag_costs_no_article(broken: str) -> None:
    names = "".join(
        f" xmlns:{prefix}='{address}'"
        for prefix, address in {
            "cc": "http://web.resource.org/cc/",
            "gml": "http://www.opengis.net/gml",
            "georss": "http://www.georss.org/georss",
            "psc": "http://podlove.org/simple-chapters",
        }.items()
    )
    text = RSS.replace("<rss ", f"<rss{names} ").format(
        f"{broken}<item><title>One</title><link>https://site.example/1</link></item>"
    )
    found = read(text).entries
    assert ("One", "https://site.example/1") in [(each.title, each.link) for each in found]
