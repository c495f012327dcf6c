"""A card shows a picture worth looking at, or none."""

from __future__ import annotations

import pytest

from digest.articles.images import choose_image
from digest.model.article import Image
from digest.model.feed import ImageCandidate


def candidate(
    url: str, *, alt: str = "", width: int | None = None, height: int | None = None
) -> ImageCandidate:
    return ImageCandidate(url=url, alt=alt, width=width, height=height, origin="html")


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
    chosen = choose_image([small, large])
    assert chosen is not None
    assert chosen.url == "https://i.example/l.jpg"


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
        "http://i.example/b/big.png?w=600",
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
