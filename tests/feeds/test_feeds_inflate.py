"""Compressed bodies come out whole and never larger than allowed."""

from __future__ import annotations

import gzip
import zlib

import pytest

from digest.feeds.inflate import TooLarge, inflate

TEXT = b"<rss>" + b"word " * 1000 + b"</rss>"
BARE = zlib.compressobj(wbits=-15)
BARE_DEFLATE = BARE.compress(TEXT) + BARE.flush()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (TEXT, ""),
        (TEXT, "identity"),
        (gzip.compress(TEXT, mtime=0), "gzip"),
        (gzip.compress(TEXT, mtime=0), "x-gzip"),
        (gzip.compress(TEXT, mtime=0), ""),  # nobody said so
        (TEXT, "gzip"),  # somebody said so, and it is not
        (zlib.compress(TEXT), "deflate"),
        (BARE_DEFLATE, "deflate"),
        (TEXT, "deflate"),
        (gzip.compress(TEXT[:100], mtime=0) + gzip.compress(TEXT[100:], mtime=0), "gzip"),
    ],
)
def test_a_body_comes_out_whole(body: bytes, encoding: str) -> None:
    assert inflate(body, encoding, max_bytes=len(TEXT)) == TEXT


@pytest.mark.parametrize("wrap", [gzip.compress, zlib.compress])
def test_a_bomb_stops_at_the_limit(wrap: object) -> None:
    assert callable(wrap)
    encoding = "gzip" if wrap is gzip.compress else "deflate"
    with pytest.raises(TooLarge):
        inflate(wrap(bytes(50_000_000)), encoding, max_bytes=1_000_000)


def test_many_small_members_are_counted_together() -> None:
    with pytest.raises(TooLarge):
        inflate(gzip.compress(bytes(600)) * 3, "gzip", max_bytes=1000)


@pytest.mark.parametrize(
    ("body", "encoding"), [(b"x", "br"), (b"\x1f\x8bbroken", "gzip"), (b"\xff\xff", "deflate")]
)
def test_what_cannot_be_read_is_said(body: bytes, encoding: str) -> None:
    with pytest.raises(ValueError, match="body"):
        inflate(body, encoding, max_bytes=1000)


def test_members_without_end_are_refused() -> None:
    with pytest.raises(TooLarge):
        inflate(gzip.compress(b"", mtime=0) * 200_000, "gzip", max_bytes=1_000_000)
