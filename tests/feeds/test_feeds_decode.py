"""Bytes become text whatever was said about their encoding."""

from __future__ import annotations

import pytest

from digest.feeds.decode import decode

XML = '<?xml version="1.0" encoding="{}"?><rss>Grüße</rss>'


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (XML.format("utf-8").encode(), None),
        (XML.format("utf-8").encode("utf-8-sig"), None),
        (XML.format("iso-8859-1").encode("latin-1"), None),
        (XML.format("ISO-8859-1").encode("latin-1"), "text/xml"),
        (XML.format("utf-16").encode("utf-16"), None),
        (XML.format("utf-16").encode("utf-16-be"), None),
        (XML.format("utf-32").encode("utf-32"), None),
        (XML.format("utf-8").encode("latin-1"), "application/xml; charset=utf-8"),
        (XML.format("utf-8").encode("latin-1"), 'text/xml; charset="iso-8859-1"'),
        (XML.format("iso-8859-1").encode(), "text/xml; charset=utf-8"),
        (XML.format("no-such-thing").encode(), None),
        (b"\n\n  " + XML.format("utf-8").encode(), None),
    ],
)
def test_umlauts_arrive(body: bytes, content_type: str | None) -> None:
    assert decode(body, content_type).endswith("<rss>Grüße</rss>")


@pytest.mark.parametrize("name", ["utf-7", "idna", "punycode", "zip", "rot13", "unicode_escape"])
def test_a_codec_that_is_no_charset_is_not_used(name: str) -> None:
    assert decode(XML.format(name).encode(), None).endswith("<rss>Grüße</rss>")


def test_western_bytes_that_say_latin_1_keep_their_quotes() -> None:
    body = XML.format("iso-8859-1").replace("Grüße", "\u201eGruß\u201c \u20ac").encode("cp1252")
    assert "\u201eGruß\u201c \u20ac" in decode(body, None)


def test_characters_that_xml_forbids_are_gone() -> None:
    assert decode(b"<rss>a\x00b\x0bc\tx</rss>", None) == "<rss>abc\tx</rss>"
