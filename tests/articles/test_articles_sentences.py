"""A sentence ends where its reader would say so."""

from __future__ import annotations

import pytest

from digest.articles.sentences import sentence_ends


def sentences(text: str) -> list[str]:
    ends = list(sentence_ends(f"{text} Ende", len(text) + 5))
    return [text[start:end].strip() for start, end in zip([0, *ends], ends, strict=False)]


@pytest.mark.parametrize(
    "text",
    [
        "Das gilt z. B. Montag und d. h. auch Dienstag.",
        "Am 3. März kam Dr. Meier, am 21. Oktober nicht.",
        "Es kostet ca. 3 Mio. Euro bzw. Franken, u. a. in Nr. 5 der St. Pauli-Str. 7 dort.",
        "Das Haus Abs. 4 gilt lt. Prof. Dr. h. c. Beispiel.",
        "Er kommt am So. 4. Oktober.",
        "Mr. Smith met Mrs. Jones, e.g. in Washington, D.C. Tuesday.",
        "The U.S. Senate met at 5 p.m. Eastern on Oct. 3 with Sen. Example and J. R. Doe.",
        "Mme. Exemple et M. Dupont sont là.",
        "Was Yahoo! damit will, weiß niemand.",
        "Er las … nichts davon.",
        "Version 2.5 ist da.",
        "Auf site.example steht mehr.",
    ],
)
def test_an_abbreviation_a_date_or_a_name_ends_none(text: str) -> None:
    assert sentences(text) == [text]


@pytest.mark.parametrize(
    "parts",
    [
        ["Er kam.", "Sie ging!", "Warum?", "„Ich weiß es nicht.“", "Dann regnete es …"],
        ["Das war 2023.", "Es wuchs um 5 %.", "Und (so heißt es).", "Gut."],
        ["She said it was over.", "Nobody knew."],
        ["これは文です。", "次の文です\uff01", "終わり。"],
        ["یہ ایک جملہ ہے\u06d4", "یہ دوسرا ہے؟"],
    ],
)
def test_other_ends_are_seen(parts: list[str]) -> None:
    joiner = "" if "。" in parts[0] else " "
    assert sentences(joiner.join(parts)) == parts


def test_an_end_beyond_the_limit_is_none() -> None:
    assert list(sentence_ends("Kurz. Und lang. Ende", 5)) == [5]
    assert list(sentence_ends("Kurz. Und lang. Ende", 4)) == []
