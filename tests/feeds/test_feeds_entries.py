"""Of several links, titles and dates of an entry, the right one is taken."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from digest.feeds.parse import parse
from digest.model.feed import Entry, ParsedFeed

URL = "https://site.example/feeds/all.xml"
RSS = (
    "<rss version='2.0' xmlns:slash='http://purl.org/rss/1.0/modules/slash/'"
    " xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'"
    " xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:atom='http://www.w3.org/2005/Atom'"
    " xmlns:thr='http://purl.org/syndication/thread/1.0' {}><channel><language>de</language>{}"
    "<item>{}</item></channel></rss>"
)
ATOM = (
    "<feed xmlns='http://www.w3.org/2005/Atom' xml:lang='de'"
    " xmlns:thr='http://purl.org/syndication/thread/1.0' {}>{}<entry {}>{}</entry></feed>"
)


def read(text: str, *, url: str = URL) -> Entry:
    parsed = parse(text.encode(), url=url, content_type=None)
    assert isinstance(parsed, ParsedFeed)
    return parsed.entries[0]


def rss(item: str, *, root: str = "", head: str = "") -> Entry:
    return read(RSS.format(root, head, item))


def atom(entry: str, *, root: str = "", head: str = "", own: str = "") -> Entry:
    return read(ATOM.format(root, head, own, entry))


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        ("<link href='/1'/><link href='/2'/>", "/1"),
        ("<link rel='alternate' type='application/pdf' href='/p'/><link href='/1'/>", "/1"),
        ("<link rel='alternate' type='application/pdf' href='/p'/>", "/p"),
        ("<link type='text/html; charset=utf-8' href='/1'/>", "/1"),
        ("<link rel='enclosure' href='/e.mp3'/><link rel='alternate' href='/1'/>", "/1"),
        ("<link href='gemini://site.example/1'/><link href='https://site.example/2'/>", "/2"),
        ("<link rel='http://www.iana.org/assignments/relation/alternate' href='/1'/>", "/1"),
        ("<link rel='self' href='/s'/><link rel='related' href='/r'/>", "/r"),
        ("<link rel='enclosure' href='/e.zip'/><link rel='enclosure' href='/e.mp3'/>", "/e.mp3"),
        ("<link rel='edit' href='/edit'/><link rel='replies' href='/r'/>", None),
        ("<id>https://site.example/1</id><link rel='self' href='/s'/>", "/1"),
        ("<id>tag:site.example:1</id>", None),
    ],
)
def test_the_link_of_an_atom_entry(links: str, expected: str | None) -> None:
    wanted = expected and f"https://site.example{expected}"
    assert atom(f"<title>t</title>{links}").link == wanted


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("<link>/1</link><atom:link href='/other'/>", "https://site.example/1"),
        ("<link/><guid>https://site.example/g</guid>", "https://site.example/g"),
        ("<guid isPermaLink='false'>https://site.example/g</guid>", "https://site.example/g"),
        ("<link>/blog/1</link><guid>/blog/1</guid>", "https://site.example/blog/1"),
        ("<link>www.site.example/1</link>", "https://www.site.example/1"),
        ("<link>site.example/1?a=1&b=2</link>", "https://site.example/1?a=1&b=2"),
        ("<enclosure url='https://cdn.example/e.mp3' type='audio/mpeg'/>",
         "https://cdn.example/e.mp3"),
        ("<enclosure url='https://cdn.example/e.jpg' type='image/jpeg'/>", None),
    ],
)  # fmt: skip
def test_the_link_of_an_rss_item(item: str, expected: str | None) -> None:
    assert rss(f"<title>t</title>{item}").link == expected


@pytest.mark.parametrize(
    ("root", "own", "link", "expected"),
    [
        ("xml:base='https://a.example/x/'", "", "href='1'", "https://a.example/x/1"),
        ("xml:base='https://a.example/x/'", "xml:base='y/'", "href='1'",
         "https://a.example/x/y/1"),
        ("xml:base='https://a.example/x/'", "", "xml:base='https://b.example/' href='1'",
         "https://b.example/1"),
        ("xml:base='https://a.example/x/'", "", "href='/1'", "https://a.example/1"),
        ("xml:base='/blog/'", "", "href='1'", "https://home.example/blog/1"),
        ("xml:base=''", "", "href='1'", "https://home.example/1"),
        ("xml:base='#top'", "", "href='/1'", "https://home.example/1"),
        ("", "", "href='1'", "https://home.example/1"),
    ],
)  # fmt: skip
def test_a_link_belongs_to_its_base_then_to_the_site(
    root: str, own: str, link: str, expected: str
) -> None:
    head = "<link href='https://home.example/'/>"
    assert atom(f"<link {link}/>", root=root, head=head, own=own).link == expected


def test_without_base_and_site_it_belongs_to_where_the_feed_was() -> None:
    assert atom("<link href='1'/>").link == "https://site.example/feeds/1"


def test_xml_base_holds_in_texts_and_for_pictures() -> None:
    entry = atom(
        "<title>t</title><link href='1'/><content type='html' xml:base='sub/'>"
        "&lt;p&gt;&lt;a href='2'&gt;x&lt;/a&gt;&lt;img src=\"i.jpg\"&gt;&lt;a href='#n'&gt;"
        "&amp;lt;a href='sample'&amp;gt;&lt;/p&gt;</content>",
        own="xml:base='https://a.example/d/'",
    )
    assert entry.content_html == (
        "<p><a href='https://a.example/d/sub/2'>x</a>"
        "<img src=\"https://a.example/d/sub/i.jpg\"><a href='#n'>"
        "&lt;a href='sample'&gt;</p>"
    )
    assert [each.url for each in entry.images] == ["https://a.example/d/sub/i.jpg"]


def test_without_xml_base_a_text_stays_as_it_is() -> None:
    assert atom("<summary type='html'>&lt;a href='2'&gt;</summary>").summary_html == "<a href='2'>"


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("<title>How &lt;div&gt; works</title>", "How <div> works"),
        ("<title type='text'>&lt;b&gt;Bold&lt;/b&gt; &amp;amp; so</title>", "Bold & so"),
        ("<title type='html'>&lt;div&gt;A &amp;amp; B&lt;/div&gt;</title>", "A & B"),
        (
            (
                "<title type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>"
                "A <em>b</em> &amp; &lt;div&gt;</div></title>"
            ),
            "A b & <div>",
        ),
        ("<title><![CDATA[A &amp; <i>b</i>]]></title>", "A & b"),
    ],
)
def test_titles_of_atom_are_text(title: str, expected: str) -> None:
    assert atom(title).title == expected


def test_a_title_that_only_the_podcast_has_is_the_title() -> None:
    assert rss("<itunes:title>Episode 1</itunes:title>").title == "Episode 1"
    assert rss("<itunes:title>Short</itunes:title><title>Long</title>").title == "Long"


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("<slash:comments>12</slash:comments>", 12),
        ("<slash:comments>0</slash:comments>", 0),
        ("<thr:total>3</thr:total>", 3),
        ("<atom:link rel='replies' href='/r' thr:count='7'/>", 7),
        ("<slash:comments>many</slash:comments>", None),
        ("", None),
    ],
)
def test_comments_are_counted(item: str, expected: int | None) -> None:
    assert rss(f"<title>t</title>{item}").comments == expected


def test_a_language_of_its_own_is_kept() -> None:
    assert rss("<title>t</title><dc:language>fr-CA</dc:language>").language == "fr-CA"
    assert atom("<title>t</title>", own="xml:lang='en'").language == "en"
    assert atom("<title xml:lang='it'>t</title>").language == "it"
    assert atom("<title>t</title>").language is None
    assert atom("<title>t</title>", own="xml:lang='DE'").language is None


def test_the_publication_date_of_journals_is_a_date() -> None:
    item = (
        "<prism:publicationDate xmlns:prism='http://prismstandard.org/namespaces/1.2/basic/'>"
        "2026-10-05</prism:publicationDate>"
    )
    assert rss(item).published_at == datetime(2026, 10, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "name", ["links", "authors", "tags", "content", "media_content", "title_detail", "image"]
)
def test_elements_that_are_called_as_our_library_calls_its_own_do_no_harm(name: str) -> None:
    entry = rss(f"<title>One</title><{name}>text</{name}><link>/1</link>")
    assert entry.title == "One"
    assert entry.link in {"https://site.example/1", None}
