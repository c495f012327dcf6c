"""A stored edition and one reader's links make his message; without them it is for everybody."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from message_samples import ADDRESS, LINKS, NONCE, PUBLIC_URL, TOKEN, edition, ordinary

from digest.messages.assemble import archive_html, assemble, fill, join_cards


@pytest.mark.parametrize("count", [1, 8, 40])
def test_no_mark_is_left(count: int) -> None:
    made = edition(ordinary(count))
    for part in (
        *assemble(made, LINKS, address=ADDRESS),
        archive_html(made, public_url=PUBLIC_URL),
    ):
        assert NONCE not in part


def test_every_personal_link_is_in_both_parts() -> None:
    page, text = assemble(edition(ordinary(3)), LINKS, address=ADDRESS)
    for link in (LINKS.unsubscribe, LINKS.preferences, LINKS.view, LINKS.archive):
        assert f'href="{link}"' in page
        assert f"\n{link}\n" in text
    assert ADDRESS in page
    assert ADDRESS in text


def test_values_are_escaped_in_html_alone() -> None:
    odd = replace(LINKS, unsubscribe="https://x.example/?a=1&b=\"2'<")
    page, text = assemble(edition(ordinary(1)), odd, address="o'neill&co@example.net")
    assert 'href="https://x.example/?a=1&amp;b=&quot;2&#x27;&lt;"' in page
    assert "o&#x27;neill&amp;co@example.net" in page
    assert odd.unsubscribe in text
    assert "o'neill&co@example.net" in text


def test_a_filled_value_is_not_filled_again() -> None:
    page, text = assemble(edition(ordinary(1)), LINKS, address=f"{NONCE}-unsubscribe@example.net")
    assert f"{NONCE}-unsubscribe@example.net" in page
    assert f"{NONCE}-unsubscribe@example.net" in text


def test_cards_are_joined_once_and_filled_for_each() -> None:
    made = edition(ordinary(3))
    joined = join_cards(made)
    for address in ("a@example.net", "b@example.net"):
        page, text = fill(joined, LINKS, address=address)
        assert ("".join(page), "".join(text)) == assemble(made, LINKS, address=address)


def test_cards_stand_in_the_order_of_the_edition() -> None:
    chosen = ordinary(8)
    page, _ = assemble(edition(chosen), LINKS, address=ADDRESS)
    page = page.replace("\u00ad", "")
    places = [page.index(f">{each.title}</a></h3>") for each in chosen.articles]
    assert places == sorted(places)


def test_the_archive_shows_nothing_personal() -> None:
    made = edition(ordinary(3))
    page = archive_html(made, public_url=f"{PUBLIC_URL}/")
    for personal in (TOKEN, "pref-0815", ADDRESS, "/unsubscribe", "/preferences", "ging an"):
        assert personal not in page
    assert f'href="{PUBLIC_URL}/ki-news"' in page
    assert f'href="{PUBLIC_URL}/archive/ki-news"' in page
    assert "Impressum" in page


def test_only_the_archive_asks_to_subscribe() -> None:
    made = edition(ordinary(1))
    page, _ = assemble(made, LINKS, address=ADDRESS)
    wanted = "„Die besten KI-News“ abonnieren"
    assert wanted in archive_html(made, public_url=PUBLIC_URL)
    assert wanted not in page


def test_a_personal_link_outside_the_marks_leads_to_the_newsletters_page() -> None:
    made = edition(ordinary(1))
    html = re.sub(rf"<!--{NONCE}:/?(?:mail|web)-->", "", made.written.html)
    page = archive_html(
        replace(made, written=replace(made.written, html=html)), public_url=PUBLIC_URL
    )
    assert NONCE not in page
    assert page.count(f'href="{PUBLIC_URL}/ki-news"') == 3
    assert f'href="{PUBLIC_URL}/archive/ki-news/7"' in page
