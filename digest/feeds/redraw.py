"""Turns a stranger's picture into one of ours: small enough for a mail, and nothing else in it.

What comes out is a new JPEG: no place where it was taken, no thumbnail, no comment, no second frame
is left. It is meant to run in a process of its own (`jobs.making`), for it decodes what strangers
send; what that may cost is known from the header, before anything is decoded.
"""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO
from typing import Final

from PIL import Image, ImageCms, UnidentifiedImageError

from digest.feeds.sizes import size_of
from digest.model.picture import NoPicture, Redrawn

#: twice the column of a card and twice its tallest picture, for screens of two dots a pixel
WIDEST: Final = 1112
TALLEST: Final = 960
#: octets of a picture that we serve; always kept
MOST: Final = 60_000
#: pixels of a picture that we decode: a telephone's largest has 50 million
PIXELS: Final = 50_000_000
_KINDS: Final = ("JPEG", "PNG", "WEBP", "GIF")
#: tried in this order; below the last one a smaller picture looks better than a worse one
_QUALITIES: Final = (84, 76, 68, 60, 52, 44)
_SMALLER: Final = 0.8
#: what shines through a transparent picture: the paper that most were drawn for
_PAPER: Final = (255, 255, 255)

#: EXIF says how the camera was held (tag 0x0112), and what brings the picture upright
_ORIENTATION: Final = 0x0112
_TURNED: Final = frozenset({5, 6, 7, 8})
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# the size is looked at here, and this is the one place that calls `Image.open`
Image.MAX_IMAGE_PIXELS = None


def redraw(data: bytes) -> Redrawn | NoPicture:
    """The same picture as a JPEG of at most 60,000 octets, 1112 pixels wide and 960 tall.

    Upright, in sRGB, transparent parts white, of an animation the first frame; never enlarged.
    """
    # some formats take memory when they are opened, so what their first octets say comes first
    refusal = _refuse(size_of(data) or (1, 1))
    if refusal is not None:
        return refusal
    try:
        with Image.open(BytesIO(data), formats=_KINDS) as image:
            return _refuse(image.size) or _encode(_plain(image))
    except UnidentifiedImageError:
        return NoPicture(reason="it is no picture (JPEG, PNG, WebP, GIF)")
    except MemoryError:
        return NoPicture(reason="decoding it takes more memory than we give")
    except Exception:  # noqa: BLE001 -- a decoder of strangers' bytes may fail in any way
        return NoPicture(reason="it is broken")


def _refuse(size: tuple[int, int]) -> NoPicture | None:
    width, height = size
    if width * height > PIXELS:
        return NoPicture(reason=f"it has {width} x {height} pixels, more than we decode")
    return None


def _plain(image: Image.Image) -> Image.Image:
    """Its pixels as red, green and blue, upright, no larger than we serve."""
    # a JPEG can be decoded at a half, a quarter or an eighth of its size
    image.draft(None, (2 * WIDEST, 2 * WIDEST))
    image.load()
    turn = image.getexif().get(_ORIENTATION, 1)
    found = _as_colours(image, image.info.get("icc_profile"))
    # fitted first: to turn it takes another copy
    box = (TALLEST, WIDEST) if turn in _TURNED else (WIDEST, TALLEST)
    found.thumbnail(box, Image.Resampling.LANCZOS, reducing_gap=2.0)
    # the pixels alone: what else the file said stays behind
    bare = Image.frombytes("RGB", found.size, found.tobytes())
    method = _TURNS.get(turn)
    return bare if method is None else bare.transpose(method)


def _as_colours(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The picture in RGB. 16 bits become 8; a profile that can be read is applied."""
    if image.mode.startswith("I"):  # 16 bits of grey
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
    if image.has_transparency_data:
        whole = image.convert("RGBA")
        paper = Image.new("RGB", whole.size, _PAPER)
        paper.paste(whole, mask=whole.getchannel("A"))
        return paper
    if profile and image.mode in {"RGB", "CMYK"}:
        with suppress(ImageCms.PyCMSError, OSError, ValueError):
            found = ImageCms.profileToProfile(
                image,
                ImageCms.ImageCmsProfile(BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode="RGB",
            )
            if found is not None:
                return found
    return image.convert("RGB")


def _encode(image: Image.Image) -> Redrawn:
    """As good as fits, and where nothing fits smaller."""
    while True:
        for quality in _QUALITIES:
            out = BytesIO()
            image.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
            if out.tell() <= MOST:
                return Redrawn(data=out.getvalue(), width=image.width, height=image.height)
        width, height = (max(1, round(side * _SMALLER)) for side in image.size)
        image = image.resize((width, height), Image.Resampling.LANCZOS)
