"""A delivery: the lasting record of one message to one person, and how an attempt can end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from digest.model.report import Cause


class DeliveryState(StrEnum):
    """Where a delivery stands; the arrows between them are drawn in docs/states.md."""

    #: due now or at `due_at`; nobody holds it
    QUEUED = "queued"
    #: a live worker holds it; nothing that could deliver it was sent
    CLAIMED = "claimed"
    #: the final dot was about to be sent; no reply is recorded yet
    DOTTED = "dotted"
    #: the relay took it (2xx)
    SENT = "sent"
    #: refused for now (4xx); due again at `due_at`
    DEFERRED = "deferred"
    #: refused for good (5xx)
    BOUNCED = "bounced"
    #: whoever held it died or lost the connection after the dot
    UNCERTAIN = "uncertain"
    #: the person left or is suppressed: nothing was sent
    EXCLUDED = "excluded"
    #: deferred, or in doubt, until it went stale
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What an SMTP server answered: `250 2.0.0 queued`."""

    code: int
    #: RFC 3463, "5.1.1"; None where the server gave none
    enhanced: str | None
    text: str

    def __str__(self) -> str:
        return " ".join(part for part in (str(self.code), self.enhanced, self.text) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The relay answered 2xx to the final dot: it is the relay's now."""

    reply: Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """The relay answered 4xx about this recipient or this message: later."""

    reply: Reply
    cause: Cause = Cause.PASSING


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounced:
    """The relay answered 5xx: not like this. The cause says who is meant, and so what follows."""

    reply: Reply
    cause: Cause = Cause.REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertain:
    """The final dot was sent and no reply could be read (RFC 1047)."""

    reason: str


Outcome = Sent | Deferred | Bounced | Uncertain


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A delivery that this worker holds, with all that its message is made from."""

    id: int
    #: None for a notice
    edition_id: int | None
    #: None for an edition
    notice: str | None
    subscription_id: int
    #: attempts made before this one
    attempts: int
    created_at: datetime
    #: the topics of the edition's selection for this person; empty: the edition itself
    choice: str = ""
    #: what a notice is about: a follow, a correction
    about: int | None = None
