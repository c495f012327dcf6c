"""Gathers the values of a report in which a token of ours may stand; it judges none of them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from digest.deliveries.reports.parcel import Header

MAX_TRACES = 50
MAX_LENGTH = 1_000

#: whom the report itself was sent to: our VERP address first
_HERE = (
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "x-envelope-to",
    "x-delivered-to",
    "original-recipient",
    "x-rcpt-to",
    "apparently-to",
    "x-apparently-to",
    "to",
    "cc",
)
#: what of our own header comes back
_THERE = (
    "return-path",
    "list-unsubscribe",
    "message-id",
    "feedback-id",
    "list-id",
    "sender",
    "errors-to",
    "x-envelope-from",
    "x-env-sender",
    "envelope-from",
    "x-mailer-token",
    "to",
)
_FEEDBACK = (
    "original-mail-from",
    "original-envelope-id",
    "original-rcpt-to",
    "removal-recipient",
    "x-postfix-sender",
    "x-failed-recipients",
    "in-reply-to",
    "references",
)
_FOR = re.compile(r"\bfor +<?([^\s<>;]{3,320})>?")
_FROM = re.compile(r"envelope-from +<?([^\s<>;)]{3,320})>?")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")


def gather(header: Header, returned: Header, others: Iterable[str]) -> tuple[str, ...]:
    """Each value once, in the order of how likely it is ours; bounded in number and length."""
    received = header.all("received")[:20]
    back = returned.all("received")[:20]
    values = [
        *header.all(*_HERE),
        *(found[1] for value in received for found in _FOR.finditer(value[:MAX_LENGTH])),
        *others,
        *header.all(*_FEEDBACK),
        *returned.all(*_THERE),
        *returned.all(*_FEEDBACK),
        *(found[1] for value in back for found in _FROM.finditer(value[:MAX_LENGTH])),
        *(found[1] for value in back for found in _FOR.finditer(value[:MAX_LENGTH])),
    ]
    tidy = (_CONTROLS.sub(" ", value)[:MAX_LENGTH].strip() for value in values)
    return tuple(dict.fromkeys(value for value in tidy if value))[:MAX_TRACES]
