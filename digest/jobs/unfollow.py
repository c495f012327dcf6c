"""Stopping to follow one article, behind a signed link; what else a reader gets stays as it is."""

from __future__ import annotations

from digest.jobs import leave
from digest.jobs.follow import Wish, whole
from digest.jobs.join import note
from digest.jobs.world import World
from digest.model.follow import FOLLOWS_ONLY, FollowState
from digest.model.subscriber import Subscription
from digest.store import follows, people
from digest.store.engine import Connection


async def look_to_stop(world: World, token: str) -> Wish:
    """What a link stops; changes nothing. Raises LinkRefused."""
    ref = world.signer.check_stop(token)
    async with world.store.read() as connection:
        return await whole(connection, await follows.by_ref(connection, ref))


async def stop(world: World, token: str, *, door: str) -> Wish:
    """End one follow, now: no mail that tells of it passes its fence. Raises LinkRefused.

    With the last one ends the subscription of somebody who reads nothing else.
    """
    ref = world.signer.check_stop(token)
    async with world.store.write() as connection:
        now = world.clock()
        found = await whole(connection, await follows.by_ref(connection, ref))
        await people.hold(connection, found.subscription.subscriber.id)
        if await follows.stop(connection, [found.follow.id], now=now):
            await follows.call_back(connection, found.follow.id, now=now)
            detail = f"article {found.follow.article_id}"
            await note(
                connection, found.subscription.id, "unfollowed", door=door, detail=detail, now=now
            )
            reader = found.subscription
            if reader.frequency == FOLLOWS_ONLY and not await _has_more(connection, reader):
                await leave.withdraw(connection, world, reader, door=door)
        return await whole(connection, await follows.by_ref(connection, ref))


async def _has_more(connection: Connection, reader: Subscription) -> bool:
    """Whether something else of his counts, or waits for his word."""
    every = await follows.of_subscription(connection, reader.id)
    if any(each.state is FollowState.PENDING for each in every):
        return True
    return bool(await follows.of_subscription(connection, reader.id, only_alive=True))
