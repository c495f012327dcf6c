from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hook_posts import (
    BREVO_BOUNCE,
    MAILGUN_FAILED,
    POSTMARK_BOUNCE,
    SENDGRID_BOUNCE,
    SES_BOUNCE,
    mailgun,
)

from digest.deliveries.hooks import brevo, postmark, sendgrid, ses
from digest.deliveries.hooks import mailgun as mailgun_hooks
from digest.deliveries.hooks.event import Event, Malformed
from digest.model.report import Cause, ReportKind

BOUNCE, DELAYED = ReportKind.BOUNCE, ReportKind.DELAYED
LEAVES, DELIVERED = "leaves", ReportKind.DELIVERED
GONE_TEXT = "5.1.1 no mailbox of that name here"
Json = dict[str, object]


def all_of(found: list[Event] | Malformed) -> list[Event]:
    assert isinstance(found, list)
    return found


def from_ses(told: Json) -> list[Event]:
    envelope = {"Type": "Notification", "MessageId": "m-1", "Message": json.dumps(told)}
    return all_of(ses.read_events(json.dumps(envelope).encode()))


def from_postmark(**changes: object) -> list[Event]:
    return all_of(postmark.read_events(json.dumps(POSTMARK_BOUNCE | changes).encode()))


def from_mailgun(**changes: object) -> list[Event]:
    return all_of(mailgun_hooks.read_events(mailgun(MAILGUN_FAILED | changes)))


def from_sendgrid(**changes: object) -> list[Event]:
    return all_of(sendgrid.read_events(json.dumps([SENDGRID_BOUNCE | changes]).encode()))


def from_brevo(**changes: object) -> list[Event]:
    return all_of(brevo.read_events(json.dumps(BREVO_BOUNCE | changes).encode()))


def meaning(events: list[Event]) -> object:
    """What one event comes to: its kind and cause, or `LEAVES`; None for no event."""
    if not events:
        return None
    (event,) = events
    report = event.report
    if report.kind is ReportKind.COMPLAINT:
        assert report.addresses == (event.address,)
        return LEAVES if report.leaves else ReportKind.COMPLAINT
    if report.failures:
        (failure,) = report.failures
        assert failure.address == event.address
        return report.kind, failure.cause
    assert report.addresses == (event.address,)
    return report.kind


@pytest.mark.parametrize(
    ("events", "status", "at"),
    [
        (from_ses(SES_BOUNCE), "5.1.1", 412_000),
        (from_postmark(), "5.1.1", 412_000),
        (from_mailgun(), "5.1.1", 412_000),
        (from_sendgrid(), "5.1.1", 0),
        (from_brevo(), "5.1.1", 412_000),
    ],
)
def test_every_provider_says_who_is_gone_when_and_which_mail_it_was(
    events: list[Event], status: str, at: int
) -> None:
    (event,) = events
    assert event.address == "gone@example.org"
    assert event.at == datetime(2026, 11, 23, 9, 29, 58, at, tzinfo=UTC)
    assert event.report.kind is BOUNCE
    assert event.report.genuine
    (failure,) = event.report.failures
    assert (failure.cause, failure.status) == (Cause.GONE, status)
    assert "no mailbox" in failure.text
    assert "delivery-7" in event.report.traces


def test_what_can_carry_our_token_is_among_the_traces() -> None:
    assert from_ses(SES_BOUNCE)[0].report.traces[:2] == (
        "post+b-token@stadtblatt.example",
        "<7.token@stadtblatt.example>",
    )
    assert {"7.token@stadtblatt.example", "post+b-token@stadtblatt.example"} <= set(
        from_mailgun()[0].report.traces
    )
    assert "<7.token@stadtblatt.example>" in from_sendgrid()[0].report.traces
    assert "<7.token@stadtblatt.example>" in from_brevo()[0].report.traces
    returned = "Received: from x\r\nMessage-ID: <7.token@stadtblatt.example>\r\n\r\nHallo"
    assert "Message-ID: <7.token@stadtblatt.example>" in (
        from_postmark(Content=returned)[0].report.traces
    )


@pytest.mark.parametrize(
    ("events", "name"),
    [
        (from_ses(SES_BOUNCE), "0107-feedback-1"),
        (from_postmark(), "Bounce-4323372036854775807"),
        (from_mailgun(), "f0" * 25),
        (from_sendgrid(), "Ym91bmNlLTctMQ"),
    ],
)
def test_the_id_is_the_providers_own(events: list[Event], name: str) -> None:
    assert events[0].id == name


def test_an_event_without_an_id_gets_one_of_what_it_says() -> None:
    (first,) = from_brevo()
    assert from_brevo(id=78)[0].id == first.id  # the number of the webhook
    assert from_brevo(event="soft_bounce")[0].id != first.id
    assert from_brevo(ts_epoch=1795426198413)[0].id != first.id
    (change,) = from_postmark(
        RecordType="SubscriptionChange",
        ID=None,
        SuppressSending=True,
        SuppressionReason="HardBounce",
    )
    assert change.id
    assert from_sendgrid(sg_event_id=None)[0].id != from_sendgrid(sg_event_id="", timestamp=1)[0].id


def ses_bounce(kind: str, detail: str, **recipient: str) -> Json:
    who = {"emailAddress": "a@b.example"} | recipient
    bounce = {"bounceType": kind, "bounceSubType": detail, "bouncedRecipients": [who]}
    return {"eventType": "Bounce", "bounce": bounce, "mail": {"destination": ["a@b.example"]}}


def ses_complaint(**facts: str) -> Json:
    complaint = {"complainedRecipients": [{"emailAddress": "a@b.example"}]} | facts
    return {"eventType": "Complaint", "complaint": complaint, "mail": {}}


def ses_other(kind: str, part: str, facts: Json) -> Json:
    return {"eventType": kind, part: facts, "mail": {"destination": ["a@b.example"]}}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (ses_bounce("Permanent", "General"), (BOUNCE, Cause.GONE)),
        (
            ses_bounce("Permanent", "General", diagnosticCode="smtp; 550 5.7.1 blocked by policy"),
            (BOUNCE, Cause.BLOCKED),
        ),
        (ses_bounce("Permanent", "NoEmail"), (BOUNCE, Cause.GONE)),
        (ses_bounce("Permanent", "Suppressed", status="5.1.1"), (BOUNCE, Cause.GONE)),
        (ses_bounce("Permanent", "OnAccountSuppressionList"), (BOUNCE, Cause.GONE)),
        (ses_bounce("Permanent", "SomethingNew"), (BOUNCE, Cause.REFUSED)),
        (ses_bounce("Transient", "MailboxFull"), (BOUNCE, Cause.FULL)),
        (ses_bounce("Transient", "General", status="5.1.1"), (BOUNCE, Cause.PASSING)),
        (ses_bounce("Transient", "MessageTooLarge"), (BOUNCE, Cause.MESSAGE)),
        (ses_bounce("Transient", "ContentRejected"), (BOUNCE, Cause.MESSAGE)),
        (ses_bounce("Transient", "AttachmentRejected"), (BOUNCE, Cause.MESSAGE)),
        (ses_bounce("Undetermined", "Undetermined"), (BOUNCE, Cause.REFUSED)),
        (ses_complaint(complaintFeedbackType="abuse"), LEAVES),
        (ses_complaint(), LEAVES),
        (ses_complaint(complaintSubType="OnAccountSuppressionList"), LEAVES),
        (ses_complaint(complaintFeedbackType="not-spam"), ReportKind.COMPLAINT),
        (ses_complaint(complaintFeedbackType="Virus"), ReportKind.COMPLAINT),
        (ses_complaint(complaintFeedbackType="auth-failure"), ReportKind.COMPLAINT),
        (
            ses_other(
                "DeliveryDelay",
                "deliveryDelay",
                {
                    "delayType": "MailboxFull",
                    "delayedRecipients": [{"emailAddress": "a@b.example"}],
                },
            ),
            (DELAYED, Cause.FULL),
        ),
        (ses_other("DeliveryDelay", "deliveryDelay", {}), (DELAYED, Cause.PASSING)),
        (ses_other("Delivery", "delivery", {"recipients": ["a@b.example"]}), DELIVERED),
        (ses_other("Reject", "reject", {"reason": "Bad content"}), (BOUNCE, Cause.MESSAGE)),
        (
            ses_other(
                "Subscription", "subscription", {"newTopicPreferences": {"unsubscribeAll": True}}
            ),
            LEAVES,
        ),
        (ses_other("Subscription", "subscription", {}), None),
        (ses_other("Open", "open", {"ipAddress": "192.0.2.1"}), None),
        (ses_other("Click", "click", {}), None),
        (ses_other("Send", "send", {}), None),
        (ses_other("Rendering Failure", "failure", {}), None),
    ],
)
def test_what_ses_says_means_this(told: Json, expected: object) -> None:
    assert meaning(from_ses(told)) == expected


def test_one_notification_of_ses_may_be_about_several_recipients() -> None:
    who = [{"emailAddress": "a@b.example"}, {"emailAddress": "c@d.example"}]
    told = ses_bounce("Permanent", "NoEmail")
    told["bounce"] = {"bounceSubType": "NoEmail", "bouncedRecipients": who, "feedbackId": "f"}
    assert [(each.id, each.address) for each in from_ses(told)] == [
        ("f", "a@b.example"),
        ("f/1", "c@d.example"),
    ]


@pytest.mark.parametrize(
    "envelope",
    [
        {"Type": "Notification", "MessageId": "1", "Message": "Successfully validated the topic."},
        {"Type": "SubscriptionConfirmation", "MessageId": "1", "Message": json.dumps(SES_BOUNCE)},
        {"Type": "UnsubscribeConfirmation", "MessageId": "1", "Message": ""},
    ],
)
def test_what_sns_says_of_itself_is_no_event(envelope: Json) -> None:
    assert ses.read_events(json.dumps(envelope).encode()) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"Details": "smtp;550 rejected"}, (BOUNCE, Cause.GONE)),
        ({"Details": "smtp;550 5.7.1 blocked by policy"}, (BOUNCE, Cause.BLOCKED)),
        ({"Type": "Transient"}, (DELAYED, Cause.PASSING)),
        ({"Type": "DnsError", "Details": ""}, (BOUNCE, Cause.PASSING)),
        ({"Type": "SoftBounce", "Details": GONE_TEXT}, (BOUNCE, Cause.PASSING)),
        ({"Type": "SoftBounce", "Details": "452 4.2.2 mailbox full"}, (BOUNCE, Cause.FULL)),
        ({"Type": "Unknown", "Details": "what?"}, (BOUNCE, Cause.REFUSED)),
        ({"Type": "Blocked", "Details": GONE_TEXT}, (BOUNCE, Cause.BLOCKED)),
        ({"Type": "SpamNotification"}, (BOUNCE, Cause.BLOCKED)),
        ({"Type": "DMARCPolicy"}, (BOUNCE, Cause.BLOCKED)),
        ({"Type": "VirusNotification"}, (BOUNCE, Cause.MESSAGE)),
        ({"Type": "BadEmailAddress", "Details": ""}, (BOUNCE, Cause.CLOSED)),
        ({"Type": "SMTPApiError"}, (BOUNCE, Cause.PROTOCOL)),
        ({"Type": "ManuallyDeactivated"}, (BOUNCE, Cause.REFUSED)),
        ({"Type": "AutoResponder"}, ReportKind.AUTOREPLY),
        ({"Type": "AddressChange"}, ReportKind.AUTOREPLY),
        ({"Type": "ChallengeVerification"}, ReportKind.AUTOREPLY),
        ({"Type": "Unsubscribe"}, LEAVES),
        ({"Type": "SpamComplaint"}, LEAVES),
        ({"Type": "Subscribe"}, None),
        ({"Type": "OpenRelayTest"}, None),
        ({"Type": "InboundError"}, None),
        ({"RecordType": "SpamComplaint", "TypeCode": 512}, LEAVES),
        ({"RecordType": "Delivery"}, DELIVERED),
        ({"RecordType": "Open"}, None),
        ({"RecordType": "Click"}, None),
        ({"RecordType": None}, None),
    ],
)
def test_what_postmark_says_means_this(changes: Json, expected: object) -> None:
    assert meaning(from_postmark(**changes)) == expected


@pytest.mark.parametrize(
    ("suppressed", "reason", "origin", "expected"),
    [
        (True, "HardBounce", "Recipient", (BOUNCE, Cause.GONE)),
        (True, "SpamComplaint", "Recipient", LEAVES),
        (True, "ManualSuppression", "Recipient", LEAVES),
        (True, "ManualSuppression", "Customer", None),
        (True, "ManualSuppression", "Admin", None),
        (False, None, "Recipient", None),
        ("true", "HardBounce", "Recipient", None),
    ],
)
def test_who_is_suppressed_at_postmark_for_his_own_reasons_leaves(
    suppressed: object, reason: str, origin: str, expected: object
) -> None:
    told = {
        "RecordType": "SubscriptionChange",
        "ID": None,
        "Email": None,
        "Recipient": "a@b.example",
    }
    about = {"SuppressSending": suppressed, "SuppressionReason": reason, "Origin": origin}
    assert meaning(from_postmark(**told, **about)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"severity": "temporary"}, (DELAYED, Cause.PASSING)),
        (
            {"severity": "temporary", "delivery-status": {"code": 452, "message": "mailbox full"}},
            (DELAYED, Cause.FULL),
        ),
        ({"delivery-status": {"code": 550, "message": "no"}}, (BOUNCE, Cause.REFUSED)),
        ({"delivery-status": {"code": 605}, "reason": "suppress-bounce"}, (BOUNCE, Cause.GONE)),
        ({"delivery-status": {"code": 607}, "reason": "suppress-complaint"}, LEAVES),
        ({"delivery-status": {"code": 606}, "reason": "suppress-unsubscribe"}, LEAVES),
        ({"delivery-status": {"code": 602}, "reason": "old"}, (BOUNCE, Cause.PASSING)),
        ({"reason": "espblock"}, (BOUNCE, Cause.BLOCKED)),
        ({"delivery-status": None, "reason": "generic"}, (BOUNCE, Cause.REFUSED)),
        ({"event": "complained"}, LEAVES),
        ({"event": "unsubscribed"}, LEAVES),
        ({"event": "delivered"}, DELIVERED),
        ({"event": "opened"}, None),
        ({"event": "clicked"}, None),
        ({"event": "accepted"}, None),
    ],
)
def test_what_mailgun_says_means_this(changes: Json, expected: object) -> None:
    assert meaning(from_mailgun(**changes)) == expected


def test_what_mailgun_rejects_is_about_whom_the_mail_names() -> None:
    (event,) = from_mailgun(event="rejected", recipient=None, reject={"reason": "virus found"})
    assert event.address == "gone@example.org"
    assert event.report.failures[0].cause is Cause.MESSAGE
    assert event.report.failures[0].text == "virus found"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": "5.0.0", "reason": "550 no"}, (BOUNCE, Cause.GONE)),
        ({"status": "5.7.1", "reason": "blocked by policy"}, (BOUNCE, Cause.BLOCKED)),
        ({"type": "blocked"}, (BOUNCE, Cause.REFUSED)),
        ({"type": "blocked", "status": "5.7.1", "reason": "policy"}, (BOUNCE, Cause.BLOCKED)),
        (
            {"bounce_classification": "Invalid Address", "status": None, "reason": ""},
            (BOUNCE, Cause.GONE),
        ),
        ({"bounce_classification": "Reputation"}, (BOUNCE, Cause.BLOCKED)),
        ({"bounce_classification": "Content"}, (BOUNCE, Cause.MESSAGE)),
        ({"bounce_classification": "Frequency or Volume Too High"}, (BOUNCE, Cause.PACE)),
        ({"bounce_classification": "Technical Failure"}, (BOUNCE, Cause.PASSING)),
        ({"bounce_classification": "Unclassified"}, (BOUNCE, Cause.GONE)),
        ({"event": "dropped", "reason": "Bounced Address"}, (BOUNCE, Cause.GONE)),
        ({"event": "dropped", "reason": "Invalid"}, (BOUNCE, Cause.GONE)),
        ({"event": "dropped", "reason": "Spam Reporting Address"}, LEAVES),
        ({"event": "dropped", "reason": "Unsubscribed Address"}, LEAVES),
        ({"event": "dropped", "reason": "Spam Content"}, (BOUNCE, Cause.MESSAGE)),
        ({"event": "dropped", "reason": "Invalid SMTPAPI header"}, (BOUNCE, Cause.PROTOCOL)),
        (
            {"event": "dropped", "reason": "Recipient List over Package Quota"},
            (BOUNCE, Cause.PACE),
        ),
        ({"event": "dropped", "reason": "something else"}, (BOUNCE, Cause.REFUSED)),
        ({"event": "deferred", "response": GONE_TEXT}, (DELAYED, Cause.PASSING)),
        ({"event": "deferred", "response": "452 4.2.2 mailbox full"}, (DELAYED, Cause.FULL)),
        ({"event": "spamreport"}, LEAVES),
        ({"event": "unsubscribe"}, LEAVES),
        ({"event": "group_unsubscribe"}, LEAVES),
        ({"event": "group_resubscribe"}, None),
        ({"event": "delivered"}, DELIVERED),
        ({"event": "processed"}, None),
        ({"event": "open"}, None),
        ({"event": "click"}, None),
    ],
)
def test_what_sendgrid_says_means_this(changes: Json, expected: object) -> None:
    assert meaning(from_sendgrid(**changes)) == expected


def test_one_odd_event_of_sendgrid_does_not_spoil_the_others() -> None:
    batch: list[object] = [None, {"event": "bounce"}, SENDGRID_BOUNCE, [], {"email": "a@b.example"}]
    events = all_of(sendgrid.read_events(json.dumps(batch).encode()))
    assert [each.address for each in events] == ["gone@example.org"]


def test_sendgrid_sends_lists_only() -> None:
    assert isinstance(sendgrid.read_events(json.dumps(SENDGRID_BOUNCE).encode()), Malformed)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"reason": "550 5.5.0"}, (BOUNCE, Cause.GONE)),
        ({"reason": "550 5.7.1 blocked by policy"}, (BOUNCE, Cause.BLOCKED)),
        ({"event": "soft_bounce", "reason": "452 4.2.2 mailbox full"}, (BOUNCE, Cause.FULL)),
        ({"event": "soft_bounce"}, (BOUNCE, Cause.PASSING)),
        ({"event": "deferred"}, (DELAYED, Cause.PASSING)),
        ({"event": "error", "reason": None}, (BOUNCE, Cause.PASSING)),
        ({"event": "invalid_email", "reason": ""}, (BOUNCE, Cause.CLOSED)),
        ({"event": "blocked", "reason": "blocked : due to the list"}, (BOUNCE, Cause.REFUSED)),
        ({"event": "blocked", "reason": "blocked: hard bounce before"}, (BOUNCE, Cause.GONE)),
        ({"event": "spam"}, LEAVES),
        ({"event": "complaint"}, LEAVES),
        ({"event": "unsubscribed"}, LEAVES),
        ({"event": "unsubscribe"}, LEAVES),
        ({"event": "delivered"}, DELIVERED),
        ({"event": "request"}, None),
        ({"event": "unique_opened"}, None),
        ({"event": "click"}, None),
    ],
)
def test_what_brevo_says_means_this(changes: Json, expected: object) -> None:
    assert meaning(from_brevo(**changes)) == expected


def test_brevo_may_send_a_batch() -> None:
    batch = [BREVO_BOUNCE, 7, BREVO_BOUNCE | {"email": "c@d.example"}]
    events = all_of(brevo.read_events(json.dumps(batch).encode()))
    assert [each.address for each in events] == ["gone@example.org", "c@d.example"]
