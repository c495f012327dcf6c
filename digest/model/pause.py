"""A pause: an edition or a domain that is not delivered to for a while, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Scope(StrEnum):
    """What is paused."""

    EDITION = "edition"
    DOMAIN = "domain"


class Kind(StrEnum):
    """What made us stop."""

    #: the sender was refused (5.7.x)
    BLOCKED = "blocked"
    #: the message was refused, its size or its form (552, 5.3.4, 5.6.x)
    MESSAGE = "message"
    #: a server did not understand us (5.5.x): our own fault
    PROTOCOL = "protocol"
    #: so many refusals that not the readers can be to blame
    BREAKER = "breaker"
    #: the edition is older than it may be, and was not delivered in time
    STALE = "stale"
    #: the database is older than what we know was done: a backup was restored
    RESTORED = "restored"
    #: a person asked for it
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """One pause. Times are UTC."""

    scope: Scope
    #: the edition's id as text, or the domain
    name: str
    kind: Kind
    #: one line for the operator
    cause: str
    began_at: datetime
    #: when it ends by itself; None: when a person says so
    until: datetime | None
    #: how often in a row
    times: int = 1
