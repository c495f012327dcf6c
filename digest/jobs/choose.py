"""Confirming, and looking at what a link in our mails is about.

Only `confirm` changes anything, and only a POST reaches it: scanners open every link.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from digest.errors import LinkRefused
from digest.jobs import move, remember
from digest.jobs.join import REQUEST_LIFE, note
from digest.jobs.turns import hold, names_of
from digest.jobs.world import World
from digest.model.subscriber import Subscription, SubscriptionState
from digest.store import choices, crowds, subscribers, suppressions
from digest.store.engine import Connection
from digest.subscribers.address import address_key
from digest.subscribers.links import read_ref

#: what a link in a mail may be for
Purpose = Literal["confirm", "unsubscribe", "preferences"]


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


def has_ended(found: Subscription, *, now: datetime) -> bool:
    """True for a request that can be confirmed no more: withdrawn, or older than seven days."""
    if found.state is SubscriptionState.PENDING:
        return now - found.requested_at > REQUEST_LIFE
    return found.state is SubscriptionState.UNSUBSCRIBED


async def confirm(
    world: World,
    token: str,
    *,
    door: str,
    detail: str = "",
    shown_in: str | None = None,
    network: str | None = None,
) -> Subscription:
    """Pending becomes active; a second time changes nothing. Raises LinkRefused.

    `detail`, `shown_in` and `network` are as with `join.request`.
    """
    moved: list[Subscription] = []
    async with world.store.write() as connection:
        now = world.clock()
        found = await _look(connection, world, "confirm", token)
        if found.reads_editions:
            return found
        known_as, bothered = names_of(world, address_key(found.subscriber.address))
        # a new request of the same address waits until we are through, or we for it
        await hold(connection, known_as, bothered, now=now)
        found = await _look(connection, world, "confirm", token)  # as it is now that we are in turn
        if has_ended(found, now=now) or await suppressions.is_suppressed(connection, known_as):
            raise LinkRefused("this request has ended; sign up again to get a new link")
        if found.state is SubscriptionState.ACTIVE and not found.reads_editions:
            return await _read_too(connection, world, found, door=door, detail=detail, now=now)
        if await subscribers.activate(connection, found.id, now=now):  # else two pressed at once
            await crowds.clear(connection, bothered, found.newsletter)
            await note(
                connection,
                found.id,
                "confirmed",
                door=door,
                detail=detail,
                now=now,
                language=shown_in,
                network=network if world.consent_network else None,
            )
            await remember.rejoined(world, found, now=now)
            # what `found.replaces` names, the same person's old address, ends here
            moved = await move.finish(connection, world, found, door=door, now=now)
        confirmed = await subscribers.by_id(connection, found.id)
        if confirmed is None or confirmed.state is not SubscriptionState.ACTIVE:
            # it was forgotten, or withdrawn, in the moment in which the button was pressed
            raise LinkRefused("this request has ended; sign up again to get a new link")
    for each in moved:
        await remember.left(world, each, now=now)
    return confirmed


async def _read_too(
    connection: Connection,
    world: World,
    found: Subscription,
    *,
    door: str,
    detail: str,
    now: datetime,
) -> Subscription:
    """Somebody who only followed stories gets the newsletter as well, in its first rhythm."""
    rhythm = world.newsletter(found.newsletter).default_schedule.name
    await choices.choose(
        connection, found.id, frequency=rhythm, topics=found.topics, hour=found.hour, now=now
    )
    _, bothered = names_of(world, address_key(found.subscriber.address))
    await crowds.clear(connection, bothered, found.newsletter)
    await note(connection, found.id, "confirmed", door=door, detail=detail, now=now)
    return await subscribers.by_id(connection, found.id) or found
