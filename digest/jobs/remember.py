"""Tells the journal outside the database what a restored backup must not forget.

Nothing here keeps anybody from leaving or from his mail: where the journal cannot be written, that
is logged, and the journey goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime

from digest.errors import StoreError
from digest.jobs.world import World
from digest.model.journal import Closed, Entry, Left, Rejoined, Reopened
from digest.model.subscriber import Subscription
from digest.store import journals, lost
from digest.store.engine import Connection
from digest.store.journal import Journal
from digest.subscribers.address import address_key

log = logging.getLogger("digest.journal")


async def left(world: World, subscription: Subscription, *, now: datetime) -> None:
    """Somebody leaves. Call it in the transaction, behind the change: its row keeps the order."""
    person = _person(world, subscription)
    entry = Left(person=person, newsletter=subscription.newsletter, at=now)
    await tell(world.journal, [entry])


async def rejoined(world: World, subscription: Subscription, *, now: datetime) -> None:
    """Somebody who once left has confirmed anew. Call it like `left`."""
    if subscription.unsubscribed_at is not None:
        person = _person(world, subscription)
        entry = Rejoined(person=person, newsletter=subscription.newsletter, at=now)
        await tell(world.journal, [entry])


async def closed(journal: Journal | None, person: str, *, reason: str, now: datetime) -> None:
    """An address is closed to us, by its keyed hash. Call it like `left`."""
    await tell(journal, [Closed(person=person, reason=reason, at=now)])


async def reopened(journal: Journal | None, people: Collection[str], *, now: datetime) -> None:
    """These addresses are open again. Call it like `left`."""
    await tell(journal, [Reopened(person=each, at=now) for each in people])


def _person(world: World, subscription: Subscription) -> str:
    return world.signer.suppression_hash(address_key(subscription.subscriber.address))


async def count(connection: Connection, world: World) -> int | None:
    """Count a claim or an edition, last in its transaction; hand the answer to `note` behind it.

    Raises StoreError, so that nothing is committed, on a database that was restored under our
    feet: `restore.look` mends it.
    """
    if world.journal is None:
        return None
    mark = await journals.advance(connection, world.journal.id)
    # whoever shares this journal noted only what was committed, and that is less than ours
    if mark_of(world.journal) >= mark:
        raise StoreError(
            f"the database is older than what {world.journal.path} knows was done: "
            "a backup was restored; it is looked through before anything is sent"
        )
    return mark


async def note(world: World, mark: int | None, editions: Collection[int] = ()) -> None:
    """Let the journal know what was just committed, before anything of it is sent."""
    journal = world.journal
    if journal is None or mark is None:
        return
    try:
        journal.advance(mark)
    except (OSError, ValueError) as problem:
        log.error("journal=%s status=error reason=%r", journal.path, str(problem))  # noqa: TRY400 -- one line is what the operator needs
    await made(world, set(editions) - journal.editions)


async def made(world: World, editions: Collection[int]) -> None:
    """Write down editions that the journal does not hold yet."""
    journal = world.journal
    if journal is None or not editions:
        return
    async with world.store.read() as connection:
        found = await lost.made(connection, editions)
    await tell(journal, found)
    journal.editions.update(editions)


async def tell(journal: Journal | None, entries: Sequence[Entry]) -> None:
    """Write entries down, on disk when this returns, or log that they could not be written."""
    if journal is None or not entries:
        return
    try:
        # to wait for a disk must not keep others from their replies
        await asyncio.to_thread(journal.append, entries)
    except OSError as problem:
        log.error(  # noqa: TRY400 -- one line is what the operator needs
            "journal=%s status=not-written lines=%d reason=%r: tried again with the next line",
            journal.path,
            len(entries),
            str(problem),
        )


async def settle(world: World) -> None:
    """Force the newest marks to the disk: a power cut may cost those since the last time."""
    if world.journal is not None:
        with suppress(OSError):  # the next line that is written says so too
            await asyncio.to_thread(world.journal.sync)


def mark_of(journal: Journal) -> int:
    """How far the database has come, as the journal has it; 0 where it cannot be read."""
    try:
        return journal.mark()
    except (OSError, ValueError) as problem:
        log.error("journal=%s status=error reason=%r", journal.path, str(problem))  # noqa: TRY400 -- one line is what the operator needs
        return 0
