"""Turns a wish to leave into a subscription that has ended, whatever the database is doing.

A signed link is enough: where the database does not answer in time, the wish goes into the spool,
and `jobs/spool.py` brings it into the database. It never asks why, and never writes a mail.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypeVar

from digest.errors import LinkRefused, StoreBusy, StoreError
from digest.jobs import remember
from digest.jobs.join import note
from digest.jobs.world import World
from digest.model.newsletter import Newsletter
from digest.model.subscriber import Subscription, SubscriptionState
from digest.store import leaving, people, subscribers, suppressions
from digest.store.engine import Connection
from digest.store.spool import Goodbye, Spool
from digest.subscribers.address import address_key, parse_address

log = logging.getLogger("digest.leave")

#: how long a reader waits for the database, seconds
PATIENCE: Final = 4.0

T = TypeVar("T")

#: attempts that were given up and have not ended yet: the loop itself keeps hold of no task
_given_up: set[asyncio.Task[Any]] = set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What came of somebody's wish to leave."""

    #: as it is now; None: the wish is in the spool, and takes effect when the database answers
    subscription: Subscription | None
    #: nothing is ever written to the address again
    closed: bool = False


async def look(world: World, token: str) -> Subscription | None:
    """The subscription that a link would end; None: the database does not answer in time.

    Changes nothing. Raises LinkRefused.
    """
    ref = world.signer.check_unsubscribe(token)
    try:
        return await _in_time(_find(world, ref))
    except StoreError as problem:
        log.warning("unsubscribe status=unseen reason=%r", str(problem))
        return None


async def _find(world: World, ref: bytes) -> Subscription:
    async with world.store.read() as connection:
        found = await _known(connection, ref)
        if await subscribers.heir(connection, found.id) is None:
            return found
        # it has moved to another address, where it goes on: this link ends that as well
        return replace(found, state=SubscriptionState.ACTIVE)


async def _known(connection: Connection, ref: bytes) -> Subscription:
    found = await subscribers.by_ref(connection, ref)
    if found is None:
        raise LinkRefused("this link leads to no subscription any more")
    return found


async def hear(world: World, token: str, *, door: str, never: bool = False) -> Heard:
    """End the subscription of a link now, or note for certain that it is to end; see `withdraw`.

    Whichever it is, it is on disk when this returns; again changes nothing. Raises LinkRefused,
    and StoreError when neither the database nor the spool could take it: then nothing is noted.
    """
    goodbye = Goodbye(
        ref=world.signer.check_unsubscribe(token), at=world.clock(), door=door, never=never
    )
    try:
        return await _in_time(_end(world, goodbye))
    except LinkRefused:
        raise
    except StoreError as problem:
        await _spool(world, goodbye, str(problem))
    except Exception as problem:
        # even a fault of ours keeps nobody from leaving
        log.exception("unsubscribe door=%s status=error", door)
        await _spool(world, goodbye, type(problem).__name__)
    return Heard(subscription=None, closed=never)


async def _end(world: World, goodbye: Goodbye) -> Heard:
    async with world.store.write() as connection:
        found = await _known(connection, goodbye.ref)
        closed = goodbye.never and was_never_confirmed(found)
        left = await withdraw(
            connection, world, found, door=goodbye.door, at=goodbye.at, never=goodbye.never
        )
    return Heard(subscription=left, closed=closed)


async def _spool(world: World, goodbye: Goodbye, why: str) -> None:
    try:
        # to wait for a disk must not keep others from their pages
        await asyncio.to_thread(Spool(world.spool).append, goodbye)
    except OSError as problem:
        raise StoreError(
            f"somebody could not leave: {why}, and the spool {world.spool} cannot be written:"
            f" {problem.strerror} (DIGEST_SPOOL names it)"
        ) from problem
    log.warning("unsubscribe door=%s status=spooled reason=%r", goodbye.door, why)


async def _in_time(attempt: Coroutine[Any, Any, T]) -> T:
    """What the attempt brings. Raises StoreBusy when the database is not done in time.

    An attempt that takes longer is called off and left to end by itself: SQLite waits for its lock
    in a thread that nobody can call back. It has committed then or it has not, and both are right,
    for whoever calls notes the wish elsewhere, and to apply it twice changes nothing.
    """
    task = asyncio.ensure_future(attempt)
    try:
        done, _ = await asyncio.wait({task}, timeout=PATIENCE)
    except BaseException:
        _give_up(task)
        raise
    if done:
        return task.result()
    _give_up(task)
    raise StoreBusy(f"the database did not answer in {PATIENCE:g} seconds")


def _give_up(task: asyncio.Task[Any]) -> None:
    _given_up.add(task)
    task.add_done_callback(_forget)
    task.cancel()


def _forget(task: asyncio.Task[Any]) -> None:
    _given_up.discard(task)
    if not task.cancelled():
        task.exception()  # looked at, or Python says that nobody did


def was_never_confirmed(found: Subscription) -> bool:
    """True for a request that nobody answered, open or withdrawn: somebody else may have made it.

    Only then can an address be closed by a link: the link of an edition may be in many hands.
    """
    if people.is_erased(found.subscriber.address):
        return False  # closed already
    if found.state is SubscriptionState.UNSUBSCRIBED:
        return found.confirmed_at is None
    return found.state is SubscriptionState.PENDING


async def withdraw(
    connection: Connection,
    world: World,
    found: Subscription,
    *,
    door: str,
    at: datetime | None = None,
    detail: str = "",
    never: bool = False,
) -> Subscription:
    """End a subscription in the caller's transaction; again changes nothing.

    `at`: when the person said so, now where it is not given. With `never` the address is closed as
    well, if the subscription was never confirmed.
    """
    now = at or world.clock()
    if await subscribers.leave(connection, found.id, now=now):
        await note(connection, found.id, "unsubscribed", door=door, detail=detail, now=now)
        await remember.left(world, found, now=now)
        await leaving.call_back(connection, found.id, now=world.clock())
    if (heir := await subscribers.heir(connection, found.id)) is not None:
        # who leaves by a mail to his old address wants nothing at the new one either
        await withdraw(connection, world, heir, door=door, at=at, detail=detail)
    if never and was_never_confirmed(found):
        await _close(connection, world, found, now=now)
        for each in await subscribers.of_subscriber(connection, found.subscriber.id):
            if each.id != found.id and each.state is SubscriptionState.PENDING:
                await withdraw(connection, world, each, door=door, at=at, detail=detail)
    return await subscribers.by_id(connection, found.id) or found


async def _close(
    connection: Connection, world: World, found: Subscription, *, now: datetime
) -> None:
    known_as = world.signer.suppression_hash(address_key(found.subscriber.address))
    if await suppressions.is_suppressed(connection, known_as):
        return
    await suppressions.suppress(connection, known_as, reason="asked", now=now)
    await remember.closed(world.journal, known_as, reason="asked", now=now)


async def leave(world: World, token: str, *, door: str) -> Subscription:
    """End the subscription of a link in the database. Raises LinkRefused and StoreError."""
    ref = world.signer.check_unsubscribe(token)
    async with world.store.write() as connection:
        return await withdraw(connection, world, await _known(connection, ref), door=door)


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
