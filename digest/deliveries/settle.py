"""Turns the outcome of an attempt into what becomes of the row, and of whom it is about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from digest.deliveries.replies import SHUTTING_DOWN
from digest.deliveries.retry import EXPIRY, next_attempt
from digest.model.delivery import (
    Bounced,
    Claim,
    Deferred,
    DeliveryState,
    Outcome,
    Sent,
    Uncertain,
)
from digest.model.report import Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What becomes of a delivery after an attempt."""

    state: DeliveryState
    #: one line
    reply: str
    #: when it is tried again; None: never, or when an operator decides
    due_at: datetime | None = None
    #: the dot was sent and no reply read
    doubtful: bool = False
    #: why it was refused; None when it was not
    cause: Cause | None = None

    @property
    def counts(self) -> bool:
        """True when it goes into the record of bounces: nothing more will come of it, or a 5xx."""
        if self.cause is None:
            return False
        return self.cause is Cause.BLOCKED or self.state in (
            DeliveryState.BOUNCED,
            DeliveryState.EXPIRED,
        )


def settle(
    outcome: Outcome,
    claim: Claim,
    *,
    now: datetime,
    spread: float,
    hold: bool,
    expiry: timedelta = EXPIRY,
) -> Settled:
    """Decide. `spread` and `expiry` as `next_attempt` takes them; `hold`: a doubt stays one."""

    def later(settled: Settled) -> Settled:
        due_at = next_attempt(
            attempts=claim.attempts + 1,
            created_at=claim.created_at,
            now=now,
            spread=spread,
            expiry=expiry,
        )
        state = settled.state if due_at is not None else DeliveryState.EXPIRED
        return replace(settled, state=state, due_at=due_at)

    match outcome:
        case Sent(reply=reply):
            return Settled(state=DeliveryState.SENT, reply=str(reply))
        case Uncertain(reason=reason):
            # with resend it waits as well: a relay that swallows replies must not be fed copies
            settled = Settled(state=DeliveryState.UNCERTAIN, reply=reason, doubtful=True)
            return settled if hold else later(settled)
        case Bounced(reply=reply, cause=cause) if not _waits(cause, claim):
            return Settled(state=DeliveryState.BOUNCED, reply=str(reply), cause=cause)
        case Deferred(reply=reply, cause=cause) if reply.code == SHUTTING_DOWN:
            # the server left: nobody's standing suffers from that, though it may be our pace
            why = cause if cause is Cause.PACE else None
            return later(Settled(state=DeliveryState.DEFERRED, reply=str(reply), cause=why))
        case Bounced(reply=reply, cause=cause) | Deferred(reply=reply, cause=cause):
            settled = Settled(state=DeliveryState.DEFERRED, reply=str(reply), cause=cause)
            return later(settled)


def _waits(cause: Cause, claim: Claim) -> bool:
    """Service mail about the message itself has no edition that could be paused: it is over."""
    return cause.ours and (claim.edition_id is not None or cause is Cause.BLOCKED)
