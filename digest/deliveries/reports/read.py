"""Turns the bytes of a mail that came back into a report; it never raises and does no I/O."""

from __future__ import annotations

import re
from dataclasses import replace

from digest.deliveries.reports import addresses, marks
from digest.deliveries.reports.causes import cause_of, find_status
from digest.deliveries.reports.complaint import read_complaint
from digest.deliveries.reports.events import read_event
from digest.deliveries.reports.notice import Notice, read_notice
from digest.deliveries.reports.parcel import Header, Parcel, open_parcel
from digest.deliveries.reports.status import Fate, Status, failed, read_status
from digest.deliveries.reports.traces import gather
from digest.deliveries.reports.victims import Victim, find_victims
from digest.model.report import Cause, Failure, Report, ReportKind
from digest.model.text import one_line

#: characters of what the server said that are kept
MAX_SAID = 500

_STATUS = (
    "message/delivery-status",
    "message/global-delivery-status",
    "text/delivery-status",
    "text/x-delivery-status",
)
_RECEIPT = ("message/disposition-notification", "message/global-disposition-notification")
#: fields that name those who sent the message, or whom the report is for
_OURS_HERE = ("to", "delivered-to", "x-original-to", "envelope-to", "from", "reply-to", "sender")
_OURS_THERE = ("from", "return-path", "sender", "reply-to", "errors-to")
_REPORTER = re.compile(r"(?im)^[ \t]*+reporting-mta[ \t]*+:")
_RECIPIENT = re.compile(r"(?im)^[ \t]*+final-recipient[ \t]*+:")
_ACTION = re.compile(r"(?im)^[ \t]*+action[ \t]*+:")
_REPORT = (*_STATUS, "message/feedback-report")


def read_report(data: bytes) -> Report:
    """What a mail is: a bounce, a complaint, an answer of a program, or none of them.

    Takes any bytes, of any length; looks at the first MiB of them.
    """
    parcel = open_parcel(data)
    notice = read_notice(parcel)
    status = _find_status_part(parcel, notice)
    report = _understand(parcel, notice, status)
    header = parcel.header
    genuine = bool(parcel.of_kind(*_REPORT)) or marks.is_nobody(header) or marks.is_daemon(header)
    named = [each for fate in status.fates for each in fate.named] if status else []
    others = (*([status.envelope_id, status.sender] if status else ()), *named)
    return replace(report, genuine=genuine, traces=gather(header, notice.returned, others))


def _understand(parcel: Parcel, notice: Notice, status: Status | None) -> Report:
    if complaint := read_complaint(parcel, notice):
        return complaint
    if event := read_event(parcel):
        return event
    if parcel.of_kind(*_RECEIPT) and not (status and status.fates):
        return _about_others(parcel.header, ReportKind.AUTOREPLY)
    if status is not None:
        return _by_status(parcel, notice, status)
    return _by_words(parcel, notice)


def _about_others(header: Header, kind: ReportKind) -> Report:
    return Report(kind=kind, addresses=tuple(addresses.find(header.get("from"))[:1]))


def _find_status_part(parcel: Parcel, notice: Notice) -> Status | None:
    """The delivery status: a part, or its fields in plain text, from a gateway."""
    parts = parcel.of_kind(*_STATUS)
    if parts:
        return read_status("\n\n".join(part.text() for part in parts[:5]))
    flat = _RECIPIENT.search(notice.text) and _ACTION.search(notice.text)
    if flat and not marks.is_answer(parcel.header):
        begin = _REPORTER.search(notice.text)
        return read_status(notice.text[begin.start() if begin else 0 :])
    return None


# ------------------------------------------------------------------- with a delivery status


def _by_status(parcel: Parcel, notice: Notice, status: Status) -> Report:
    late = marks.is_late(parcel.header, notice.text)
    fates = failed(status.fates, late=late)
    if not fates:
        return _by_words(parcel, notice)
    dead = [fate for fate in fates if fate.action == "failed"]
    slow = [fate for fate in fates if fate.action == "delayed"]
    if not dead and not slow:
        people = tuple(dict.fromkeys(fate.address for fate in fates if fate.address))
        return Report(kind=ReportKind.DELIVERED, addresses=people)
    failures = _failures(parcel, notice, dead or slow)
    if dead:
        return Report(kind=ReportKind.BOUNCE, failures=failures)
    return Report(kind=ReportKind.DELAYED, failures=_late(failures))


def _late(failures: tuple[Failure, ...]) -> tuple[Failure, ...]:
    """Whoever goes on trying does not know yet that somebody is gone."""
    vague = (Cause.REFUSED, Cause.PROTOCOL)
    return tuple(
        replace(each, cause=Cause.PASSING) if each.cause.hard or each.cause in vague else each
        for each in failures
    )


def _failures(parcel: Parcel, notice: Notice, fates: list[Fate]) -> tuple[Failure, ...]:
    alone = len(fates) == 1
    victims = {each.address.lower(): each for each in _victims(parcel, notice)}
    made: dict[str, Failure] = {}
    for fate in fates:
        if fate.address is None or fate.address.lower() in made:
            continue
        told = victims.get(fate.address.lower())
        said = notice.text if alone else (told.said if told else "")
        made[fate.address.lower()] = _failure(fate.address, fate, said)
    if made:
        return tuple(made.values())
    # the status names a pipe, a name without a domain, or nobody: the words may name them
    return tuple(_failure(each.address, fates[0], notice.text) for each in victims.values())


def _failure(address: str, fate: Fate, notice: str) -> Failure:
    """The server's own words decide; what people are told helps where these say nothing."""
    cause = cause_of(fate.code, fate.status, fate.text)
    silent = cause in (Cause.REFUSED, Cause.PROTOCOL) or (cause is Cause.PASSING and not fate.text)
    if silent or cause.hard:
        told = cause_of(fate.code, fate.status, notice)
        if silent or told is Cause.FULL:  # a mailbox that is full is there
            cause = told
    return _made(address, cause, fate.status, fate.text or notice)


def _made(address: str, cause: Cause, status: str | None, said: str) -> Failure:
    return Failure(
        address=address, cause=cause, status=status, text=one_line(said[:5_000])[:MAX_SAID]
    )


# ------------------------------------------------------------------- by words alone


def _by_words(parcel: Parcel, notice: Notice) -> Report:
    header = parcel.header
    daemon = marks.is_daemon(header) or header.has("x-failed-recipients")
    if marks.is_away_subject(header) and not daemon:
        return _about_others(header, ReportKind.AUTOREPLY)
    if marks.is_failure(header, notice.text, returns=bool(notice.returned.fields)):
        return _bounce_by_words(parcel, notice)
    if marks.is_autoreply(header):
        return _about_others(header, ReportKind.AUTOREPLY)
    return Report(kind=ReportKind.NOT_BOUNCE)


def _bounce_by_words(parcel: Parcel, notice: Notice) -> Report:
    if marks.is_arrived(parcel.header):
        return Report(kind=ReportKind.DELIVERED)
    if inner := _report_inside(parcel):
        return inner
    victims = _victims(parcel, notice)
    late = marks.is_late(parcel.header, notice.text)
    told, alone = notice.text, len(victims) == 1
    overall = cause_of(None, None, told)
    failures = tuple(_from_words(each, told, overall=overall, alone=alone) for each in victims)
    if late:
        return Report(kind=ReportKind.DELAYED, failures=_late(failures))
    return Report(kind=ReportKind.BOUNCE, failures=failures)


def _report_inside(parcel: Parcel) -> Report | None:
    """A report that a mail system sent on whole; what it returns is not opened once more."""
    for part in parcel.of_kind("message/rfc822")[:1]:
        inner = open_parcel(part.content())
        status = inner.of_kind(*_STATUS)
        notice = read_notice(inner)
        if status:
            return _by_status(inner, notice, read_status(status[0].text()))
    return None


def _from_words(victim: Victim, notice: str, *, overall: Cause, alone: bool) -> Failure:
    cause = cause_of(None, None, victim.said)
    if cause is Cause.REFUSED or (alone and cause.hard and overall is Cause.FULL):
        cause = overall
    said = victim.said or notice
    return _made(victim.address, cause, find_status(said), said)


def _victims(parcel: Parcel, notice: Notice) -> list[Victim]:
    """Who did not get it: the header names them, or the words do."""
    header, returned = parcel.header, notice.returned
    named = [*header.all(*_OURS_HERE), *returned.all(*_OURS_THERE)]
    ours = frozenset(each.lower() for each in addresses.find_in(named))
    written_to = tuple(
        each for each in addresses.find_in(returned.all("to", "cc")) if each.lower() not in ours
    ) or tuple(addresses.find_in(returned.all("to")))
    found = find_victims(notice.text, ours=ours, returned=written_to)
    declared = addresses.find_in(header.all("x-failed-recipients"))
    if not declared:
        return found
    said = {each.address.lower(): each for each in found}
    return [said.get(each.lower()) or Victim(address=each, said="") for each in declared]
