"""Follows up a refusal: blames the reader, slows a domain down, or pauses what is not at fault.

Everything here happens in the transaction that records the outcome, so that no crash can leave a
refusal without its consequence.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.deliveries import pace
from digest.jobs import remember
from digest.model.pause import Kind, Pause, Scope
from digest.model.report import Cause
from digest.store import bounces, paces, pauses, suppressions
from digest.store.engine import Connection
from digest.store.journal import Journal
from digest.subscribers.standing import Bounce, is_dead

log = logging.getLogger("digest.trouble")

#: how long a domain that refuses us is left alone: twice as long each time, up to the last
FIRST_REST = timedelta(minutes=30)
LONGEST_REST = timedelta(hours=8)

#: a new refusal so long after the last rest's end is a new story
AFRESH = timedelta(days=1)

#: when so many domains refuse an edition, and more than this share of all that was tried, it is
#: not the domains
DOMAINS = 3
SHARE = 0.10

_CAUSES = {
    Cause.BLOCKED: Kind.BLOCKED,
    Cause.MESSAGE: Kind.MESSAGE,
    Cause.PROTOCOL: Kind.PROTOCOL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Whom a delivery is about."""

    delivery_id: int
    subscriber_id: int
    #: what suppressions know the person by
    address_hash: str
    domain: str
    edition_id: int | None


async def blame_reader(
    connection: Connection,
    about: About,
    *,
    cause: Cause,
    door: str,
    text: str,
    journal: Journal | None = None,
    now: datetime,
) -> bool:
    """Write a bounce into the reader's record; True when it closes the address to us."""
    new = await bounces.note(
        connection,
        delivery_id=about.delivery_id,
        subscriber_id=about.subscriber_id,
        edition_id=about.edition_id,
        domain=about.domain,
        cause=cause,
        door=door,
        text=text,
        now=now,
    )
    if not new:
        return False
    known = await bounces.of_person(connection, about.subscriber_id, since=now - bounces.REMEMBERED)
    if not is_dead((Bounce(cause=why, at=at) for why, at in known), now=now):
        return False
    await suppressions.suppress(
        connection, about.address_hash, reason="bounced", delivery_id=about.delivery_id, now=now
    )
    await remember.closed(journal, about.address_hash, reason="bounced", now=now)
    log.info("delivery=%d subscriber=%d status=suppressed", about.delivery_id, about.subscriber_id)
    return True


async def pause_for(
    connection: Connection, about: About, *, cause: Cause, text: str, now: datetime
) -> None:
    """Pause what a refusal is about, where it is not about the reader."""
    if about.edition_id is not None and cause in (Cause.MESSAGE, Cause.PROTOCOL):
        await _pause_edition(connection, about.edition_id, _CAUSES[cause], text, now=now)
    if cause is Cause.BLOCKED:
        await _pause_domain(connection, about, text, now=now)


async def _pause_domain(connection: Connection, about: About, text: str, *, now: datetime) -> None:
    """Leave a domain alone for a while, unless it took this very edition from others.

    Then the refusal is about this one reader, and must not keep his neighbours from their mail.
    """
    if about.edition_id is None:
        # anybody can ask for a service mail to any address: that must not stop what others get
        return
    if await bounces.any_sent(connection, about.edition_id, about.domain):
        return
    last = await pauses.last(connection, Scope.DOMAIN, about.domain)
    if last is not None and (last.until is None or last.until > now):
        return
    again = last is not None and last.until is not None and now - last.until < AFRESH
    times = last.times + 1 if last is not None and again else 1
    rest = min(FIRST_REST * 2 ** min(times - 1, 10), LONGEST_REST)
    await pauses.begin(
        connection,
        Pause(
            scope=Scope.DOMAIN,
            name=about.domain,
            kind=Kind.BLOCKED,
            cause=f"it refuses us: {text}",
            began_at=now,
            until=now + rest,
            times=times,
        ),
    )
    log.warning("domain=%s status=paused until=%s reason=%r", about.domain, now + rest, text)
    await _pause_if_many(connection, about.edition_id, text, now=now)


async def _pause_if_many(
    connection: Connection, edition_id: int, text: str, *, now: datetime
) -> None:
    refusing = await bounces.blocking(connection, edition_id)
    if len(refusing) < DOMAINS:
        return
    # in a long list some domains never want us: that must not stop each edition anew
    if len(refusing) <= await bounces.tried(connection, edition_id, None) * SHARE:
        return
    if not await pauses.asked(connection, Scope.EDITION, str(edition_id), Kind.BLOCKED):
        why = f"{len(refusing)} domains refuse us ({', '.join(refusing[:DOMAINS])}), last: {text}"
        await _pause_edition(connection, edition_id, Kind.BLOCKED, why, now=now)


async def _pause_edition(
    connection: Connection, edition_id: int, kind: Kind, text: str, *, now: datetime
) -> None:
    await pauses.begin(
        connection,
        Pause(
            scope=Scope.EDITION,
            name=str(edition_id),
            kind=kind,
            cause=text,
            began_at=now,
            until=None,
        ),
    )
    log.error("edition=%d status=paused kind=%s reason=%r", edition_id, kind, text)


async def slow_down(connection: Connection, domain: str, *, now: datetime) -> None:
    """Go slower with a domain that asked for it (4.7.x)."""
    known = (await paces.slow(connection, lock=True)).get(domain)
    before = known.gap if known else 0.0
    gap = pace.slower(before, changed_at=known.updated_at if known else None, now=now)
    asked_at = known.updated_at if known and gap == before else now
    await paces.set_gap(connection, domain, gap, asked_at=asked_at, now=now)
    log.info("domain=%s gap=%.1f", domain, gap)


async def speed_up(connection: Connection, domain: str, *, now: datetime) -> None:
    """Go faster again with a domain that took a message."""
    known = (await paces.slow(connection, lock=True)).get(domain)
    if known is not None:
        gap = pace.faster(known.gap)
        await paces.set_gap(connection, domain, gap, asked_at=known.updated_at, now=now)
