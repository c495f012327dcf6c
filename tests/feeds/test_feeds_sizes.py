"""How large a picture is stands in its first bytes, in each format; no pixel is decoded."""

from __future__ import annotations

import struct
import time
import warnings
import zlib
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from digest.feeds.sizes import FIRST, size_of


def picture(kind: str, size: tuple[int, int] = (640, 360), **options: Any) -> bytes:
    file = BytesIO()
    noise = Image.effect_noise(size, 90).convert("P" if kind == "GIF" else "RGB")
    noise.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("GIF", {}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0"}),
        ("AVIF", {}),
    ],
)
def test_the_first_bytes_are_enough(kind: str, options: dict[str, Any]) -> None:
    data = picture(kind, **options)
    assert size_of(data) == (640, 360)
    assert size_of(data[:FIRST]) == (640, 360)
    assert size_of(data[:1500]) == (640, 360)


def test_a_photograph_that_was_held_upright_is_upright() -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    assert size_of(picture("JPEG", exif=turned)) == (360, 640)


def test_a_large_profile_before_the_picture_does_not_hide_its_size() -> None:
    assert size_of(picture("JPEG", icc_profile=b"\0" * 40_000)) == (640, 360)


def png(width: int, height: int, *more: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + b"".join(chunk(b"zTXt", each) for each in more)
        + chunk(b"IDAT", b"")
    )


def test_a_bomb_takes_neither_time_nor_memory_and_warns_of_nothing() -> None:
    begun = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert size_of(png(29_000, 29_000)) == (29_000, 29_000)
        assert size_of(png(2_000_000_000, 2_000_000_000)) is None
        size_of(png(600, 400, b"k\0\0" + zlib.compress(b"\0" * 30_000_000)))
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"RIFF\0\0\0\0WEBP",
        b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0",
        b"\0\0\0\x1cftypavif",
        b"<html><body>404</body></html>",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='600' height='400'/>",
        b"BM" + b"\0" * 100,
        png(0, 400),
    ],
)
def test_what_is_no_such_picture_has_no_size(data: bytes) -> None:
    assert size_of(data) is None


@given(st.sampled_from(["PNG", "JPEG", "GIF", "WEBP", "AVIF"]), st.data())
def test_broken_pictures_never_raise(kind: str, data: st.DataObject) -> None:
    whole = bytearray(_SAMPLES[kind])
    for _ in range(data.draw(st.integers(0, 8))):
        whole[data.draw(st.integers(0, min(len(whole), 400) - 1))] = data.draw(st.integers(0, 255))
    size_of(bytes(whole[: data.draw(st.integers(0, len(whole)))]))


_SAMPLES = {kind: picture(kind, (64, 48)) for kind in ("PNG", "JPEG", "GIF", "WEBP", "AVIF")}
