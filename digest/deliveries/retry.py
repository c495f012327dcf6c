"""Turns the count of failed attempts into the time of the next one; it never looks at a clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

_WAITS: Final = tuple(timedelta(minutes=each) for each in (5, 15, 30, 60, 120, 240))
#: an edition is stale later; RFC 5321 4.5.4.1 would go on for four days
EXPIRY: Final = timedelta(days=2)


def next_attempt(
    *,
    attempts: int,
    created_at: datetime,
    now: datetime,
    spread: float,
    expiry: timedelta = EXPIRY,
) -> datetime | None:
    """When to try again: after 5, 15, 30 minutes, 1, 2, 4, 4, … hours, or None: it has expired.

    `attempts` counts those made, with the one that was just deferred: at least 1. `spread`, 0 to
    1, moves the wait by -10 % to +10 % so that what failed together does not come back together.
    Expired means that the next attempt would come later than `created_at` plus `expiry`.
    """
    if attempts < 1 or not 0 <= spread <= 1:
        raise ValueError(f"attempts {attempts} must be at least 1, spread {spread} from 0 to 1")
    wait = _WAITS[min(attempts, len(_WAITS)) - 1]
    at = now + wait * (0.9 + 0.2 * spread)
    return at if at <= created_at + expiry else None
