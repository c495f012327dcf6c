"""The confirm mail says who, what and when, and nothing else."""

from __future__ import annotations

import re

import pytest
from message_samples import ADDRESS, HOSTILE, MADE_AT, newsletter, renderer

from digest.messages.notices import write_confirm, write_moved
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
        who = "erika…@example.net"  # whole in the To header alone
        for fact in (who, "Die besten KI-News", "wöchentlich", WHEN, URL, "nichts", IMPRINT):
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


def moved(language: str = "en", title: str = "Die besten KI-News") -> Notice:
    return write_moved(
        renderer(),
        newsletter(title=title),
        address=ADDRESS,
        moved_at=MADE_AT,
        language=language,
    )


def test_an_old_address_is_told_what_happened_and_whom_to_ask() -> None:
    notice = moved()
    sender = newsletter().reply_to or newsletter().sender.address
    assert notice.kind == "moved"
    assert notice.subject == "Your address for “Die besten KI-News” was changed"
    for part in (notice.html, notice.text):
        for fact in (ADDRESS, "Die besten KI-News", "23 November 2026, 07:00:04 CET", IMPRINT):
            assert fact in " ".join(part.split())
        assert sender in part
    assert set(re.findall(r'href="([^"]*)"', notice.html)) == {
        f"mailto:{sender}",
        "https://www.example.org/impressum",
    }
    assert not re.search(r"<img|<style|background", notice.html)


@pytest.mark.parametrize("title", HOSTILE)
def test_a_title_is_never_markup_in_the_last_mail_either(title: str) -> None:
    notice = moved(title=title)
    assert "\n" not in notice.subject
    assert set(re.findall(r"<([a-z0-9]+)", notice.html)) == set(
        re.findall(r"<([a-z0-9]+)", moved().html)
    )


#: what a stranger can write into an address that is somebody else's mailbox
LOUD = {
    "visit-evil.example@x.org": "visit…@x.org",
    "anna+www.evil.example/win?a=b@x.org": "anna…@x.org",
    "www.evil.example/win@x.org": "www…@x.org",
    "http//evil.example@x.org": "http…@x.org",
    "{{7*7}}@x.org": "…@x.org",
    "call-0900-123456-now@x.org": "call…@x.org",
    "a" * 60 + "@x.org": "a" * 20 + "…@x.org",
    "anna@x.org": "anna@x.org",
}


@pytest.mark.parametrize("address", LOUD)
@pytest.mark.parametrize("language", ["de", "en"])
def test_nobody_writes_to_a_stranger_with_the_address_that_he_types(
    language: str, address: str
) -> None:
    notice = write_confirm(
        renderer(),
        newsletter(),
        address=address,
        frequency="weekly",
        requested_at=MADE_AT,
        confirm_url=URL,
        unsubscribe_url=WITHDRAW,
        language=language,
    )
    assert "@" not in notice.subject
    seen = re.sub(r"<[^>]*>", " ", notice.html)
    for part in (seen, notice.text):
        assert LOUD[address] in part
        # what a mail program would make links of: with a scheme, with www., or a host name
        for ours in (URL, WITHDRAW, "https://www.example.org/impressum", LOUD[address]):
            part = part.replace(ours, " ")  # noqa: PLW2901 -- what is left is looked at
        assert re.findall(r"\S+://\S+|www\.\S+|\b[\w-]+\.[a-z]{2,}\b|\S+@\S+|evil|0900", part) == []
    assert set(re.findall(r'href="([^"]*)"', notice.html)) == {
        URL,
        WITHDRAW,
        "https://www.example.org/impressum",
    }
