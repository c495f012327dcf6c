"""Turns what the editors said, and when they could, into whether and when an edition goes out.

Pure: time comes in, and nothing is looked up.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from digest.editions.calendar import due_slot, next_times
from digest.model.proof import Proof, ProofState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from digest.model.newsletter import Newsletter, Schedule
    from digest.model.policy import Approval

#: how much of their time the editors have to have had, for the edition to come at its slot
_ENOUGH: Final = 0.75

#: how long a proof may be held after its slot, however rare the rhythm is
LIFE: Final = timedelta(days=7)


def slot_to_show(
    newsletter: Newsletter, schedule: Schedule, *, last: datetime, now: datetime
) -> datetime | None:
    """The slot whose draft the editors should have by now, UTC; None while there is none.

    That is the coming one, once it is near enough; until then one that came and was not dealt with
    since `last`, for nothing goes out unseen.
    """
    approval = newsletter.approval
    if approval is None:
        return None
    ahead = next_times(schedule.cron, timezone=newsletter.timezone, after=max(now, last), count=1)
    coming = ahead[0].astimezone(last.tzinfo) if ahead else None
    if coming is not None and coming - approval.before <= now:
        return coming
    return due_slot(schedule.cron, timezone=newsletter.timezone, since=last, now=now)


def goes_at(proof: Proof, approval: Approval) -> datetime | None:
    """When the edition of a proof goes out, as things stand; None: when an editor lets it.

    Silence sends it at its slot, or later where the editors were told too late to look at it.
    """
    match proof.state:
        case ProofState.RELEASED:
            return min(proof.slot.at, proof.decided_at or proof.made_at)
        case ProofState.APPROVED:
            return proof.slot.at
        case ProofState.OPEN if approval.silence == "send":
            since = proof.told_at or proof.made_at
            in_time = since <= proof.slot.at - approval.before * _ENOUGH
            return proof.slot.at if in_time else since + approval.before
        case _:
            return None


def is_overtaken(
    proof: Proof, newsletter: Newsletter, schedule: Schedule, *, now: datetime
) -> bool:
    """True when the rhythm's next slot has come, or the proof was held for a week."""
    later = due_slot(schedule.cron, timezone=newsletter.timezone, since=proof.slot.at, now=now)
    return later is not None or now - proof.slot.at >= LIFE


def put(
    order: Sequence[int], pinned: Mapping[int, int], article: int, place: int
) -> dict[int, int]:
    """The pins that bring an article to a place of its section, counted from 1.

    `order` are the ids of the section as they stand now, those that are `pinned` before all others.
    Only so many are pinned as must be: what follows keeps standing by its rank.
    """
    rest = [each for each in order if each != article]
    at = max(0, min(place - 1, len(rest)))
    moved = [*rest[:at], article, *rest[at:]]
    held = {each for each in order if each in pinned} | set(moved[: at + 1])
    return {each: number for number, each in enumerate(moved[: len(held)], start=1)}
