"""A proof: the draft of one slot as the editors see it before it goes out, and what they said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from digest.model.edition import Slot


class ProofState(StrEnum):
    """How a proof stands; the last one is its end."""

    #: nobody has said anything: silence decides
    OPEN = "open"
    HELD = "held"
    #: an editor lets it go out, when its slot comes
    APPROVED = "approved"
    #: an editor wants it out at once
    RELEASED = "released"
    #: its slot is over: an edition was made, or the next slot has come
    PASSED = "passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The draft of one slot before the editors. Times are UTC."""

    id: int
    slot: Slot
    made_at: datetime
    #: what signed links name
    ref: bytes
    state: ProofState
    #: what the editors write above the news
    lead: str
    #: ids of articles as they stood in the draft, in reading order
    shown: tuple[int, ...]
    #: ids of what was considered for it: nothing that came later goes out unseen
    known: frozenset[int]
    #: when the editors had the mail; None: not yet
    told_at: datetime | None = None
    #: when one of them last held it or let it go
    decided_at: datetime | None = None
