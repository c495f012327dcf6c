"""Confirming, choosing, leaving: what a reader does with the links in our mails.

Only `confirm`, `leave` and `change` change anything, and only a POST reaches them: scanners open
every link.
"""

from __future__ import annotations

from typing import Literal

from digest.errors import LinkRefused
from digest.jobs import remember
from digest.jobs.join import REQUEST_LIFE, check_frequency, note
from digest.jobs.world import World
from digest.model.newsletter import Newsletter
from digest.model.subscriber import Subscription, SubscriptionState
from digest.store import subscribers
from digest.store.engine import Connection
from digest.subscribers.address import address_key, parse_address
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
            await note(connection, found.id, "confirmed", door=door, detail=detail, now=now)
            await remember.rejoined(world, found, now=now)
        return await subscribers.by_id(connection, found.id) or found


async def leave(world: World, token: str, *, door: str) -> Subscription:
    """Nothing more is written to this person; again changes nothing. Raises LinkRefused."""
    async with world.store.write() as connection:
        found = await _look(connection, world, "unsubscribe", token)
        return await withdraw(connection, world, found, door=door)


async def withdraw(
    connection: Connection, world: World, found: Subscription, *, door: str
) -> Subscription:
    """End a subscription in the caller's transaction; again changes nothing."""
    now = world.clock()
    if await subscribers.leave(connection, found.id, now=now):
        await note(connection, found.id, "unsubscribed", door=door, detail="", now=now)
        await remember.left(world, found, now=now)
    return await subscribers.by_id(connection, found.id) or found


async def change(
    world: World, token: str, *, frequency: str | None, language: str | None, door: str
) -> Subscription:
    """Note a reader's choices. Raises LinkRefused, and UsageError for a choice we do not offer."""
    async with world.store.write() as connection:
        found = await _look(connection, world, "preferences", token)
        if frequency is not None:
            check_frequency(world.newsletter(found.newsletter), frequency)
        await subscribers.change(connection, found, frequency=frequency, language=language)
        chosen = f"frequency={frequency or '-'} language={language or '-'}"
        await note(connection, found.id, "changed", door=door, detail=chosen, now=world.clock())
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
        return [await withdraw(connection, world, each, door=door) for each in wanted]
