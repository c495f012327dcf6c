"""Turns the first bytes of a picture into how large it is; never decodes a pixel of it.

Pillow reads the headers of what is open in the middle (PNG, JPEG, GIF). WebP and AVIF it opens only
whole, so their sizes are read here, from where the formats put them. No memory is taken for a size
that is only claimed.
"""

from __future__ import annotations

import struct
from io import BytesIO

from PIL import GifImagePlugin, ImageFile, JpegImagePlugin, PngImagePlugin

#: bytes that are looked at
FIRST = 64 * 1024
#: beyond it, nobody made a picture for people
_LARGEST = 30_000
#: EXIF says that the camera was held upright: sides change places (tag 0x0112)
_ORIENTATION, _TURNED = 0x0112, frozenset({5, 6, 7, 8})

Size = tuple[int, int]


def size_of(data: bytes) -> Size | None:
    """Width and height in pixels, as a browser shows it; None for what is no such picture.

    `data` is the beginning of a file; its first 64 KiB are enough but for odd ones.
    """
    head = data[:FIRST]
    try:
        size = _read(head)
    except Exception:  # noqa: BLE001 -- a parser of strangers' bytes may fail in any way
        return None
    return size if size and all(0 < side <= _LARGEST for side in size) else None


def _read(head: bytes) -> Size | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return _header(PngImagePlugin.PngImageFile(BytesIO(head)))
    if head.startswith((b"GIF87a", b"GIF89a")):
        return _header(GifImagePlugin.GifImageFile(BytesIO(head)))
    if head.startswith(b"\xff\xd8\xff"):
        image = JpegImagePlugin.JpegImageFile(BytesIO(head))
        width, height = _header(image)
        turned = image.getexif().get(_ORIENTATION) in _TURNED
        return (height, width) if turned else (width, height)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _webp(head)
    if head[4:8] == b"ftyp" and b"avi" in head[8:40]:
        return _avif(head)
    return None


def _header(image: ImageFile.ImageFile) -> Size:
    # the class of a format, past Image.open: that one warns of a size before anybody decodes it
    return image.size


def _webp(head: bytes) -> Size | None:
    """RFC 9649, 2.5 to 2.7: the size stands in the first chunk."""
    kind, data = head[12:16], head[20:]
    if kind == b"VP8X":
        return _three(data[4:7]) + 1, _three(data[7:10]) + 1
    if kind == b"VP8L" and data[:1] == b"\x2f":
        bits = int.from_bytes(data[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and data[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data, 6)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _three(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _avif(head: bytes) -> Size | None:
    """ISO/IEC 23008-12, 6.5.3: each item's size is an `ispe`; the picture's is the largest."""
    sizes: list[Size] = []
    at = head.find(b"ispe")
    while at >= 0 and len(head) >= at + 16 and len(sizes) < 64:  # noqa: PLR2004 -- tiles of a grid
        sizes.append(struct.unpack_from(">II", head, at + 8))
        at = head.find(b"ispe", at + 16)
    return max(sizes, key=lambda size: size[0] * size[1], default=None)
