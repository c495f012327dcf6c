"""Joining: a person asks, or the operator vouches for him; and the record of it.

The caller of `request` learns more than the web may tell: a page must look the same whatever the
state of an address (nobody may find out by it who reads what).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from digest.editions.calendar import check_timezone
from digest.errors import AddressRefused, UsageError
from digest.jobs import remember
from digest.jobs.turns import hold, names_of, queue_confirm
from digest.jobs.world import World
from digest.model.follow import FOLLOWS_ONLY
from digest.model.newsletter import Newsletter
from digest.model.subscriber import ConsentEvent, Subscription, SubscriptionState
from digest.store import consents, crowds, subscribers, suppressions
from digest.store.engine import Connection
from digest.subscribers.address import address_key, parse_address
from digest.subscribers.crowd import Ask, may_ask

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
    replaces: int | None = None,
    door: str,
    detail: str = "",
    shown_in: str | None = None,
    network: str | None = None,
) -> Asked:
    """Start a double opt-in. Raises AddressRefused or UsageError for what cannot be.

    `detail`: the words that the person saw, in the language `shown_in`; `network`: where he is,
    shortened, which is kept only if the operator wants it; `replaces`: the subscription that ends
    when this one is confirmed.
    """
    rhythm, wire = check_frequency(newsletter, frequency), parse_address(address)
    _check_timezone(timezone)
    known_as, bothered = names_of(world, address_key(wire))
    async with world.store.write() as connection:
        now = world.clock()
        await hold(connection, known_as, bothered, now=now)
        known = await known_reader(connection, wire, newsletter)
        reads = _reads(known, moves=replaces is not None)
        answer = await _consider(connection, known_as, bothered, newsletter, reads=reads, now=now)
        if answer is Asked.WAITING and known is not None and replaces is None:
            await _take_over(connection, known, rhythm, topics, now=now)
        if answer is not Asked.ASKED:
            return answer
        person = await meet(connection, world, wire, language or newsletter.language, timezone)
        choice = _Choice(frequency=rhythm, topics=topics, replaces=replaces, at=now)
        subscription = await _ask(connection, world, known, person, newsletter, choice=choice)
        await queue_confirm(connection, subscription, bothered, newsletter, now=now)
        await note(
            connection,
            subscription,
            "requested",
            door=door,
            detail=detail,
            now=now,
            language=shown_in,
            network=network if world.consent_network else None,
        )
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
    rhythm, wire = check_frequency(newsletter, frequency), parse_address(address)
    _check_timezone(timezone)
    known_as, bothered = names_of(world, address_key(wire))
    async with world.store.write() as connection:
        now = world.clock()
        await hold(connection, known_as, bothered, now=now)
        if await suppressions.is_suppressed(connection, known_as):
            raise AddressRefused(f"{address}: this address is closed to us; we do not write to it")
        known = await known_reader(connection, wire, newsletter)
        if known is not None and known.state is SubscriptionState.ACTIVE:
            await subscribers.change(
                connection,
                known,
                frequency=rhythm if known.frequency == FOLLOWS_ONLY else frequency,
                language=language,
                timezone=timezone,
                now=now,
            )
            return await _whole(connection, known.id)
        choice = _Choice(frequency=rhythm, topics=topics, at=now)
        person = await meet(connection, world, wire, language or newsletter.language, timezone)
        subscription = await _ask(connection, world, known, person, newsletter, choice=choice)
        await subscribers.activate(connection, subscription, now=now)
        await crowds.clear(connection, bothered, newsletter.slug)
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
    if newsletter.schedule(frequency) is None and frequency != FOLLOWS_ONLY:
        known = ", ".join(each.name for each in newsletter.schedules)
        raise UsageError(f"{newsletter.slug} has no frequency {frequency!r}; it has {known}")
    return frequency


def _check_timezone(timezone: str | None) -> None:
    if timezone is not None and (wrong := check_timezone(timezone)):
        raise UsageError(wrong)


async def known_reader(
    connection: Connection, address: str, newsletter: Newsletter
) -> Subscription | None:
    """What the person with this address has to do with this newsletter; None: nothing."""
    found = await subscribers.by_address(connection, address_key(address))
    return next((each for each in found if each.newsletter == newsletter.slug), None)


async def _take_over(
    connection: Connection,
    known: Subscription,
    frequency: str,
    topics: tuple[str, ...],
    *,
    now: datetime,
) -> None:
    """Whoever asks for himself while a move to his address waits gets what he asked for.

    The confirm mail that he has serves for it; nothing moves to him that somebody else chose.
    """
    if known.state is SubscriptionState.PENDING and known.replaces is not None:
        await subscribers.ask_again(
            connection,
            known.id,
            frequency=frequency,
            topics=topics,
            request_nonce=known.request_nonce,
            now=now,
        )


def _reads(known: Subscription | None, *, moves: bool) -> bool:
    """Whether there is nothing to ask this reader, who may only follow stories so far."""
    if known is None or known.state is not SubscriptionState.ACTIVE:
        return False
    return moves or known.reads_editions


async def _consider(
    connection: Connection,
    known_as: str,
    bothered: str,
    newsletter: Newsletter,
    *,
    reads: bool,
    now: datetime,
) -> Asked:
    """Whether a confirm mail goes out; changes nothing. All is asked, whatever the first says."""
    closed = await suppressions.is_suppressed(connection, known_as)
    asks = [
        Ask(newsletter=slug, mails=mails, last_at=at)
        for slug, mails, at in await crowds.asked(connection, bothered)
    ]
    if closed:
        return Asked.SUPPRESSED
    if reads:
        return Asked.ACTIVE
    return Asked.ASKED if may_ask(asks, newsletter=newsletter.slug, now=now) else Asked.WAITING


async def meet(
    connection: Connection, world: World, address: str, language: str, timezone: str | None
) -> int:
    """The person's id; whoever is known keeps his language and time zone."""
    key = address_key(address)
    return await subscribers.meet(
        connection,
        address=address,
        key=key,
        address_hash=world.signer.suppression_hash(key),
        language=language,
        timezone=timezone,
        now=world.clock(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:  # what somebody wants of a newsletter, and when he said so
    frequency: str
    topics: tuple[str, ...]
    at: datetime
    replaces: int | None = None


async def _ask(
    connection: Connection,
    world: World,
    known: Subscription | None,
    person: int,
    newsletter: Newsletter,
    *,
    choice: _Choice,
) -> int:
    """Make the subscription pending, new or anew, and return its id."""
    nonce = world.secret_bytes(16)
    if known is not None and known.state is SubscriptionState.ACTIVE:
        # what he follows goes on meanwhile; `choose.confirm` gives him the newsletter as well
        await subscribers.renew(connection, known.id, request_nonce=nonce)
        return known.id
    if known is not None:
        await subscribers.ask_again(
            connection,
            known.id,
            frequency=choice.frequency,
            topics=choice.topics,
            request_nonce=nonce,
            replaces=choice.replaces,
            now=choice.at,
        )
        return known.id
    return await subscribers.add_subscription(
        connection,
        ref=world.secret_bytes(12),
        subscriber_id=person,
        newsletter=newsletter.slug,
        frequency=choice.frequency,
        topics=choice.topics,
        request_nonce=nonce,
        replaces=choice.replaces,
        now=choice.at,
    )


async def note(
    connection: Connection,
    subscription: int,
    kind: str,
    *,
    door: str,
    detail: str,
    now: datetime,
    language: str | None = None,
    network: str | None = None,
) -> None:
    """Write a line of the consent record."""
    event = ConsentEvent(
        kind=kind, at=now, door=door, detail=detail, language=language, network=network
    )
    await consents.note(connection, subscription, event)
