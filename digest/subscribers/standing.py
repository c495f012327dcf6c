"""Turns what came back from a reader's mailbox into a verdict: whether we go on writing to it.

Each bounce weighs by its cause, and its weight fades: an address that failed in spring and reads
all summer has a clean record. Nobody is closed out by a soft bounce of one bad week.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from digest.model.report import Cause

#: at this much we stop
LIMIT: Final = 2.5
#: after this time a bounce weighs half
HALF_LIFE: Final = timedelta(days=30)

#: one "no such mailbox" is enough; a closed mailbox wants a second one within 30 days; a missing
#: domain a third, for registries and resolvers have bad days; what nobody explains a third, and
#: over two weeks; a full mailbox or a passing trouble two weeks of failing each day
_WEIGHTS: Final = {
    Cause.GONE: 3.0,
    Cause.CLOSED: 1.7,
    Cause.NOWHERE: 1.0,
    Cause.REFUSED: 1.0,
    Cause.FULL: 0.2,
    Cause.PASSING: 0.2,
}
#: these must have gone on for so long (the handshake rule of 2002: more than 14 days)
_SLOW: Final = frozenset({Cause.REFUSED, Cause.FULL, Cause.PASSING})
SPAN: Final = timedelta(days=14)
#: what is older says nothing about how long it has gone on: a bad week in spring is not a trend
RECENT: Final = 2 * HALF_LIFE


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounce:
    """One message that came to nothing through this mailbox."""

    cause: Cause
    at: datetime


def score(bounces: Iterable[Bounce], *, now: datetime) -> float:
    """What these bounces weigh today; the sender's own troubles weigh nothing."""
    return sum(
        _WEIGHTS.get(each.cause, 0.0) * math.exp2(-max((now - each.at) / HALF_LIFE, 0.0))
        for each in bounces
    )


def is_dead(bounces: Iterable[Bounce], *, now: datetime) -> bool:
    """True when we should not write to this address any more."""
    known = list(bounces)
    certain = [each for each in known if each.cause not in _SLOW]
    if score(certain, now=now) >= LIMIT:
        return True
    times = [each.at for each in known if each.cause in _WEIGHTS and now - each.at <= RECENT]
    if not times or max(times) - min(times) < SPAN:
        return False
    return score(known, now=now) >= LIMIT
