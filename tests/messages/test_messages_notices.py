"""The confirm mail says who, what and when, and nothing else."""

from __future__ import annotations

import re

import pytest
from message_samples import ADDRESS, HOSTILE, MADE_AT, newsletter, renderer

from digest.messages.notices import write_confirm
from digest.model.message import Notice

URL = "https://news.example.org/confirm/abc.def-ghi"
WITHDRAW = "https://news.example.org/unsubscribe/xyz"
WHEN = "23. November 2026, 07:00:04 MEZ"
IMPRINT = "Beispiel GmbH, Musterstr. 1, 10115 Berlin"


def confirm(language: str = "de", title: str = "Die besten KI-News") -> Notice:
    return write_confirm(
        renderer(),
        newsletter(title=title),
        address=ADDRESS,
        frequency="weekly",
        requested_at=MADE_AT,
        confirm_url=URL,
        unsubscribe_url=WITHDRAW,
        language=language,
    )


def test_it_says_who_what_how_often_and_when() -> None:
    notice = confirm()
    assert notice.subject == "Bitte bestätigen: Die besten KI-News"
    for part in (notice.html, notice.text):
        for fact in (ADDRESS, "Die besten KI-News", "wöchentlich", WHEN, URL, "nichts", IMPRINT):
            assert fact in part
    assert f"\n{URL}\n" in notice.text


def test_it_advertises_nothing() -> None:
    for language in ("de", "en"):
        page = confirm(language).html
        assert not re.search(r"<img|<style|background|willkommen|welcome", page, re.IGNORECASE)
        assert set(re.findall(r'href="([^"]*)"', page)) == {
            URL,
            WITHDRAW,
            "https://www.example.org/impressum",
        }


def test_it_speaks_english() -> None:
    notice = confirm("en")
    assert notice.subject == "Please confirm: Die besten KI-News"
    assert "weekly" in notice.text
    assert "23 November 2026, 07:00:04 CET" in notice.text
    assert '<html lang="en"' in notice.html


def test_a_title_is_no_template_for_whatever_reads_the_mail() -> None:
    notice = confirm(title="Neu: {{ 7*7 }} {% raise %}")
    assert not {"{{", "{%"} & {
        part[i : i + 2] for part in (notice.html, notice.text) for i in range(len(part))
    }


@pytest.mark.parametrize("title", HOSTILE)
def test_a_title_is_never_markup(title: str) -> None:
    notice = confirm(title=title)
    assert "\n" not in notice.subject
    assert "<script" not in notice.html
    assert set(re.findall(r"<([a-z0-9]+)", notice.html)) == set(
        re.findall(r"<([a-z0-9]+)", confirm().html)
    )
