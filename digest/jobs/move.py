"""Changes the address of a reader: asked for at the old one, done when the new one confirms.

Until then everything stays as it is. What comes of the new address nobody learns who only has a
link of the old one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from digest.errors import AddressRefused
from digest.jobs import join, remember
from digest.jobs.join import note
from digest.jobs.prefer import holder, offer
from digest.jobs.world import World
from digest.model.follow import FOLLOWS_ONLY
from digest.model.subscriber import Subscription, SubscriptionState
from digest.store import (
    choices,
    consents,
    deliveries,
    follows,
    leaving,
    people,
    subscribers,
    unsettled,
)
from digest.store.engine import Connection
from digest.subscribers.address import address_key, parse_address

#: a link of the old address may be in others' hands: so many moves one may ask for in this time,
#: and so many mails about them an address may get
SPAN: Final = timedelta(hours=24)
MOVES: Final = 3
#: a button pressed twice is one wish
TWICE: Final = timedelta(seconds=10)

#: what stands in the record of the old address
ASKED: Final = "moving"
MOVED: Final = "moved"


# --------------------------------------------------------------- asking


async def ask(
    world: World, token: str, *, address: str, words: str, language: str, door: str
) -> None:
    """Send a confirm mail to the new address, if it may be sent. Raises LinkRefused.

    The answer is the same in all cases. `words` are what the person saw, in `language`.
    """
    found = await _note_wish(world, token, address, door=door)
    newsletter = offer(world, found) if found else None
    if found is None or newsletter is None:
        return
    offered = {FOLLOWS_ONLY, *(each.name for each in newsletter.schedules)}
    await join.request(
        world,
        address=address,
        newsletter=newsletter,
        language=found.subscriber.language,
        frequency=found.frequency if found.frequency in offered else None,
        topics=found.topics,
        timezone=found.subscriber.timezone,
        replaces=found.id,
        door=door,
        detail=words,
        shown_in=language,
    )


async def _note_wish(world: World, token: str, address: str, *, door: str) -> Subscription | None:
    """The subscription whose reader may ask for this now, his wish noted; None if he may not."""
    try:
        key = address_key(parse_address(address))
    except AddressRefused:
        return None
    async with world.store.write() as connection:
        found, now = await holder(connection, world, token), world.clock()
        person = found.subscriber
        there = await subscribers.by_address(connection, key)
        asked = [
            await choices.count_events(connection, person.id, ASKED, since=now - each)
            for each in (SPAN, TWICE)
        ]
        if (
            found.state is not SubscriptionState.ACTIVE
            or key == address_key(person.address)
            or asked[0] >= MOVES
            or asked[1]
            or any(each.replaces and now - each.requested_at < SPAN for each in there)
        ):
            return None
        detail = "asked to get everything at another address, which has not confirmed yet"
        await note(connection, found.id, ASKED, door=door, detail=detail, now=now)
        return found


# --------------------------------------------------------------- done


async def finish(
    connection: Connection, world: World, new: Subscription, *, door: str, now: datetime
) -> list[Subscription]:
    """End at the old address what begins at the new one, which was just confirmed.

    `new` is as it was before that. All that the person reads moves, as it stands now: what he left
    meanwhile stays left. Changes nothing for a request that moves nobody. Returns what ended, for
    the journal, which must hear of it behind the commit: a move that is taken back must not look
    like somebody who left.
    """
    named = await subscribers.by_id(connection, new.replaces) if new.replaces else None
    if named is None or not _was_asked_by(named, new):
        return []
    # both, in one order: two readers may move to each other's address
    for person in sorted({named.subscriber.id, new.subscriber.id}):
        await people.hold(connection, person)
    named = await subscribers.by_id(connection, named.id)
    if named is None or people.is_erased(named.subscriber.address):
        return []
    reads = await subscribers.of_subscriber(connection, named.subscriber.id)
    told, ended = None, []
    for old in reads:
        if old.state is SubscriptionState.ACTIVE and await subscribers.leave(
            connection, old.id, now=now
        ):
            await _move(connection, world, old, new, door=door, now=now)
            ended.append(old)
            told = named.id if named.id in (told, old.id) else old.id
    if told is not None:
        await deliveries.queue_notice(connection, notice=MOVED, subscription_id=told, now=now)
    return ended


def _was_asked_by(old: Subscription, new: Subscription) -> bool:
    """True if the old subscription was there when the new one was asked for.

    Else its id is another one's today, or it was ended and asked for anew since.
    """
    return (
        old.subscriber.id != new.subscriber.id
        and old.confirmed_at is not None
        and max(old.confirmed_at, old.requested_at) <= new.requested_at
    )


async def _move(
    connection: Connection,
    world: World,
    old: Subscription,
    new: Subscription,
    *,
    door: str,
    now: datetime,
) -> None:
    """Let the new address read what the old one read, in the same way, and write both records."""
    there = await subscribers.of_person(connection, new.subscriber.id, old.newsletter)
    begins = there is None or there.state is not SubscriptionState.ACTIVE or there.id == new.id
    heir = await _activate(connection, world, old, there, new, now=now) if begins else there
    if heir is None:
        raise LookupError(f"the subscription after {old.id} vanished in its own transaction")
    if begins:
        await choices.choose(
            connection,
            heir.id,
            frequency=old.frequency,
            topics=old.topics,
            hour=old.hour,
            now=now,
        )
        # what he had at the old address, he does not get once more
        await unsettled.mark(connection, [heir.id], now=now)
        await choices.pause(connection, heir.id, until=old.paused_until)
        await choices.hand_over(connection, old, heir, now=now)
    since = old.confirmed_at or old.requested_at
    await follows.hand_over(connection, old.id, heir.id, since=since, now=now)
    await choices.point_to(connection, old, heir)
    # what could not change hands, for the new address has it already, is not sent to the old one
    await leaving.call_back(connection, old.id, now=now)
    # the old record names no new address: it may outlive the wish that anybody knows of both
    detail = "moved to another address, which was confirmed"
    await note(connection, old.id, MOVED, door=door, detail=detail, now=now)
    record = await consents.consent_record(connection, old.id)
    detail = f"moved from an address confirmed on {since:%Y-%m-%d}, record {record[-1].hash}"
    await note(connection, heir.id, MOVED, door=door, detail=detail, now=now)


async def _activate(
    connection: Connection,
    world: World,
    old: Subscription,
    there: Subscription | None,
    new: Subscription,
    *,
    now: datetime,
) -> Subscription | None:
    """The new address's subscription to this newsletter, active."""
    if there is not None and there.state is SubscriptionState.ACTIVE:
        return there
    nonce = world.secret_bytes(16)
    if there is not None:
        await subscribers.ask_again(
            connection,
            there.id,
            frequency=old.frequency,
            topics=old.topics,
            request_nonce=nonce,
            now=now,
        )
        heir = there.id
    else:
        heir = await subscribers.add_subscription(
            connection,
            ref=world.secret_bytes(12),
            subscriber_id=new.subscriber.id,
            newsletter=old.newsletter,
            frequency=old.frequency,
            topics=old.topics,
            request_nonce=nonce,
            now=now,
        )
    await subscribers.activate(connection, heir, now=now)
    if there is not None:
        await remember.rejoined(world, there, now=now)
    return await subscribers.by_id(connection, heir)
