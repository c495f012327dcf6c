"""A report on its way through our rules: what is known of it, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from digest.jobs.world import World
from digest.model.report import Report
from digest.store import reports
from digest.store.engine import Connection
from digest.store.reports import Whose


class Did(StrEnum):
    """What became of a report."""

    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    #: these change nothing
    DELAYED = "delayed"
    AUTOREPLY = "autoreply"
    NOTHING = "nothing"
    #: it is known already, by this mail or by another one
    AGAIN = "again"
    #: we cannot tell whom it is about, or it proves nothing, or a person wrote it
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a report, and whether it closed an address to us."""

    did: Did
    suppressed: bool = False
    delivery_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A report, and how far the door through which it came is believed."""

    world: World
    report: Report
    door: str
    key: str
    now: datetime
    #: whom a provider's signed event is about
    address_key: str | None


async def find_delivery(connection: Connection, case: Case) -> Whose | None:
    """The delivery that a report is about: by our token, or by an address that we may believe."""
    named = case.world.signer.find_bounce(case.report.traces)
    found = await reports.whose(connection, *named) if named is not None else None
    if found is None and case.address_key is not None:
        return await reports.newest_to(connection, case.address_key)
    return found
