"""Turns a message of Amazon SNS into the proof that Amazon signed it for our topic.

After "Verifying the signatures of Amazon SNS messages" and "Parsing Amazon SNS message formats"
(Amazon SNS Developer Guide). The certificate comes in through a function: nothing here asks a
network.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from digest.deliveries.hooks.event import Malformed, NotNow, Refused
from digest.deliveries.hooks.payload import Payload, id_of, moment_of, parse_object

#: gives the PEM certificate at an address that passed `is_certificate_url`; None when it cannot
FetchCertificate = Callable[[str], Awaitable[bytes | None]]

#: SNS tries a delivery again for an hour at most ("Amazon SNS message delivery retries": 3,600
#: seconds, a hard limit) and keeps the first Timestamp; the second hour is for queues and clocks.
#: Within it a replay changes nothing, because the events have the same ids
_OLDEST: Final = timedelta(hours=2)
_AHEAD: Final = timedelta(minutes=15)

# Matched on the text as it came, not on a parsed address: two parsers can disagree about user
# names, backslashes and ports, and none of these can stand here. The region is spelt out, because
# sns.s3-us-west-2.amazonaws.com would be anybody's bucket named "sns".
_HOST: Final = r"https://sns\.[a-z]{2}(?:-[a-z]{1,20}){1,3}-[0-9]{1,2}\.amazonaws\.com(?:\.cn)?"
_PLACE: Final = re.compile(_HOST + "/")
_CERTIFICATE_URL: Final = re.compile(_HOST + r"/[A-Za-z0-9_-][A-Za-z0-9._/-]{0,200}\.pem")
_SUBSCRIBE_URL: Final = re.compile(_HOST + r"/\?[A-Za-z0-9._~:/?@!$&'()*+,;=%-]{1,2000}")

_CONFIRMATION: Final = (
    *("Message", "MessageId", "SubscribeURL", "Timestamp"),
    *("Token", "TopicArn", "Type"),
)
#: the keys that are signed, in their order
_SIGNED: Final[dict[str, tuple[str, ...]]] = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}


async def verify(
    body: bytes, *, topic: str, now: datetime, certificate: FetchCertificate
) -> Refused | Malformed | NotNow | None:
    """None when Amazon signed `body` for the topic with the ARN `topic`, not long before `now`."""
    envelope = parse_object(body)
    if isinstance(envelope, Malformed):
        return envelope
    signed = _string_to_sign(envelope)
    if signed is None:
        return Malformed(reason="the body is no message of Amazon SNS")
    url = str(envelope.get("SigningCertURL"))
    refused = _doubt(envelope, url, topic=topic, now=now)
    if refused:
        return refused
    pem = await certificate(url)
    if pem is None:
        return NotNow(reason="the certificate of Amazon SNS could not be fetched")
    return _check(envelope, signed, pem, now)


def read_confirmation(body: bytes) -> tuple[str, str] | Refused | None:
    """The id of a verified subscription request and the address that confirms it, if it is one.

    `Refused` when that address is not at Amazon SNS.
    """
    envelope = parse_object(body)
    if isinstance(envelope, Malformed) or envelope.get("Type") != "SubscriptionConfirmation":
        return None
    url = envelope.get("SubscribeURL")
    if not isinstance(url, str) or not _SUBSCRIBE_URL.fullmatch(url):
        return Refused(reason="the subscription is not confirmed at Amazon SNS")
    return id_of(envelope.get("MessageId")), url


def is_certificate_url(url: str) -> bool:
    """Whether only Amazon SNS can have put a certificate there."""
    return _CERTIFICATE_URL.fullmatch(url) is not None


def is_at_sns(url: str) -> bool:
    """Whether Amazon SNS answers at this address."""
    return _PLACE.match(url) is not None


def _string_to_sign(envelope: Payload) -> bytes | None:
    """The keys in the guide's order, each on a line before its value; None if one is missing."""
    kind = envelope.get("Type")
    lines: list[str] = []
    for key in _SIGNED.get(kind, ()) if isinstance(kind, str) else ():
        value = envelope.get(key)
        if isinstance(value, str):
            lines += (key, value)
        elif key != "Subject" or value is not None:  # a message need have no subject
            return None
    text = "".join(f"{line}\n" for line in lines)
    return text.encode("utf-8", "surrogatepass") if text else None


def _doubt(envelope: Payload, url: str, *, topic: str, now: datetime) -> Refused | None:
    """What speaks against it before anything is fetched."""
    if envelope["TopicArn"] != topic:
        return Refused(reason="the topic is another one")
    at = moment_of(envelope["Timestamp"])
    if at is None or not now - _OLDEST <= at <= now + _AHEAD:
        return Refused(reason="the timestamp is too old, or in the future")
    if not is_certificate_url(url):
        return Refused(reason="the certificate is not at Amazon SNS")
    return None


def _check(envelope: Payload, signed: bytes, pem: bytes, now: datetime) -> Refused | None:
    algorithm: hashes.HashAlgorithm
    match envelope.get("SignatureVersion"):
        case "1":
            algorithm = hashes.SHA1()  # noqa: S303 -- what a topic signs with unless it is told
        case "2":
            algorithm = hashes.SHA256()
        case _:
            return Refused(reason="the signature has an unknown version")
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            return Refused(reason="the certificate is not valid now")
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey):
            return Refused(reason="the certificate has another kind of key")
        signature = b64decode(str(envelope.get("Signature")), validate=True)
        key.verify(signature, signed, PKCS1v15(), algorithm)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return Refused(reason="the signature does not fit")
    return None
