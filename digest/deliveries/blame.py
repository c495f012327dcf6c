"""Turns a refusal into its cause: the reader is meant, the sender, or the message.

The phase says who is meant (RFC 5321 3.3), the enhanced code says why (RFC 3463). A reader is only
to blame where nothing else can be meant: most 5xx replies of the world are not about a mailbox.
"""

from __future__ import annotations

import re
from typing import Final

from digest.deliveries.replies import Phase
from digest.model.delivery import Reply
from digest.model.report import Cause

#: class 5 by subject and detail, whatever the phase (RFC 3463; RFC 7505 for 5.1.10)
_PERMANENT: Final = {
    "1.1": Cause.GONE,
    "1.10": Cause.GONE,
    "1.3": Cause.CLOSED,
    "1.6": Cause.CLOSED,
    # it is our own address that is not liked (RFC 3463 3.2)
    "1.7": Cause.BLOCKED,
    "1.8": Cause.BLOCKED,
    "2.1": Cause.CLOSED,
    "2.2": Cause.FULL,
    "2.3": Cause.MESSAGE,
    "3.4": Cause.MESSAGE,
}
#: 5.1.2 and 5.4.4 are hard only where the text says that the domain is not there: a relay whose
#: resolver is dead says the same of every address
_NO_HOST: Final = frozenset({"1.2", "4.4"})
_NOT_FOUND: Final = re.compile(
    r"not found|no such (?:host|domain)|unknown (?:host|domain)|(?:host|domain) unknown"
    r"|does not exist|doesn't exist|non-?existent|nxdomain|invalid domain|null ?mx",
    re.IGNORECASE,
)
#: some say 5.5.0 where they mean 5.1.1; it is no proof of either
_MAILBOX: Final = re.compile(r"mailbox|recipient|user|address|account", re.IGNORECASE)

_TOO_LARGE: Final = 552
#: our words are not understood (RFC 5321 4.2.3); 501 to RCPT means what we wrote there: an address
_SYNTAX: Final = frozenset({500, 501, 502, 503, 504, 555})
_PARAMETER: Final = 501


def blame(phase: Phase, reply: Reply) -> Cause:
    """Who is meant by a 4xx or 5xx in answer to RCPT, DATA or the final dot, and to MAIL's SIZE."""
    if phase is Phase.MAIL:  # nobody has been named yet: it is the size that we declared
        return Cause.MESSAGE
    if reply.code < 500:  # noqa: PLR2004 -- RFC 5321 4.2.1: 5yz is permanent
        return _passing(reply.enhanced or "")
    if reply.enhanced is None or not reply.enhanced.startswith("5."):
        return _bare(phase, reply)
    why = reply.enhanced[2:]
    if why in _NO_HOST:
        return Cause.NOWHERE if _NOT_FOUND.search(reply.text) else Cause.REFUSED
    return _PERMANENT.get(why) or _by_subject(why.partition(".")[0], phase, reply)


def _by_subject(subject: str, phase: Phase, reply: Reply) -> Cause:
    match subject:
        case "7":
            return Cause.BLOCKED
        case "6":
            return Cause.MESSAGE
        case "5":
            meant = phase is Phase.RCPT and reply.code >= 550 and _MAILBOX.search(reply.text)  # noqa: PLR2004 -- below it is about syntax
            return Cause.REFUSED if meant else Cause.PROTOCOL
        case _:
            return _bare(phase, reply) if reply.code == _TOO_LARGE else _vague(phase, reply)


def _passing(enhanced: str) -> Cause:
    if enhanced.startswith("4.7."):
        return Cause.PACE
    return Cause.FULL if enhanced == "4.2.2" else Cause.PASSING


def _bare(phase: Phase, reply: Reply) -> Cause:
    """A 5xx without an enhanced code that says anything."""
    if reply.code == _TOO_LARGE:
        # at RCPT it is the mailbox that exceeds its storage (RFC 5321 4.2.3), later the message
        return Cause.FULL if phase is Phase.RCPT else Cause.MESSAGE
    if reply.code in _SYNTAX and (phase, reply.code) != (Phase.RCPT, _PARAMETER):
        return Cause.PROTOCOL
    return _vague(phase, reply)


def _vague(phase: Phase, reply: Reply) -> Cause:
    """Refused without a reason: at RCPT the reader is meant, later what we send to everybody."""
    named = _MAILBOX.search(reply.text) or _NOT_FOUND.search(reply.text)
    return Cause.REFUSED if phase is Phase.RCPT or named else Cause.BLOCKED
