"""Strangers' pictures become ours: small, upright, bare; what is no picture becomes a reason."""

from __future__ import annotations

import random
import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image, ImageDraw
from PIL.Image import Exif

from digest.feeds.redraw import MOST, PIXELS, TALLEST, WIDEST, redraw
from digest.model.picture import NoPicture, Redrawn


def write(image: Image.Image, kind: str = "PNG", **more: object) -> bytes:
    out = BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


def photo(width: int = 1600, height: int = 900, mode: str = "RGB") -> Image.Image:
    """Something with edges and colours."""
    image = Image.new("RGB", (width, height), (210, 220, 235))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, height * 2 // 3, width, height), fill=(70, 110, 60))
    draw.ellipse((width // 8, height // 8, width // 3, height // 2), fill=(240, 190, 60))
    return image.convert(mode)


def noise(width: int, height: int) -> Image.Image:
    return Image.frombytes("RGB", (width, height), random.Random(7).randbytes(width * height * 3))  # noqa: S311 -- no secret


def drawn(data: bytes) -> tuple[Redrawn, Image.Image]:
    made = redraw(data)
    assert isinstance(made, Redrawn), made
    image = Image.open(BytesIO(made.data))
    image.load()
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (made.width, made.height))
    assert len(made.data) <= MOST
    assert made.width <= WIDEST
    assert made.height <= TALLEST
    return made, image


def near(image: Image.Image, at: tuple[int, int], colour: tuple[int, int, int]) -> bool:
    found = image.getpixel(at)
    assert isinstance(found, tuple)
    return all(abs(a - b) < 30 for a, b in zip(found, colour, strict=True))


def refused(data: bytes) -> str:
    made = redraw(data)
    assert isinstance(made, NoPicture)
    assert "\n" not in made.reason
    return made.reason


# --------------------------------------------------------------- what comes out


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_each_kind_becomes_a_jpeg_that_fits(kind: str) -> None:
    made, image = drawn(write(photo(), kind))
    assert (made.width, made.height) == (1112, 626)
    assert near(image, (250, 200), (240, 190, 60))


def test_a_small_picture_is_never_enlarged() -> None:
    made, _ = drawn(write(photo(300, 200)))
    assert (made.width, made.height) == (300, 200)


def test_a_tall_one_is_fitted_into_what_a_card_shows() -> None:
    made, _ = drawn(write(photo(1000, 8000)))
    assert (made.width, made.height) == (120, 960)


def test_noise_of_twelve_million_pixels_fits_too() -> None:
    made, _ = drawn(write(noise(4000, 3000), "JPEG", quality=95))
    assert made.width >= 300
    assert abs(made.width / made.height - 4 / 3) < 0.02


def test_what_the_camera_wrote_is_gone_and_the_picture_stands_upright() -> None:
    exif = Exif()
    exif[0x0112], exif[0x010F] = 6, "Kamera"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0)})
    data = write(photo(900, 600), "JPEG", exif=exif.tobytes(), comment=b"daheim")
    assert b"Kamera" in data
    made, image = drawn(data)
    assert (made.width, made.height) == (600, 900)
    assert near(image, (600 * 2 // 3, 900 * 2 // 9), (240, 190, 60))
    for trace in (b"Exif", b"Kamera", b"daheim", b"http", b"ICC_PROFILE"):
        assert trace not in made.data
    assert not image.getexif()


@pytest.mark.parametrize("turn", range(1, 9))
def test_however_the_camera_was_held_the_sun_stands_above(turn: int) -> None:
    upright = photo(900, 600)
    # how a camera that was held so lays its pixels down
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    laid = upright.transpose(Image.Transpose(back[turn])) if turn in back else upright
    exif = Exif()
    exif[0x0112] = turn
    made, image = drawn(write(laid, "JPEG", exif=exif.tobytes()))
    assert (made.width, made.height) == (900, 600)
    assert near(image, (200, 180), (240, 190, 60))
    assert near(image, (450, 550), (70, 110, 60))


def test_ink_for_printers_becomes_colours_of_a_screen() -> None:
    _, image = drawn(write(photo(600, 400, "CMYK"), "JPEG"))
    assert near(image, (130, 120), (240, 190, 60))


def test_sixteen_bits_of_grey_keep_their_light() -> None:
    grey = Image.new("I;16", (400, 300), 0x8000)
    _, image = drawn(write(grey))
    assert near(image, (200, 150), (128, 128, 128))


def test_what_is_transparent_is_drawn_on_white() -> None:
    clear = Image.new("RGBA", (400, 300), (0, 0, 0, 0))
    clear.paste((200, 30, 30, 255), (100, 100, 200, 200))
    palette = photo(400, 300).convert("P")
    palette.info["transparency"] = palette.getpixel((5, 290))
    for data in (write(clear), write(clear, "WEBP", lossless=True)):
        _, image = drawn(data)
        assert near(image, (10, 10), (255, 255, 255))
        assert near(image, (150, 150), (200, 30, 30))
    _, image = drawn(write(palette, transparency=palette.info["transparency"]))
    assert near(image, (5, 290), (255, 255, 255))
    assert near(image, (380, 10), (210, 220, 235))


def test_of_an_animation_the_first_frame_is_shown() -> None:
    frames = [Image.new("RGB", (300, 200), colour) for colour in ("red", "blue", "green")]
    for kind in ("GIF", "WEBP"):
        data = write(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
        _, image = drawn(data)
        assert near(image, (150, 100), (255, 0, 0))


def test_one_colour_and_one_pixel_are_pictures_too() -> None:
    assert drawn(write(Image.new("1", (200, 200), 1)))[0].width == 200
    assert drawn(write(Image.new("L", (1, 1))))[0].width == 1
    assert drawn(write(Image.new("LA", (9, 9))))[0].width == 9


# --------------------------------------------------------------- what strangers send


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def bomb(width: int, height: int) -> bytes:
    """A PNG of some hundred octets that says it is very large, and is."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    rows = zlib.compressobj(9)
    data = rows.compress(bytes(1 + width * 3) * 200) + rows.flush()
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_a_bomb_is_known_by_its_header() -> None:
    data = bomb(29_000, 29_000)
    assert len(data) < 60_000
    assert refused(data) == "it has 29000 x 29000 pixels, more than we decode"
    assert "pixels" in refused(bomb(PIXELS // 2 + 1, 2))


def test_what_is_not_there_is_not_made_up() -> None:
    for kind in ("JPEG", "PNG", "WEBP", "GIF"):
        whole = write(noise(300, 300), kind)
        for share in (2, 10, 100):
            assert refused(whole[: len(whole) // share])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8\xff",
        b"GIF89a",
        b"<!doctype html><img src=x>",
        b'<svg xmlns="http://www.w3.org/2000/svg" width="99999999" height="9999999"/>',
        b"%PDF-1.7",
        b"RIFF\xff\xff\xff\xffWEBPVP8X" + b"\xff" * 40,
        b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
        b"BM" + b"\0" * 200,
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    ],
)
def test_what_is_no_picture_is_said_in_one_line(data: bytes) -> None:
    assert refused(data)


def test_any_octet_may_be_wrong() -> None:
    dice = random.Random(11)  # noqa: S311 -- no secret
    for kind in ("JPEG", "PNG", "WEBP", "GIF"):
        whole = write(photo(200, 150), kind)
        for _ in range(40):
            broken = bytearray(whole)
            for _ in range(dice.randrange(1, 9)):
                broken[dice.randrange(len(broken))] = dice.randrange(256)
            made = redraw(bytes(broken))
            assert isinstance(made, NoPicture) or len(made.data) <= MOST
