"""Turns what is held on a person into one document, with the record of consent as evidence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from digest.errors import UsageError
from digest.jobs.exhibit import utc
from digest.jobs.world import World
from digest.model.subscriber import ConsentEvent, Subscription, is_unbroken
from digest.store import consents, follows, people, subscribers, suppressions
from digest.store.engine import Connection
from digest.subscribers.address import address_key
from digest.subscribers.consent import version_of

#: what a person saw and answered to; other events say something of their own
_SHOWN: Final = ("requested", "confirmed")


async def draw(
    connection: Connection, world: World, subscriber_id: int, *, whole: bool
) -> dict[str, Any]:
    """What is held on a person; `whole` adds what was sent, what came back, and his old addresses.

    Raises UsageError where nothing is held.
    """
    person = await people.look(connection, subscriber_id)
    if person is None or person.is_erased:
        raise UsageError(f"there is no subscriber {subscriber_id}: nothing is held")
    found = await subscribers.by_address(connection, person.address_key)
    known_as = world.signer.suppression_hash(address_key(person.address))
    records = {each.id: await consents.consent_record(connection, each.id) for each in found}
    document: dict[str, Any] = {
        "address": person.address,
        "language": person.language,
        "timezone": person.timezone,
        "created_utc": utc(person.created_at),
        "suppressed": await suppressions.suppression(connection, known_as),
        "record_unbroken": all(is_unbroken(record) for record in records.values()),
        "subscriptions": [_with_record(each, records[each.id]) for each in found],
    }
    if whole:
        for each, told in zip(found, document["subscriptions"], strict=True):
            told["follows"] = await _follows(connection, each)
        document |= await _history(connection, person, found)
        document["earlier_addresses"] = [
            await draw(connection, world, each, whole=True)
            for each in await people.earlier(connection, subscriber_id)
            if not await _is_nobody(connection, each)
        ]
    return document


async def _is_nobody(connection: Connection, subscriber_id: int) -> bool:
    person = await people.look(connection, subscriber_id)
    return person is None or person.is_erased


async def _history(
    connection: Connection, person: people.Person, found: Sequence[Subscription]
) -> dict[str, Any]:
    names = {each.id: each.newsletter for each in found}
    return {
        "deliveries": [
            {
                "newsletter": names.get(row["subscription_id"]),
                "edition": row["number"],
                "subject": row["subject"],
                "notice": row["notice"],
                "state": row["state"],
                "attempts": row["attempts"],
                "possible_copies": row["doubts"],
                "queued_utc": utc(row["created_at"]),
                "changed_utc": utc(row["updated_at"]),
                "reply": row["reply"],
            }
            for row in await people.deliveries_of(connection, person.id)
        ],
        "bounces": [
            {
                "at_utc": utc(row["at"]),
                "cause": row["cause"],
                "door": row["door"],
                "text": row["text"],
            }
            for row in await people.bounces_of(connection, person.id)
        ],
        "confirm_mails": [
            {
                "newsletter": row["newsletter"],
                "mails": row["mails"],
                "last_utc": utc(row["last_at"]),
            }
            for row in await people.asks_of(connection, person.address_hash)
        ],
    }


async def _follows(connection: Connection, each: Subscription) -> list[dict[str, Any]]:
    """What he follows or followed, and what was found for it."""
    told: dict[int, list[dict[str, Any]]] = {}
    for row in await follows.found_for(connection, each.id):
        told.setdefault(row["follow_id"], []).append(
            {
                "title": row["title"],
                "url": row["url"],
                "words": row["words"],
                "found_utc": utc(row["found_at"]),
                "told_utc": _utc(row["told_at"]),
            }
        )
    return [
        {
            "title": one.title,
            "url": one.url,
            "mode": one.mode.value,
            "state": one.state.value,
            "requested_utc": utc(one.requested_at),
            "confirmed_utc": _utc(one.confirmed_at),
            "ended_utc": _utc(one.ended_at),
            "found": told.get(one.id, []),
        }
        for one in await follows.of_subscription(connection, each.id)
    ]


def describe(each: Subscription) -> dict[str, Any]:
    """A subscription: whose, of what, where it stands, and what was chosen."""
    return {
        "address": each.subscriber.address,
        "newsletter": each.newsletter,
        "state": each.state.value,
        "frequency": each.frequency,
        "topics": list(each.topics),
        "hour": each.hour,
        "paused_until_utc": _utc(each.paused_until),
        "language": each.subscriber.language,
        "timezone": each.subscriber.timezone,
        "requested_utc": utc(each.requested_at),
        "confirmed_utc": _utc(each.confirmed_at),
        "unsubscribed_utc": _utc(each.unsubscribed_at),
    }


def _with_record(each: Subscription, record: list[ConsentEvent]) -> dict[str, Any]:
    return {
        **describe(each),
        "record_unbroken": is_unbroken(record),
        "record_broken_at": broken_at(record),
        "consent": [_event(event) for event in record],
    }


def _event(event: ConsentEvent) -> dict[str, Any]:
    return {
        "kind": event.kind,
        "at_utc": utc(event.at),
        #: as the hash has it
        "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "door": event.door,
        "detail": event.detail,
        "language": event.language,
        "network": event.network,
        "message_id": event.message_id,
        "message_hash": event.message_hash,
        "text_version": text_version(event),
        "hash": event.hash,
    }


def text_version(event: ConsentEvent) -> str | None:
    """What tells the words that were shown from other words; None where none were."""
    if event.kind not in _SHOWN or not event.detail:
        return None
    return version_of(event.detail)


def broken_at(record: list[ConsentEvent]) -> int | None:
    """The first event, counted from 1, that does not follow upon the one before; None: all do."""
    if is_unbroken(record):
        return None
    return next(end for end in range(1, len(record) + 1) if not is_unbroken(record[:end]))


def _utc(at: datetime | None) -> str | None:
    return utc(at) if at else None
