"""Joining: a person asks, or the operator vouches for him; and the record of it.

The caller of `request` learns more than the web may tell: a page must look the same whatever the
state of an address (nobody may find out by it who reads what).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from digest.errors import AddressRefused, UsageError
from digest.jobs import remember
from digest.jobs.world import World
from digest.model.newsletter import Newsletter
from digest.model.subscriber import ConsentEvent, Subscription, SubscriptionState
from digest.store import books, consents, deliveries, subscribers, suppressions
from digest.store.engine import Connection
from digest.subscribers.address import address_key, parse_address

#: one confirm mail for each address and newsletter in this time, and so many in all: a stranger
#: who types somebody else's address in again and again must not fill his mailbox
COOL_DOWN = timedelta(hours=24)
CONFIRM_MAILS = 3

#: a request that nobody confirmed in this time is void
REQUEST_LIFE = timedelta(days=7)


class Asked(StrEnum):
    """What came of a request."""

    #: a confirm mail is on its way
    ASKED = "asked"
    #: there was one a short while ago, or enough of them
    WAITING = "waiting"
    #: the person reads this newsletter already
    ACTIVE = "active"
    #: the address is closed to us
    SUPPRESSED = "suppressed"


async def request(
    world: World,
    *,
    address: str,
    newsletter: Newsletter,
    language: str | None = None,
    frequency: str | None = None,
    topics: tuple[str, ...] = (),
    timezone: str | None = None,
    door: str,
    detail: str = "",
) -> Asked:
    """Start a double opt-in. Raises AddressRefused or UsageError for what cannot be."""
    rhythm = check_frequency(newsletter, frequency)
    async with world.store.write() as connection:
        now = world.clock()
        person = await _meet(
            connection,
            world,
            address=address,
            language=language or newsletter.language,
            timezone=timezone,
            now=now,
        )
        if person is None:
            return Asked.SUPPRESSED
        known = await subscribers.of_person(connection, person, newsletter.slug)
        if known is not None and known.state is SubscriptionState.ACTIVE:
            return Asked.ACTIVE
        if known is not None and await _had_enough(connection, known, now):
            return Asked.WAITING
        subscription = await _ask(
            connection,
            world,
            known,
            person=person,
            newsletter=newsletter,
            frequency=rhythm,
            topics=topics,
            now=now,
        )
        await deliveries.queue_notice(
            connection, notice="confirm", subscription_id=subscription, now=now
        )
        await note(connection, subscription, "requested", door=door, detail=detail, now=now)
    return Asked.ASKED


async def admit(
    world: World,
    *,
    address: str,
    newsletter: Newsletter,
    language: str | None = None,
    frequency: str | None = None,
    topics: tuple[str, ...] = (),
    timezone: str | None = None,
    door: str,
    detail: str,
) -> Subscription:
    """Subscribe somebody on the operator's own proof, without asking him.

    Raises AddressRefused for an address that cannot be, or that is closed to us.
    """
    rhythm = check_frequency(newsletter, frequency)
    async with world.store.write() as connection:
        now = world.clock()
        person = await _meet(
            connection,
            world,
            address=address,
            language=language or newsletter.language,
            timezone=timezone,
            now=now,
        )
        if person is None:
            raise AddressRefused(f"{address}: this address is closed to us; we do not write to it")
        known = await subscribers.of_person(connection, person, newsletter.slug)
        if known is not None and known.state is SubscriptionState.ACTIVE:
            await subscribers.change(
                connection, known, frequency=frequency, language=language, timezone=timezone
            )
            return await _whole(connection, known.id)
        subscription = await _ask(
            connection,
            world,
            known,
            person=person,
            newsletter=newsletter,
            frequency=rhythm,
            topics=topics,
            now=now,
        )
        await subscribers.activate(connection, subscription, now=now)
        await note(connection, subscription, "operator", door=door, detail=detail, now=now)
        if known is not None:
            await remember.rejoined(world, known, now=now)
        return await _whole(connection, subscription)


async def _whole(connection: Connection, subscription: int) -> Subscription:
    found = await subscribers.by_id(connection, subscription)
    if found is None:
        raise LookupError(f"subscription {subscription} vanished in its own transaction")
    return found


def check_frequency(newsletter: Newsletter, frequency: str | None) -> str:
    """The frequency, or the default one. Raises UsageError for one that is not offered."""
    if frequency is None:
        return newsletter.default_schedule.name
    if newsletter.schedule(frequency) is None:
        known = ", ".join(each.name for each in newsletter.schedules)
        raise UsageError(f"{newsletter.slug} has no frequency {frequency!r}; it has {known}")
    return frequency


async def _meet(
    connection: Connection,
    world: World,
    *,
    address: str,
    language: str,
    timezone: str | None,
    now: datetime,
) -> int | None:
    """The person's id, or None when the address is closed to us."""
    wire = parse_address(address)
    key = address_key(wire)
    known_as = world.signer.suppression_hash(key)
    if await suppressions.is_suppressed(connection, known_as):
        return None
    return await subscribers.meet(
        connection,
        address=wire,
        key=key,
        address_hash=known_as,
        language=language,
        timezone=timezone,
        now=now,
    )


async def _had_enough(connection: Connection, known: Subscription, now: datetime) -> bool:
    told = await books.notices_since(connection, notice="confirm", subscription_id=known.id)
    # whoever confirmed once and left may come back: only what was asked since then counts
    sent = [at for at in told if known.confirmed_at is None or at > known.confirmed_at]
    return bool(sent) and (now - sent[0] < COOL_DOWN or len(sent) >= CONFIRM_MAILS)


async def _ask(
    connection: Connection,
    world: World,
    known: Subscription | None,
    *,
    person: int,
    newsletter: Newsletter,
    frequency: str,
    topics: tuple[str, ...],
    now: datetime,
) -> int:
    """Make the subscription pending, new or anew, and return its id."""
    nonce = world.secret_bytes(16)
    if known is not None:
        await subscribers.ask_again(
            connection, known.id, frequency=frequency, topics=topics, request_nonce=nonce, now=now
        )
        return known.id
    return await subscribers.add_subscription(
        connection,
        ref=world.secret_bytes(12),
        subscriber_id=person,
        newsletter=newsletter.slug,
        frequency=frequency,
        topics=topics,
        request_nonce=nonce,
        now=now,
    )


async def note(
    connection: Connection, subscription: int, kind: str, *, door: str, detail: str, now: datetime
) -> None:
    """Write a line of the consent record."""
    event = ConsentEvent(kind=kind, at=now, door=door, detail=detail)
    await consents.note(connection, subscription, event)
