"""Turns a feedback report (RFC 5965), or what stands for one, into a complaint."""

from __future__ import annotations

import re

from digest.deliveries.reports import addresses, marks
from digest.deliveries.reports.notice import Notice
from digest.deliveries.reports.parcel import Header, Parcel, read_header
from digest.model.report import Report, ReportKind

#: what a reader's button says; fraud, virus, auth-failure and not-spam are nobody's wish to leave
_LEAVES = frozenset({"abuse", "complaint"})
_WISHES = frozenset({"opt-out", "opt-out-list", "unsubscribe"})
_FEEDBACK = re.compile(r"(?im)^[ \t]*feedback-type[ \t]*:[ \t]*[\w-]+")
_PARTS = ("message/feedback-report", "text/feedback-report", "application/feedback-report")
_WISH = re.compile(
    r"\s*(?:unsubscribe(?: me| request)?|opt-?out|remove(?: me)?|abmelden|abmeldung|abbestellen"
    r"|désabonnement|désinscription|se désabonner|cancelar suscripción|darse de baja"
    r"|cancella iscrizione)\W*",
    re.IGNORECASE,
)
_JUNK_BUTTON = re.compile(r"\s*complaint about message from", re.IGNORECASE)
#: where providers say who complained, before the returned message says whom it was for
_WHO = (
    "original-rcpt-to",
    "removal-recipient",
    "redacted-address",
    "x-hmxmroriginalrecipient",
    "original-recipient",
)
_RETURNED_WHO = (
    "x-hmxmroriginalrecipient",
    "x-apparently-to",
    "delivered-to",
    "x-original-to",
    "to",
)


def read_complaint(parcel: Parcel, notice: Notice) -> Report | None:
    """The complaint; None when it is none. Traces and form are for the caller to add."""
    feedback = _feedback(parcel, notice)
    if feedback is not None:
        kinds = {word for value in feedback.all("feedback-type") for word in _words(value)}
        who = _who(feedback, notice.returned)
        leaves = not kinds.isdisjoint(_LEAVES)
        return _complaint(who, leaves=leaves, wish=not leaves and not kinds.isdisjoint(_WISHES))
    if _is_junk_button(parcel, notice):
        return _complaint(_who(parcel.header, notice.returned), leaves=True)
    if _is_wish(parcel.header):
        return _complaint(addresses.find(parcel.header.get("from"))[:1], wish=True)
    return None


def _complaint(who: list[str], *, leaves: bool = False, wish: bool = False) -> Report:
    return Report(
        kind=ReportKind.COMPLAINT, addresses=tuple(who[:20]), leaves=leaves or wish, wish=wish
    )


def _words(value: str) -> list[str]:
    return value.strip().lower().split()[:1]


def _feedback(parcel: Parcel, notice: Notice) -> Header | None:
    """The fields of the report part; or of plain text, where a gateway flattened the report."""
    for part in parcel.of_kind(*_PARTS):
        return read_header(part.content()[:65_536].decode("utf-8", "replace"))
    report = "feedback-report" in parcel.header.get("content-type").lower()
    found = _FEEDBACK.search(notice.text)
    if found and (report or re.search(r"(?im)^[ \t]*user-agent[ \t]*:", notice.text)):
        text = notice.text[found.start() :][:20_000]
        return read_header("\n".join(line.strip() for line in text.split("\n")))
    return Header() if report and not marks.is_answer(parcel.header) else None


def _is_junk_button(parcel: Parcel, notice: Notice) -> bool:
    """Hotmail's form: the returned message alone, and a subject."""
    return bool(
        notice.returned.has("x-hmxmroriginalrecipient")
        or (_JUNK_BUTTON.match(parcel.header.get("subject")) and notice.returned.fields)
    )


def _is_wish(header: Header) -> bool:
    """A mail program that obeys `List-Unsubscribe: <mailto:…>` (RFC 2369 3.2)."""
    if header.get("x-apple-unsubscribe").strip().lower() == "true":
        return True
    return _WISH.fullmatch(header.get("subject")) is not None and not header.has("list-id")


def _who(feedback: Header, returned: Header) -> list[str]:
    """Who complained; often crossed out by the provider."""
    for values in (feedback.all(*_WHO), *([returned.get(name)] for name in _RETURNED_WHO)):
        if found := addresses.find_in(values):
            return found
    return []
