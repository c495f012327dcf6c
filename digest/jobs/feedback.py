"""Turns what comes back (reports of the bounce mailbox, events of providers) into what follows.

A mail anybody can write, so one from the mailbox is believed only as far as a token of ours in it
goes: it can touch the one delivery or subscription that the token names, and no other. Nothing here
ever answers.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from digest.deliveries.hooks.event import Event
from digest.errors import AddressRefused, LinkRefused
from digest.jobs import remember
from digest.jobs.case import Case, Did, Taken, find_delivery
from digest.jobs.leave import withdraw
from digest.jobs.returned import take_bounce
from digest.jobs.world import World
from digest.model.report import Report, ReportKind
from digest.model.subscriber import Subscription, SubscriptionState
from digest.store import reports, subscribers, suppressions
from digest.store.engine import Connection
from digest.subscribers.address import address_key, parse_address

log = logging.getLogger("digest.feedback")

#: the door of mails that came back; every other door is a provider's, and signed
MAILBOX: Final = "mailbox"

#: a mail to `u+TOKEN@…` asks to leave; the `mailto:u+TOKEN@…` in what somebody forwards does not
_MAILED: Final = re.compile(r"(?:^|[\s<,;\"'])u\+([a-z2-7]{45})@", re.IGNORECASE)
_LINK: Final = re.compile(r"/unsubscribe/([A-Za-z0-9_-]{38})(?![A-Za-z0-9_-])")


async def take_report(
    world: World,
    report: Report,
    *,
    door: str,
    key: str,
    now: datetime,
    address: str | None = None,
    rehearse: bool = False,
) -> Taken:
    """Apply a report in one transaction; one of a `key` that was applied before changes nothing.

    `address` is believed: only a provider's signed event has one. `rehearse` takes everything back
    again. Raises StoreError.
    """
    if (quiet := _quiet(report)) is not None:
        return Taken(did=quiet)
    case = Case(
        # the journal stands outside the database: nothing would be taken back there
        world=replace(world, journal=None) if rehearse else world,
        report=report,
        door=door,
        key=key,
        now=now,
        address_key=_key(address),
    )
    opened = world.store.rehearse() if rehearse else world.store.write()
    async with opened as connection:
        taken = await _apply(connection, case)
    log.info(
        "report door=%s kind=%s status=%s delivery=%s", door, report.kind, taken.did, _id(taken)
    )
    return taken


async def take_events(world: World, events: Sequence[Event], *, door: str) -> int:
    """Apply a provider's signed events; return how many of them changed something.

    Each in a transaction of its own: if the database goes away in between, the provider tells all
    of them again, and those that stand are known. Raises StoreError.
    """
    news = 0
    for event in events:
        taken = await take_report(
            world,
            event.report,
            door=door,
            key=f"{door}:{event.id}",
            now=world.clock(),
            address=event.address,
        )
        news += taken.did in (Did.BOUNCED, Did.COMPLAINED, Did.UNSUBSCRIBED)
    return news


def _quiet(report: Report) -> Did | None:
    """What changes nothing needs no transaction: most of what providers tell is `delivered`."""
    match report.kind:
        case ReportKind.DELAYED:
            return Did.DELAYED
        case ReportKind.AUTOREPLY:
            return Did.AUTOREPLY
        case ReportKind.DELIVERED:
            return Did.NOTHING
        case ReportKind.COMPLAINT if not report.leaves:
            return Did.NOTHING
    return None


def _key(address: str | None) -> str | None:
    try:
        return address_key(parse_address(address, smtputf8=True)) if address else None
    except AddressRefused:
        return None


def _id(taken: Taken) -> str:
    return "-" if taken.delivery_id is None else str(taken.delivery_id)


async def _apply(connection: Connection, case: Case) -> Taken:
    mailed = _mailed(case)
    if mailed is not None and case.report.kind is not ReportKind.BOUNCE:
        # a button may write "unsubscribe" into the subject, which looks like a complaint
        return await _take_wish(connection, case, mailed)
    if case.report.kind is ReportKind.NOT_BOUNCE or not case.report.genuine:
        return Taken(did=Did.UNKNOWN)
    if case.report.kind is ReportKind.COMPLAINT:
        return await _take_complaint(connection, case)
    return await take_bounce(connection, case)


# ------------------------------------------------------------------- complaints and wishes


async def _take_complaint(connection: Connection, case: Case) -> Taken:
    """Whoever complains gets nothing more, from no newsletter; no mail says so."""
    found = await _complainer(connection, case)
    if found is None and case.address_key is None:
        return Taken(did=Did.UNKNOWN)
    if not await reports.remember(connection, case.key, now=case.now):
        return Taken(did=Did.AGAIN)
    mine = address_key(found.subscriber.address) if found else case.address_key or ""
    all_of_them = await subscribers.by_address(connection, mine)
    for each in [found] if case.report.wish and found else all_of_them:
        await withdraw(connection, case.world, each, door="complaint")
    if case.report.wish:
        return Taken(did=Did.UNSUBSCRIBED)
    known_as = case.world.signer.suppression_hash(mine)
    closed = await suppressions.suppression(connection, known_as) is None
    await suppressions.suppress(connection, known_as, reason="complained", now=case.now)
    await remember.closed(case.world.journal, known_as, reason="complained", now=case.now)
    return Taken(did=Did.COMPLAINED, suppressed=closed)


async def _complainer(connection: Connection, case: Case) -> Subscription | None:
    """Whom it is about: by a token in what was returned, for providers cross out addresses."""
    signer, traces = case.world.signer, case.report.traces
    if whose := await find_delivery(connection, case):
        return await subscribers.by_id(connection, whose.subscription_id)
    refs = [signer.find_mail(traces)]
    for token in (found for text in traces for found in _LINK.findall(text)):
        try:
            refs.append(signer.check_unsubscribe(token))
        except LinkRefused:
            continue
    for ref in refs:
        found = await subscribers.by_ref(connection, ref) if ref else None
        if found is not None:
            return found
    return None


def _mailed(case: Case) -> bytes | None:
    """The reference in the address that a mail was sent to; whoever sent it does not matter."""
    tokens = [token for text in case.report.traces for token in _MAILED.findall(text)]
    return case.world.signer.find_mail(tokens) if case.door == MAILBOX else None


async def _take_wish(connection: Connection, case: Case, ref: bytes) -> Taken:
    """Somebody wrote to the address of List-Unsubscribe (RFC 2369 section 3.2)."""
    found = await subscribers.by_ref(connection, ref)
    if found is None:
        return Taken(did=Did.UNKNOWN)
    new = await reports.remember(connection, case.key, now=case.now)
    if not new or found.state is SubscriptionState.UNSUBSCRIBED:
        return Taken(did=Did.AGAIN)
    await withdraw(connection, case.world, found, door="mail")
    return Taken(did=Did.UNSUBSCRIBED)
