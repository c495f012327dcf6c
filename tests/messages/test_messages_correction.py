"""A correction says what was told and what is right, in German and English, and is never markup."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from message_samples import HOSTILE, MADE_AT, newsletter, renderer

from digest.messages.notices import Erratum, write_correction
from digest.model.message import Notice

WITHDRAW = "https://news.example.org/unsubscribe/xyz"
ERRATUM = Erratum(
    number=12,
    edition_made_at=MADE_AT,
    was="Der Kran fiel",
    title="Der Kran fiel nicht",
    was_text="Er liegt im Hafen.",
    text="Er steht im Hafen.",
    note="Wir hatten uns verhört.",
    url="https://www.example.org/kran",
)


def correction(erratum: Erratum = ERRATUM, language: str = "de") -> Notice:
    return write_correction(
        renderer(), newsletter(), erratum, unsubscribe_url=WITHDRAW, language=language
    )


@pytest.mark.parametrize(("language", "day"), [("de", "23. November 2026"), ("en", "23 November")])
def test_it_says_what_was_told_and_what_is_right(language: str, day: str) -> None:
    notice = correction(language=language)
    assert notice.kind == "correction"
    assert notice.subject.endswith(": Der Kran fiel nicht")
    assert f'<html lang="{language}"' in notice.html
    for part in (notice.html, notice.text):
        said = ("12", day, ERRATUM.was, ERRATUM.title, ERRATUM.text, ERRATUM.note, ERRATUM.url)
        for fact in said:
            assert fact in part
        assert ERRATUM.was_text not in part
        assert WITHDRAW in part


def test_what_did_not_change_is_said_once() -> None:
    same = replace(ERRATUM, title=ERRATUM.was, text=ERRATUM.was_text, note="")
    notice = correction(same, "en")
    assert "It said" not in notice.text
    assert notice.text.count(ERRATUM.was) == 1
    assert ERRATUM.text not in notice.text
    assert "\n\n\n" not in notice.text


@pytest.mark.parametrize("text", HOSTILE)
def test_what_strangers_wrote_is_never_markup(text: str) -> None:
    was, title, story, note = (f"{text} {number}" for number in range(4))
    hostile = replace(ERRATUM, was=was, title=title, text=story, note=note)
    notice = correction(hostile)
    assert "\n" not in notice.subject
    assert "{{" not in notice.html + notice.text
    tags = re.compile(r"<([a-z0-9]+)")
    assert tags.findall(notice.html) == tags.findall(correction().html)


def test_an_address_that_leads_nowhere_is_no_link() -> None:
    notice = correction(replace(ERRATUM, url="javascript:alert(1)"))
    assert set(re.findall(r'href="([^"]*)"', notice.html)) == {
        WITHDRAW,
        "https://www.example.org/impressum",
    }
