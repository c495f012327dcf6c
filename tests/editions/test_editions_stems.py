"""Words come to their stems, and a phrase is found where it stands as words."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.editions.stems import content_stems, guess_language, holds, language_of, read, stems


def found(text: str, phrase: str, language: str | None = "de") -> bool:
    return holds(read(text, language), read(phrase, None))


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("Häuser", "Haus", "de"),
        ("Haeuser", "Häuser", "de"),
        ("Straße", "Strasse", "de"),
        ("Straße", "STRASSEN", "de"),
        ("robots", "robot", "en"),
        ("companies", "Company", "en"),
        ("1.200", "1200", "de"),
        ("3,5", "3.5", "en"),
        ("Cafe\u0301", "Café", "en"),
        ("LLMs", "LLM", "en"),
        ("OpenAI’s", "OpenAI", "en"),  # noqa: RUF001 -- as people write it
    ],
)
def test_two_forms_of_a_word_have_one_stem(one: str, other: str, language: str) -> None:
    assert stems(one, language) == stems(other, language)


def test_a_compound_gives_its_whole_and_its_parts_in_order() -> None:
    assert stems("Neue KI-Modelle", "de") == ("neu", "kimodell", "KI", "modell")


def test_stop_words_of_both_languages_say_nothing() -> None:
    assert content_stems("Die Robots of the Werkstatt, und it is gut", "de") == (
        "robot",
        "werkstatt",
        "gut",
    )


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Der Roboter und das Werk", "de"),
        ("The robot and the plant", "en"),
        ("Robot", None),
        ("", None),
        ("机器人来了", None),
    ],
)
def test_the_language_is_guessed_by_stop_words(text: str, language: str | None) -> None:
    assert guess_language(text) == language


def test_a_wrong_language_tag_is_outweighed_and_a_foreign_one_believed() -> None:
    assert language_of("Der Roboter ist in der Werkstatt und nicht im Lager", "en-US") == "de"
    assert language_of("Roboter im Lager", "en-US") == "en"
    assert language_of("Le robot est dans la place", "fr") is None


@pytest.mark.parametrize(
    ("text", "phrase", "expected"),
    [
        ("Zwei neue Roboter winken", "Roboters", True),
        ("Zwei Industrieroboter winken", "Roboter", False),
        ("Die KI rechnet", "KI", True),
        ("Ein KI-Modell rechnet", "KI", True),
        ("Die neuen KI-Modelle", "KI-Modell", True),
        ("Die neuen KI Modelle", "KI-Modell", True),
        ("Im Kino", "KI", False),
        ("ein ki in kleinen Buchstaben", "KI", False),
        ("Make it so", "IT", False),
        ("Die IT streikt", "it", False),
        ("Eine künstliche Nase riecht", "künstliche Nase", True),
        ("Künstliche Nasen riechen", "kuenstliche Nase", True),
        ("Künstliche rote Nase", "künstliche Nase", False),
        ("Nase, künstlich", "künstliche Nase", False),
        ("Per Email", "E-Mail", True),
        ("Per E-Mail", "Email", True),
        ("Drei Greifarme", "Greif*", True),
        ("Drei Greifarme", "drei Greif*", True),
        ("Zwei Greifarme", "drei Greif*", False),
        ("Ungreifbar", "Greif*", False),
        ("Die KIs", "KI*", True),
        ("Das Kino", "KI*", False),
        ("Alles", "", False),
        ("Alles", "*", False),
        ("", "Roboter", False),
    ],
)
def test_a_phrase_is_found_as_whole_words_in_order(
    text: str, phrase: str, *, expected: bool
) -> None:
    assert found(text, phrase) is expected


def test_a_phrase_is_stemmed_as_the_text_is() -> None:
    assert found("Companies build robots", "company", "en")
    assert found("Robots", "robot", None)
    assert holds(read("Greifarme", "de"), read("Greif", "de"), prefix=True)


@given(st.text(max_size=200), st.text(max_size=20))
def test_no_text_is_too_strange(text: str, phrase: str) -> None:
    stemmed = read(text, None)
    assert len(stemmed.words) == len(stemmed.stems)
    assert all(stemmed.words)
    holds(stemmed, read(phrase, None))
    content_stems(text, "de")


@pytest.mark.parametrize(
    "text", ["a" * 10**7, "a-" * 10**6, "ä " * 10**6, "1," * 10**6, "'" * 10**6]
)
def test_a_hostile_text_is_read_soon(text: str) -> None:
    begun = time.process_time()
    read(text, None)
    assert time.process_time() - begun < 5
