"""A card shows whole sentences of the entry and nothing that a system put around them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.articles.excerpt import cut, excerpt, is_cut, tidy

SENTENCE = "Der erste Satz ist schon lang genug, um allein zu stehen."


@pytest.mark.parametrize(
    "line",
    [
        "The post My title appeared first on My site.",
        "The post My title first appeared on My site.",
        "Der Beitrag Mein Titel erschien zuerst auf Meine Seite.",
        "Der Artikel \u201eMein Titel\u201c erschien zuerst auf Meine Seite.",
        "Weiterlesen \u2026",
        "Continue reading My title \u2192",
        "[Weiterlesen]",
        "(more)",
        "Foto: Ada / dpa",
        "Anzeige",
        "submitted by /u/ada [link] [comments]",
    ],
)
def test_what_systems_add_is_dropped(line: str) -> None:
    assert tidy(f"{SENTENCE}\n{line}") == SENTENCE
    assert tidy(line) == ""


@pytest.mark.parametrize("tail", ["Read more", "Mehr lesen", "[Weiterlesen auf der Seite]"])
def test_it_is_dropped_behind_a_sentence_too(tail: str) -> None:
    assert tidy(f"{SENTENCE} {tail}") == SENTENCE


@pytest.mark.parametrize(
    "text",
    [
        "The post office appeared in many films.",
        "People who read more live longer.",
        "Wir wollen mehr lesen und weniger streiten.",
        "Der Beitrag steigt im Januar.",
        "Anzeige gegen Unbekannt erstattet",
        "Foto und Film: eine lange Geschichte der Bilder in der Zeitung",
    ],
)
def test_sentences_about_such_things_are_kept(text: str) -> None:
    assert tidy(text) == text


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


@given(st.text(max_size=600), st.integers(min_value=5, max_value=300))
def test_no_excerpt_is_longer_than_asked(text: str, length: int) -> None:
    assert len(excerpt(text, length=length)) <= length + 2  # a mark that stood close to its word
