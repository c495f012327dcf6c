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


@pytest.mark.parametrize("lie", ["iso-8859-1", "windows-1251", "gb2312", "utf-16", "us-ascii", "x"])
def test_utf_8_is_known_whatever_is_said_of_it(lie: str) -> None:
    assert decode(XML.format(lie).encode(), None).endswith("<rss>Grüße</rss>")
    assert decode(XML.format("utf-8").encode(), f"text/xml; charset={lie}").endswith("Grüße</rss>")


def test_a_document_of_ascii_that_says_that_it_is_wide_is_not() -> None:
    body = XML.format("utf-16").replace("Grüße", "Hello").encode()
    assert decode(body, "text/xml; charset=utf-16").endswith("<rss>Hello</rss>")


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("windows-1251", "Привет, мир"),
        ("koi8-r", "Привет, мир"),
        ("shift_jis", "今日は①世界"),
        ("euc-jp", "今日は世界"),
        ("iso-2022-jp", "今日は世界"),
        ("gb2312", "你好世界镕"),
        ("big5", "你好世界"),
        ("euc-kr", "안녕하세요 똠"),
        ("iso-8859-9", "Doğru İş"),
        ("iso-8859-2", "Zażółć gęślą"),
    ],
)
def test_other_scripts_arrive(charset: str, text: str) -> None:
    wide = {"shift_jis": "cp932", "gb2312": "gb18030", "euc-kr": "cp949"}.get(charset, charset)
    assert decode(XML.format(charset).replace("Grüße", text).encode(wide), None).endswith(
        f"<rss>{text}</rss>"
    )


@pytest.mark.parametrize("broken", [b"\xfc", b"\xe2\x80", b"\xff"])
def test_one_broken_byte_does_not_spoil_the_others(broken: bytes) -> None:
    body = XML.format("utf-8").replace("Grüße", "Grüße, schöne Größen, Äpfel, Öl, Übel").encode()
    text = decode(body.replace(b"</rss>", broken + b"</rss>"), None)
    assert "Grüße, schöne Größen, Äpfel" in text


def test_a_western_quotation_in_utf_8_is_read_as_western() -> None:
    body = XML.format("utf-8").replace("Grüße", "äöüß ÄÖÜ ").encode().replace(b"</", b"caf\xe9</")
    assert decode(body, None).endswith("<rss>äöüß ÄÖÜ café</rss>")


def test_a_broken_byte_in_a_script_of_two_bytes_spoils_itself_alone() -> None:
    body = XML.format("gb2312").replace("Grüße", "你好世界" * 5).encode("gb18030")
    assert "你好世界" * 5 in decode(body.replace(b"</rss>", b"\xff</rss>"), None)


def test_a_declaration_behind_junk_counts() -> None:
    body = b"<!-- made by hand -->\n" + XML.format("iso-8859-2").replace("Grüße", "ąę").encode(
        "iso-8859-2"
    )
    assert decode(body, None).endswith("<rss>ąę</rss>")
