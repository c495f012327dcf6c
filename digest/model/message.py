"""A message: an edition or a notice as one person gets it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """RFC 5322 bytes with CRLF line ends, and the SMTP envelope."""

    #: MAIL FROM: where bounces go
    mail_from: str
    #: RCPT TO: exactly one
    rcpt_to: str
    data: bytes
    #: what a server repeats in its report on this message (RFC 3461 4.4); None: nothing is asked
    envelope_id: str | None = None
    #: line ends are CRLF alone and no line begins with a dot: it goes over the wire as it is
    plain_lines: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack:
    """Where mail about one message comes back to, so that we know which one is meant."""

    #: MAIL FROM, with a signed token of this delivery (VERP)
    return_path: str
    #: what servers repeat in their reports (ENVID, RFC 3461)
    envelope_id: str
    #: an address that ends the subscription; None where nobody reads such mail
    unsubscribe: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """The addresses that belong to one reader, all absolute."""

    unsubscribe: str
    preferences: str
    #: this edition on the web, without anything personal
    view: str
    archive: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A service mail, rendered: short, plain, to one person about his own subscription."""

    #: the folder of templates/notices it was made from
    kind: str
    subject: str
    html: str
    text: str
