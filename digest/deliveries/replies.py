"""Turns the bytes of an SMTP server into replies, and replies into verdicts; it never does I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from digest.model.delivery import Bounced, Deferred, Outcome, Reply, Sent, Uncertain

#: RFC 5321 4.5.3.1.5 allows 512 octets a reply line; real servers are more talkative
MAX_LINE = 4096
MAX_LINES = 100
#: octets that we look at, at most, before a reply must have ended
MAX_REPLY = 32_768
#: characters of a reply that are kept: it goes into the delivery's row and into the log
MAX_TEXT = 500

OK = 250
GO_AHEAD = 354
SHUTTING_DOWN = 421
TOO_LARGE = 552

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)
_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:\s+|$)")
_UNSPEAKABLE = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]+")


class Phase(StrEnum):
    """Which of our words a reply answers."""

    RSET = "RSET"
    MAIL = "MAIL FROM"
    RCPT = "RCPT TO"
    DATA = "DATA"


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed:
    """Bytes that are no reply; `reason` is one line. The connection cannot be believed any more."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Onward:
    """The server agrees: say the next word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """The relay cannot be used now, and neither this recipient nor this message is to blame."""

    reason: str


Verdict = Onward | Away | Deferred | Bounced


def one_line(text: str, limit: int = MAX_TEXT) -> str:
    """A stranger's text fit for a log line and a database: no controls, no line ends, cut short."""
    clean = _UNSPEAKABLE.sub(" ", text).strip()
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def take_reply(buffer: bytes | bytearray) -> tuple[Reply, int] | Malformed | None:
    """The first whole reply at the head of `buffer` and how many bytes it took.

    None when more bytes are needed. Lines end in LF, with or without CR.
    """
    codes: set[bytes] = set()
    texts: list[bytes] = []
    start = 0
    while (end := buffer.find(b"\n", start)) >= 0:
        line = bytes(buffer[start:end]).removesuffix(b"\r")
        found = _LINE.fullmatch(line)
        if len(line) > MAX_LINE or len(texts) == MAX_LINES or end >= MAX_REPLY:
            return Malformed(reason="the reply is too long")
        if found is None:
            return Malformed(reason=f"no reply: {_shown(line)}")
        codes.add(found[1])
        texts.append(found[3] or b"")
        start = end + 1
        if len(codes) > 1:
            return Malformed(reason=f"one reply with two codes: {_shown(line)}")
        if found[2] != b"-":
            return _reply(int(found[1]), texts), start
    if len(buffer) - start > MAX_LINE or len(buffer) > MAX_REPLY:
        return Malformed(reason="the reply is too long")
    return None


def _shown(line: bytes) -> str:
    return one_line(line.decode("ascii", "replace"), 80)


def _reply(code: int, lines: list[bytes]) -> Reply:
    """Join the lines; RFC 2034 repeats the enhanced code on each, we keep it once."""
    texts = [line.decode("utf-8", "replace").strip() for line in lines]
    first = _ENHANCED.match(texts[0])
    enhanced = first[1] if first else None
    if enhanced is not None:
        texts = [re.sub(rf"{re.escape(enhanced)}(?:\s+|$)", "", text, count=1) for text in texts]
    return Reply(code=code, enhanced=enhanced, text=one_line(" ".join(texts)))


def judge(phase: Phase, reply: Reply) -> Verdict:
    """What a reply before the final dot means.

    The phase says who is meant: MAIL is about the sender, RCPT about the recipient, DATA about the
    message. What the phase does not foresee means that we and the server are out of step.
    """
    match phase:
        case Phase.RSET:
            return Onward() if reply.code == OK else _away(phase, reply)
        case Phase.MAIL:
            return _judge_mail(reply)
        case Phase.RCPT:
            return _judge_command(phase, reply, agreed=range(200, 300))  # 250, 251, 252
        case Phase.DATA:
            return _judge_command(phase, reply, agreed=range(GO_AHEAD, GO_AHEAD + 1))


def judge_dot(reply: Reply) -> Outcome:
    """What the reply to the final dot means: who is responsible for the message now."""
    match reply.code // 10, reply.code // 100:
        case 22, _:  # x2z speaks of the channel, not of the mail (RFC 5321 4.2.1)
            return Uncertain(reason=f"the final dot was answered {reply}")
        case _, 2:
            return Sent(reply=reply)
        case _, 4:  # 421 too: the server leaves and has not taken the message
            return Deferred(reply=reply)
        case _, 5:
            return Bounced(reply=reply)
        case _:
            return Uncertain(reason=f"the final dot was answered {reply}")


def _away(phase: Phase, reply: Reply) -> Away:
    return Away(reason=f"{phase} was answered {reply}")


def _judge_mail(reply: Reply) -> Verdict:
    if reply.code == OK:
        return Onward()
    if reply.code == TOO_LARGE:  # the SIZE that we declared; the sender is welcome (RFC 1870 6.1)
        return Bounced(reply=reply)
    return _away(Phase.MAIL, reply)


def _judge_command(phase: Phase, reply: Reply, *, agreed: range) -> Verdict:
    if reply.code in agreed:
        return Onward()
    match reply.code, reply.code // 100:
        # 421: the server leaves. 503: it lost our MAIL or RCPT. 530: it wants TLS or a login.
        case ((421 | 503 | 530), _):
            return _away(phase, reply)
        case _, 4:
            return Deferred(reply=reply)
        case _, 5:
            return Bounced(reply=reply)
        case _:
            return _away(phase, reply)
