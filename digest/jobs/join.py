"""Joining, confirming, choosing, leaving: what a person asks for, and the record of it.

The caller of `request` learns more than the web may tell: a page must look the same whatever the
state of an address (nobody may find out by it who reads what).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from digest.errors import AddressRefused, LinkRefused, UsageError
from digest.jobs.world import World
from digest.model.newsletter import Newsletter
from digest.model.subscriber import ConsentEvent, Subscription, SubscriptionState
from digest.store import books, deliveries, subscribers
from digest.store.engine import Connection
from digest.subscribers.address import address_key, parse_address
from digest.subscribers.links import read_ref

#: one confirm mail for each address and newsletter in this time, and so many in all: a stranger
#: who types somebody else's address in again and again must not fill his mailbox
COOL_DOWN = timedelta(hours=24)
CONFIRM_MAILS = 3

#: a request that nobody confirmed in this time is void
REQUEST_LIFE = timedelta(days=7)

#: what a link in a mail may be for
Purpose = Literal["confirm", "unsubscribe", "preferences"]


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
    rhythm = _frequency(newsletter, frequency)
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
        await _note(connection, subscription, "requested", door=door, detail=detail, now=now)
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
    rhythm = _frequency(newsletter, frequency)
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
            await subscribers.change(connection, known, frequency=frequency)
            subscription = known.id
        else:
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
            await _note(connection, subscription, "operator", door=door, detail=detail, now=now)
        found = await subscribers.by_id(connection, subscription)
    if found is None:
        raise LookupError(f"subscription {subscription} vanished in its own transaction")
    return found


def _frequency(newsletter: Newsletter, frequency: str | None) -> str:
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
    if await subscribers.is_suppressed(connection, known_as):
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


async def _note(
    connection: Connection, subscription: int, kind: str, *, door: str, detail: str, now: datetime
) -> None:
    event = ConsentEvent(kind=kind, at=now, door=door, detail=detail)
    await subscribers.note(connection, subscription, event)


async def look(world: World, purpose: Purpose, token: str) -> Subscription:
    """The subscription that a link is about; changes nothing. Raises LinkRefused."""
    async with world.store.read() as connection:
        return await _look(connection, world, purpose, token)


async def _look(connection: Connection, world: World, purpose: Purpose, token: str) -> Subscription:
    found = await subscribers.by_ref(connection, read_ref(token))
    match purpose:
        case "confirm":
            world.signer.check_confirm(token, found.request_nonce if found else bytes(16))
        case "unsubscribe":
            world.signer.check_unsubscribe(token)
        case "preferences":
            world.signer.check_preferences(token)
    if found is None:
        raise LinkRefused("this link leads to no subscription any more")
    return found


async def confirm(world: World, token: str, *, door: str, detail: str = "") -> Subscription:
    """Pending becomes active; a second time changes nothing. Raises LinkRefused."""
    async with world.store.write() as connection:
        now = world.clock()
        found = await _look(connection, world, "confirm", token)
        if found.state is SubscriptionState.ACTIVE:
            return found
        if found.state is SubscriptionState.UNSUBSCRIBED or now - found.requested_at > REQUEST_LIFE:
            raise LinkRefused("this request has ended; sign up again to get a new link")
        if await subscribers.activate(connection, found.id, now=now):  # else two pressed at once
            await _note(connection, found.id, "confirmed", door=door, detail=detail, now=now)
        return await subscribers.by_id(connection, found.id) or found


async def leave(world: World, token: str, *, door: str) -> Subscription:
    """Nothing more is written to this person; again changes nothing. Raises LinkRefused."""
    async with world.store.write() as connection:
        found = await _look(connection, world, "unsubscribe", token)
        return await _leave(connection, world, found, door=door)


async def _leave(
    connection: Connection, world: World, found: Subscription, *, door: str
) -> Subscription:
    now = world.clock()
    if await subscribers.leave(connection, found.id, now=now):
        await _note(connection, found.id, "unsubscribed", door=door, detail="", now=now)
    return await subscribers.by_id(connection, found.id) or found


async def change(
    world: World, token: str, *, frequency: str | None, language: str | None, door: str
) -> Subscription:
    """Note a reader's choices. Raises LinkRefused, and UsageError for a choice we do not offer."""
    async with world.store.write() as connection:
        found = await _look(connection, world, "preferences", token)
        if frequency is not None:
            _frequency(world.newsletter(found.newsletter), frequency)
        await subscribers.change(connection, found, frequency=frequency, language=language)
        chosen = f"frequency={frequency or '-'} language={language or '-'}"
        await _note(connection, found.id, "changed", door=door, detail=chosen, now=world.clock())
        return await subscribers.by_id(connection, found.id) or found


async def leave_address(
    world: World, address: str, *, newsletter: Newsletter | None, door: str
) -> list[Subscription]:
    """End one subscription of an address, or all; return those that it touched."""
    async with world.store.write() as connection:
        found = await subscribers.by_address(connection, address_key(parse_address(address)))
        wanted = [
            each for each in found if newsletter is None or each.newsletter == newsletter.slug
        ]
        return [await _leave(connection, world, each, door=door) for each in wanted]
