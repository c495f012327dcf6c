"""Turns what SendGrid posts into events.

After "Event Webhook Reference", "Getting Started with the Event Webhook Security Features" (signed
event webhook) and "Drops" (Twilio SendGrid documentation).
"""

from __future__ import annotations

import re
from base64 import b64decode
from datetime import datetime, timedelta
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from digest.deliveries.hooks.event import Event, Malformed, Refused, Subject
from digest.deliveries.hooks.judge import (
    judge,
    judge_final,
    judge_passing,
    sharpen,
    status_in,
)
from digest.deliveries.hooks.payload import (
    Payload,
    address_of,
    gather_traces,
    id_of,
    made_id,
    moment_of,
    object_of,
    parse_json,
    text_of,
)
from digest.model.report import Cause, ReportKind

SIGNATURE: Final = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP: Final = "X-Twilio-Email-Event-Webhook-Timestamp"

#: SendGrid tries again for a day, and does not say with which timestamp. It signs the body, so a
#: replay can only say the same again
_OLDEST: Final = timedelta(hours=26)
_AHEAD: Final = timedelta(minutes=15)
_SECONDS: Final = re.compile(r"[0-9]{1,12}")

#: "Bounce classification", where it names the cause
_CLASSES: Final = {
    "Invalid Address": Cause.GONE,
    "Reputation": Cause.BLOCKED,
    "Content": Cause.MESSAGE,
    "Frequency or Volume Too High": Cause.PACE,
    "Technical Failure": Cause.PASSING,
}
#: "Drops": the reason, in lower case
_DROPS: Final = {
    "bounced address": Cause.GONE,
    "invalid": Cause.GONE,  # on the list of addresses that were found not to exist
    "spam content": Cause.MESSAGE,
    "invalid smtpapi header": Cause.PROTOCOL,
    "recipient list over package quota": Cause.PACE,
}
#: keys of SendGrid's own that cannot carry anything of ours; all others may be unique arguments
_THEIRS: Final = frozenset(
    {"attempt", "bounce_classification", "cert_err", "email", "event", "ip", "pool", "reason"}
    | {"response", "sg_event_id", "status", "timestamp", "tls", "type", "url", "useragent"}
)


def load_key(key: str) -> EllipticCurvePublicKey | None:
    """The P-256 public key in base64 of DER, as SendGrid shows it; None if it is none."""
    try:
        loaded = load_der_public_key(b64decode(key, validate=True))
    except (ValueError, UnsupportedAlgorithm):
        return None
    if isinstance(loaded, EllipticCurvePublicKey) and isinstance(loaded.curve, SECP256R1):
        return loaded
    return None


def verify(
    body: bytes, *, signature: str | None, timestamp: str | None, key: str, now: datetime
) -> Refused | None:
    """None when the two headers fit the body and the public key, and are not too old."""
    if not signature or not timestamp or not _SECONDS.fullmatch(timestamp):
        return Refused(reason="there is no signature")
    public = load_key(key)
    if public is None:
        return Refused(reason="the configured key is no P-256 public key in base64")
    at = moment_of(timestamp)
    if at is None or not now - _OLDEST <= at <= now + _AHEAD:
        return Refused(reason="the timestamp is too old, or in the future")
    try:
        proof = b64decode(signature, validate=True)
        public.verify(proof, timestamp.encode() + body, ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return Refused(reason="the signature does not fit")
    return None


def read_events(body: bytes) -> list[Event] | Malformed:
    """The events in the list; without those that are not about delivery, or about nobody."""
    told = parse_json(body)
    if isinstance(told, Malformed):
        return told
    if not isinstance(told, list):
        return Malformed(reason="the body is no JSON list")
    events = (_read(object_of(each)) for each in told)
    return [each for each in events if each]


def _read(told: Payload) -> Event | None:
    subject = _subject(told)
    return _tell(subject, told) if subject else None


def _tell(subject: Subject, told: Payload) -> Event | None:
    event = None
    match text_of(told.get("event")):
        case "bounce":
            event = _bounce(subject, told)
        case "dropped":
            event = _drop(subject, told)
        case "deferred":
            event = _deferred(subject, told)
        case "spamreport":
            event = subject.complained()
        case "unsubscribe" | "group_unsubscribe":
            event = subject.left()
        case "delivered":
            event = subject.told(ReportKind.DELIVERED)
        case _:
            pass
    return event


def _deferred(subject: Subject, told: Payload) -> Event:
    status = text_of(told.get("status"))
    text = text_of(told.get("response")) or text_of(told.get("reason"))
    cause = judge_passing(status=status, text=text)
    return subject.failed(cause, status=status_in(status, text), text=text, kind=ReportKind.DELAYED)


def _bounce(subject: Subject, told: Payload) -> Event:
    status, text = text_of(told.get("status")), text_of(told.get("reason"))
    category = _CLASSES.get(text_of(told.get("bounce_classification")))
    if text_of(told.get("type")) == "blocked":  # this message, not this address
        cause = judge(status=status, text=text)
        cause = Cause.REFUSED if cause.hard else cause
    elif category:
        cause = sharpen(category, status=status, text=text)
    else:
        cause = judge_final(status=status, text=text)
    return subject.failed(cause, status=status_in(status, text), text=text)


def _drop(subject: Subject, told: Payload) -> Event:
    reason = text_of(told.get("reason"))
    if reason.lower() == "spam reporting address":
        return subject.complained()
    if reason.lower() == "unsubscribed address":
        return subject.left()
    cause = _DROPS.get(reason.lower(), Cause.REFUSED)
    return subject.failed(cause, status=status_in(text_of(told.get("status")), ""), text=reason)


def _subject(told: Payload) -> Subject | None:
    address, event = address_of(told.get("email")), text_of(told.get("event"))
    name = id_of(told.get("sg_event_id")) or made_id(
        event, address, text_of(told.get("timestamp")), text_of(told.get("sg_message_id"))
    )
    ours = [value for key, value in told.items() if key not in _THEIRS]
    at, traces = moment_of(told.get("timestamp")), gather_traces(told.get("smtp-id"), *ours)
    return Subject(id=name, address=address, at=at, traces=traces) if address else None
