"""Mails as they come back to a bounce mailbox, made for the tests: of servers, programs, people."""

from __future__ import annotations

from itertools import count

_ids = count(1)


def _lines(*lines: str) -> bytes:
    return "\r\n".join(lines).encode()


def bounce(
    to: str,
    reader: str,
    *,
    status: str = "5.1.1",
    said: str = "550 5.1.1 nobody of that name lives here",
    action: str = "failed",
    message_id: str | None = None,
    return_path: str = "<>",
    daemon: bool = True,
    returned: str = "",
    more: tuple[tuple[str, str, str], ...] = (),
) -> bytes:
    """A delivery status notification (RFC 3464) to `to` about `reader`.

    `more` are other recipients with their status and what was said.
    """
    sender = "Mail Delivery System <MAILER-DAEMON@mx.relay.example>" if daemon else "x@y.example"
    fates: list[str] = []
    for each, its, words in ((reader, status, said), *more):
        fates += [
            "",
            f"Final-Recipient: rfc822; {each}",
            f"Action: {action}",
            f"Status: {its}",
            f"Diagnostic-Code: smtp; {words}",
        ]
    return _lines(
        f"Return-Path: {return_path}",
        f"Delivered-To: {to}",
        f"From: {sender}",
        f"To: {to}",
        "Subject: Your message came back",
        f"Message-ID: {message_id or f'<r{next(_ids)}@mx.relay.example>'}",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="cut"',
        "",
        "--cut",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        "We tried to bring your message to its reader and could not.",
        "",
        "--cut",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mx.relay.example",
        *fates,
        "",
        "--cut",
        "Content-Type: text/rfc822-headers",
        "",
        "From: Stadtblatt <post@stadtblatt.example>",
        f"To: {reader}",
        "Subject: Eins",
        *([returned] if returned else []),
        "",
        "--cut--",
        "",
    )


def forged(to: str, reader: str) -> bytes:
    """What a person writes who wants it to look like a bounce, by an ordinary mail."""
    return _lines(
        "Return-Path: <somebody@elsewhere.example>",
        f"Delivered-To: {to}",
        "From: Somebody <somebody@elsewhere.example>",
        f"To: {to}",
        "Subject: Undelivered Mail Returned to Sender",
        f"Message-ID: <f{next(_ids)}@elsewhere.example>",
        "",
        f"<{reader}>: host mx.example said: 550 5.1.1 no such user;",
        "giving up, it could not be delivered",
        "",
    )


def complaint(
    to: str,
    *,
    kind: str = "abuse",
    returned: str,
    address: str = "redacted@example.net",
    mail_from: str = "",
) -> bytes:
    """A feedback report (RFC 5965); `returned` is a header of the message complained about."""
    return _lines(
        "Return-Path: <feedback@mailboxes.example>",
        f"Delivered-To: {to}",
        "From: Feedback <feedback@mailboxes.example>",
        f"To: {to}",
        "Subject: A complaint",
        f"Message-ID: <c{next(_ids)}@mailboxes.example>",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=feedback-report; boundary="cut"',
        "",
        "--cut",
        "Content-Type: text/plain",
        "",
        "A reader of ours pressed a button.",
        "",
        "--cut",
        "Content-Type: message/feedback-report",
        "",
        f"Feedback-Type: {kind}",
        "User-Agent: Button/1.0",
        "Version: 1",
        f"Original-Mail-From: <{mail_from}>",
        f"Original-Rcpt-To: <{address}>",
        "",
        "--cut",
        "Content-Type: text/rfc822-headers",
        "",
        "From: Stadtblatt <post@stadtblatt.example>",
        f"To: {address}",
        "Subject: Eins",
        returned,
        "",
        "--cut--",
        "",
    )


def letter(
    to: str,
    subject: str,
    text: str = "",
    *headers: str,
    sender: str = "Anna <anna@example.org>",
) -> bytes:
    """An ordinary mail, with more header lines where wanted."""
    return _lines(
        f"Return-Path: <{sender.partition('<')[2].rstrip('>')}>",
        f"Delivered-To: {to}",
        f"From: {sender}",
        f"To: {to}",
        f"Subject: {subject}",
        f"Message-ID: <l{next(_ids)}@example.org>",
        *headers,
        "",
        text,
        "",
    )


def vacation(to: str) -> bytes:
    return letter(to, "Bin im Urlaub", "Ich lese erst im Mai.", "Auto-Submitted: auto-replied")


def ticket(to: str) -> bytes:
    return letter(
        to,
        "[Anfrage 4711] Wir haben Ihre Nachricht erhalten",
        "Bitte antworten Sie nicht.",
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: All",
        "Precedence: junk",
    )


def huge(to: str, reader: str, *, mebibytes: int = 20) -> bytes:
    """A bounce that returns far too much."""
    whole = bounce(to, reader)
    tail = b"\r\n".join([b"x" * 76] * (mebibytes * 1_048_576 // 78))
    return whole.replace(b"Subject: Eins\r\n", b"Subject: Eins\r\n\r\n" + tail + b"\r\n")


def broken(to: str) -> bytes:
    """A report torn in the middle, in bytes that are no text."""
    return bounce(to, "anna@example.org").replace(b"\r\n--cut\r\nContent-Type: message", b"\0\xff")[
        :600
    ]
