"""Lists of feeds: what programs and people write, and what attackers do."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from digest.feeds.opml import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_OUTLINES,
    Listed,
    OpmlRefused,
    read_opml,
    write_opml,
)

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def opml(body: str, *, before: str = "") -> bytes:
    return f'<?xml version="1.0"?>{before}<opml version="2.0"><body>{body}</body></opml>'.encode()


def listed(body: bytes) -> tuple[Listed, ...]:
    found = read_opml(body)
    assert not isinstance(found, OpmlRefused), found
    return found


def refused(body: bytes) -> str:
    found = read_opml(body)
    assert isinstance(found, OpmlRefused)
    assert "\n" not in found.reason
    return found.reason


def test_feeds_come_in_order_with_the_innermost_folder_as_section() -> None:
    found = listed(
        opml(
            '<outline text="Eins &amp; Zwei" type="rss" xmlUrl="https://a.example/feed"'
            ' htmlUrl="https://a.example/"/>'
            '<outline text="Außen"><outline title="Innen" text="x">'
            '<outline XMLURL="https://b.example/feed" title="B"/></outline>'
            '<outline><outline xmlUrl="https://c.example/feed"/></outline></outline>'
            '<outline text="leer"/>'
        )
    )
    assert found == (
        Listed(
            url="https://a.example/feed",
            title="Eins & Zwei",
            section=None,
            site_url="https://a.example/",
        ),
        Listed(url="https://b.example/feed", title="B", section="Innen"),
        Listed(url="https://c.example/feed", title=None, section="Außen"),
    )


def test_careless_programs_are_understood() -> None:
    body = (
        '\ufeff<opml version="1.0"><body><outline text="A &nbsp; &eacute; B & C"'
        ' xmlUrl="https://a.example/?feed=rss2&cat=3"/>'
        '<outline type="rss" text="U" url="feed:https://u.example/feed"/></body></opml>'
    ).encode("utf-16")
    found = listed(body)
    assert [each.url for each in found] == [
        "https://a.example/?feed=rss2&cat=3",
        "https://u.example/feed",
    ]
    assert found[0].title == "A é B & C"
    latin = '<?xml version="1.0" encoding="iso-8859-1"?><opml><body><outline text="Möwe" xmlUrl='
    assert listed(f'{latin}"https://m.example/"/></body></opml>'.encode("latin-1"))[0].title == (
        "Möwe"
    )


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc/passwd", "not an http or https"),
        ("javascript:alert(1)", "not an http or https"),
        ("//a.example/feed", "not an http or https"),
        ("https://", "not an http or https"),
        ("https://user:word@a.example/feed", "password"),
        ("https://a.example/fe ed", "spaces"),
        ("https://a.example/&#x202e;feed", "control"),
        ("https://[::1/feed", "not an address"),
        ("https://a.example:99999/feed", "not an address"),
        ("https://a.example/" + "x" * 3000, "longer"),
    ],
)
def test_an_address_that_can_be_none_is_named_with_its_reason(url: str, reason: str) -> None:
    (found,) = listed(opml(f'<outline xmlUrl="{url}"/>'))
    assert found.reason
    assert reason in found.reason
    assert len(found.url) <= 2000


def test_a_feed_without_an_address_is_named_too() -> None:
    (found,) = listed(opml('<outline type="rss" text="Ohne"/>'))
    assert (found.title, found.reason) == ("Ohne", "names no address (xmlUrl)")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not well-formed"),
        (b"\x00\xff\x00", "not well-formed"),
        (b"<html><body>x</body></html>", "not an OPML"),
        (b"<rss><channel/></rss>", "not an OPML"),
        (opml("<outline>"), "not well-formed in line 1"),
        (opml('<outline xmlUrl="https://a.example/"/>', before="<!ENTITY x>"), "not well-formed"),
        (
            opml("&x;", before='<!DOCTYPE o [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
            "entities",
        ),
        (
            opml("<outline/>", before='<!DOCTYPE o [<!ENTITY % p SYSTEM "http://x/"> %p;]>'),
            "entities",
        ),
        (opml("<outline>" * (MAX_DEPTH + 1)), "nested deeper"),
        (opml("<a>" * 10_000), "nested deeper"),
        (opml("<outline/>" * (MAX_OUTLINES + 1)), "more than"),
        (b"x" * (MAX_BYTES + 1), "larger than 10 MiB"),
    ],
    ids=lambda value: str(value)[-30:],
)
def test_what_is_no_list_is_refused_in_one_line(body: bytes, reason: str) -> None:
    assert reason in refused(body)


def test_a_bomb_costs_nothing() -> None:
    laughs = "".join(
        f'<!ENTITY l{n} "{"".join(f"&l{n - 1};" for _ in range(10))}">' for n in range(1, 12)
    )
    bomb = opml("<outline text='&l11;'/>", before=f'<!DOCTYPE o [<!ENTITY l0 "ha">{laughs}]>')
    began = time.process_time()
    assert "entities" in refused(bomb)
    assert refused(opml("<outline " + "a" * (MAX_BYTES - 1000)))
    assert refused(opml("&" * (MAX_BYTES // 2)))
    assert read_opml(opml("x" * (MAX_BYTES - 1000))) == ()
    assert time.process_time() - began < 5


def test_what_we_write_is_what_we_read() -> None:
    feeds = (
        Listed(url="https://a.example/feed?x=1&y=2", title='Die "Zeit" & <b>', section=None),
        Listed(url="https://b.example/feed", title="B", section="Jobs & mehr"),
        Listed(url="https://c.example/feed", title=None, section=None),
        Listed(
            url="https://d.example/feed",
            title="D\u202e\x00\n2",
            section="Jobs & mehr",
            site_url="https://d.example/",
        ),
    )
    text = write_opml("Ki-News\x01", feeds, made_at=NOW)
    root = ET.fromstring(text)  # noqa: S314 -- our own
    assert root.get("version") == "2.0"
    assert root.findtext("head/title") == "Ki-News"
    assert root.findtext("head/dateCreated") == "Mon, 23 Nov 2026 07:00:00 +0000"
    assert len(root.findall("body/outline")) == 3
    found = {each.url: each for each in listed(text.encode())}
    assert [found[each.url].section for each in feeds] == [each.section for each in feeds]
    assert found[feeds[0].url].title == 'Die "Zeit" &'
    assert found[feeds[3].url].title == "D 2"
    assert found[feeds[3].url].site_url == "https://d.example/"
