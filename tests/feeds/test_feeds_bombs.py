"""Documents that were made to hurt are read in bounded time, or told apart."""

from __future__ import annotations

import builtins
import gc
import socket
import subprocess
import sys
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
    "attributes never closed": "<rss><channel><item " + "a " * 2_000_000,
    "angle brackets": rss(f"<item><title>{'<' * 3_000_000}</title></item>"),
    "entities": rss(f"<item><title>{'&nbsp;' * 1_000_000}</title></item>"),
    "comments never closed": "<!--" * 1_000_000,
    "document types": "<!DOCTYPE x [" * 500_000,
    "roots in a page": "<html>" + "<rss " * 1_000_000,
    "prefixes": "<rss>" + "".join(f"<p{n}:item>" for n in range(300_000)),
    "namespaces": rss("".join(f"<x xmlns:n{n}='u{n}'/>" for n in range(60_000))),
    "links of an entry": rss("<item>" + "<link href='x'/>" * 60_000 + "</item>"),
    "relative links": "<feed xml:base='http://a.example/'>"
    + f"<entry><summary type='html'>{'&lt;a href=&quot;x&quot;&gt;' * 2000}</summary></entry>" * 50
    + "</feed>",
    "JSON objects": '{"version":"https://jsonfeed.org/version/1","items":['
    + '{"a":1},' * 490_000 + "{}]}",
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


def test_the_largest_documents_take_little_memory() -> None:
    """One wide character makes each of the others four bytes long; in a process of its own."""
    script = """
import sys
from digest.feeds.parse import MAX_BYTES, parse
start, end, fill = sys.argv[1:]
body = (start + "\U0001f600").encode()
body += (fill * MAX_BYTES)[: MAX_BYTES - len(body) - len(end)].encode() + end.encode()
open("/proc/self/clear_refs", "w").write("5")
parse(body, url="https://site.example/feed", content_type=None)
print(next(line for line in open("/proc/self/status") if "VmHWM" in line).split()[1])
"""
    rss_start, rss_end = "<rss><channel><item><description>", "</description></item></channel>"
    for start, end, fill in (
        (rss_start, rss_end, "word "),
        ('{"version":"https://jsonfeed.org/version/1","items":[{"title":"', '"}]}', "word "),
    ):
        done = subprocess.run(  # noqa: S603 -- our own words
            [sys.executable, "-c", script, start, end, fill],
            capture_output=True, check=True, text=True, timeout=60,
        )  # fmt: skip
        assert int(done.stdout) < 300 * 1024


ASKING = {
    "entity": '<!DOCTYPE x [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]><rss><channel><item>'
    "<title>&x;</title></item></channel></rss>",
    "parameter entity": '<!DOCTYPE x [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x.dtd"> %x;]>'
    "<rss><channel><item/></channel></rss>",
    "DTD": '<!DOCTYPE rss SYSTEM "http://127.0.0.1:9/rss.dtd"><rss><channel><item/></channel></rss>',
    "public DTD": '<!DOCTYPE rss PUBLIC "-//X//EN" "file:///etc/passwd"><rss><channel></rss>',
    "XInclude": "<rss xmlns:xi='http://www.w3.org/2001/XInclude'><channel><item><title>"
    "<xi:include href='file:///etc/passwd' parse='text'/></title></item></channel></rss>",
    "style sheet": "<?xml-stylesheet href='http://127.0.0.1:9/x.xsl' type='text/xsl'?>"
    "<rss><channel><item/></channel></rss>",
    "schema": "<feed xmlns='http://www.w3.org/2005/Atom'"
    " xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'"
    " xsi:schemaLocation='http://127.0.0.1:9/x.xsd x'><entry/></feed>",
    "content": "<feed xmlns='http://www.w3.org/2005/Atom'><entry>"
    "<content type='text/html' src='http://127.0.0.1:9/x'/></entry></feed>",
    "address": "http://127.0.0.1:9/feed",
    "file": "/etc/passwd",
    "page": "<html><head><link type='application/rss+xml' href='http://127.0.0.1:9/'></head>",
    "JSON": '{"version":"https://jsonfeed.org/version/1","next_url":"http://127.0.0.1:9/",'
    '"items":[{"id":"1","url":"http://127.0.0.1:9/","image":"file:///etc/passwd"}]}',
    "not well-formed": '<!DOCTYPE x [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]><rss><channel>'
    "<item><title>&x;<b></title></item>",
}


@pytest.mark.parametrize("name", ASKING)
def test_reading_opens_no_socket_and_no_file(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def read() -> object:
        return parse(ASKING[name].encode(), url="https://site.example/feed", content_type=None)

    expected = read()  # what Python loads on first use is loaded now

    def forbidden(*args: object, **_kwargs: object) -> object:
        raise AssertionError(args)

    asked: list[str] = []
    watch(asked)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(socket, "socket", forbidden)
            patch.setattr(socket, "create_connection", forbidden)
            patch.setattr(socket, "getaddrinfo", forbidden)
            patch.setattr(builtins, "open", forbidden)
            assert read() == expected
    finally:
        WATCHED.clear()
    assert asked == []


#: where the audit hook writes, for a hook cannot be taken off again
WATCHED: list[list[str]] = []
HOOKED: list[bool] = []


def watch(asked: list[str]) -> None:
    """Write down what the interpreter itself says that it opens, connects to or runs."""
    gc.collect()
    WATCHED[:] = [asked]
    if not HOOKED:
        HOOKED.append(True)
        sys.addaudithook(_note)


def _note(event: str, _args: tuple[object, ...]) -> None:
    if WATCHED and event.startswith(("socket.", "open", "subprocess.", "os.system", "urllib.")):
        WATCHED[0].append(event)


def test_no_file_is_read_for_an_entity() -> None:
    text = rss(
        "<item><title>a&x;b</title></item>",
        head='<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
    )
    parsed = parse(text.encode(), url="https://site.example/feed", content_type=None)
    assert isinstance(parsed, ParsedFeed)
    assert parsed.entries[0].title == "a&x;b"
