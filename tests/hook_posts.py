"""What mail providers post, signed with keys of our own."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
TOPIC = "arn:aws:sns:eu-central-1:111122223333:digest-events"
CERTIFICATE_URL = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a1b2c.pem"
SUBSCRIBE_URL = (
    "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription"
    f"&TopicArn={TOPIC}&Token=2336412f37"
)
SIGNING_KEY = "mailgun-key-of-these-tests"
#: keys that are signed, when they are there
SIGNED = (
    *("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn"),
    "Type",
)


@cache
def amazon_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def sendgrid_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def sendgrid_public(key: ec.EllipticCurvePrivateKey | None = None) -> str:
    """As it stands in the settings."""
    public = (key or sendgrid_key()).public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def make_certificate(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    *,
    since: datetime = NOW - timedelta(days=1),
    until: datetime = NOW + timedelta(days=30),
) -> bytes:
    """A PEM certificate that signs itself."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(since)
        .not_valid_after(until)
        .sign(key, SHA256())
    )
    return made.public_bytes(Encoding.PEM)


@cache
def amazon_certificate() -> bytes:
    return make_certificate(amazon_key())


@dataclass(frozen=True, kw_only=True)
class Post:
    """A body and the headers that go with it."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def sns(
    message: object,
    *,
    kind: str = "Notification",
    version: str = "2",
    key: rsa.RSAPrivateKey | None = None,
    about: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    **changes: object,
) -> bytes:
    """A message of Amazon SNS; `about` and `changes` are signed, `after` comes afterwards."""
    envelope: dict[str, object] = {
        "Type": kind,
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": NOW.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE_URL,
    }
    envelope |= {**(about or {}), **changes}
    text = "".join(f"{name}\n{envelope[name]}\n" for name in SIGNED if name in envelope)
    algorithm: HashAlgorithm = SHA1() if version == "1" else SHA256()  # noqa: S303 -- as SNS does
    proof = (key or amazon_key()).sign(text.encode(), padding.PKCS1v15(), algorithm)
    envelope["Signature"] = base64.b64encode(proof).decode()
    return json.dumps(envelope | dict(after or {})).encode()


def confirmation(**changes: object) -> bytes:
    """The question whether we want what the topic says."""
    about: dict[str, object] = {"SubscribeURL": SUBSCRIBE_URL, "Token": "2336412f37"} | changes
    return sns("You have chosen to subscribe.", kind="SubscriptionConfirmation", about=about)


def mailgun(
    event: object,
    *,
    key: str = SIGNING_KEY,
    at: datetime = NOW,
    token: str = "f0" * 25,
    name: str = "signature",
) -> bytes:
    """What Mailgun posts; the signature stands under `name`."""
    stamp = str(int(at.timestamp()))
    made = hmac.new(key.encode(), f"{stamp}{token}".encode(), "sha256").hexdigest()
    proof = {"timestamp": stamp, "token": token, "signature": "00", name: made}
    return json.dumps({"signature": proof, "event-data": event}).encode()


def sendgrid(
    events: object, *, key: ec.EllipticCurvePrivateKey | None = None, at: datetime = NOW
) -> Post:
    """What SendGrid posts."""
    body, stamp = json.dumps(events).encode(), str(int(at.timestamp()))
    proof = (key or sendgrid_key()).sign(stamp.encode() + body, ec.ECDSA(SHA256()))
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(proof).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
    }
    return Post(body=body, headers=headers)


def basic(secret: str) -> str:
    """The header of RFC 7617."""
    return "Basic " + base64.b64encode(secret.encode()).decode()


SES_BOUNCE: dict[str, object] = {
    "notificationType": "Bounce",
    "bounce": {
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "bouncedRecipients": [
            {
                "emailAddress": "gone@Example.ORG",
                "action": "failed",
                "status": "5.1.1",
                "diagnosticCode": "smtp; 550 5.1.1 no mailbox of that name here",
            }
        ],
        "timestamp": "2026-11-23T09:29:58.412Z",
        "feedbackId": "0107-feedback-1",
        "reportingMTA": "dns; e1.smtp-out.example",
    },
    "mail": {
        "timestamp": "2026-11-23T09:29:40.000Z",
        "source": "post+b-token@stadtblatt.example",
        "messageId": "0107-ses-id",
        "destination": ["gone@Example.ORG"],
        "headers": [
            {"name": "Message-ID", "value": "<7.token@stadtblatt.example>"},
            {"name": "Subject", "value": "Was heute geschah"},
            {"name": "X-Digest", "value": "delivery-7"},
        ],
        "commonHeaders": {"messageId": "<7.token@stadtblatt.example>"},
    },
}
POSTMARK_BOUNCE: dict[str, object] = {
    "RecordType": "Bounce",
    "ID": 4323372036854775807,
    "Type": "HardBounce",
    "TypeCode": 1,
    "Email": "gone@example.org",
    "From": "post@stadtblatt.example",
    "BouncedAt": "2026-11-23T09:29:58.4120001Z",
    "Details": "smtp;550 5.1.1 no mailbox of that name here",
    "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
    "Metadata": {"delivery": "delivery-7"},
}
MAILGUN_FAILED: dict[str, object] = {
    "event": "failed",
    "id": "G9Bn5sl1TC6nu79C8C0bwg",
    "timestamp": 1795426198.412,
    "severity": "permanent",
    "reason": "bounce",
    "recipient": "gone@example.org",
    "delivery-status": {
        "code": 550,
        "enhanced-code": "5.1.1",
        "message": "5.1.1 no mailbox of that name here",
    },
    "message": {"headers": {"message-id": "7.token@stadtblatt.example", "to": "gone@example.org"}},
    "envelope": {"sender": "post+b-token@stadtblatt.example"},
    "user-variables": {"delivery": "delivery-7"},
}
SENDGRID_BOUNCE: dict[str, object] = {
    "event": "bounce",
    "type": "bounce",
    "email": "gone@example.org",
    "timestamp": 1795426198,
    "smtp-id": "<7.token@stadtblatt.example>",
    "sg_event_id": "Ym91bmNlLTctMQ",
    "sg_message_id": "abc.recvd-1.0",
    "status": "5.1.1",
    "reason": "550 5.1.1 no mailbox of that name here",
    "delivery": "delivery-7",
}
BREVO_BOUNCE: dict[str, object] = {
    "event": "hard_bounce",
    "id": 77,
    "email": "gone@example.org",
    "ts_epoch": 1795426198412,
    "message-id": "<7.token@stadtblatt.example>",
    "reason": "550 5.1.1 no mailbox of that name here",
    "X-Mailin-custom": "delivery-7",
    "tags": ["stadtblatt"],
}
