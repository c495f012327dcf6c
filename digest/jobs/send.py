"""Delivers what is due: claims rows, makes each message, speaks to the relay, records the outcome.

It never decides whether somebody may be written to: the ledger does, at the claim and again just
before the final dot. What a refusal means for others is `jobs/trouble.py`.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from digest.errors import DigestError, LeaseLost, RelayAway, StoreError
from digest.jobs import remember, spool
from digest.jobs.clerk import Clerk
from digest.jobs.lease import enlisted
from digest.jobs.record import Recorder
from digest.jobs.worker import Worker
from digest.jobs.world import World
from digest.jobs.write import Writer
from digest.model.delivery import Claim, Deferred, DeliveryState, Reply
from digest.store import deliveries, leaving, paces, queue, subscribers, workers
from digest.store.engine import Connection
from digest.store.queue import Scope

log = logging.getLogger("digest.send")

#: rows claimed at once for each connection: enough to keep it busy, few enough to give back
CLAIMS_PER_CONNECTION = 8

#: where a rate is set, claims for so many seconds: what waits for its turn is held by nobody else
AHEAD = 2.0

#: before the queue is looked through further, seconds: others want to write as well
BREATH = 0.05


@dataclass(slots=True, kw_only=True)
class Tally:
    """How the attempts of one run ended."""

    sent: int = 0
    deferred: int = 0
    bounced: int = 0
    uncertain: int = 0
    expired: int = 0
    #: the person left between the claim and the dot
    excluded: int = 0
    #: why the relay could not be used, if it could not
    away: str | None = None

    def put_back(self, count: int) -> None:
        """So many that had bounced wait again: the breaker has said that it was not the readers."""
        count = min(count, self.bounced)
        self.bounced -= count
        self.deferred += count


@dataclass(slots=True)
class _Run:
    """One worker's run: the tools it holds and what it has counted."""

    world: World
    worker: Worker
    scope: Scope
    told: Callable[[DeliveryState], None]
    stop: asyncio.Event
    writer: Writer
    clerk: Clerk
    recorder: Recorder = field(init=False)
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self.recorder = Recorder(self.world, self.worker.id, self.clerk, self.stop, self.count)

    def count(self, state: DeliveryState) -> None:
        """One more attempt ended so."""
        setattr(self.tally, state.value, getattr(self.tally, state.value) + 1)
        self.told(state)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Rows that this run holds, and from when on the first of them may go."""

    claims: list[Claim]
    #: seconds between two messages; 0 where no rate is set
    gap: float = 0.0
    first: datetime | None = None
    #: nothing was to be had this time, and there may be more
    again: bool = False


async def deliver(
    world: World,
    scope: Scope,
    *,
    stop: asyncio.Event | None = None,
    told: Callable[[DeliveryState], None] = lambda _: None,
) -> Tally:
    """Be a worker for as long as it takes to deliver what is due in `scope`; see `deliver_due`."""
    async with enlisted(world) as worker:
        return await deliver_due(world, worker, scope, stop=stop or asyncio.Event(), told=told)


async def deliver_due(
    world: World,
    worker: Worker,
    scope: Scope,
    *,
    stop: asyncio.Event,
    told: Callable[[DeliveryState], None] = lambda _: None,
    carefully: bool = False,
) -> Tally:
    """Deliver until nothing is due in `scope`, the relay goes away, or `stop` is set.

    A stop is in order: nothing new is begun, and replies under way are awaited. What was claimed
    and not begun is given back. `carefully` begins with a single message: a relay that just
    refused our password must not hear it from every connection at once. Returns how the attempts
    ended.
    """
    run = _Run(world, worker, scope, told, stop, Writer(world), Clerk(world.store))
    while not stop.is_set() and run.tally.away is None:
        batch = await _claim(run, limit=1 if carefully else None)
        if batch.again:
            await asyncio.sleep(BREATH)
            continue
        if not batch.claims:
            break
        await _attempt_all(run, batch)
        carefully = False
    run.tally.put_back(run.recorder.breaker.put_back)
    await _tell_of_relay(run)
    return run.tally


async def _tell_of_relay(run: _Run) -> None:
    """Let `status` know how this worker gets on with the relay."""
    if run.tally == Tally():
        return
    async with run.world.store.write() as connection:
        await workers.tell_trouble(
            connection, owner=run.worker.id, trouble=run.tally.away, now=run.world.clock()
        )


async def _claim(run: _Run, *, limit: int | None) -> _Batch:
    world = run.world
    resend, now = world.uncertain == "resend", world.clock()
    most = limit or world.connections * CLAIMS_PER_CONNECTION
    if world.rate is not None:
        most = min(most, max(1, math.floor(world.rate * AHEAD)))
    # whoever left while the database was away must not be claimed
    await spool.apply(world)
    # asked first without the write lock: most of the time there is nothing
    async with world.store.read() as connection:
        if not await queue.any_due(connection, scope=run.scope, resend_uncertain=resend, now=now):
            return _Batch([])
    async with world.store.write() as connection:
        batch = await _take(run, connection, most=most, now=now)
        mark = await remember.count(connection, world) if batch.claims else None
    editions = {each.edition_id for each in batch.claims if each.edition_id is not None}
    await remember.note(world, mark, editions)
    return batch


async def _take(run: _Run, connection: Connection, *, most: int, now: datetime) -> _Batch:
    world = run.world
    claims = await queue.claim(
        connection,
        owner=run.worker.id,
        scope=run.scope,
        resend_uncertain=world.uncertain == "resend",
        limit=most,
        window=world.expiry,
        now=now,
    )
    run.writer.readers = await subscribers.by_ids(
        connection, [each.subscription_id for each in claims]
    )
    run.recorder.slow = set(await paces.slow(connection))
    if not claims:
        # what is paused was moved, and there was more of it than one transaction may take
        return _Batch([], again=True)
    if world.rate is None:
        return _Batch(claims)
    gap = 1 / world.rate
    first = await paces.reserve(connection, paces.EVERYBODY, count=len(claims), gap=gap, now=now)
    return _Batch(claims, gap, first)


async def _attempt_all(run: _Run, batch: _Batch) -> None:
    """Work through the claims with as many hands as there are connections; give back the rest."""
    waiting = enumerate(batch.claims)
    ended = False

    async def hand() -> None:
        nonlocal ended
        for place, claim in waiting:
            await _turn(run, batch, place)
            if ended or run.stop.is_set() or run.tally.away is not None:
                return
            try:
                ended = await _attempt(run, claim) or ended
            except BaseException:
                ended = True
                raise

    # no TaskGroup: where one hand fails the others must not be torn from a reply that is under way
    ends = await asyncio.gather(
        *(hand() for _ in range(run.world.connections)), return_exceptions=True
    )
    for end in ends:
        if isinstance(end, BaseException):
            raise end
    async with run.world.store.write() as connection:
        await deliveries.release(connection, owner=run.worker.id, now=run.world.clock())
        # a backup made since the claim believes that all of these are still to be sent
        mark = await remember.count(connection, run.world)
    await remember.note(run.world, mark)


async def _turn(run: _Run, batch: _Batch, place: int) -> None:
    """Wait for this message's place on the line of time that all workers share, or for the stop."""
    if batch.first is None:
        return
    at = batch.first + timedelta(seconds=batch.gap * place)
    seconds = (at - run.world.clock()).total_seconds()
    if seconds > 0:
        with suppress(TimeoutError):
            await asyncio.wait_for(run.stop.wait(), seconds)


async def _attempt(run: _Run, claim: Claim) -> bool:
    """One message to one person: make it, hand it over, write down how that ended.

    True when the batch must end: what else is claimed may be paused by now.
    """
    world, owner = run.world, run.worker.id

    message, reader = None, run.writer.readers.get(claim.subscription_id)

    async def entry(connection: Connection) -> bool:
        # looked at only now: this may have waited for the database as long as the reader did
        if spool.holds(world, reader):
            return False
        return await deliveries.intend(connection, claim.id, owner=owner, now=world.clock())

    async def intend() -> bool:
        return await run.clerk.write(entry) and not spool.holds(world, reader)

    try:
        message = await run.writer.write(claim)
        outcome = await world.transport.send(message, intend)
    except RelayAway as problem:
        run.tally.away = run.tally.away or str(problem)
        log.info("delivery=%d status=waiting reason=%r", claim.id, str(problem))
        return True
    except LeaseLost:
        await _let_go(run, claim)
        return False
    except StoreError:
        raise
    except (DigestError, ValueError, LookupError) as problem:
        # this message cannot be made; the others can, and this one is tried again when it is mended
        log.error("delivery=%d not made: %s", claim.id, problem)  # noqa: TRY400 -- one line is what the operator needs
        log.debug("delivery=%d", claim.id, exc_info=True)
        outcome = Deferred(reply=Reply(code=451, enhanced="4.3.0", text=f"not made: {problem}"))
        reader = None  # nobody is to blame but us
    return await run.recorder.record(claim, outcome, reader=reader, message=message)


async def _let_go(run: _Run, claim: Claim) -> None:
    """The fence said no: the person left meanwhile, or another worker has the row."""
    await spool.apply(run.world)
    async with run.world.store.write() as connection:
        left = await deliveries.exclude(
            connection, claim.id, owner=run.worker.id, now=run.world.clock()
        ) or await leaving.was_called_back(connection, claim.id)
    if left:
        run.count(DeliveryState.EXCLUDED)
    log.info("delivery=%d status=%s", claim.id, "excluded" if left else "lease-lost")
