"""Long words may break where their language breaks them, and nothing else changes."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from message_samples import ADDRESS, HOSTILE, LINKS, article, draft, edition, ordinary

from digest.messages.assemble import assemble
from digest.messages.hyphens import soften

SOFT = "\u00ad"


def shown(text: str, language: str = "de") -> str:
    return soften(text, language).replace(SOFT, "|")


def test_long_words_may_break_by_their_language() -> None:
    assert shown("Die Bundesnetzagentur ordnet neu") == "Die Bun|des|netz|agen|tur ordnet neu"
    assert shown("„Sommerwärmespeicher“!") == "„Som|mer|wär|me|spei|cher“!"
    assert shown("Internationalization, of course", "en-GB").startswith("Inter|na|tion")


def test_both_ends_of_a_hyphenated_word_are_words() -> None:
    assert shown("KI-Entwicklungsabteilung") == "KI-Ent|wick|lungs|ab|tei|lung"


@pytest.mark.parametrize(
    "text",
    [
        "Haus und Garten",
        "www.sommerwaermespeicher.example",
        "sommerwaermespeicher@example.org",
        "https://example.org/sommerwaermespeicher",
        "Sommerwaermespeicher2026",
        "Sommerwaerme\u00adspeicher",
        "snake_case_sommerwaermespeicher",
        "\u041f\u0440\u0430\u0432\u0438\u0442\u0435\u043b\u044c\u0441\u0442\u0432\u043e",
        "\u041f\u0440\u0430Entwicklungsarbeit",
        "x" * 300,
        "",
    ],
)
def test_what_is_no_long_word_of_ours_stays_as_it_is(text: str) -> None:
    assert soften(text, "de") == text


def test_a_language_without_a_dictionary_is_left_alone() -> None:
    assert soften("Sommerwärmespeicher", "fi") == "Sommerwärmespeicher"


@given(st.text(max_size=300), st.sampled_from(["de", "en"]))
def test_nothing_but_soft_hyphens_comes_in(text: str, language: str) -> None:
    assert soften(text, language).replace(SOFT, "") == text.replace(SOFT, "") or SOFT in text
    assert soften(text, language).count(SOFT) >= text.count(SOFT)


def test_strangers_words_take_no_time() -> None:
    begun = time.perf_counter()
    for sign in ("a", "ß", "e\u0301", "-", "a-", "x" * 79 + " "):
        soften(sign * 20_000, "de")
    assert time.perf_counter() - begun < 5  # seconds; a quadratic search takes minutes


def test_titles_and_excerpts_have_them_and_nothing_else_does() -> None:
    title = "Donaudampfschifffahrtsgesellschaft"
    chosen = draft([article(0, title=title, excerpt=f"Die {title} fährt."), article(1)])
    page, text = assemble(edition(chosen), LINKS, address=ADDRESS)
    assert SOFT not in text
    soft = soften(title, "de")
    assert page.count(soft) == 3, "in the list, in the card, and in the excerpt"
    head = page.partition("</head>")[0]
    assert SOFT not in head
    assert f"<title>{title}" in head


def test_hostile_titles_stay_what_they_are() -> None:
    chosen = draft([article(number, title=title) for number, title in enumerate(HOSTILE)])
    soft, _ = assemble(edition(chosen), LINKS, address=ADDRESS)
    assert "&lt;script&gt;" in soft
    assert len(soft.encode()) < 90_000


def test_a_mail_grows_by_little() -> None:
    page, _ = assemble(edition(ordinary(40)), LINKS, address=ADDRESS)
    assert len(page.encode()) - len(page.replace(SOFT, "").encode()) < 2_000
