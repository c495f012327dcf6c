"""Texts stand in lines that a terminal of 72 columns shows as they were meant."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from message_samples import (
    ADDRESS,
    HOSTILE,
    LINKS,
    article,
    draft,
    edition,
    newsletter,
    ordinary,
)

from digest.messages.assemble import assemble
from digest.messages.lines import beside, columns, underlined, wrap
from digest.messages.plain import tame
from digest.model.article import Article
from digest.model.newsletter import Topic
from digest.model.policy import SearchEngine, Sponsor, Support


def test_columns_are_those_of_a_terminal() -> None:
    assert columns("Straße") == 6
    assert columns("チップ") == 6
    assert columns("e\u0301a\u200d\u00ad") == 2
    assert columns("한국어") == 6


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"]), max_size=300))
def test_no_line_is_longer_but_by_an_address(word: str) -> None:
    text = tame(f"Vorher {word} nachher {word}")
    for line in wrap(text, "12. ", "    ").split("\n"):
        assert columns(line) <= 72 or any(sign in line for sign in "/@")


@given(st.text(max_size=400).map(tame))
def test_wrapping_loses_nothing_but_spaces(text: str) -> None:
    assert "".join(wrap(text).split()) == "".join(text.split())


def test_scripts_without_spaces_break_between_letters_and_not_before_a_full_stop() -> None:
    lines = wrap("必要なときだけ計算する。" * 12).split("\n")
    assert len(lines) > 2
    assert all(60 <= columns(line) <= 72 for line in lines[:-1])
    assert not any(line.startswith(("。", "、")) for line in lines)


def test_an_address_stays_whole_and_goes_below_its_name_where_it_is_long() -> None:
    url = f"https://example.org/{'a' * 80}"
    assert url in wrap(f"Hier: {url} und weiter").split("\n")
    assert beside("Impressum", "https://example.org/") == "Impressum: https://example.org/"
    assert beside("Kommentare (12)", url) == f"Kommentare (12):\n{url}"


def test_a_heading_is_underlined_as_far_as_it_goes() -> None:
    assert underlined("Bücher", "-") == "Bücher\n------"
    assert underlined("本", "=") == "本\n=="
    assert underlined("", "=") == ""
    assert underlined("Wort " * 30, "=").split("\n")[-1] == "=" * 69


def _everything(titles: list[str]) -> list[Article]:
    return [
        article(
            number,
            title=title,
            topics=("energie",),
            comments=12,
            comments_url=f"https://www.example.com/2026/11/meldung-{number}.html#comments",
            section="Stellenangebote" if number % 5 == 4 else None,
        )
        for number, title in enumerate(titles)
    ]


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("kind", ["ordinary", "hostile"])
def test_the_text_part_has_72_columns_and_all_that_the_html_has(language: str, kind: str) -> None:
    of = newsletter(
        topics=(Topic(name="energie", title="Energie", words=("energie",)),),
        search=(SearchEngine(name="Google News", url="https://news.example/?q={query}"),),
        sponsors=(
            Sponsor(title="Server", text="Aus Wasserkraft. " * 9, url="https://ad.example/"),
        ),
        support=Support(text="Diese Seite unterstützen", url="https://support.example/"),
    )
    titles = list(HOSTILE) if kind == "hostile" else [each.title for each in ordinary(8).articles]
    chosen = draft(_everything(titles), lead="Guten Morgen!\n\n" + "Heute ist viel los. " * 9)
    page, text = assemble(edition(chosen, language=language, of=of), LINKS, address=ADDRESS)
    for line in text.split("\n"):
        assert line == line.rstrip()
        assert columns(line) <= 72 or line.lstrip("[0123456789] ").startswith("https://"), line
        assert not any(unicodedata.category(each) == "Cc" for each in line)
    for number, each in enumerate(chosen.articles, start=1):
        assert f"\n{number}. " in text
        assert f"\n[{number}] {each.url}\n" in text
    links = ("https://ad.example/", "https://support.example/", LINKS.unsubscribe, LINKS.view)
    for url in (*links, "do=pause", "do=less", "/follow?", "#comments", "q="):
        assert url in text
        assert url in page
