"""Entries become articles: texts that are safe to show, one picture, an identity."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.articles.make import make_articles
from digest.feeds.parse import parse
from digest.model.article import Image, NewArticle
from digest.model.feed import Entry, ImageCandidate, ParsedFeed

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FEED = "https://site.example/feed"
ENTRY = Entry(
    guid="id-1",
    link="https://site.example/1",
    title="Ein Titel",
    summary_html="<p>Eine Zusammenfassung, die lang genug ist, um etwas zu sagen.</p>",
    content_html="<p>Der Text beginnt hier. Er hat sieben Wörter.</p>",
    author="Ada",
    categories=("Netz", "Netz", "", "Technik"),
    published_at=datetime(2026, 11, 23, 8, 0, tzinfo=UTC),
    updated_at=None,
    images=(ImageCandidate(url="https://i.example/a.jpg", alt="Zwei Hunde", origin="html"),),
    comments_url="https://site.example/1#comments",
)


def feed(*entries: Entry, site_url: str | None = "https://site.example/") -> ParsedFeed:
    return ParsedFeed(title="Site", site_url=site_url, language="de", entries=entries)


def made(entry: Entry, *, site_url: str | None = "https://site.example/") -> NewArticle:
    (article,) = make_articles(feed(entry, site_url=site_url), feed_url=FEED, now=NOW)
    return article


def test_an_entry_becomes_an_article() -> None:
    article = made(ENTRY)
    assert article == NewArticle(
        key=article.key,
        link_key=article.link_key,
        signs=article.signs,
        language="de",
        url="https://site.example/1",
        title="Ein Titel",
        excerpt="Eine Zusammenfassung, die lang genug ist, um etwas zu sagen.",
        image=Image(url="https://i.example/a.jpg", alt="Zwei Hunde"),
        author="Ada",
        categories=("Netz", "Technik"),
        published_at=datetime(2026, 11, 23, 8, 0, tzinfo=UTC),
        words=10,
        comments_url="https://site.example/1#comments",
    )


@pytest.mark.parametrize(
    "summary",
    [
        "",
        "Kurz.",
        "Der Text beginnt hier. Er hat sieben […]",
        "Der Text beginnt … Continue reading →",
    ],
)
def test_a_poor_summary_gives_way_to_the_text(summary: str) -> None:
    article = made(replace(ENTRY, summary_html=summary))
    assert article.excerpt == "Der Text beginnt hier. Er hat sieben Wörter."


def test_a_summary_that_repeats_the_title_gives_way_to_the_text() -> None:
    title = "Ein Titel, der so lang ist wie eine ganze Zusammenfassung"
    article = made(replace(ENTRY, title=title, summary_html=f"<b>{title}</b>"))
    assert article.excerpt == "Der Text beginnt hier. Er hat sieben Wörter."


def test_without_a_title_the_text_begins_the_card() -> None:
    assert made(replace(ENTRY, title="")).title == (
        "Eine Zusammenfassung, die lang genug ist, um etwas zu sagen."
    )
    bare = replace(ENTRY, title="", summary_html="", content_html="")
    assert made(bare).title == "site.example"
    assert len(made(replace(bare, content_html="wort " * 100)).title) <= 80


@pytest.mark.parametrize(
    ("link", "guid", "site", "expected"),
    [
        (None, "https://site.example/?p=1", None, "https://site.example/?p=1"),
        ("javascript:alert(1)", "id-1", "https://site.example/", "https://site.example/"),
        ("posts/1", None, "https://site.example/", "https://site.example/"),
        # the feed itself is no page: nobody reads XML
        (None, None, None, ""),
        (None, None, "javascript:alert(1)", ""),
    ],
)
def test_an_entry_that_leads_nowhere_leads_home(
    link: str | None, guid: str | None, site: str | None, expected: str
) -> None:
    assert made(replace(ENTRY, link=link, guid=guid), site_url=site).url == expected


def test_a_file_is_no_place_to_lead_to() -> None:
    parsed = feed(replace(ENTRY, link=None), site_url=None)
    (article,) = make_articles(parsed, feed_url="/home/ada/feed.xml", now=NOW)
    assert article.url == ""


@pytest.mark.parametrize("ahead", [timedelta(minutes=11), timedelta(hours=2), timedelta(days=365)])
def test_a_date_ahead_is_not_believed(ahead: timedelta) -> None:
    assert made(replace(ENTRY, published_at=NOW + ahead)).published_at is None


def test_clocks_may_differ_a_little() -> None:
    soon = NOW + timedelta(minutes=10)
    assert made(replace(ENTRY, published_at=soon)).published_at == soon
    assert made(replace(ENTRY, published_at=None)).published_at is None


@pytest.mark.parametrize("year", [1, 1899, 1970, 1994])
def test_a_date_before_there_were_feeds_is_not_believed(year: int) -> None:
    assert made(replace(ENTRY, published_at=datetime(year, 1, 1, tzinfo=UTC))).published_at is None
    old = datetime(1999, 3, 1, tzinfo=UTC)
    assert made(replace(ENTRY, published_at=old)).published_at == old


def test_readers_links_carry_no_tracking() -> None:
    tracked = replace(
        ENTRY,
        link="https://site.example/1?p=2&utm_source=rss#ref=rss",
        comments_url="https://site.example/1?wt_mc=rss#comments",
    )
    article = made(tracked)
    assert article.url == "https://site.example/1?p=2"
    assert article.comments_url == "https://site.example/1#comments"


LONG = "<p>" + "Ein Satz mit sieben Wörtern steht hier. " * 20 + "</p>"


def test_a_text_is_kept_as_clean_html_and_a_teaser_is_not() -> None:
    assert made(ENTRY).html == ""
    article = made(replace(ENTRY, content_html=f"{LONG}<script>x</script><a href='/b'>mehr</a>"))
    assert article.html.startswith("<p>Ein Satz")
    assert '<a href="https://site.example/b"' in article.html
    assert "script" not in article.html
    assert article.words == 141
    assert made(replace(ENTRY, summary_html=LONG)).html.startswith("<p>Ein Satz")


def test_a_text_that_its_publisher_broke_off_is_a_teaser() -> None:
    assert made(replace(ENTRY, content_html=LONG.replace("</p>", " […]</p>"))).html == ""


def test_a_summary_that_the_text_begins_with_is_told_by_whole_sentences() -> None:
    summary = "Der Text beginnt hier. Er hat sie"
    assert made(replace(ENTRY, summary_html=summary)).excerpt == (
        "Der Text beginnt hier. Er hat sieben Wörter."
    )


def test_a_language_is_the_entrys_before_the_feeds() -> None:
    assert made(replace(ENTRY, language="en-GB")).language == "en"
    assert made(replace(ENTRY, language="x-default")).language == "de"


def test_people_are_named_and_their_addresses_are_not() -> None:
    assert made(replace(ENTRY, author="ada@site.example (Ada Beispiel)")).author == "Ada Beispiel"
    assert made(replace(ENTRY, author="ada@site.example")).author is None


def test_comments_are_counted_as_the_feed_does() -> None:
    assert made(replace(ENTRY, comments=7)).comments == 7


def test_repeats_become_one_and_the_order_stays() -> None:
    entries = [replace(ENTRY, guid=f"id-{n}", title=f"Titel {n}") for n in (3, 1, 2)]
    articles = make_articles(feed(*entries, entries[0]), feed_url=FEED, now=NOW)
    assert [each.title for each in articles] == ["Titel 3", "Titel 1", "Titel 2"]


def test_everything_has_its_limit() -> None:
    article = made(
        replace(
            ENTRY,
            title="wort " * 100,
            author="name " * 50,
            categories=tuple(f"{n} {'x' * 100}" for n in range(20)),
        )
    )
    assert len(article.title) <= 300
    assert article.title.endswith("wort…")
    assert article.author is not None
    assert len(article.author) <= 100
    assert len(article.categories) == 10
    assert max(map(len, article.categories)) <= 60


texts = st.text(alphabet="ab <>&\"'/\x00\n\r\u2028\u202e\ud800;#:.", max_size=60)


@given(texts, texts, texts)
def test_no_text_carries_a_control_or_a_hidden_character(one: str, two: str, three: str) -> None:
    entry = replace(
        ENTRY, title=one, summary_html=two, author=three, categories=(one,), guid=two, link=three
    )
    assert_safe(made(entry))


def test_no_hostile_payload_comes_through(corpora: Path) -> None:
    payloads = json.loads((corpora / "xss" / "payloads.json").read_text())["payloads"]
    texts = [each["payload"] for each in payloads]
    assert len(texts) > 10
    for text in texts:
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        cdata = text.replace("]]>", "]]]]><![CDATA[>")
        document = (
            f"<rss version='2.0'><channel><title>{escaped}</title><link>{escaped}</link>"
            f"<item><title>{escaped}</title><link>{escaped}</link><guid>{escaped}</guid>"
            f"<author>{escaped}</author><category>{escaped}</category>"
            f"<description><![CDATA[{cdata}]]></description></item>"
            f"<item><title><![CDATA[{cdata}]]></title><description>{text}</description></item>"
            "</channel></rss>"
        )
        parsed = parse(document.encode("utf-8", "replace"), url=FEED, content_type=None)
        assert isinstance(parsed, ParsedFeed)
        articles = make_articles(parsed, feed_url=FEED, now=NOW)
        assert articles
        for article in articles:
            assert_safe(article)


def assert_safe(article: NewArticle) -> None:
    lines = [article.title, article.excerpt, article.author or "", *article.categories]
    lines.append(article.image.alt if article.image else "")
    for line in lines:
        line.encode()
        assert line == " ".join(line.split())
        assert line.isprintable() or not set(line) & set("\x00\x07\x1b\x7f\u2028\u2029\u202e\ufeff")
    urls = [article.url, article.comments_url, article.image.url if article.image else None]
    for url in filter(None, urls):
        assert urlsplit(url).scheme in {"http", "https"}
        assert urlsplit(url).hostname
        assert not set(url) & set('<>"\\ \n\r\t\u2028\u202e')
