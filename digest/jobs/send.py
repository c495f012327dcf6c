"""Delivers what is due: claims rows, makes each message, speaks to the relay, records the outcome.

It never decides whether somebody may be written to: the ledger does, at the claim and again just
before the final dot.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from digest.deliveries.retry import next_attempt
from digest.errors import DigestError, LeaseLost, RelayAway, StoreError
from digest.jobs.clerk import Clerk
from digest.jobs.lease import enlisted
from digest.jobs.worker import Worker
from digest.jobs.world import World
from digest.jobs.write import Writer
from digest.model.delivery import (
    Bounced,
    Claim,
    Deferred,
    DeliveryState,
    Outcome,
    Reply,
    Sent,
    Uncertain,
)
from digest.store import deliveries, subscribers
from digest.store.deliveries import Scope

log = logging.getLogger("digest.send")

#: rows claimed at once for each connection: enough to keep it busy, few enough to give back
CLAIMS_PER_CONNECTION = 8


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
    tally: Tally = field(default_factory=Tally)


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
) -> Tally:
    """Deliver until nothing is due in `scope`, the relay goes away, or `stop` is set.

    A stop is in order: nothing new is begun, and replies under way are awaited. What was claimed
    and not begun is given back. Returns how the attempts ended.
    """
    run = _Run(world, worker, scope, told, stop, Writer(world), Clerk(world.store))
    while not stop.is_set() and run.tally.away is None:
        claims = await _claim(run)
        if not claims:
            break
        await _attempt_all(run, claims)
    return run.tally


async def _claim(run: _Run) -> list[Claim]:
    world = run.world
    resend, now = world.uncertain == "resend", world.clock()
    # asked first without the write lock: most of the time there is nothing
    async with world.store.read() as connection:
        if not await deliveries.any_due(
            connection, scope=run.scope, resend_uncertain=resend, now=now
        ):
            return []
    async with world.store.write() as connection:
        claims = await deliveries.claim(
            connection,
            owner=run.worker.id,
            scope=run.scope,
            resend_uncertain=resend,
            limit=world.connections * CLAIMS_PER_CONNECTION,
            now=now,
        )
        run.writer.readers = await subscribers.by_ids(
            connection, [each.subscription_id for each in claims]
        )
    return claims


async def _attempt_all(run: _Run, claims: list[Claim]) -> None:
    """Work through the claims with as many hands as there are connections; give back the rest."""
    waiting = iter(claims)
    broken = False

    async def hand() -> None:
        nonlocal broken
        for claim in waiting:
            if broken or run.stop.is_set() or run.tally.away is not None:
                return
            try:
                await _attempt(run, claim)
            except BaseException:
                broken = True
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


async def _attempt(run: _Run, claim: Claim) -> None:
    """One message to one person: make it, hand it over, write down how that ended."""
    world, owner = run.world, run.worker.id

    async def intend() -> bool:
        return await run.clerk.write(
            lambda connection: deliveries.intend(
                connection, claim.id, owner=owner, now=world.clock()
            )
        )

    message = None
    try:
        message = await run.writer.write(claim)
        outcome = await world.transport.send(message, intend)
    except RelayAway as problem:
        run.tally.away = run.tally.away or str(problem)
        log.info("delivery=%d status=waiting reason=%r", claim.id, str(problem))
        return
    except LeaseLost:
        await _let_go(run, claim)
        return
    except StoreError:
        raise
    except (DigestError, ValueError, LookupError) as problem:
        # this message cannot be made; the others can, and this one is tried again when it is mended
        log.error("delivery=%d not made: %s", claim.id, problem)  # noqa: TRY400 -- one line is what the operator needs
        log.debug("delivery=%d", claim.id, exc_info=True)
        outcome = Deferred(reply=Reply(code=451, enhanced="4.3.0", text=f"not made: {problem}"))
    await _record(run, claim, outcome, to=message.rcpt_to if message else "?")


async def _let_go(run: _Run, claim: Claim) -> None:
    """The fence said no: the person left meanwhile, or another worker has the row."""
    async with run.world.store.write() as connection:
        left = await deliveries.exclude(
            connection, claim.id, owner=run.worker.id, now=run.world.clock()
        )
    if left:
        run.tally.excluded += 1
        run.told(DeliveryState.EXCLUDED)
    log.info("delivery=%d status=%s", claim.id, "excluded" if left else "lease-lost")


def _held(world: World, state: DeliveryState) -> bool:
    """Uncertain, and to stay so until the operator decides."""
    return state is DeliveryState.UNCERTAIN and world.uncertain == "hold"


async def _record(run: _Run, claim: Claim, outcome: Outcome, *, to: str) -> None:
    world = run.world
    now = world.clock()
    state, reply, due_at = DeliveryState.SENT, "", None
    match outcome:
        case Sent():
            reply = str(outcome.reply)
        case Bounced():
            state, reply = DeliveryState.BOUNCED, str(outcome.reply)
        case Uncertain():
            state, reply = DeliveryState.UNCERTAIN, outcome.reason
        case Deferred():
            state, reply = DeliveryState.DEFERRED, str(outcome.reply)
    if state in (DeliveryState.UNCERTAIN, DeliveryState.DEFERRED):
        # an uncertain one waits as well: a relay that swallows replies must not be fed copies
        due_at = next_attempt(
            attempts=claim.attempts + 1,
            created_at=claim.created_at,
            now=now,
            spread=world.chance.random(),
        )
        if due_at is None and not _held(world, state):
            state = DeliveryState.EXPIRED
    ours = await run.clerk.write(
        lambda connection: deliveries.record(
            connection,
            claim.id,
            owner=run.worker.id,
            state=state,
            reply=reply,
            doubtful=isinstance(outcome, Uncertain),
            due_at=due_at,
            now=now,
        )
    )
    log.info(
        "delivery=%d to=<%s> status=%s reply=%r%s",
        claim.id,
        to,
        state,
        reply,
        "" if ours else " late",
    )
    if ours:
        setattr(run.tally, state.value, getattr(run.tally, state.value) + 1)
        run.told(state)
