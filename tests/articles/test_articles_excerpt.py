"""A card shows whole sentences of the entry, and never half a word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.articles.excerpt import LENGTH, cut, excerpt, is_cut
from digest.messages.stories import EXCERPTS

SENTENCE = "Der erste Satz ist schon lang genug, um allein zu stehen."


def test_a_short_text_is_shown_whole() -> None:
    assert excerpt(SENTENCE) == SENTENCE


def test_a_long_text_ends_after_a_sentence() -> None:
    text = f"{SENTENCE} Der zweite Satz ist hier. {'Und so weiter ' * 30}"
    assert excerpt(text, length=100) == f"{SENTENCE} Der zweite Satz ist hier."


def test_an_abbreviation_or_a_date_ends_no_sentence() -> None:
    text = "Am 3. Oktober, z. B. um acht, sagte Dr. Meier nach langem Hin und Her etwas dazu " * 4
    assert (
        excerpt(text, length=60)
        == "Am 3. Oktober, z. B. um acht, sagte Dr. Meier nach langem\u2026"
    )


def test_a_long_sentence_is_cut_between_words() -> None:
    assert excerpt("Wort und noch ein Wort " * 20, length=30) == "Wort und noch ein Wort Wort\u2026"


@pytest.mark.parametrize("mark", ["[\u2026]", "[...]", "\u2026", " ...", "[ ... ]"])
def test_a_text_that_its_publisher_cut_shows_it(mark: str) -> None:
    assert is_cut(f"Ein Anfang {mark}")
    assert excerpt(f"Ein Anfang {mark}") == "Ein Anfang \u2026"
    assert not is_cut(SENTENCE)


def test_a_word_that_never_ends_is_cut_all_the_same() -> None:
    assert cut("x" * 50, 10) == "x" * 9 + "\u2026"
    assert cut("four five", 9) == "four five"
    assert cut("four five six", 10) == "four five\u2026"


@pytest.mark.parametrize(
    "letters",
    [
        "e\u0301",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "\U0001f44d\U0001f3fd",
        "\U0001f1e9\U0001f1ea",
        "กำ",
        "❤\ufe0f",
    ],
)
def test_a_letter_keeps_its_accents_and_an_emoji_its_parts(letters: str) -> None:
    for length in range(len(letters) + 1, 40):
        shown = cut(letters * 40, length)
        assert len(shown) <= length
        assert shown.removesuffix("…").replace(letters, "") == ""


def test_a_text_without_spaces_is_not_cut_at_its_only_one() -> None:
    assert cut("Ein " + "漢" * 50, 30) == "Ein " + "漢" * 25 + "…"


def test_as_much_is_kept_as_a_card_shows() -> None:
    assert max(EXCERPTS.values()) == LENGTH


@given(st.text(max_size=600), st.integers(min_value=5, max_value=300))
def test_no_excerpt_is_longer_than_asked(text: str, length: int) -> None:
    assert len(excerpt(text, length=length)) <= length + 2  # a mark that stood close to its word
