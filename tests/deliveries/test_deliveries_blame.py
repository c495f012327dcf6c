"""Who is meant by a refusal: the table of replies, phase by phase."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from digest.deliveries.blame import blame
from digest.deliveries.replies import Malformed, Phase, take_reply
from digest.model.delivery import Reply
from digest.model.report import Cause

RCPT, DATA, MAIL = Phase.RCPT, Phase.DATA, Phase.MAIL


def said(line: str) -> Reply:
    """A reply as it is read from the wire."""
    read = take_reply(f"{line}\r\n".encode())
    assert read is not None
    assert not isinstance(read, Malformed)
    return read[0]


READER = [
    ("550 5.1.1 no such user", Cause.GONE),
    ("550 5.1.10 null MX", Cause.GONE),
    ("553 5.1.3 bad address", Cause.CLOSED),
    ("551 5.1.6 moved", Cause.CLOSED),
    ("550 5.2.1 disabled", Cause.CLOSED),
    ("550 5.1.2 host not found", Cause.NOWHERE),
    ("554 5.4.4 Host or domain name not found", Cause.NOWHERE),
    ("550 5.2.2 over quota", Cause.FULL),
    ("552 5.2.2 over quota", Cause.FULL),
    ("552 mailbox exceeds its storage", Cause.FULL),
    ("550 no", Cause.REFUSED),
    ("553 no", Cause.REFUSED),
    ("542 <anna@example.org> rejected", Cause.REFUSED),
    ("501 bad address syntax", Cause.REFUSED),
    ("550 5.0.0 no", Cause.REFUSED),
    ("550 5.2.0 no", Cause.REFUSED),
    ("550 5.5.0 invalid recipient", Cause.REFUSED),
    # a relay whose resolver is dead says these of everybody: no reader is certainly meant
    ("550 5.1.2 try your luck elsewhere", Cause.REFUSED),
    ("554 5.4.4 unable to route", Cause.REFUSED),
]


@pytest.mark.parametrize(("line", "cause"), READER)
def test_what_rcpt_is_refused_for_may_be_the_readers(line: str, cause: Cause) -> None:
    assert blame(RCPT, said(line)) is cause


@pytest.mark.parametrize("phase", [RCPT, DATA])
@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("550 5.7.1 blocked", Cause.BLOCKED),
        ("550 5.7.25 no PTR", Cause.BLOCKED),
        ("550 5.7.515 not authenticated", Cause.BLOCKED),
        ("554 5.7.0 spam", Cause.BLOCKED),
        # 5.1.7 and 5.1.8 speak of the sender's address
        ("550 5.1.7 bad sender", Cause.BLOCKED),
        ("501 5.1.8 sender's domain not found", Cause.BLOCKED),
        ("552 5.3.4 too large", Cause.MESSAGE),
        ("550 5.2.3 too large for this mailbox", Cause.MESSAGE),
        ("550 5.6.1 media not supported", Cause.MESSAGE),
        ("552 5.6.0 odd header", Cause.MESSAGE),
        ("500 5.5.2 syntax", Cause.PROTOCOL),
        ("554 5.5.4 bad parameter", Cause.PROTOCOL),
        ("500 what?", Cause.PROTOCOL),
        ("504 no", Cause.PROTOCOL),
        # RFC 5321 4.2.3: the parameters that we wrote are not known there
        ("555 no", Cause.PROTOCOL),
    ],
)
def test_the_sender_and_the_message_are_never_the_readers_fault(
    phase: Phase, line: str, cause: Cause
) -> None:
    assert blame(phase, said(line)) is cause


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("552 too much", Cause.MESSAGE),
        ("552 5.0.0 too much", Cause.MESSAGE),
        ("501 no", Cause.PROTOCOL),
        # what the body or the dot is refused for is in the message, which is the same for all
        ("554 transaction failed", Cause.BLOCKED),
        ("550 5.2.0 not wanted", Cause.BLOCKED),
        ("550 5.3.0 virus", Cause.BLOCKED),
        # unless the reader is named
        ("550 5.1.1 no such user", Cause.GONE),
        ("550 user unknown", Cause.REFUSED),
        ("553 host.example does not exist", Cause.REFUSED),
    ],
)
def test_after_rcpt_the_message_is_meant(line: str, cause: Cause) -> None:
    assert blame(DATA, said(line)) is cause


@pytest.mark.parametrize("line", ["552 too large", "552 5.3.4 too large", "552 5.2.2 full"])
def test_nobody_is_named_yet_at_mail(line: str) -> None:
    assert blame(MAIL, said(line)) is Cause.MESSAGE


@pytest.mark.parametrize("phase", [RCPT, DATA])
@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("450 4.7.1 greylisted", Cause.PACE),
        ("421 4.7.28 too fast", Cause.PACE),
        ("452 4.2.2 full", Cause.FULL),
        ("450 4.2.1 later", Cause.PASSING),
        ("452 4.5.3 too many", Cause.PASSING),
        ("451 4.3.0 trouble", Cause.PASSING),
        ("451 4.4.3 no resolver", Cause.PASSING),
        ("450 later", Cause.PASSING),
        ("421 4.2.0 bye", Cause.PASSING),
        # the code decides where the two contradict each other
        ("450 5.1.1 no such user", Cause.PASSING),
    ],
)
def test_what_may_pass_is_never_hard(phase: Phase, line: str, cause: Cause) -> None:
    assert blame(phase, said(line)) is cause
    assert not cause.hard


def test_an_enhanced_code_of_another_class_proves_nothing() -> None:
    assert blame(RCPT, said("550 4.1.1 odd")) is Cause.REFUSED
    assert blame(RCPT, said("550 2.1.1 odd")) is Cause.REFUSED


def _strict(corpora: Path) -> list[dict[str, Any]]:
    known = json.loads((corpora / "smtp" / "expected.json").read_text(encoding="utf-8"))
    return [each for each in known["replies"] if each["strict"]]


def _phase(text: str) -> Phase:
    return DATA if re.search(r"end of data|DATA command", text, re.IGNORECASE) else RCPT


def test_real_replies_beyond_argument(corpora: Path) -> None:
    known = _strict(corpora)
    assert len(known) > 20
    wrong = []
    for each in known:
        code = each["code"] if each["code"] >= 400 else 550
        reply = Reply(code=code, enhanced=each["enhanced"], text=each["reply"])
        cause = blame(_phase(each["reply"]), reply)
        # 5.7.1 and 5.4.1 are told of everything under the sun: to doubt them costs us one more try
        doubtful = (each["enhanced"] or "").startswith("5.7.")
        if each["bounce_class"] == "hard":
            right = cause.hard or cause is Cause.REFUSED or (doubtful and cause is Cause.BLOCKED)
        else:
            right = not cause.hard
        if not right:
            wrong.append((each["reply"], cause))
    assert wrong == []
