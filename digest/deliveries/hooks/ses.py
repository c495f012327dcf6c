"""Turns what Amazon SES publishes through Amazon SNS into events.

After "Amazon SNS notification contents for Amazon SES" (`notificationType`) and "Contents of event
data that Amazon SES publishes to Amazon SNS" (`eventType`), Amazon SES Developer Guide. Both are
told apart by nothing but that name. Who posted it is checked by `sns`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from digest.deliveries.hooks.event import Event, Malformed, Subject
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
    list_of,
    moment_of,
    object_of,
    parse_object,
    text_of,
)
from digest.model.report import Cause, ReportKind

#: "Bounce types": the second name, whatever the first one is
_BOUNCES: Final = {
    "NoEmail": Cause.GONE,
    "Suppressed": Cause.GONE,  # on SES's own list, after a recent hard bounce
    # on the account's list for a bounce: for a complaint SES publishes a complaint
    "OnAccountSuppressionList": Cause.GONE,
    "MailboxFull": Cause.FULL,
    "MessageTooLarge": Cause.MESSAGE,
    "ContentRejected": Cause.MESSAGE,
    "AttachmentRejected": Cause.MESSAGE,
}
#: "DeliveryDelay object": `delayType`
_DELAYS: Final = {"MailboxFull": Cause.FULL, "SpamDetected": Cause.BLOCKED}
#: "Complaint object": these do not ask us to stop (RFC 5965 section 7.3, RFC 6591, RFC 6430)
_NO_FAREWELL: Final = ("not-spam", "auth-failure", "virus")
#: our header fields, among which our tokens stand
_OURS: Final = (
    "message-id",
    "return-path",
    "sender",
    "errors-to",
    "feedback-id",
    "list-unsubscribe",
)


def read_events(body: bytes) -> list[Event] | Malformed:
    """What a verified message says, one event a recipient; nothing for opens and the like."""
    envelope = parse_object(body)
    if isinstance(envelope, Malformed):
        return envelope
    message = envelope.get("Message")
    if envelope.get("Type") != "Notification" or not isinstance(message, str):
        return []
    told = parse_object(message)
    if isinstance(told, Malformed):  # in plain words SES says that it was connected to the topic
        return []
    kind = text_of(told.get("eventType")) or text_of(told.get("notificationType"))
    read = _READERS.get(kind)
    return list(read(told, id_of(envelope.get("MessageId")))) if read else []


def _bounces(told: Payload, message_id: str) -> Iterator[Event]:
    bounce = object_of(told.get("bounce"))
    kind, detail = text_of(bounce.get("bounceType")), text_of(bounce.get("bounceSubType"))
    category = _BOUNCES.get(detail)
    for subject, entry in _subjects(told, bounce, "bouncedRecipients", message_id):
        status, text = text_of(entry.get("status")), text_of(entry.get("diagnosticCode"))
        if category:
            cause = sharpen(category, status=status, text=text)
        elif (kind, detail) == ("Permanent", "General"):
            cause = judge_final(status=status, text=text)
        elif kind == "Transient":
            cause = judge_passing(status=status, text=text)
        else:
            cause = judge(status=status, text=text)
        yield subject.failed(
            cause, status=status_in(status, text), text=text or f"{kind} {detail}".strip()
        )


def _delays(told: Payload, message_id: str) -> Iterator[Event]:
    delay = object_of(told.get("deliveryDelay"))
    kind = text_of(delay.get("delayType"))
    for subject, entry in _subjects(told, delay, "delayedRecipients", message_id):
        status, text = text_of(entry.get("status")), text_of(entry.get("diagnosticCode"))
        yield subject.failed(
            _DELAYS.get(kind, Cause.PASSING),
            status=status_in(status, text),
            text=text or kind,
            kind=ReportKind.DELAYED,
        )


def _complaints(told: Payload, message_id: str) -> Iterator[Event]:
    complaint = object_of(told.get("complaint"))
    leaves = text_of(complaint.get("complaintFeedbackType")).lower() not in _NO_FAREWELL
    for subject, _ in _subjects(told, complaint, "complainedRecipients", message_id):
        yield subject.complained(leaves=leaves)


def _deliveries(told: Payload, message_id: str) -> Iterator[Event]:
    for subject, _ in _subjects(told, object_of(told.get("delivery")), "recipients", message_id):
        yield subject.told(ReportKind.DELIVERED)


def _rejects(told: Payload, message_id: str) -> Iterator[Event]:
    reject = object_of(told.get("reject"))  # SES found a virus and sent nothing
    for subject, _ in _subjects(told, reject, "", message_id):
        yield subject.failed(Cause.MESSAGE, status=None, text=text_of(reject.get("reason")))


def _preferences(told: Payload, message_id: str) -> Iterator[Event]:
    subscription = object_of(told.get("subscription"))
    wishes = object_of(subscription.get("newTopicPreferences"))
    if wishes.get("unsubscribeAll") is True:
        for subject, _ in _subjects(told, subscription, "", message_id):
            yield subject.complained()


def _subjects(
    told: Payload, part: Payload, recipients: str, message_id: str
) -> Iterator[tuple[Subject, Payload]]:
    """Each recipient that `part` names, or the one whom the mail went to."""
    mail = object_of(told.get("mail"))
    entries = list_of(part.get(recipients)) or list_of(mail.get("destination"))[:1]
    # both kinds of publishing may be on for one address: then only the feedback id is the same
    base = id_of(part.get("feedbackId")) or message_id
    at = moment_of(part.get("timestamp")) or moment_of(mail.get("timestamp"))
    traces = _traces(mail)
    for place, entry in enumerate(entries):
        facts = object_of(entry)
        address = address_of(facts.get("emailAddress") if facts else entry)
        if address and base:
            name = f"{base}/{place}" if place else base
            yield Subject(id=name, address=address, at=at, traces=traces), facts


def _traces(mail: Payload) -> tuple[str, ...]:
    fields = [object_of(each) for each in list_of(mail.get("headers"))]
    ours = [
        field.get("value")
        for field in fields
        if (name := text_of(field.get("name")).lower()) in _OURS or name.startswith("x-")
    ]
    message_id = object_of(mail.get("commonHeaders")).get("messageId")
    return gather_traces(
        mail.get("source"), message_id, ours, mail.get("messageId"), mail.get("tags")
    )


_READERS: Final[dict[str, Callable[[Payload, str], Iterator[Event]]]] = {
    "Bounce": _bounces,
    "Complaint": _complaints,
    "Delivery": _deliveries,
    "DeliveryDelay": _delays,
    "Reject": _rejects,
    "Subscription": _preferences,
}
