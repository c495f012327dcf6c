"""Turns what Mailgun posts into events.

After "Securing Webhooks", "Automatic Retries" and "Event Structure" (Mailgun user manual). The
signature covers a timestamp and a token, not the event: whoever saw one could sign anything with
it. So the token is the event's id, and a second event under it is one that we know already.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from hmac import new as new_hmac
from typing import Final

from digest.deliveries.hooks.event import Event, Malformed, Refused, Subject
from digest.deliveries.hooks.judge import judge, judge_passing, status_in
from digest.deliveries.hooks.payload import (
    Payload,
    address_of,
    gather_traces,
    id_of,
    moment_of,
    object_of,
    parse_object,
    text_of,
)
from digest.model.report import Cause, ReportKind

#: Mailgun tries for eight hours, 7.5 by its table, and is said to send the first signature again
#: (its manual is silent): ten minutes would lose every event of a night in which we were down. The
#: manual warns of delays on its side too. A replay within this time changes nothing: see the id
_OLDEST: Final = timedelta(hours=12)
_AHEAD: Final = timedelta(minutes=10)

_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")
_TOKEN: Final = re.compile(r"[!-~]{16,200}")


def verify(body: bytes, *, key: str, now: datetime) -> Refused | Malformed | None:
    """None when the body carries a signature made with the signing key `key`, not too long ago."""
    posted = parse_object(body)
    if isinstance(posted, Malformed):
        return posted
    proof = object_of(posted.get("signature"))
    timestamp, token = text_of(proof.get("timestamp")), _token(proof)
    if not _TIMESTAMP.fullmatch(timestamp) or not token:
        return Refused(reason="there is no signature")
    made = new_hmac(key.encode(), f"{timestamp}{token}".encode(), sha256).hexdigest()
    # a subaccount's event is signed with the key of the main account as well
    given = [text_of(proof.get(name)) for name in ("signature", "parent-signature")]
    fits = [compare_digest(made.encode(), each.encode()) for each in given]
    if not any(fits):
        return Refused(reason="the signature does not fit")
    at = moment_of(timestamp)
    if at is None or not now - _OLDEST <= at <= now + _AHEAD:
        return Refused(reason="the timestamp is too old, or in the future")
    return None


def read_events(body: bytes) -> list[Event] | Malformed:
    """The event in a verified body; nothing for opens, clicks and the like."""
    posted = parse_object(body)
    if isinstance(posted, Malformed):
        return posted
    told = object_of(posted.get("event-data"))
    subject = _subject(_token(object_of(posted.get("signature"))), told)
    if subject is None:
        return []
    event = _read(subject, told)
    return [event] if event else []


def _read(subject: Subject, told: Payload) -> Event | None:
    match text_of(told.get("event")):
        case "failed":
            return _failed(subject, told)
        case "rejected":  # by Mailgun itself, before it tried
            reason = text_of(object_of(told.get("reject")).get("reason"))
            return subject.failed(Cause.MESSAGE, status=None, text=reason)
        case "complained":
            return subject.complained()
        case "unsubscribed":
            return subject.left()
        case "delivered":
            return subject.told(ReportKind.DELIVERED)
        case _:
            return None


def _failed(subject: Subject, told: Payload) -> Event:
    said = object_of(told.get("delivery-status"))
    text = text_of(said.get("message")) or text_of(said.get("description"))
    given = text_of(said.get("enhanced-code"))
    status, reason = status_in(given, text), text_of(told.get("reason"))
    code = said.get("code")
    if text_of(told.get("severity")) == "temporary":
        cause = judge_passing(code=code, status=given, text=text)
        return subject.failed(cause, status=status, text=text, kind=ReportKind.DELAYED)
    cause = judge(code=code, status=given, text=text)
    match reason:
        case "suppress-bounce":
            cause = Cause.GONE
        case "suppress-complaint":
            return subject.complained()
        case "suppress-unsubscribe":
            return subject.left()
        case "old":  # tried for eight hours
            cause = Cause.PASSING
        case "espblock":
            cause = Cause.BLOCKED
        case _:  # "bounce" and "generic" are not explained anywhere: what the server said counts
            pass
    return subject.failed(cause, status=status, text=text or reason)


def _subject(token: str, told: Payload) -> Subject | None:
    message = object_of(object_of(told.get("message")).get("headers"))
    sender = object_of(told.get("envelope")).get("sender")
    # what was rejected has no recipient yet, only the field of the mail
    address = address_of(told.get("recipient")) or address_of(message.get("to"))
    traces = gather_traces(
        told.get("user-variables"), message.get("message-id"), sender, told.get("tags")
    )
    if not token or not address:
        return None
    return Subject(id=token, address=address, at=moment_of(told.get("timestamp")), traces=traces)


def _token(proof: Payload) -> str:
    token = id_of(proof.get("token"))
    return token if _TOKEN.fullmatch(token) else ""
