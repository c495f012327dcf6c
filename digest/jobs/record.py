"""Writes down how an attempt ended and what follows from it, and does not give up before it stands.

The relay has answered: if that were forgotten, a message that arrived would be in doubt and go out
again. So while the database is away we wait for it, as long as nobody asks us to stop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.parser import BytesHeaderParser
from hashlib import sha256

from digest.deliveries.settle import Settled, settle
from digest.errors import StoreError
from digest.jobs import trouble
from digest.jobs.breaker import Breaker, stands
from digest.jobs.clerk import Clerk, Entry
from digest.jobs.world import World
from digest.model.delivery import Claim, DeliveryState, Outcome
from digest.model.message import Message
from digest.model.report import Cause
from digest.model.subscriber import ConsentEvent, Subscription
from digest.store import consents, deliveries
from digest.store.engine import Connection
from digest.store.holds import FAR
from digest.subscribers.address import address_key

log = logging.getLogger("digest.send")

#: seconds between two tries to reach the database
PATIENCE = 1.0

#: how long the database is waited for when we were asked to stop, seconds
GRACE = 15.0


@dataclass(slots=True)
class Recorder:
    """Records the outcomes of one run."""

    world: World
    owner: str
    clerk: Clerk
    stop: asyncio.Event
    count: Callable[[DeliveryState], None]
    breaker: Breaker = field(init=False)
    #: domains that we go slower with, as far as this run has heard
    slow: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.breaker = Breaker(self.world)

    async def record(
        self,
        claim: Claim,
        outcome: Outcome,
        *,
        reader: Subscription | None,
        message: Message | None,
    ) -> bool:
        """Write it down; True when others are meant too: what is claimed must be asked for anew.

        That the relay took a confirm mail goes into the record of consent, with what proves it.
        """
        world, now = self.world, self.world.clock()
        settled = settle(
            outcome,
            claim,
            now=now,
            spread=world.chance.random(),
            hold=world.uncertain == "hold",
            expiry=world.expiry,
        )
        about = whom(world, claim, reader) if reader is not None else None
        spared = False

        async def entry(connection: Connection) -> bool:
            nonlocal settled, spared
            if about is not None and await self._is_spared(connection, about, settled):
                settled, spared = _put_off(settled, now=now), True
            ours = await self._write(connection, claim, settled, now=now)
            if ours and about is not None and not spared:
                await self._follow_up(connection, about, settled)
            if ours and reader is not None and message is not None:
                await _prove(connection, claim, settled, reader, message, now=now)
            return ours

        ours = await self._insist(entry)
        _tell(claim, settled, to=message.rcpt_to if message else "?", ours=ours)
        if not ours:
            return False
        self.count(settled.state)
        return spared or await self._look_further(about, settled)

    async def _write(
        self, connection: Connection, claim: Claim, settled: Settled, *, now: datetime
    ) -> bool:
        return await deliveries.record(
            connection,
            claim.id,
            owner=self.owner,
            state=settled.state,
            reply=settled.reply,
            doubtful=settled.doubtful,
            due_at=settled.due_at,
            attempt=claim.attempts + 1,
            now=now,
        )

    async def _is_spared(
        self, connection: Connection, about: trouble.About, settled: Settled
    ) -> bool:
        """True for a refusal that comes when the breaker has already said: not the readers."""
        if settled.state is not DeliveryState.BOUNCED:
            return False
        return await stands(connection, about.edition_id, about.domain, now=self.world.clock())

    async def _follow_up(
        self, connection: Connection, about: trouble.About, settled: Settled
    ) -> None:
        now, cause = self.world.clock(), settled.cause
        if cause is None:
            if settled.state is DeliveryState.SENT and about.domain in self.slow:
                await trouble.speed_up(connection, about.domain, now=now)
            return
        if cause is Cause.PACE:
            self.slow.add(about.domain)
            await trouble.slow_down(connection, about.domain, now=now)
        if settled.counts:
            await trouble.blame_reader(
                connection,
                about,
                cause=cause,
                door="smtp",
                text=settled.reply,
                journal=self.world.journal,
                now=now,
            )
        await trouble.pause_for(connection, about, cause=cause, text=settled.reply, now=now)

    async def _look_further(self, about: trouble.About | None, settled: Settled) -> bool:
        if about is None or settled.cause is None:
            return False
        tripped = False
        if settled.counts:
            try:
                tripped = await self.breaker.refused(about.edition_id, about.domain)
            except StoreError as problem:  # the next refusal asks again
                log.warning("breaker status=error reason=%r", str(problem))
        return tripped or settled.cause.ours

    async def _insist(self, entry: Entry) -> bool:
        waited = 0.0
        while True:
            try:
                return await self.clerk.write(entry)
            except StoreError as problem:
                if self.stop.is_set() and waited >= GRACE:
                    raise
                log.warning("ledger status=away reason=%r", str(problem))
            await asyncio.sleep(PATIENCE)
            if self.stop.is_set():
                waited += PATIENCE


def whom(world: World, claim: Claim, reader: Subscription) -> trouble.About:
    """Whom a claimed row is about."""
    key = address_key(reader.subscriber.address)
    return trouble.About(
        delivery_id=claim.id,
        subscriber_id=reader.subscriber.id,
        address_hash=world.signer.suppression_hash(key),
        domain=key.rpartition("@")[2],
        edition_id=claim.edition_id,
    )


async def _prove(
    connection: Connection,
    claim: Claim,
    settled: Settled,
    reader: Subscription,
    message: Message,
    *,
    now: datetime,
) -> None:
    """Note that somebody was asked: which mail, word for word, and that the relay took it.

    Once for a mail: an outcome is written again where the answer to its commit was lost.
    """
    if claim.notice not in ("confirm", "follow") or settled.state is not DeliveryState.SENT:
        return
    event = ConsentEvent(
        kind="asked",
        at=now,
        door="smtp",
        detail=settled.reply,
        language=reader.subscriber.language,
        message_id=BytesHeaderParser().parsebytes(message.data)["Message-ID"],
        message_hash=sha256(message.data).hexdigest(),
    )
    record = await consents.consent_record(connection, claim.subscription_id)
    if not any(each.kind == event.kind and each.message_id == event.message_id for each in record):
        await consents.note(connection, claim.subscription_id, event)


def _put_off(settled: Settled, *, now: datetime) -> Settled:
    return replace(settled, state=DeliveryState.DEFERRED, due_at=now + FAR, cause=None)


def _tell(claim: Claim, settled: Settled, *, to: str, ours: bool) -> None:
    log.info(
        "delivery=%d to=<%s> status=%s reply=%r%s",
        claim.id,
        to,
        settled.state,
        settled.reply,
        "" if ours else " late",
    )
