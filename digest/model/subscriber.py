"""A subscriber, a person by address, and a subscription, their consent to one newsletter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SubscriptionState(StrEnum):
    """Where a consent stands."""

    #: asked for, not confirmed: gets nothing but the one confirm mail
    PENDING = "pending"
    #: confirmed: gets editions
    ACTIVE = "active"
    #: withdrawn: gets nothing
    UNSUBSCRIBED = "unsubscribed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A person by address."""

    id: int
    #: as it goes on the wire: local part as given, domain in lower-case ASCII
    address: str
    language: str
    timezone: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """The consent of one person to one newsletter. Times are UTC."""

    id: int
    #: 96 random bits: what signed links name, so that they tell nothing about anybody
    ref: bytes
    newsletter: str
    subscriber: Subscriber
    state: SubscriptionState
    frequency: str
    topics: tuple[str, ...]
    requested_at: datetime
    confirmed_at: datetime | None
    unsubscribed_at: datetime | None
    #: 128 random bits, new with each request: a confirm link of an older request is void
    request_nonce: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentEvent:
    """One entry of the consent record: what happened, when, through which door."""

    #: "requested", "confirmed", "operator", "unsubscribed", "changed"
    kind: str
    at: datetime
    #: "web", "mail" (one-click), "cli", "demo"
    door: str
    #: the words that the person saw or the operator's proof
    detail: str
