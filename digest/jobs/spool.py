"""Brings into the database what was spooled while it was away, and only then takes it out.

Whatever breaks in between, it is applied again, which changes nothing. Nobody is claimed while
somebody waits here, and nobody who waits here gets his final dot.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from digest.errors import DigestError, StoreError
from digest.jobs.leave import was_never_confirmed, withdraw
from digest.jobs.world import World
from digest.model.subscriber import Subscription, SubscriptionState
from digest.store import consents, subscribers
from digest.store.engine import Connection
from digest.store.spool import Goodbye, Spool, goodbyes

log = logging.getLogger("digest.leave")

#: how often the spool is looked at, seconds; one call of the system while it is empty
LOOK_EVERY: Final = 1.0

T = TypeVar("T")


async def keep_applying(world: World, *, stop: asyncio.Event) -> None:
    """Apply whatever comes into the spool, until `stop` is set; a trouble is told once."""
    told = ""
    while not stop.is_set():
        try:
            await apply(world)
            told = ""
        except DigestError as problem:
            if str(problem) != told:
                told = str(problem)
                log.error("spool=%s status=waiting reason=%r", world.spool, told)  # noqa: TRY400 -- one line is what the operator needs
        try:
            await asyncio.wait_for(stop.wait(), LOOK_EVERY)
        except TimeoutError:
            continue


async def apply(world: World) -> int:
    """Bring all that is spooled into the database; return how many wishes that were.

    When it returns, whoever was in the spool when it was called has left. Raises StoreError when
    the database is away or the spool cannot be read: then all of it waits on.
    """
    spool, done, count = Spool(world.spool), b"", 0
    if _told(world, spool.is_empty):
        return 0
    while True:
        data = await asyncio.to_thread(_told, world, spool.read)
        # what does not begin with what we did was taken out by another process, and more came
        done = done if data.startswith(done) else b""
        count += await _bring_all_in(world, data[len(done) :])
        done = data
        if await asyncio.to_thread(_told, world, partial(spool.clear, done)):
            return count


async def _bring_all_in(world: World, data: bytes) -> int:
    found, unreadable = goodbyes(data)
    if unreadable:
        log.error("spool=%s status=unreadable lines=%d", world.spool, unreadable)
    for each in found:
        try:
            await _bring_in(world, each)
        except DigestError:
            raise
        except Exception as problem:
            log.exception("spool=%s status=error", world.spool)
            raise StoreError(
                f"a wish to leave in {world.spool} cannot be applied, and nothing is sent before"
                f" it is: {type(problem).__name__}"
            ) from problem
    return len(found)


async def _bring_in(world: World, goodbye: Goodbye) -> None:
    """One wish in one transaction, as of the moment at which it was made."""
    async with world.store.write() as connection:
        found = await subscribers.by_ref(connection, goodbye.ref)
        if found is None:
            status = "unknown"
        elif await _came_back(connection, found, goodbye):
            status = "came-back"
        else:
            status = "applied"
            detail = f"spooled while the database was away; written on {world.clock():%Y-%m-%d}"
            await withdraw(
                connection,
                world,
                found,
                door=goodbye.door,
                at=goodbye.at,
                detail=detail,
                never=goodbye.never,
            )
    log.info(
        "unsubscribe door=%s status=%s subscription=%s",
        goodbye.door,
        status,
        found.id if found else "-",
    )


async def _came_back(connection: Connection, found: Subscription, goodbye: Goodbye) -> bool:
    """True for somebody who asked, confirmed or returned after he wanted to leave.

    Not for a request that nobody confirmed where the wish was never to be written to again: who
    asked anew may be the very stranger that it was about.
    """
    if goodbye.never and was_never_confirmed(found):
        return False
    if found.state is SubscriptionState.UNSUBSCRIBED:
        heir = await subscribers.heir(connection, found.id)
        if heir is None:
            return False  # nothing to end
        found = heir  # what it has become by a move
    return await _since(connection, found) > goodbye.at


async def _since(connection: Connection, found: Subscription) -> datetime:
    """Since when the person wants what he has."""
    if found.state is SubscriptionState.PENDING:
        return found.requested_at
    record = await consents.consent_record(connection, found.id)
    returned = [each.at for each in record if each.kind == "returned"]
    return max([found.confirmed_at or found.requested_at, *returned])


def holds(world: World, subscription: Subscription | None) -> bool:
    """True for somebody whose wish to leave is in the spool. Raises StoreError.

    Asked before each final dot: while nothing is spooled, it is one call of the system.
    """
    return subscription is not None and _told(
        world, lambda: Spool(world.spool).names(subscription.ref)
    )


def _told(world: World, act: Callable[[], T]) -> T:
    """Turn what the file system says into our one line."""
    try:
        return act()
    except OSError as problem:
        raise StoreError(
            f"the spool {world.spool} cannot be used: {problem.strerror} (DIGEST_SPOOL names it);"
            " nothing is sent before it is read: somebody in it may have left"
        ) from problem
