"""The mail that shows editors a draft: all of it as text, one link, the same bytes again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

import message_samples as sample
import pytest

from digest.messages.proof import MOST, MOST_OUT, say_reason, say_score, write_proof_mail
from digest.model.edition import Draft, Score
from digest.model.message import Message

LINK = f"{sample.PUBLIC_URL}/desk/proof/{sample.TOKEN}"
SLOT = sample.MADE_AT + timedelta(minutes=45)


def write(draft: Draft, **changes: Any) -> Message:
    facts: dict[str, Any] = {
        "to_address": sample.ADDRESS,
        "slot_at": SLOT,
        "goes_at": SLOT,
        "link": LINK,
        "seed": "one",
        "date": sample.MADE_AT,
        **changes,
    }
    return write_proof_mail(sample.renderer(), sample.newsletter(language="en"), draft, **facts)


def read(message: Message) -> tuple[EmailMessage, str, str]:
    mail = BytesParser(EmailMessage, policy=default).parsebytes(message.data)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    return mail, str(text.get_content()), str(html.get_content())


def test_equal_arguments_give_equal_bytes_and_each_editor_has_a_message_id() -> None:
    draft = sample.ordinary(3)
    assert write(draft) == write(draft)
    mail, text, html = read(write(draft))
    other, *_ = read(write(draft, to_address="vize@example.net"))
    assert mail["Message-ID"] != other["Message-ID"]
    assert mail["Auto-Submitted"] == "auto-generated"
    for part in (text, html):
        assert LINK in part
        assert part.count("/desk/") == 1


@pytest.mark.parametrize("title", sample.HOSTILE)
def test_what_strangers_write_is_text(title: str) -> None:
    article = sample.article(1, title=title, source=title, section=title)
    draft = replace(
        sample.draft([article]),
        subject=title,
        lead=f"{title}\n{title}",
        left_out=(replace(sample.left_out(2), article=sample.article(2, title=title)),),
    )
    mail, text, html = read(write(draft))
    assert mail["Bcc"] is None
    assert "\n" not in mail["Subject"]
    assert "<script" not in html
    assert "<img" not in html
    assert "{{" not in text.replace("{\u2060{", "")


def test_a_large_draft_is_told_in_part_and_counted() -> None:
    articles = [sample.article(number) for number in range(1, MOST + 6)]
    out = tuple(sample.left_out(number) for number in range(900, 900 + MOST_OUT + 7))
    _, text, html = read(write(replace(sample.draft(articles), left_out=out)))
    for part in (text, html):
        assert "And more: 5." in part
        assert "And more: 7." in part
    assert f"\n{MOST}. " in text.replace("\r\n", "\n")
    assert f"\n{MOST + 1}. " not in text.replace("\r\n", "\n")


def test_it_says_when_it_goes_or_that_it_waits() -> None:
    draft = sample.ordinary(2)
    _, text, _ = read(write(draft))
    assert "07:45 unless you hold it" in " ".join(text.split())
    _, text, _ = read(write(draft, goes_at=None))
    assert "does not go out before you let it" in " ".join(text.split())


def test_ranks_and_reasons_are_said_in_a_few_words() -> None:
    score = Score(parts=(("freshness", 0.75), ("topic", 0.504)))
    assert say_score(score, "en") == "rank 1.25: freshness 0.75, topic 0.5"
    assert say_score(None, "en") == ""
    assert say_reason("limit", "en") == "the edition is full"
    assert say_reason("of tomorrow", "en") == "of tomorrow"
