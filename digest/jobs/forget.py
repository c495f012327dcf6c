"""Turns a person into nobody, a request that was never confirmed into nothing, a shut door open.

Whoever is erased is not written to again: the keyed hash of the address stays, and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from digest.errors import DigestError, UsageError
from digest.jobs import portrait, remember
from digest.jobs.join import REQUEST_LIFE
from digest.jobs.world import World
from digest.model.subscriber import ConsentEvent, SubscriptionState
from digest.store import (
    consents,
    crowds,
    erasing,
    follows,
    people,
    requests,
    subscribers,
    suppressions,
)
from digest.store.dialect import scour
from digest.store.engine import Connection
from digest.store.erasing import Erased
from digest.store.people import Person
from digest.subscribers.address import address_key, parse_address

log = logging.getLogger("digest.people")

#: requests forgotten in one transaction: nobody who wants to write waits for long
PAGE = 500

#: between two of them, seconds: others want to write as well
BREATH = 0.05

#: how long it is known how many confirm mails an address had, and what a network did
ASKS_KEPT: Final = timedelta(days=365)
QUOTAS_KEPT: Final = timedelta(days=1)


# --------------------------------------------------------------- one person


async def export_person(world: World, *, subscriber_id: int) -> dict[str, object]:
    """Everything that is held on this person, as one JSON document (GDPR 15 and 20).

    Raises UsageError when there is no such person, StoreError when the database is away.
    """
    async with world.store.read() as connection:
        return await portrait.draw(connection, world, subscriber_id, whole=True)


async def erase_person(world: World, *, subscriber_id: int, door: str) -> None:
    """Forget this person and keep the promise not to write (GDPR 17); again, nothing happens.

    So are the addresses that he moved here from. `door` is where the wish came in ("web", "cli").
    Raises UsageError for a person who never was, StoreError when nothing was forgotten.
    """
    async with world.store.write() as connection:
        person = await people.look(connection, subscriber_id)
        if person is None:
            raise UsageError(f"there is no subscriber {subscriber_id}")
        await erase(connection, world, person, door=door)
    await tidy_files(world)


async def erase_address(world: World, address: str, *, door: str) -> Erased | None:
    """Forget the person with this address; None for somebody who is forgotten already.

    Raises AddressRefused for what is none, UsageError for an address that nobody has.
    """
    key = address_key(parse_address(address))
    async with world.store.write() as connection:
        found = await people.known(connection, key)
        person = await people.look(connection, found) if found is not None else None
        erased = None
        if person is not None:
            erased = await erase(connection, world, person, door=door)
        if erased is None:
            known_as = world.signer.suppression_hash(key)
            reason = await suppressions.suppression(connection, known_as)
            if reason != suppressions.ERASED:
                closed = f"; it is closed to us ({reason})" if reason else ""
                raise DigestError(f"{address} is nobody that we know{closed}: nothing to erase")
    await tidy_files(world)
    return erased


async def erase(
    connection: Connection, world: World, person: Person, *, door: str
) -> Erased | None:
    """Forget a person in the caller's transaction, and close his addresses to us.

    None for somebody who is forgotten already.
    """
    if person.is_erased:
        return None
    now, known_as = world.clock(), world.signer.suppression_hash(person.address_key)
    # whoever asks for a mail to this address waits until we are through, and then it is closed
    await crowds.hold(connection, known_as, now=now)
    held = await people.hold(connection, person.id)
    if held is None or held.is_erased:
        return None
    before = await people.earlier(connection, held.id)
    erased = await _erase(connection, world, held, known_as=known_as, now=now)
    log.info("subscriber=%d status=erased door=%s", held.id, door)
    for each in before:
        old = await people.look(connection, each)
        more = await erase(connection, world, old, door=door) if old is not None else None
        erased = erased + more if more is not None else erased
    return erased


async def _erase(
    connection: Connection, world: World, person: Person, *, known_as: str, now: datetime
) -> Erased:
    for hashed in dict.fromkeys((known_as, person.address_hash)):
        await suppressions.suppress(connection, hashed, reason=suppressions.ERASED, now=now)
        await remember.closed(world.journal, hashed, reason=suppressions.ERASED, now=now)
    for each in await subscribers.by_address(connection, person.address_key):
        if each.state is not SubscriptionState.UNSUBSCRIBED:
            await remember.left(world, each, now=now)
    waiting = await requests.towards(connection, person.id)
    await requests.lapse(connection, waiting, before=now + REQUEST_LIFE, now=now)
    nonce = world.secret_bytes(16)
    return await erasing.erase(connection, person, known_as=known_as, nonce=nonce, now=now)


async def erase_again(
    connection: Connection, world: World, erased: Mapping[str, datetime]
) -> list[int]:
    """Forget those whom a restored backup brought back, by the hashes of their addresses.

    The journal knows of it already. Who signed up after he was erased stays.
    """
    quietly = replace(world, journal=None)
    found = await people.back(connection, erased)
    for each in found:
        person = await people.look(connection, each)
        if person is not None:
            await erase(connection, quietly, person, door="journal")
    return found


async def reopen_address(world: World, address: str, *, because: str, door: str) -> str | None:
    """Open a closed address to us again; return why it was closed, None where it was not.

    What the operator gives as the reason stands in the record of whoever is known by the address,
    and in the log. Raises AddressRefused for what is no address.
    """
    key = address_key(parse_address(address))
    async with world.store.write() as connection:
        now, known_as = world.clock(), world.signer.suppression_hash(key)
        reason = await suppressions.reopen(connection, known_as)
        if reason is None:
            return None
        event = ConsentEvent(kind="reopened", at=now, door=door, detail=because)
        found = await subscribers.by_address(connection, key)
        await consents.note_many(connection, {each.id: event for each in found})
        await remember.reopened(world.journal, [known_as], now=now)
    log.warning("address=%s status=reopened was=%s because=%r", known_as[:12], reason, because)
    return reason


# --------------------------------------------------------------- by the clock


async def forget_pending(world: World) -> int:
    """Forget the requests that nobody confirmed in seven days; return how many.

    In pages, so that nobody waits. What readers asked for anew who had left becomes what it was.
    No address is closed by it. Raises StoreError.
    """
    now = world.clock()
    before, after, total = now - REQUEST_LIFE, 0, 0
    while True:
        async with world.store.read() as connection:
            page = await requests.over(connection, before=before, after=after, limit=PAGE)
        if not page:
            break
        total += await _lapse(world, page, before=before, now=now)
        after = page[-1]
        await asyncio.sleep(BREATH)
    await _forget_wishes(world, before=before)
    await _forget_counts(world, now=now)
    if total:
        await tidy_files(world)
        log.info("requests status=forgotten count=%d", total)
    return total


async def _lapse(world: World, page: list[int], *, before: datetime, now: datetime) -> int:
    async with world.store.write() as connection:
        lapsed = await requests.lapse(connection, page, before=before, now=now)
        event = ConsentEvent(
            kind="lapsed", at=now, door="clock", detail="the new request was not confirmed in time"
        )
        await consents.note_many(connection, dict.fromkeys(lapsed.left, event))
    return lapsed.forgotten + len(lapsed.left)


async def _forget_wishes(world: World, *, before: datetime) -> None:
    """What readers wanted to follow and never confirmed."""
    async with world.store.read() as connection:
        over = await follows.any_over(connection, before=before)
    if over:
        async with world.store.write() as connection:
            await follows.lapse(connection, before=before)


async def _forget_counts(world: World, *, now: datetime) -> None:
    asked, counted = now - ASKS_KEPT, now - QUOTAS_KEPT
    async with world.store.read() as connection:
        old = await requests.any_counts(connection, asked_before=asked, counted_before=counted)
    if old:
        async with world.store.write() as connection:
            await crowds.forget(connection, asked_before=asked, counted_before=counted)


async def tidy_files(world: World) -> None:
    """Let the files hold no more than the tables do; while somebody reads, the next hour does."""
    if not await scour(world.store.engine):
        log.info("database status=read-by-others: what was deleted leaves the -wal file later")
