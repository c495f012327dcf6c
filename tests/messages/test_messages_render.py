"""An edition is written once for everybody, small, safe and complete."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import html5lib
import pytest
from message_samples import (
    HOSTILE,
    LINKS,
    MADE_AT,
    NONCE,
    article,
    draft,
    edition,
    left_out,
    newsletter,
    ordinary,
    own_theme,
    renderer,
)

from digest.errors import TemplateFault
from digest.messages.assemble import assemble
from digest.messages.render import SIZE, builtin_templates, size_of
from digest.model.article import Image

if TYPE_CHECKING:
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from digest.model.edition import Draft

_HTML = "{http://www.w3.org/1999/xhtml}"


def parts(chosen: Draft, *, language: str = "de") -> tuple[str, str]:
    return assemble(edition(chosen, language=language), LINKS, address="a@example.net")


def tree(page: str) -> Element:
    found: Element = html5lib.parse(page)
    return found


def texts(page: str, tag: str) -> list[str]:
    found = tree(page).iter(f"{_HTML}{tag}")
    return [" ".join("".join(each.itertext()).replace("\u00ad", "").split()) for each in found]


@pytest.mark.parametrize("count", [1, 8, 40])
@pytest.mark.parametrize("language", ["de", "en"])
def test_every_story_is_in_both_parts(count: int, language: str) -> None:
    chosen = ordinary(count)
    page, text = parts(chosen, language=language)
    assert texts(page, "h3") == [each.title for each in chosen.articles]
    for each in chosen.articles:
        assert f'href="{each.url}"' in page
        assert each.url in text.split()
        assert each.title in text


def test_forty_articles_are_shown_whole_by_mail_programs() -> None:
    assert size_of(edition(ordinary(40)).written) < 60_000


def test_what_feeds_send_too_much_of_is_told_shorter() -> None:
    chosen = draft(
        [
            article(
                n, title="Wort " * 60, excerpt="wort " * 400, url=f"https://a.example/{'x' * 1200}"
            )
            for n in range(40)
        ]
    )
    assert size_of(edition(chosen).written) <= SIZE


def test_headings_are_in_order_and_links_say_where_they_lead() -> None:
    page, _ = parts(ordinary(8))
    levels = [int(tag) for tag in re.findall(r"<h([1-6])", page)]
    assert levels[:2] == [1, 2]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert "Weiterlesen" not in texts(page, "a")
    assert "Weiterlesen auf example.com" in texts(page, "a")


def test_sections_have_their_names() -> None:
    page, text = parts(ordinary(8))
    assert texts(page, "h2") == ["Auf einen Blick", "Meldungen", "Stellenangebote"]
    assert "\nStellenangebote\n" in text


def test_the_english_edition_has_no_german_words() -> None:
    page, text = parts(draft([article(0, title="T", excerpt="E")]), language="en")
    assert '<html lang="en" dir="ltr">' in page
    for german in ("Meldung", "Impressum<", "abbestellen", "Weiterlesen", "Nr.", "Im Browser"):
        assert german not in page
        assert german not in text


def test_pictures_have_alt_and_size_and_load_over_https() -> None:
    image = Image(url="http://pics.example/a.jpg", alt='ein "Teich"', width=1112, height=600)
    page, _ = parts(draft([article(0, image=image)]))
    pictures = list(tree(page).iter(f"{_HTML}img"))
    assert [dict(each.attrib) | {"style": ""} for each in pictures] == [
        {
            "class": "photo", "src": "https://pics.example/a.jpg", "alt": 'ein "Teich"',
            "width": "556", "height": "300", "style": "",
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    "image",
    [
        Image(url="https://pics.example/pixel.gif", alt="", width=1, height=1),
        Image(url="https://pics.example/icon.png", alt="", width=64, height=64),
        Image(url="http://10.0.0.1/a.jpg", alt="", width=800, height=450),
        Image(url="javascript:alert(1)", alt="", width=800, height=450),
        Image(url="https://pics.example/flat.gif", alt="", width=800, height=0),
    ],
)
def test_what_is_no_picture_is_left_out(image: Image) -> None:
    page, _ = parts(draft([article(0, image=image)]))
    assert "<img" not in page


def test_a_tall_picture_does_not_fill_the_screen() -> None:
    image = Image(url="https://pics.example/a.jpg", alt="", width=1000, height=4000)
    page, _ = parts(draft([article(0, image=image)]))
    (shown,) = tree(page).iter(f"{_HTML}img")
    assert (shown.get("width"), shown.get("height")) == ("120", "480")


def test_a_link_without_text_is_hidden_from_readers_of_text() -> None:
    image = Image(url="https://pics.example/a.jpg", alt="", width=800, height=450)
    page, _ = parts(draft([article(0, image=image)]))
    assert re.search(r'<a [^>]*aria-hidden="true" tabindex="-1"[^>]*><img', page)


def test_no_feed_text_becomes_markup() -> None:
    chosen = draft(
        [
            article(
                n, title=bad, excerpt=bad, author=bad, categories=(bad,), source=bad, section=bad
            )
            for n, bad in enumerate(HOSTILE)
        ]
    )
    page, text = parts(replace(chosen, subject=HOSTILE[5], preheader=HOSTILE[4]))
    plain_page, _ = parts(ordinary(1))
    tags = {each.tag for each in tree(page).iter()}
    assert tags <= {each.tag for each in tree(plain_page).iter()} | {f"{_HTML}li", f"{_HTML}ol"}
    assert not [name for each in tree(page).iter() for name in each.attrib if name.startswith("on")]
    for mark in ("{{", "{%", "\x00", "\u2028", "\x0b", "\u202e"):
        assert mark not in page
        assert mark not in text
    assert "<script>alert(1)</script>" in text


def test_a_link_that_is_no_web_address_is_no_link() -> None:
    page, text = parts(draft([article(0, url="javascript:alert(1)", title="Titel")]))
    assert "javascript" not in page + text
    assert texts(page, "h3") == ["Titel"]


def test_what_found_no_room_is_counted_and_linked() -> None:
    chosen = replace(ordinary(2), left_out=tuple(left_out(n) for n in range(5)))
    page, text = parts(chosen)
    assert "5 weitere Meldungen stehen auf" in page
    assert 'href="https://www.example.com/"' in page
    assert "5 weitere Meldungen stehen auf" in text
    assert "https://www.example.com/\n" in text


def test_duplicates_are_not_missed() -> None:
    double = replace(left_out(3), reason="duplicate")
    page, _ = parts(replace(ordinary(2), left_out=(double,)))
    assert "stehen auf" not in page
    assert "steht auf" not in page


def test_text_lines_are_72_columns_but_for_addresses() -> None:
    _, text = parts(ordinary(40))
    assert [line for line in text.splitlines() if len(line) > 72 and "http" not in line] == []


def test_the_preheader_stands_first_and_hidden() -> None:
    page, _ = parts(replace(ordinary(3), preheader="Das zuerst"))
    body = page.partition("<body")[2]
    assert body.index("Das zuerst") < body.index("Im Browser ansehen")
    assert re.search(r'<div class="preheader" style="display:none[^>]*>Das zuerst', body)


def test_equal_drafts_give_equal_editions() -> None:
    assert edition(ordinary(8)) == edition(ordinary(8), by=renderer())


def test_the_sheet_is_small_and_keeps_only_media_rules() -> None:
    source = (builtin_templates() / "editions" / "plain" / "style.css").read_text("utf-8")
    assert re.sub(r"\{\{.*?\}\}", "", source).count("{") < 120
    (sheet,) = re.findall(r"<style>(.*?)</style>\n<!", edition(ordinary(1)).written.html, re.DOTALL)
    outside = re.sub(r"@media[^{]*\{(?:[^{}]*\{[^}]*\})*\s*\}", "", sheet)
    assert set(re.findall(r"([^{}\n]+)\{", outside)) == {".ink:hover "}


def test_cards_are_cut_out_of_the_frame() -> None:
    written = edition(ordinary(8)).written
    assert [card.article_id for card in written.cards] == [100 + n for n in range(8)]
    for card in written.cards:
        assert NONCE not in card.html + card.text
        assert f"<!--{NONCE}:card:{card.article_id}-->" in written.html
        assert f"\n{NONCE}:card:{card.article_id}\n" in written.text
    assert f"{NONCE}:/card" not in written.html + written.text


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("body.html", "{{ marks.card_end }}", "", "marks.card_end"),
        ("body.txt", "{{ marks.card(story) }}", "", "marks.card"),
        ("body.html", "{{ slot.unsubscribe }}", "#", "no slot.unsubscribe"),
        ("body.txt", "{{ slot.unsubscribe }}", "", "no slot.unsubscribe"),
        ("style.css", ".page {", "@import 'x.css'; .page {", "only @media"),
        ("body.html", "{{ preheader }}", "{{ preheeder }}", "'preheeder' is undefined"),
        ("subject.txt", "{{ subject }}", "{{ subject", "subject.txt line 1"),
    ],
)
def test_a_theme_that_lost_something_is_a_fault(
    tmp_path: Path, name: str, old: str, new: str, said: str
) -> None:
    own_theme(tmp_path, name, old, new)
    with pytest.raises(TemplateFault, match=re.escape(said)) as caught:
        edition(ordinary(2), by=renderer(tmp_path))
    assert "\n" not in str(caught.value)


def test_an_operators_theme_comes_first(tmp_path: Path) -> None:
    own_theme(tmp_path, "subject.txt", "{{ subject }}", "{{ newsletter.title }}: {{ subject }}")
    written = edition(ordinary(1), by=renderer(tmp_path)).written
    assert written.subject == f"Die besten KI-News: {article(0).title}"


def test_an_unknown_theme_is_a_fault() -> None:
    with pytest.raises(TemplateFault, match="editions/baroque"):
        edition(ordinary(1), of=newsletter(theme="baroque"))


def test_times_are_those_of_the_newsletters_zone() -> None:
    page, _ = parts(draft([article(0, published_at=MADE_AT)]))
    assert "· 07:00 ·" in page
    assert "Montag, 23. November 2026" in page
