"""Documents that were made to hurt are read in bounded time, or told apart."""

from __future__ import annotations

import time

import pytest

from digest.feeds.parse import parse
from digest.model.feed import ParsedFeed

SECONDS = 5.0
LOL = "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))


def rss(items: str, *, head: str = "") -> str:
    return f"{head}<rss version='2.0'><channel><title>T</title>{items}</channel></rss>"


BOMBS = {
    "billion laughs": rss(
        "<item><title>&j;</title></item>", head=f'<!DOCTYPE x [<!ENTITY a "lol">{LOL}]>'
    ),
    "quadratic blow-up": rss(
        f"<item><title>{'&a;' * 50_000}</title></item>",
        head=f'<!DOCTYPE x [<!ENTITY a "{"A" * 50_000}">]>',
    ),
    "nested elements": rss("<a>" * 100_000 + "</a>" * 100_000),
    "elements never closed": "<rss><channel>" + "<a>" * 1_000_000,
    "nested XHTML": "<feed xmlns='http://www.w3.org/2005/Atom'><entry><content type='xhtml'>"
    + "<div>" * 100_000 + "</div>" * 100_000 + "</content></entry></feed>",
    "categories": rss(
        "<item>" + "".join(f"<category>c{n}</category>" for n in range(100_000)) + "</item>"
    ),
    "keywords": rss(
        "<item xmlns:media='http://search.yahoo.com/mrss/'><media:keywords>"
        + ",".join(map(str, range(300_000))) + "</media:keywords></item>"
    ),
    "attributes": rss("<item " + " ".join(f"a{n}='1'" for n in range(200_000)) + "/>"),
    "entries": rss("<item><title>t</title></item>" * 150_000),
    "declarations": "<rss><channel><item>" + "<!" * 2_000_000,
    "CDATA": "<rss><channel><item>" + "<![CDATA[" * 400_000,
    "ampersands": rss(f"<item><title>{'&' * 2_000_000}</title></item>"),
    "broken HTML": rss("<item><description>" + "x & y <p> " * 400_000 + "</description></item>"),
    "JSON": "[" * 1_000_000,
    "links of a page": "<!doctype html><html>" + "<link type=" * 400_000,
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_takes_seconds_at_most(name: str) -> None:
    body = BOMBS[name].encode()
    start = time.process_time()
    parse(body, url="https://site.example/feed", content_type=None)
    assert time.process_time() - start < SECONDS


def test_no_file_is_read_for_an_entity() -> None:
    text = rss(
        "<item><title>a&x;b</title></item>",
        head='<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
    )
    parsed = parse(text.encode(), url="https://site.example/feed", content_type=None)
    assert isinstance(parsed, ParsedFeed)
    assert parsed.entries[0].title == "a&x;b"
