"""News sitemaps as entries; nothing in them grows, reaches out or raises."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from digest.feeds.sitemap import MAX_ENTRIES, likely, places, read_sitemap

HOME = "https://blatt.example"
URL = f"{HOME}/news-sitemap.xml"
NEWS = """<url><loc>{loc}</loc><news:news><news:publication><news:name>Blatt</news:name>
<news:language>de</news:language></news:publication>
<news:publication_date>{date}</news:publication_date><news:title>{title}</news:title>
<news:keywords>Hafen, Stadt,</news:keywords></news:news>
<image:image><image:loc>{home}/a.jpg</image:loc><image:title>Kran</image:title></image:image></url>
"""
NAMES = (
    'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    ' xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'
    ' xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'
)


def news(
    loc: str = f"{HOME}/hafen/", date: str = "2026-11-23T08:30:00+01:00", title: str = "Der Hafen"
) -> str:
    return NEWS.format(loc=loc, date=date, title=title, home=HOME)


def sitemap(*urls: str, names: str = NAMES) -> bytes:
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return f"\n{head}<urlset {names}>{''.join(urls)}</urlset>".encode()


def test_news_become_entries_with_title_link_date_and_picture() -> None:
    read = read_sitemap(sitemap(news(title="Rat &amp; &quot;Bürger&quot;")), url=URL)
    assert read is not None
    [entry] = read.entries
    assert (entry.link, entry.title) == (f"{HOME}/hafen/", 'Rat & "Bürger"')
    assert entry.published_at == datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
    assert [each.url for each in entry.images] == [f"{HOME}/a.jpg"]
    assert entry.categories == ("Hafen", "Stadt")
    assert entry.guid is None


def test_a_prefix_that_nobody_declared_is_read_all_the_same() -> None:
    read = read_sitemap(sitemap(news(), names=""), url=URL)
    assert read is not None
    assert len(read.entries) == 1


def test_pages_without_news_are_no_entries() -> None:
    read = read_sitemap(sitemap(f"<url><loc>{HOME}/impressum/</loc></url>", news()), url=URL)
    assert read is not None
    assert [each.link for each in read.entries] == [f"{HOME}/hafen/"]
    untitled = read_sitemap(sitemap(news(title="  "), news(loc="")), url=URL)
    assert untitled is not None
    assert untitled.entries == ()


def test_an_index_names_its_sitemaps_and_those_of_news_are_likely() -> None:
    index = b"""<sitemapindex><sitemap><loc>/post-sitemap.xml</loc></sitemap>
    <sitemap><loc>https://blatt.example/news-sitemap1.xml</loc></sitemap></sitemapindex>"""
    read = read_sitemap(index, url=URL)
    assert read is not None
    assert read.children == (f"{HOME}/post-sitemap.xml", f"{HOME}/news-sitemap1.xml")
    assert likely(read.children) == (f"{HOME}/news-sitemap1.xml",)


def test_one_that_breaks_off_counts_as_far_as_it_goes() -> None:
    whole = sitemap(news(), news(loc=f"{HOME}/zwei/"))
    read = read_sitemap(whole[: whole.rindex(b"<news:title>")], url=URL)
    assert read is not None
    assert [each.link for each in read.entries] == [f"{HOME}/hafen/"]


def test_of_too_many_the_first_are_read() -> None:
    many = (news(loc=f"{HOME}/{number}") for number in range(MAX_ENTRIES + 50))
    read = read_sitemap(sitemap(*many), url=URL)
    assert read is not None
    assert len(read.entries) == MAX_ENTRIES


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>404</body></html>",
        b"<rss><channel><item/></channel></rss>",
        b"not xml",
        b"<urlset>" + b"<a>" * 100_000,
        b'<!DOCTYPE x [<!ENTITY a "b">]><urlset><url><loc>&a;</loc></url></urlset>',
        b'<!DOCTYPE x SYSTEM "http://127.0.0.1/x"><urlset></urlset>',
        b"\xff\xfe\x00",
    ],
)
def test_what_is_no_sitemap_is_none(body: bytes) -> None:
    assert read_sitemap(body, url=URL) is None


def test_a_long_text_is_cut_and_a_wrong_date_is_none() -> None:
    read = read_sitemap(sitemap(news(title="x" * 900_000, date="neulich")), url=URL)
    assert read is not None
    assert read.entries[0].published_at is None
    assert len(read.entries[0].title) <= 2000


def test_a_news_sitemap_is_looked_for_where_robots_txt_says_and_where_most_have_it() -> None:
    robots = f"User-agent: *\nSITEMAP : {HOME}/sitemap.xml\nSitemap: /google-news.xml\n"
    assert places(robots, HOME) == (
        f"{HOME}/google-news.xml",
        f"{HOME}/news-sitemap.xml",
        f"{HOME}/sitemap-news.xml",
        f"{HOME}/sitemap.xml",
    )
    assert places("", HOME) == (f"{HOME}/news-sitemap.xml", f"{HOME}/sitemap-news.xml")
