"""Turns a bounce into what follows for its one delivery, and for the edition when many came back.

A mail anybody can write: a bounce never pauses anything by itself. It counts once for a delivery,
and only the books, which know how much was sent, decide that it is not the readers.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Final

from digest.jobs import breaker, trouble
from digest.jobs.case import Case, Did, Taken, find_delivery
from digest.model.report import Cause, Failure, Report
from digest.model.text import one_line
from digest.store import bounces, reports
from digest.store.engine import Connection
from digest.store.holds import FAR
from digest.store.journal import Journal
from digest.store.reports import Whose
from digest.subscribers.address import address_key

#: the books of an edition are counted again each time its refusals have grown by so much
GROWTH: Final = 1.1


async def take_bounce(connection: Connection, case: Case) -> Taken:
    """Blame the reader whose delivery it is, whatever address the words name."""
    whose = await find_delivery(connection, case)
    if whose is None:
        return Taken(did=Did.UNKNOWN)
    failure = _failure_of(case.report, whose)
    # bounces trickle in for days: those that come while the breaker stands are of its trouble
    void = await breaker.stands(
        connection, whose.edition_id, whose.domain, alone=True, now=case.now
    )
    cause = Cause.BLOCKED if void else failure.cause
    known = await reports.noted(connection, whose.delivery_id)
    again = Taken(did=Did.AGAIN, delivery_id=whose.delivery_id)
    news = known is None or cause.outweighs(known)
    if not news and not reports.can_come_back(whose):
        return again  # a flood of them is read, and writes nothing
    if not await reports.remember(connection, case.key, now=case.now):
        return again
    text = _said(failure)
    moved = await reports.come_back(
        connection,
        whose.delivery_id,
        reply=text,
        again_at=case.now + FAR if void else None,
        now=case.now,
    )
    if not (news or moved):
        return again  # another door was quicker
    closed = await trouble.blame_reader(
        connection,
        _about(whose),
        cause=cause,
        door=case.door,
        text=text,
        journal=case.world.journal,
        now=case.now,
    )
    if known is None:
        await _look_at_books(connection, whose, journal=case.world.journal, now=case.now)
    return Taken(did=Did.BOUNCED, suppressed=closed, delivery_id=whose.delivery_id)


def _failure_of(report: Report, whose: Whose) -> Failure:
    """What is said of this reader; of the first one, where his mail is forwarded to others."""
    mine = address_key(whose.address)
    for each in report.failures:
        if address_key(each.address) == mine:
            return each
    if report.failures:
        return report.failures[0]
    return Failure(address=whose.address, cause=Cause.REFUSED, status=None, text="it came back")


def _said(failure: Failure) -> str:
    text = one_line(failure.text)
    known = failure.status is None or failure.status in text
    return text if known else f"{failure.status} {text}".rstrip()


def _about(whose: Whose) -> trouble.About:
    return trouble.About(
        delivery_id=whose.delivery_id,
        subscriber_id=whose.subscriber_id,
        address_hash=whose.address_hash,
        domain=whose.domain,
        edition_id=whose.edition_id,
    )


async def _look_at_books(
    connection: Connection, whose: Whose, *, journal: Journal | None, now: datetime
) -> None:
    """Pause the edition, or the domain, when far too much of it came back.

    The books remember how far it has come, not this process: many hooks and mailboxes may count.
    """
    if whose.edition_id is None:
        return
    for domain in (None, whose.domain):
        refused = await bounces.refusals(connection, whose.edition_id, domain)
        if not is_step(refused):
            continue
        bad = await breaker.is_bad(connection, whose.edition_id, domain)
        if bad is not None:
            await breaker.trip(connection, whose.edition_id, domain, bad, journal=journal, now=now)


def is_step(refused: int) -> bool:
    """True when it is worth counting all that was tried: at 20, and at each tenth more."""
    if refused <= breaker.LEAST:
        return refused == breaker.LEAST
    now, before = (math.log(each / breaker.LEAST, GROWTH) for each in (refused, refused - 1))
    return math.floor(now) > math.floor(before)
