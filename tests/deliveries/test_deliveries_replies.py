import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.deliveries.replies import (
    MAX_LINES,
    MAX_REPLY,
    MAX_TEXT,
    Away,
    Malformed,
    Onward,
    Phase,
    judge,
    judge_dot,
    take_reply,
)
from digest.model.delivery import Bounced, Deferred, Outcome, Reply, Sent, Uncertain

CORPUS = Path(__file__).parents[3] / "shared" / "corpora" / "smtp" / "expected.json"


def reply(code: int) -> Reply:
    return Reply(code=code, enhanced=None, text="words")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"250 2.0.0 queued\r\n", Reply(code=250, enhanced="2.0.0", text="queued")),
        (b"250 queued as 2.0.0\r\n", Reply(code=250, enhanced=None, text="queued as 2.0.0")),
        (b"250 2.0.0\r\n", Reply(code=250, enhanced="2.0.0", text="")),
        (b"354\r\n", Reply(code=354, enhanced=None, text="")),
        (b"250 \r\n", Reply(code=250, enhanced=None, text="")),
        (b"250 ok\n", Reply(code=250, enhanced=None, text="ok")),
        (b"550 5.1.351 no\r\n", Reply(code=550, enhanced="5.1.351", text="no")),
        (b"250 2.0.0.1 no status\r\n", Reply(code=250, enhanced=None, text="2.0.0.1 no status")),
        (b"250-a\r\n250-\r\n250 b\r\n", Reply(code=250, enhanced=None, text="a b")),
        (b"550-5.7.1 go\r\n550 5.7.1 away\r\n", Reply(code=550, enhanced="5.7.1", text="go away")),
        ("550 völlig\r\n".encode(), Reply(code=550, enhanced=None, text="völlig")),
    ],
)
def test_a_reply_is_read_as_it_was_written(line: bytes, expected: Reply) -> None:
    assert take_reply(line) == (expected, len(line))


def test_what_follows_a_reply_is_left_for_the_next() -> None:
    assert take_reply(b"250 ok\r\n550 no\r\n") == (
        Reply(code=250, enhanced=None, text="ok"),
        len(b"250 ok\r\n"),
    )


@pytest.mark.parametrize("line", [b"", b"2", b"250 ok", b"250 ok\r", b"250-a\r\n", b"250-a\r\n25"])
def test_half_a_reply_waits_for_the_rest(line: bytes) -> None:
    assert take_reply(line) is None


@pytest.mark.parametrize(
    "line",
    [
        b"\r\n",
        b"25\r\n",
        b"ok\r\n",
        b"2500 ok\r\n",
        b"250x\r\n",
        b" 250 ok\r\n",
        b"199 no such\r\n",
        b"650 no such\r\n",
        b"HTTP/1.1 400 Bad Request\r\n",
        b"250-a\r\n550 b\r\n",
        b"250-a\r\nb\r\n",
        b"250 " + b"x" * 5000 + b"\r\n",
        b"250 " + b"x" * 5000,
        b"250-x\r\n" * MAX_LINES + b"250 x\r\n",
        b"250-" + b"x" * 3000 + b"\r\n" + (b"250-" + b"x" * 3000 + b"\r\n") * 12,
    ],
)
def test_what_is_no_reply_is_malformed(line: bytes) -> None:
    assert isinstance(take_reply(line), Malformed)


def test_the_most_lines_are_still_a_reply() -> None:
    taken = take_reply(b"250-x\r\n" * (MAX_LINES - 1) + b"250 x\r\n")
    assert isinstance(taken, tuple)


def test_the_text_of_a_reply_fits_a_log_line_and_a_row() -> None:
    taken = take_reply(b"550 a\x00b\x1b[31m\tc\rd\xe2\x80\xa8e\xff " + b"x" * 3000 + b"\r\n")
    assert isinstance(taken, tuple)
    text = taken[0].text
    assert text.startswith("a b [31m c d e� xxx")
    assert (len(text), text[-1]) == (MAX_TEXT, "…")


@given(st.binary(max_size=200), st.lists(st.sampled_from([b"250", b"550", b"-", b" ", b"\r\n"])))
def test_any_bytes_are_a_reply_or_malformed_or_unfinished(noise: bytes, parts: list[bytes]) -> None:
    data = b"".join(parts) + noise
    whole = take_reply(data)
    if isinstance(whole, tuple):
        assert whole[0].text.isprintable() or "�" in whole[0].text
    for end in range(len(data)):
        early = take_reply(data[:end])
        assert early is None or early == whole


def test_a_reply_without_end_is_given_up() -> None:
    assert isinstance(take_reply(b"250-x\r\n" * MAX_REPLY), Malformed)


@pytest.mark.parametrize(
    ("phase", "code", "expected"),
    [
        (Phase.RSET, 250, Onward()),
        (Phase.RSET, 500, Away),
        (Phase.MAIL, 250, Onward()),
        (Phase.MAIL, 251, Away),
        (Phase.MAIL, 354, Away),
        (Phase.MAIL, 421, Away),
        (Phase.MAIL, 451, Away),
        (Phase.MAIL, 530, Away),
        (Phase.MAIL, 550, Away),
        (Phase.MAIL, 552, Bounced(reply=reply(552))),
        (Phase.RCPT, 250, Onward()),
        (Phase.RCPT, 251, Onward()),
        (Phase.RCPT, 252, Onward()),
        (Phase.RCPT, 354, Away),
        (Phase.RCPT, 421, Away),
        (Phase.RCPT, 450, Deferred(reply=reply(450))),
        (Phase.RCPT, 452, Deferred(reply=reply(452))),
        (Phase.RCPT, 503, Away),
        (Phase.RCPT, 530, Away),
        (Phase.RCPT, 550, Bounced(reply=reply(550))),
        (Phase.RCPT, 554, Bounced(reply=reply(554))),
        (Phase.DATA, 354, Onward()),
        (Phase.DATA, 250, Away),
        (Phase.DATA, 355, Away),
        (Phase.DATA, 421, Away),
        (Phase.DATA, 451, Deferred(reply=reply(451))),
        (Phase.DATA, 503, Away),
        (Phase.DATA, 554, Bounced(reply=reply(554))),
    ],
)
def test_the_phase_says_who_is_meant(phase: Phase, code: int, expected: object) -> None:
    verdict = judge(phase, reply(code))
    if expected is Away:
        assert verdict == Away(reason=f"{phase} was answered {code} words")
    else:
        assert verdict == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (250, Sent(reply=reply(250))),
        (251, Sent(reply=reply(251))),
        (220, Uncertain(reason="the final dot was answered 220 words")),
        (221, Uncertain(reason="the final dot was answered 221 words")),
        (354, Uncertain(reason="the final dot was answered 354 words")),
        (421, Deferred(reply=reply(421))),
        (451, Deferred(reply=reply(451))),
        (552, Bounced(reply=reply(552))),
        (554, Bounced(reply=reply(554))),
    ],
)
def test_the_reply_to_the_dot_says_who_has_the_message(code: int, expected: Outcome) -> None:
    assert judge_dot(reply(code)) == expected


def corpus() -> list[dict[str, Any]]:
    if not CORPUS.exists():
        return []
    found: list[dict[str, Any]] = json.loads(CORPUS.read_text())["replies"]
    return [each for each in found if each["reply"].startswith(f"{each['code']} ")]


@pytest.mark.parametrize("case", corpus(), ids=lambda case: case["from_file"])
def test_real_replies_are_deferred_or_bounced_as_they_say(case: dict[str, Any]) -> None:
    taken = take_reply(case["reply"].encode() + b"\r\n")
    assert isinstance(taken, tuple)
    answer = taken[0]
    if case["reply"].startswith(f"{case['code']} {case['enhanced']} "):
        assert (answer.code, answer.enhanced) == (case["code"], case["enhanced"])
    expected = Deferred(reply=answer) if case["temporary"] else Bounced(reply=answer)
    assert judge_dot(answer) == expected
