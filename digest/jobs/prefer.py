"""Turns what a reader chooses behind his signed link into the store's rows and his record.

Each choice is one transaction in which the person is held, so that what he sends twice at once
comes in turn. What cannot be is a `Refusal` and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from digest.errors import LinkRefused
from digest.jobs import leave, remember
from digest.jobs.decide import Form, Refusal, chosen, decide, may_return, without
from digest.jobs.join import note
from digest.jobs.world import World
from digest.model.follow import Follow
from digest.model.newsletter import Newsletter
from digest.model.subscriber import Subscription, SubscriptionState
from digest.store import choices, consents, follows, people, subscribers, suppressions
from digest.store.engine import Connection
from digest.subscribers.address import address_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Whose link it is, and what else this person has to do with us."""

    #: the subscription that the link names
    named: Subscription
    #: all of the same person, that one as well
    all: tuple[Subscription, ...]
    #: when the next edition that was made already comes, by subscription
    waiting: dict[int, datetime]
    #: the subscriptions that were left a short while ago and may be taken up again
    returning: frozenset[int]
    #: what he follows, by subscription
    follows: dict[int, tuple[Follow, ...]] = field(default_factory=dict)


async def look(world: World, token: str) -> Reader:
    """Whose link it is; changes nothing. Raises LinkRefused."""
    async with world.store.read() as connection:
        named = await _named(connection, world, token)
        found = await subscribers.of_subscriber(connection, named.subscriber.id)
        return Reader(
            named=named,
            all=tuple(found),
            waiting=await choices.waiting(connection, [each.id for each in found]),
            returning=frozenset(
                [each.id for each in found if await _may_return(connection, world, each)]
            ),
            follows={
                each.id: tuple(await follows.of_subscription(connection, each.id, only_alive=True))
                for each in found
            },
        )


async def holder(connection: Connection, world: World, token: str) -> Subscription:
    """The subscription of a link; its person is held until the end. Raises LinkRefused."""
    found = await _named(connection, world, token)
    await people.hold(connection, found.subscriber.id)
    # what another one changed until we had the person
    return await _named(connection, world, token)


async def _named(connection: Connection, world: World, token: str) -> Subscription:
    found = await subscribers.by_ref(connection, world.signer.check_preferences(token))
    if found is None or people.is_erased(found.subscriber.address):
        raise LinkRefused("this link leads to no subscription any more")
    return found


def offer(world: World, found: Subscription) -> Newsletter | None:
    """The newsletter of a subscription; None where it was given up."""
    return next((each for each in world.newsletters if each.slug == found.newsletter), None)


# --------------------------------------------------------------- choosing


async def save(world: World, token: str, form: Form, *, door: str) -> Subscription | Refusal:
    """Take a form. What it says already stands is no change, and not in the record.

    Raises LinkRefused.
    """
    async with world.store.write() as connection:
        found = await holder(connection, world, token)
        if found.state is not SubscriptionState.ACTIVE:
            return Refusal.GONE
        return await _take(connection, world, found, form, door=door)


async def less(world: World, token: str, topic: str, *, door: str) -> Subscription | Refusal:
    """Leave one topic out from now on. Raises LinkRefused."""
    async with world.store.write() as connection:
        found = await holder(connection, world, token)
        if found.state is not SubscriptionState.ACTIVE:
            return Refusal.GONE
        rest = without(offer(world, found), found.topics, topic)
        if isinstance(rest, Refusal):
            return rest
        return await _take(connection, world, found, Form(topics=rest), door=door)


async def _take(
    connection: Connection, world: World, found: Subscription, form: Form, *, door: str
) -> Subscription | Refusal:
    now = world.clock()
    before, after = chosen(found), decide(found, offer(world, found), form, now=now)
    if isinstance(after, Refusal):
        return after
    if after == before:
        return found
    await choices.choose(
        connection,
        found.id,
        frequency=after.frequency,
        topics=after.topics,
        hour=after.hour,
        now=now,
    )
    await choices.speak(
        connection, found.subscriber.id, language=after.language, timezone=after.timezone, now=now
    )
    await note(connection, found.id, "changed", door=door, detail=str(after), now=now)
    return await _as_it_is(connection, found)


async def pause(
    world: World, token: str, *, until: datetime | None, door: str
) -> Subscription | Refusal:
    """Send nothing until then; None goes on at once. Raises LinkRefused."""
    async with world.store.write() as connection:
        found, now = await holder(connection, world, token), world.clock()
        if found.state is not SubscriptionState.ACTIVE:
            return Refusal.GONE
        if until == found.paused_until or (until is None and not found.is_paused(now)):
            return found
        await choices.pause(connection, found.id, until=until)
        kind = "paused" if until else "resumed"
        await note(connection, found.id, kind, door=door, detail=_until(until), now=now)
        return await _as_it_is(connection, found)


def _until(moment: datetime | None) -> str:
    return f"until={moment.astimezone(UTC):%Y-%m-%dT%H:%MZ}" if moment else ""


# --------------------------------------------------------------- leaving, and coming back


async def leave_all(world: World, token: str, *, door: str) -> list[Subscription]:
    """End all that this person reads or asked for; return what ended. Raises LinkRefused."""
    async with world.store.write() as connection:
        found = await holder(connection, world, token)
        known = await subscribers.of_subscriber(connection, found.subscriber.id)
        wanted = [each for each in known if each.state is not SubscriptionState.UNSUBSCRIBED]
        return [await leave.withdraw(connection, world, each, door=door) for each in wanted]


async def come_back(
    world: World,
    token: str,
    *,
    frequency: str | None = None,
    until: datetime | None = None,
    words: str,
    language: str,
    door: str,
) -> Subscription | Refusal:
    """Take up again what was left a short while ago, in another rhythm or after a pause.

    `words` are what the person saw, in `language`. Somebody who reads already stays as he is.
    Raises LinkRefused.
    """
    async with world.store.write() as connection:
        found, now = await holder(connection, world, token), world.clock()
        if found.state is SubscriptionState.ACTIVE:
            return found
        if not await _may_return(connection, world, found):
            return Refusal.GONE
        after = decide(found, offer(world, found), Form(frequency=frequency), now=now)
        if isinstance(after, Refusal):
            return after
        if not await choices.take_back(connection, found.id):
            return Refusal.GONE
        await choices.choose(
            connection,
            found.id,
            frequency=after.frequency,
            topics=after.topics,
            hour=after.hour,
            now=now,
        )
        await choices.pause(connection, found.id, until=until)
        detail = f"{words} ({after}{' ' if until else ''}{_until(until)})"
        await note(
            connection, found.id, "returned", door=door, detail=detail, language=language, now=now
        )
        await remember.rejoined(world, found, now=now)
        return await _as_it_is(connection, found)


async def _may_return(connection: Connection, world: World, found: Subscription) -> bool:
    if found.state is not SubscriptionState.UNSUBSCRIBED:
        return False
    record = await consents.consent_record(connection, found.id)
    if not may_return(found, record, now=world.clock()):
        return False
    known_as = world.signer.suppression_hash(address_key(found.subscriber.address))
    return not await suppressions.is_suppressed(connection, known_as)


async def _as_it_is(connection: Connection, found: Subscription) -> Subscription:
    return await subscribers.by_id(connection, found.id) or found
