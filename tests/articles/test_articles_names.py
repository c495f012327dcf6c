"""Who wrote it, what about and in which language, said so that a reader knows what is meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.articles.names import MAX_AUTHOR, author, categories, language
from digest.articles.reading import count_words


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Ada Beispiel", "Ada Beispiel"),
        ("noreply@site.example (Ada Beispiel)", "Ada Beispiel"),
        ("Ada Beispiel <ada@site.example>", "Ada Beispiel"),
        ("Ada Beispiel (ada@site.example)", "Ada Beispiel"),
        ("[email\u00a0protected] (Ada Beispiel)", "Ada Beispiel"),
        ("Von Ada Beispiel", "Ada Beispiel"),
        ("von Ada Beispiel und Bert Muster", "Ada Beispiel und Bert Muster"),
        ("By Ada", "Ada"),
        ("By: Ada Example", "Ada Example"),
        ("Par Ada Exemple", "Ada Exemple"),
        ("Autor: Ada", "Ada"),
        ("Ada, https://site.example/ada", "Ada"),
        ("Von Storch", "Von Storch"),
        ("Di Lorenzo", "Di Lorenzo"),
        ("  Ada\n Beispiel\u202e ", "Ada Beispiel"),
        ("ada@site.example", None),
        ("https://site.example/", None),
        ("admin", None),
        ("Administrator", None),
        ("noreply", None),
        ("Unknown", None),
        ("()", None),
        ("---", None),
        ("", None),
        (None, None),
    ],
)
def test_an_author_is_a_name_and_never_an_address(said: str | None, shown: str | None) -> None:
    assert author(said) == shown


@given(st.text(alphabet="ab@. <>()von:BY,\u202e", max_size=300))
def test_no_author_is_long_or_has_an_address(text: str) -> None:
    shown = author(text)
    assert shown is None or (len(shown) <= MAX_AUTHOR and "a@b" not in shown)


def test_categories_are_said_once_and_mean_something() -> None:
    said = [
        "Netz",
        "NETZ ",
        "#KI",
        "Uncategorized",
        "allgemein",
        "Sin categoría",
        "未分类",
        "",
        "#",
    ]
    assert categories([*said, "https://schemas.example/kind#post"]) == ("Netz", "KI")
    assert len(categories(f"{n} {'x' * 99}" for n in range(20))) == 10


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        (["de-DE"], "de"),
        (["EN_us"], "en"),
        (["zh-Hant-TW"], "zh"),
        (["ger"], "de"),
        ([None, "fr"], "fr"),
        (["", "deutsch", "it"], "it"),
        (["und", "x-default"], None),
        (["<b>"], None),
        ([], None),
    ],
)
def test_a_language_is_its_shortest_tag(tags: list[str | None], code: str | None) -> None:
    assert language(*tags) == code


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ein Wort - und 3 mehr.", 5),
        ("", 0),
        ("漢字" * 250, 200),
        ("ไทย" * 100, 60),
        ("한국어 는 띄어쓰기 를 한다", 5),
        ("Ein 漢字漢字漢 Wort", 4),
    ],
)
def test_words_are_counted_where_no_spaces_part_them_too(text: str, words: int) -> None:
    assert count_words(text) == words
