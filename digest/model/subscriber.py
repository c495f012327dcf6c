"""A subscriber, a person by address, and a subscription, their consent to one newsletter."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256

from digest.model.follow import FOLLOWS_ONLY


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
    #: names of the wanted topics, in alphabetical order; empty: everything
    topics: tuple[str, ...]
    #: the hour of the person's own day (0 to 23) at which editions come; None: when they are made
    hour: int | None
    #: until then nothing is sent
    paused_until: datetime | None
    requested_at: datetime
    confirmed_at: datetime | None
    unsubscribed_at: datetime | None
    #: 128 random bits, new with each request: a confirm link of an older request is void
    request_nonce: bytes
    #: the subscription that ends when this one is confirmed: the same person's old address
    replaces: int | None = None

    @property
    def reads_editions(self) -> bool:
        """True for a reader who gets more than what he follows."""
        return self.state is SubscriptionState.ACTIVE and self.frequency != FOLLOWS_ONLY

    def is_paused(self, now: datetime) -> bool:
        """True while the person wants no mail."""
        return self.paused_until is not None and self.paused_until > now


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentEvent:
    """One entry of the consent record: what happened, when, through which door."""

    #: "requested", "asked" (the confirm mail was taken by the relay), "confirmed", "operator",
    #: "changed", "paused", "resumed", "moving" (asked for), "moved", "returned", "unsubscribed",
    #: "lapsed" (nobody confirmed in time), "reopened" (by the operator)
    kind: str
    at: datetime
    #: "web", "mail" (one-click), "cli", "demo", "smtp", "clock", "journal"
    door: str
    #: the words that the person saw or the operator's proof
    detail: str
    #: the language of these words
    language: str | None = None
    #: the network that it came from, shortened; only where the operator keeps it
    network: str | None = None
    #: the mail that it is about, and the SHA-256 of its bytes in hex
    message_id: str | None = None
    message_hash: str | None = None
    #: SHA-256 in hex over the hash before and this event; empty before it is stored
    hash: str = ""


def seal(event: ConsentEvent, *, behind: str) -> ConsentEvent:
    """The event with its hash, which covers all of it and the hash of the event before it.

    SHA-256 over one line of JSON with sorted keys and times in UTC, so that anybody can check it.
    """
    facts: dict[str, str | None] = {"behind": behind}
    for each in fields(event):
        value = getattr(event, each.name)
        if each.name != "hash":
            facts[each.name] = (
                value.astimezone(UTC).isoformat(timespec="microseconds")
                if isinstance(value, datetime)
                else value
            )
    line = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return replace(event, hash=sha256(line.encode()).hexdigest())


def is_unbroken(record: list[ConsentEvent]) -> bool:
    """True when each event of a record still follows upon the one before it.

    Events from before there were hashes stand at the beginning, and prove nothing.
    """
    behind = ""
    for event in record:
        if not event.hash and not behind:
            continue
        if event != seal(event, behind=behind):
            return False
        behind = event.hash
    return True
