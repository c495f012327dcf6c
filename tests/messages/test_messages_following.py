"""The mails about what is followed: they say why, they stop just that, and run nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import html5lib
import pytest
from message_samples import newsletter, renderer

from digest.messages.following import Item, write_follow, write_similar
from digest.model.message import Notice

NASTY = '<img src=x onerror="alert(1)">{{ 7*7 }}\r\nBcc: evil@example.org'
HOME = "https://news.example.org"


def items(*titles: str) -> list[Item]:
    return [
        Item(
            title=title,
            text="Mehr dazu.",
            url="https://stadtblatt.example/1",
            because="Kaltwerk baut Greifarm",
            words=("Kaltwerk", "Orka"),
            stop_url=f"{HOME}/follow/stop/token{place}",
        )
        for place, title in enumerate(titles)
    ]


def flat(part: str) -> str:
    """A part without its line ends."""
    return " ".join(part.split())


def similar(*found: Item) -> Notice:
    return write_similar(
        renderer(),
        newsletter(),
        found,
        preferences_url=f"{HOME}/preferences/p",
        unsubscribe_url=f"{HOME}/unsubscribe/u",
        language="en",
    )


def asked(**more: object) -> Notice:
    facts: dict[str, object] = {
        "address": "anna+http.evil.example@example.org",
        "title": "Kaltwerk baut Greifarm",
        "prompt": True,
        "begins": True,
        "rhythm": None,
        "requested_at": datetime(2026, 11, 23, 7, tzinfo=UTC),
        "confirm_url": f"{HOME}/follow/confirm/c",
        "unsubscribe_url": f"{HOME}/unsubscribe/u",
        "language": "en",
        **more,
    }
    return write_follow(renderer(), newsletter(), **facts)  # type: ignore[arg-type]  # a test's own


def test_each_story_says_why_it_came_and_how_to_stop_just_this() -> None:
    notice = similar(*items("Orka geht in Serie", "Orka wird teurer"))
    assert notice.subject == "Like what you follow, 2 stories: Orka geht in Serie"
    for part in (flat(notice.html), flat(notice.text)):
        assert part.count("Because you follow “Kaltwerk baut Greifarm”.") == 2
        assert part.count("In common: Kaltwerk, Orka.") == 2
        for link in ("/follow/stop/token0", "/follow/stop/token1", "/preferences/p"):
            assert part.count(f"{HOME}{link}") == 1
        assert f"{HOME}/unsubscribe/u" in part
    assert similar(*items("Orka")).subject == "Like what you follow: Orka"


@pytest.mark.parametrize("field", ["title", "text", "because", "url", "words"])
def test_what_a_feed_wrote_is_text_and_never_markup(field: str) -> None:
    bad: dict[str, object] = {
        field: (NASTY,) if field == "words" else "javascript:alert(1)" if field == "url" else NASTY
    }
    (one,) = items("Orka")
    notice = similar(replace(one, **bad))  # type: ignore[arg-type]  # a field of its own kind
    tree = html5lib.parse(notice.html, namespaceHTMLElements=False)
    assert not [each for each in tree.iter() if each.tag in ("img", "script")]
    links = [each.attrib["href"] for each in tree.iter("a")]
    assert all(each.startswith("https://") for each in links)
    assert "{{" not in notice.html
    assert "\n" not in notice.subject.rstrip("\n")
    assert "javascript:" not in notice.text


def test_the_question_says_who_what_and_when_and_shows_no_link_of_a_stranger() -> None:
    notice = asked()
    for part in (flat(notice.html), flat(notice.text)):
        assert "Kaltwerk baut Greifarm" in part
        assert "evil.example" not in part
        assert part.count(f"{HOME}/follow/confirm/c") >= 1
        assert "at once, in a mail of its own" in part
        assert f"{HOME}/unsubscribe/u" in part
        assert "itself (" not in part


def test_a_reader_is_not_offered_to_withdraw_what_he_reads() -> None:
    notice = asked(begins=False, prompt=False)
    for part in (flat(notice.html), flat(notice.text)):
        assert f"{HOME}/unsubscribe/u" not in part
        assert "with the next edition" in part


def test_a_newsletter_that_was_asked_for_too_is_named() -> None:
    notice = asked(rhythm="weekly")
    for part in (flat(notice.html), flat(notice.text)):
        assert "itself (weekly), which was" in part
