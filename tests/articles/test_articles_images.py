"""A card shows a picture worth looking at, or none."""

from __future__ import annotations

import pytest

from digest.articles.images import choose_image
from digest.model.article import Image
from digest.model.feed import ImageCandidate


def candidate(
    url: str,
    *,
    alt: str = "",
    width: int | None = None,
    height: int | None = None,
    origin: str = "html",
) -> ImageCandidate:
    return ImageCandidate(url=url, alt=alt, width=width, height=height, origin=origin)


def chosen(*candidates: ImageCandidate) -> str | None:
    image = choose_image(candidates)
    return image.url.rpartition("/")[2] if image else None


def named(name: str, width: int | None = None, height: int | None = None) -> ImageCandidate:
    return candidate(f"https://i.example/{name}", width=width, height=height, origin="media")


def shown(name: str, width: int | None = None) -> ImageCandidate:
    return candidate(f"https://i.example/{name}", width=width)


def test_the_first_one_is_taken_with_its_text() -> None:
    one = candidate("https://i.example/1.jpg", alt=" Zwei\n Hunde\u202e ", width=300, height=200)
    assert choose_image([one, candidate("https://i.example/2.jpg")]) == Image(
        url="https://i.example/1.jpg", alt="Zwei Hunde", width=300, height=200
    )


def test_one_that_is_known_to_be_large_comes_first() -> None:
    small, large = (
        candidate("https://i.example/s.jpg"),
        candidate("https://i.example/l.jpg", width=800),
    )
    assert chosen(small, large) == "l.jpg"


@pytest.mark.parametrize(
    "url",
    [
        "https://feeds.feedburner.com/~r/site/~4/abc",
        "https://ad.doubleclick.net/x.jpg",
        "https://secure.gravatar.com/avatar/abc?s=200",
        "https://s.w.org/images/core/emoji/72x72/1f600.png",
        "https://site.example/wp-includes/images/smilies/icon_smile.gif",
        "https://stats.wordpress.com/b.gif?host=x",
        "https://site.example/pixel.gif",
        "https://site.example/pixel/abc",
        "https://vg08.met.vgwort.de/na/abc",
        "https://site.example/1x1.png",
        "https://site.example/spacer.gif",
        "https://site.example/logo.svg",
        "https://site.example/favicon.png",
        "https://site.example/undefined",
        "https://site.example/placeholder.jpg",
        "http://user:pass@site.example/a.jpg",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "cid:part1",
        "/relative.jpg",
        "",
    ],
)
def test_counters_smileys_icons_and_other_schemes_are_refused(url: str) -> None:
    assert choose_image([candidate(url, width=800, height=600)]) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://i.example/p/photo.jpg",
        "http://i.example/b/big.png?id=600",
        "https://i.example/pixelated-art.jpg",
        "https://i.example/clear-sky.jpg",
        "https://i.example/no-ending",
    ],
)
def test_ordinary_pictures_are_kept(url: str) -> None:
    assert choose_image([candidate(url)]) == Image(url=url, alt="")


@pytest.mark.parametrize(("width", "height"), [(1, 1), (99, 400), (400, 99), (0, None), (None, 30)])
def test_small_ones_are_refused(width: int | None, height: int | None) -> None:
    assert choose_image([candidate("https://i.example/a.jpg", width=width, height=height)]) is None


def test_no_picture_is_none() -> None:
    assert choose_image([]) is None


def test_the_largest_of_those_that_are_named_is_taken_up_to_what_a_mail_needs() -> None:
    assert chosen(named("s", 240), named("m", 800), named("l", 1500), named("xl", 4000)) == "l"
    assert chosen(named("xxl", 6000), named("xl", 4000)) == "xl"
    assert chosen(named("thumb", 140), shown("photo")) == "photo"
    assert chosen(named("thumb", 140)) == "thumb"
    assert chosen(named("unknown"), shown("large", 800)) == "large"
    assert chosen(shown("first", 500), shown("second", 900)) == "first"
    assert chosen(shown("unknown"), named("named")) == "named"


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("a-1024x683.jpg", (1024, 683)),
        ("a_640x480.webp", (640, 480)),
        ("a.jpg?w=700", (700, None)),
        ("a.jpg?resize=600%2C400&ssl=1", (600, 400)),
        ("a.jpg?fit=1200,800", (1200, 800)),
        ("a.jpg?width=800&height=450", (800, 450)),
        ("a.jpg", (None, None)),
        ("a-2026x.jpg", (None, None)),
    ],
)
def test_an_address_may_tell_a_size(name: str, size: tuple[int | None, int | None]) -> None:
    image = choose_image([candidate(f"https://i.example/{name}")])
    assert image is not None
    assert (image.width, image.height) == size


def test_what_its_address_calls_small_is_refused() -> None:
    assert chosen(shown("a-64x64.png"), shown("b-150x150.jpg"), shown("c-800x600.jpg")) == (
        "c-800x600.jpg"
    )
    assert chosen(shown("a-64x64.png")) is None


@pytest.mark.parametrize(("width", "height"), [(800, 150), (120, 1200)])
def test_banners_are_refused(width: int, height: int) -> None:
    assert chosen(named("banner", width, height)) is None
    assert chosen(named("wide", 800, 200)) == "wide"


@pytest.mark.parametrize(
    ("said", "alt"),
    [
        ("Zwei Hunde am Strand", "Zwei Hunde am Strand"),
        ("<p>Zwei <b>Hunde</b></p>", "Zwei Hunde"),
        ("Zwei Hunde am Strand | dpa", "Zwei Hunde am Strand"),
        ("Zwei Hunde am Strand (Foto: Ada)", "Zwei Hunde am Strand"),
        ("Zwei Hunde © Ada", "Zwei Hunde"),
        ("COVID-19", "COVID-19"),
        ("zwei-hunde.jpg", ""),
        ("zwei_hunde_am_strand", ""),
        ("IMG 1234", ""),
        ("DSC00017", ""),
        ("Bild", ""),
        ("Beitragsbild", ""),
        ("Screenshot 2026-11-23 at 08.00.00", ""),
        ("https://i.example/x", ""),
        ("Der Hafen", ""),  # its file is called so, and nothing more is said
        ("", ""),
    ],
)
def test_a_picture_is_told_in_words_and_not_by_its_file(said: str, alt: str) -> None:
    image = choose_image([candidate("https://i.example/der-hafen-800x600.jpg", alt=said)])
    assert image is not None
    assert image.alt == alt
    assert "\n" not in image.alt


def test_a_long_text_of_a_picture_is_cut_between_words() -> None:
    image = choose_image([candidate("https://i.example/a.jpg", alt="Wort " * 100)])
    assert image is not None
    assert len(image.alt) <= 200
    assert image.alt.endswith("Wort…")


def test_the_words_may_stand_at_another_size_of_the_same_picture() -> None:
    large = candidate("https://i.example/hafen-1024x683.jpg")
    small = candidate("https://i.example/hafen-300x200.jpg", alt="Schiffe am Morgen")
    other = candidate("https://i.example/strand.jpg", alt="Zwei Hunde")
    image = choose_image([large, other, small])
    assert image == Image(url=large.url, alt="Schiffe am Morgen", width=1024, height=683)
