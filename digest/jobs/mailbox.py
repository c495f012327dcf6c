"""Reads the bounce mailbox: each mail is understood, applied, and only then moved aside.

Whatever breaks in between, the next run meets the same mail, finds that it is applied, and moves
it. No mail is ever deleted or answered; one of a person's own is moved to `Unknown` unread.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import Final

from digest.deliveries.mailbox import Aside, Mailbox, Stuck, open_mailbox
from digest.deliveries.reports import read_report
from digest.deliveries.reports.parcel import MAX_BYTES, Header, Parcel, open_parcel, read_header
from digest.errors import DigestError
from digest.jobs.case import Did, Taken
from digest.jobs.feedback import MAILBOX, take_report
from digest.jobs.world import World
from digest.model.report import Report, ReportKind
from digest.store import reports

log = logging.getLogger("digest.feedback")

#: applied reports are remembered for so long: no mail server tries again after a year
REMEMBERED: Final = timedelta(days=365)

#: one mail may be damaged; after so many in a row it is the mailbox
MOST_STUCK: Final = 10

#: shows a person how far it has come: takes the number of mails, gives what counts one
Counting = Callable[[int], AbstractContextManager[Callable[[], None]]]


@dataclass(slots=True, kw_only=True)
class Processed:
    """What one run did."""

    read: int = 0
    bounced: int = 0
    complaints: int = 0
    unsubscribed: int = 0
    delayed: int = 0
    autoreplies: int = 0
    #: moved to `Unknown`
    unknown: int = 0
    #: known already, or of no consequence
    nothing: int = 0
    #: addresses closed to us
    suppressed: int = 0
    #: mails that could not be read or moved (they stay where they are) or understood
    errors: int = 0


_COUNTED: Final = {
    Did.BOUNCED: "bounced",
    Did.COMPLAINED: "complaints",
    Did.UNSUBSCRIBED: "unsubscribed",
    Did.DELAYED: "delayed",
    Did.AUTOREPLY: "autoreplies",
    Did.UNKNOWN: "unknown",
    Did.NOTHING: "nothing",
    Did.AGAIN: "nothing",
}


@contextmanager
def quietly(total: int) -> Iterator[Callable[[], None]]:  # noqa: ARG001 -- the shape of `Counting`
    """Count before nobody's eyes."""
    yield lambda: None


async def process_mailbox(
    world: World, *, stop: asyncio.Event, dry_run: bool = False, counting: Counting = quietly
) -> Processed:
    """Apply what is in the mailbox now, until `stop` is set; a dry run leaves no trace.

    Raises SettingsError where no mailbox is set, DigestError when it, or the database, is away.
    """
    done = Processed()
    async with open_mailbox(world.bounce_mailbox) as mailbox:
        names, in_a_row = await mailbox.names(), 0
        with counting(len(names)) as one_more:
            for name in names:
                if stop.is_set():
                    break
                stuck = await _process(world, mailbox, name, done, dry_run=dry_run)
                in_a_row = _count_stuck(stuck, done, in_a_row)
                one_more()
    return done


def _count_stuck(stuck: Stuck | None, done: Processed, in_a_row: int) -> int:
    """How many mails in a row could not be read or moved. Raises DigestError for too many."""
    if stuck is None:
        return 0
    done.errors += 1
    log.warning("mail status=stuck reason=%r", stuck.reason)
    if in_a_row + 1 == MOST_STUCK:
        raise DigestError(f"{stuck.reason}; so it went with {MOST_STUCK} mails in a row")
    return in_a_row + 1


async def forget_old_reports(world: World) -> None:
    """Forget what was applied more than a year ago."""
    async with world.store.write() as connection:
        await reports.forget_old(connection, before=world.clock() - REMEMBERED)


async def _process(
    world: World, mailbox: Mailbox, name: str, done: Processed, *, dry_run: bool
) -> Stuck | None:
    data = await mailbox.read(name)
    if data is None or isinstance(data, Stuck):
        return data
    done.read += 1
    taken = await _take(world, data, done, dry_run=dry_run)
    count = _COUNTED[taken.did]
    setattr(done, count, getattr(done, count) + 1)
    done.suppressed += taken.suppressed
    if dry_run:
        return None
    return await mailbox.move(name, Aside.UNKNOWN if taken.did is Did.UNKNOWN else Aside.PROCESSED)


async def _take(world: World, data: bytes, done: Processed, *, dry_run: bool) -> Taken:
    try:
        report, key = await asyncio.to_thread(understand, world, data)
    except Exception:  # our own fault, and it must not keep all others from being read
        log.exception("report door=%s status=error", MAILBOX)
        done.errors += 1
        return Taken(did=Did.UNKNOWN)
    return await take_report(
        world,
        report,
        door=MAILBOX,
        key=key,
        now=world.clock(),
        rehearse=dry_run,
    )


def understand(world: World, data: bytes) -> tuple[Report, str]:
    """What a mail reports, and the key by which it is known when it comes again."""
    report = read_report(data)
    parcel = open_parcel(data[:MAX_BYTES])
    header = parcel.header
    if report.kind is ReportKind.COMPLAINT:
        report = replace(report, traces=(*report.traces, *_originals(parcel)))
    if _is_made_by_a_program(header) and _could_be_a_wish(report):
        report = replace(report, kind=ReportKind.AUTOREPLY, leaves=False, wish=False)
    return report, _key(world, report, header, data)


def _originals(parcel: Parcel) -> Iterator[str]:
    """Our return path and envelope id as a feedback report repeats them (RFC 5965 section 3.2).

    Often nothing else is left: providers cross out the rest of what they return.
    """
    for part in parcel.of_kind("message/feedback-report"):
        fields = read_header(part.text())
        yield from fields.all("original-mail-from", "original-envelope-id")


def _is_made_by_a_program(header: Header) -> bool:
    """RFC 3834 section 5: everything but `no`, with parameters or without."""
    said = header.get("auto-submitted").partition(";")[0].strip().lower()
    return said not in ("", "no")


def _could_be_a_wish(report: Report) -> bool:
    """A person's mail, as far as its form goes."""
    if report.kind is ReportKind.COMPLAINT:
        return not report.genuine
    return report.kind is ReportKind.NOT_BOUNCE


def _key(world: World, report: Report, header: Header, data: bytes) -> str:
    """Message-ID and token: the same report that came by two ways has the same; else its bytes.

    The kind belongs to it, for there are servers that give a delay and the final word one id.
    """
    message_id = header.get("message-id").strip()
    delivery = world.signer.find_bounce(report.traces)
    ref = world.signer.find_mail(report.traces)
    if not message_id or (delivery is None and ref is None):
        return sha256(data).hexdigest()
    parts = (report.kind, message_id, str(delivery), ref.hex() if ref else "")
    return sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()
