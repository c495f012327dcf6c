"""Names what can be wrong with one mail while the mailbox is in order; it does nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """One mail cannot be read or moved; others may be. `reason` is one line."""

    reason: str
