"""Turns what Brevo posts into events.

After "Transactional webhooks", "Batched webhooks", "Secure webhook calls" and "Retry mechanism"
(Brevo developer documentation). Brevo does not sign: it sends the bearer token, or the user and
password, that the webhook was made with.
"""

from __future__ import annotations

from typing import Final

from digest.deliveries.hooks.event import Event, Malformed, Refused, Subject
from digest.deliveries.hooks.judge import judge_final, judge_passing, sharpen, status_in
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
from digest.deliveries.hooks.secret import check_authorization
from digest.model.report import Cause, ReportKind

#: the documentation has two words for each
_COMPLAINTS: Final = ("spam", "complaint")
_WISHES: Final = ("unsubscribed", "unsubscribe")


def verify(authorization: str | None, *, secret: str) -> Refused | None:
    """None when the `Authorization` header carries `secret`: a bearer token or `user:password`."""
    return check_authorization(authorization, secret)


def read_events(body: bytes) -> list[Event] | Malformed:
    """The event in the body, or the events of a batch; nothing for opens, clicks and requests."""
    told = parse_json(body)
    if isinstance(told, Malformed):
        return told
    if not isinstance(told, dict | list):
        return Malformed(reason="the body is neither a JSON object nor a list")
    events = (_read(object_of(each)) for each in (told if isinstance(told, list) else [told]))
    return [each for each in events if each]


def _read(told: Payload) -> Event | None:
    event = text_of(told.get("event"))
    subject = _subject(told, event)
    if subject is None:
        return None
    if event in _COMPLAINTS:
        return subject.complained()
    if event in _WISHES:
        return subject.left()
    if event == "delivered":
        return subject.told(ReportKind.DELIVERED)
    text = text_of(told.get("reason"))
    cause = _cause(event, text)
    if cause is None:
        return None
    kind = ReportKind.DELAYED if event == "deferred" else ReportKind.BOUNCE
    return subject.failed(cause, status=status_in("", text), text=text or event, kind=kind)


def _cause(event: str, text: str) -> Cause | None:
    """None for what is not about a failure."""
    match event:
        case "hard_bounce":
            return judge_final(text=text)
        case "invalid_email":
            return sharpen(Cause.CLOSED, text=text)
        case "blocked":  # by Brevo's own list, of which it does not say what the reason was
            return Cause.GONE if "hard bounce" in text.lower() else Cause.REFUSED
        case "soft_bounce" | "deferred" | "error":
            return judge_passing(text=text)
        case _:
            return None


def _subject(told: Payload, event: str) -> Subject | None:
    address = address_of(told.get("email"))
    message_id = id_of(told.get("message-id"))
    # `id` is the number of the webhook, and an event has none of its own
    when = [text_of(told.get(each)) for each in ("ts_epoch", "ts_event", "ts", "date")]
    name = made_id(event, address, message_id, *when)
    at = moment_of(told.get("ts_epoch")) or moment_of(told.get("ts_event"))
    traces = gather_traces(
        told.get("X-Mailin-custom"), message_id, told.get("tags"), told.get("tag")
    )
    return Subject(id=name, address=address, at=at, traces=traces) if address else None
