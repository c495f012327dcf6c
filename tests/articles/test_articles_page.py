"""A page gives its text, its picture and its language, whatever it costs others to write it."""

from __future__ import annotations

import gzip
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.articles import page
from digest.articles.clean import clean
from digest.articles.page import Page, decode, read
from digest.model.article import Image
from digest.model.text import plain_text

URL = "https://stadtblatt.example/bruecke"
PARAGRAPHS = [
    f"Absatz {number}: Die Brücke am Hafen ist seit heute Morgen wieder offen, sagte die Stadt,"
    f" nachdem sie {number} Wochen lang gesperrt gewesen war und niemand hinüber durfte."
    for number in range(1, 6)
]
WHOLE = f"""<!DOCTYPE html><html lang="de-DE"><head><title>Brücke offen | Stadtblatt</title>
<meta property="og:image" content="/bilder/bruecke.jpg?a=1&amp;b=2">
<meta property="og:image:width" content="1200"><meta content="675" property="og:image:height">
<meta property="og:image:alt" content="Die Brücke bei Sonnenaufgang">
<meta name="author" content="Von Ada Beispiel">
<meta property="article:published_time" content="2026-11-23T08:00:00+01:00">
<link rel="canonical" href="/bruecke">
<script>var a = "<meta property='og:image' content='x'>";</script>
</head><body><nav><a href="/">Start</a> <a href="/sport">Sport</a></nav>
<article><h1>Brücke offen</h1>
{"".join(f"<p>{each}</p>" for each in PARAGRAPHS)}<p><a href="/karte?utm_source=x">Zur Karte</a></p>
<script>alert(1)</script></article><aside><p>Jetzt den Newsletter bestellen</p></aside>
<footer><p>Impressum Datenschutz</p></footer></body></html>"""


def test_a_page_is_read() -> None:
    found = read(WHOLE, URL)
    assert found == Page(
        text_html=found.text_html,
        image=Image(
            url="https://stadtblatt.example/bilder/bruecke.jpg?a=1&b=2",
            alt="Die Brücke bei Sonnenaufgang",
            width=1200,
            height=675,
        ),
        canonical_url=URL,
        language="de",
        published_at=datetime(2026, 11, 23, 7, 0, tzinfo=UTC),
        author="Ada Beispiel",
    )
    text = plain_text(found.text_html)
    assert [each for each in PARAGRAPHS if each not in text] == []
    assert "Impressum" not in text
    assert "Sport" not in text
    assert clean(found.text_html) == found.text_html
    assert "utm_source" not in found.text_html


@pytest.mark.parametrize(
    "head",
    [
        '<meta property="og:image" content="/a.jpg"><meta property="og:image:width" content="80">',
        '<meta property="og:image" content="https://i.example/favicon.ico">',
        '<meta property="og:image" content="javascript:alert(1)">',
        '<meta property="og:image" content="">',
        '<script><meta property="og:image" content="https://i.example/a.jpg"></script>',
        '<!-- <meta property="og:image" content="https://i.example/a.jpg"> -->',
        '<meta name="description" content="<meta property=og:image content=/a.jpg>">',
    ],
)
def test_what_is_no_picture_to_look_at_is_none(head: str) -> None:
    assert read(f"<html><head>{head}</head><body>", URL).image is None


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("Größe".encode(), None),
        ("Größe".encode("cp1252"), "text/html; charset=ISO-8859-1"),
        ("Größe".encode("cp1252"), None),
        ("Größe".encode("utf-16"), None),
        (b"\xef\xbb\xbf" + "Größe".encode(), "text/html; charset=latin1"),
        ("<meta charset='iso-8859-15'>Größe".encode("iso-8859-15"), "text/html"),
        ("<meta http-equiv=x content='text/html; charset=utf-8'>Größe".encode(), None),
        ("Größe".encode(), "text/html; charset=no-such-thing"),
        ("Größe".encode("cp1252"), "text/html; charset=utf-8"),
    ],
)
def test_characters_are_read_as_they_were_meant(body: bytes, content_type: str | None) -> None:
    assert decode(body, content_type).endswith("Größe")


TEXT = "Some words of an article, which are quite enough for one paragraph of it. "


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 50_000,
        "<body>" + "<div>" * 95 + TEXT + "</div>" * 95,
        "<body>" + ("<p>" + TEXT) * 9000,
        "<body><p>" + TEXT * 12_000,
        "<body>" + "".join(f"<b id={n}>" for n in range(90)) + ("<p>" + TEXT) * 5000,
        "<body>" + ("<td><tr>" + TEXT) * 5000,
        "<body><p>" + "<img src=/a.jpg>" * 15_000,
        "<meta property=og:image content=/a.jpg>" * 60_000,
        "<meta " * 600_000,
        '<meta a="' * 400_000,
        "<script>" * 500_000,
        "<form " * 500_000,
        "<" * 4_000_000,
        "&" * 1_000_000,
        "",
    ],
    ids=range(15),
)
def test_no_page_takes_long(html: str) -> None:
    begun = time.perf_counter()
    read(html, URL)
    assert time.perf_counter() - begun < 6  # the worst 1 s where nothing else runs


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.lists(st.sampled_from(WHOLE.split(">")), max_size=30))
def test_no_page_raises(text: str, parts: list[str]) -> None:
    html = read(text + ">".join(parts), URL).text_html
    assert clean(html) == html


def letters(text: str) -> str:
    return "".join(each for each in text.casefold() if each.isalnum())


def known(value: Any) -> Any:
    """What two readers agree on of a meta element."""
    return None if isinstance(value, dict) else value


def test_pages_of_real_sites_give_their_text_and_picture(corpora: Path) -> None:
    recalls, precisions = [], []
    for each in json.loads((corpora / "articles" / "expected.json").read_text())["pages"]:
        raw = (corpora / each["file"]).read_bytes()
        found = read(decode(gzip.decompress(raw) if each["gzip"] else raw, None), each["url"])
        image, canonical = known(each["meta"].get("og:image")), known(each["meta"].get("canonical"))
        assert (found.image.url if found.image else None) == image, each["file"]
        assert found.canonical_url == (urljoin(each["url"], canonical) if canonical else None)
        text, expected = plain_text(found.text_html), letters("".join(each["paragraphs"]))
        wanted = [letters(part)[:60] for part in each["paragraphs"] if len(part) > 40]
        recalls.append(sum(part in letters(text) for part in wanted) / len(wanted))
        sizes = {line: len(letters(line)) for line in text.split("\n")}
        good = sum(size for line, size in sizes.items() if letters(line)[:60] in expected)
        precisions.append(good / max(1, sum(sizes.values())))
    assert len(recalls) >= 8
    # leads are no part of what is extracted: they are the feed's excerpt
    assert sum(recalls) / len(recalls) > 0.9
    assert sum(precisions) / len(precisions) > 0.9
    assert min(recalls) > 0.75


def test_a_page_that_is_too_large_still_gives_its_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "TAGS", 3)
    found = read(WHOLE, URL)
    assert found.text_html == ""
    assert found.image is not None


@pytest.mark.parametrize("door", ["header", "meta"])
@pytest.mark.parametrize("name", ["punycode", "idna", "raw-unicode-escape", "utf-7"])
def test_a_codec_that_is_no_character_set_is_not_used(name: str, door: str) -> None:
    # punycode takes time that grows with the square: hours for a page of this size
    said = f"<meta charset={name}>".encode() if door == "meta" else b""
    body = said + b"x-" + b"ab" * 1_900_000
    begun = time.process_time()
    text = decode(body, f"text/html; charset={name}" if door == "header" else "text/html")
    assert text == body.decode()
    assert time.process_time() - begun < 2
