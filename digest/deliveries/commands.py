"""Turns a message into the words of an SMTP client; it never does I/O, never alters the mail."""

from __future__ import annotations

import re
from typing import Final

from digest.model.delivery import Reply
from digest.model.message import Message

QUIT: Final = b"QUIT\r\n"
RSET: Final = b"RSET\r\n"
DATA: Final = b"DATA\r\n"
DOT: Final = b".\r\n"

#: nothing that could end the path or the line: that would be a second command
_MAILBOX = re.compile(r"[!-;=?-~]+@[!-;=?-~]+")


def refusal(message: Message) -> Reply | None:
    """Why this recipient cannot be written to at all, as a server would put it, or None.

    Addresses outside ASCII would need SMTPUTF8 (RFC 6531), which we do not speak.
    """
    if not message.rcpt_to.isascii():
        return Reply(code=553, enhanced="5.6.7", text="not sent: the address is not ASCII")
    if _MAILBOX.fullmatch(message.rcpt_to) is None:
        return Reply(code=553, enhanced="5.1.3", text="not sent: the address is malformed")
    return None


def too_large(message: Message, size_limit: int | None) -> Reply | None:
    """Why a server that takes `size_limit` octets (RFC 1870; None: no limit) cannot have it."""
    if size_limit is None or len(message.data) <= size_limit:
        return None
    text = f"not sent: {len(message.data)} octets, the relay takes {size_limit}"
    return Reply(code=552, enhanced="5.3.4", text=text)


def mail(message: Message, *, declare_size: bool, reports: bool = False) -> bytes:
    """MAIL FROM; an empty sender is the null reverse-path.

    With `reports` (the server offers DSN, RFC 3461) a report shall name our envelope id and bring
    the header back, not the whole mail. Raises ValueError for a sender that cannot be written: it
    comes from the settings, not from a stranger.
    """
    if message.mail_from and _MAILBOX.fullmatch(message.mail_from) is None:
        raise ValueError(f"the envelope sender is malformed: {message.mail_from!r}")
    size = f" SIZE={len(message.data)}" if declare_size else ""
    asked = ""
    if reports and message.envelope_id is not None:
        asked = f" RET=HDRS ENVID={_xtext(message.envelope_id)}"
    return f"MAIL FROM:<{message.mail_from}>{size}{asked}\r\n".encode("ascii")


def rcpt(message: Message, *, reports: bool = False) -> bytes:
    """RCPT TO, for a recipient that `refusal` had nothing against.

    With `reports` failures and delays are reported, and each report names the address that we
    wrote to, however often it was forwarded (RFC 3461 4.1, 4.2).
    """
    asked = ""
    if reports and message.envelope_id is not None:
        asked = f" NOTIFY=FAILURE,DELAY ORCPT=rfc822;{_xtext(message.rcpt_to)}"
    return f"RCPT TO:<{message.rcpt_to}>{asked}\r\n".encode("ascii")


def _xtext(value: str) -> str:
    """RFC 3461 section 4: all but the harmless characters as +XX."""
    return "".join(
        each if "!" <= each <= "~" and each not in "+=" else f"+{ord(each):02X}" for each in value
    )


def body(message: Message) -> bytes:
    """The message between DATA and the final dot, dots doubled (RFC 5321 4.5.2).

    Raises ValueError for a bare CR or LF and for a last line without an end: servers disagree
    about where such a message stops, and what follows could pass for a second one.
    """
    data = message.data
    pairs = data.count(b"\r\n")
    if data.count(b"\r") != pairs or data.count(b"\n") != pairs or not data.endswith(b"\r\n"):
        raise ValueError("the message has a line that does not end in CRLF")
    stuffed = data.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed
