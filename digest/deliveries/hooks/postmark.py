"""Turns what Postmark posts into events.

After "Bounce webhook", "Spam complaint webhook", "Subscription change webhook", "Delivery webhook",
"Webhooks overview" and "Bounce API: Bounce types" (Postmark developer documentation). Postmark does
not sign: what it knows of us is the user and password in the address, or a header that we chose.
"""

from __future__ import annotations

from typing import Final

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
    parse_object,
    text_of,
)
from digest.deliveries.hooks.secret import check_authorization
from digest.model.report import Cause, ReportKind

#: "Bounce types", where the type names the cause
_CAUSES: Final = {
    "BadEmailAddress": Cause.CLOSED,
    "Blocked": Cause.BLOCKED,
    "SpamNotification": Cause.BLOCKED,
    "DMARCPolicy": Cause.BLOCKED,
    "VirusNotification": Cause.MESSAGE,
    "TemplateRenderingFailed": Cause.MESSAGE,
    "SMTPApiError": Cause.PROTOCOL,
    "DnsError": Cause.PASSING,
    # somebody at the sender's closed the address in Postmark: that says nothing of the mailbox
    "ManuallyDeactivated": Cause.REFUSED,
    "Unconfirmed": Cause.REFUSED,
}
_ANSWERS: Final = ("AutoResponder", "AddressChange", "ChallengeVerification")
#: not about a message of ours that failed
_OTHER: Final = ("Subscribe", "OpenRelayTest", "InboundError")


def verify(authorization: str | None, *, secret: str) -> Refused | None:
    """None when the `Authorization` header carries `secret`: `user:password`, or a bearer token."""
    return check_authorization(authorization, secret)


def read_events(body: bytes) -> list[Event] | Malformed:
    """The event in the body; nothing for opens, clicks and what comes in."""
    told = parse_object(body)
    if isinstance(told, Malformed):
        return told
    record = text_of(told.get("RecordType"))
    subject = _subject(told, record)
    if subject is None:
        return []
    match record:
        case "Bounce":
            event = _bounce(subject, told)
        case "SpamComplaint":
            event = subject.complained()
        case "SubscriptionChange":
            event = _change(subject, told)
        case "Delivery":
            event = subject.told(ReportKind.DELIVERED)
        case _:
            event = None
    return [event] if event else []


def _bounce(subject: Subject, told: Payload) -> Event | None:
    kind, text = text_of(told.get("Type")), text_of(told.get("Details"))
    status = status_in("", text)
    if kind in _OTHER:
        return None
    if kind in _ANSWERS:
        return subject.told(ReportKind.AUTOREPLY)
    if kind == "SpamComplaint":
        return subject.complained()
    if kind == "Unsubscribe":
        return subject.left()
    if kind == "Transient":
        return subject.failed(Cause.PASSING, status=status, text=text, kind=ReportKind.DELAYED)
    if kind == "HardBounce":
        cause = judge_final(text=text)
    elif kind in _CAUSES:
        cause = sharpen(_CAUSES[kind], text=text)
    else:  # SoftBounce, Unknown, and what is new
        cause = judge_passing(text=text) if kind == "SoftBounce" else judge(text=text)
    return subject.failed(cause, status=status, text=text or text_of(told.get("Description")))


def _change(subject: Subject, told: Payload) -> Event | None:
    """Somebody was put on the suppression list; being taken off it tells us nothing."""
    if told.get("SuppressSending") is not True:
        return None
    match text_of(told.get("SuppressionReason")), text_of(told.get("Origin")):
        case "HardBounce", _:
            return subject.failed(Cause.GONE, status=None, text="suppressed after a hard bounce")
        case "SpamComplaint", _:
            return subject.complained()
        case "ManualSuppression", "Recipient":
            return subject.left()
        case _:  # by the operator, who knows
            return None


def _subject(told: Payload, record: str) -> Subject | None:
    address = address_of(told.get("Email")) or address_of(told.get("Recipient"))
    names = ("BouncedAt", "ChangedAt", "DeliveredAt")
    when = next((text_of(told.get(each)) for each in names if told.get(each)), "")
    message_id = id_of(told.get("MessageID"))
    if number := id_of(told.get("ID")):
        name = f"{record}-{number}"
    else:
        name = made_id(record, message_id, address, when)
    traces = gather_traces(
        told.get("Metadata"), message_id, told.get("Tag"), told.get("From"), _returned(told)
    )
    return Subject(id=name, address=address, at=moment_of(when), traces=traces) if address else None


def _returned(told: Payload) -> list[object]:
    """The lines of a bounce's source that are fields of ours, where Postmark sends it along."""
    content = told.get("Content")
    lines = content[:100_000].splitlines() if isinstance(content, str) else []
    ours = ("message-id:", "return-path:", "to:", "x-", "feedback-id:", "list-unsubscribe:")
    return [line for line in lines if line.lower().startswith(ours)]
