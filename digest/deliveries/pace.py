"""Turns "not so fast" into a gap between two messages to a domain, and success into a shorter one.

Additive steps would take hours to come back from a bad minute, so both ways are by a factor; the
way back is gentler than the way down (RFC 5681 has the same shape for the same reason).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

#: seconds between two messages after the first refusal, and at most
FIRST: Final = 2.0
LONGEST: Final = 300.0
#: below this a domain is as fast as any other
SHORTEST: Final = 0.2


def slower(gap: float, *, changed_at: datetime | None, now: datetime) -> float:
    """The gap after a 4.7.x, in seconds; one step for all refusals that came within one gap.

    What was under way at once is refused at once, and must not count as often.
    """
    if changed_at is not None and now - changed_at < timedelta(seconds=gap):
        return gap
    return min(max(gap * 2, FIRST), LONGEST)


def faster(gap: float) -> float:
    """The gap after a message was taken, in seconds; 0: no gap any more."""
    shorter = gap * 0.75
    return shorter if shorter >= SHORTEST else 0.0
