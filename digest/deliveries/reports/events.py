"""Reads the notification of a provider that comes by mail as JSON (Amazon SES over SNS)."""

from __future__ import annotations

import json
from typing import Any

from digest.deliveries.reports import addresses
from digest.deliveries.reports.causes import cause_of
from digest.deliveries.reports.parcel import Parcel
from digest.model.report import Cause, Failure, Report, ReportKind

MAX_JSON = 100_000
MAX_PEOPLE = 100


def read_event(parcel: Parcel) -> Report | None:
    """What the notification says; None when the text is none."""
    for part in parcel.of_kind("text/plain")[:1]:
        text = part.text()[:MAX_JSON].lstrip()
        if text.startswith("{") and ("notificationType" in text or "eventType" in text):
            return _understand(_decode(text))
    return None


def _decode(text: str) -> dict[str, Any]:
    try:
        document, _ = json.JSONDecoder().raw_decode(text.replace("\n", " "))
        if isinstance(document, dict) and isinstance(document.get("Message"), str):
            document = json.loads(document["Message"])
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _understand(document: dict[str, Any]) -> Report | None:
    kind = document.get("notificationType") or document.get("eventType")
    if kind == "Bounce":
        detail = _dict(document.get("bounce"))
        soft = detail.get("bounceType") == "Transient"
        failures = [_failure(each, soft=soft) for each in _people(detail, "bouncedRecipients")]
        return Report(kind=ReportKind.BOUNCE, failures=tuple(f for f in failures if f))
    if kind == "Complaint":
        detail = _dict(document.get("complaint"))
        who = tuple(
            str(each.get("emailAddress", "")) for each in _people(detail, "complainedRecipients")
        )
        leaves = detail.get("complaintFeedbackType") in (None, "abuse")
        return Report(kind=ReportKind.COMPLAINT, addresses=tuple(filter(None, who)), leaves=leaves)
    if kind == "Delivery":
        got = _dict(document.get("delivery")).get("recipients")
        people = tuple(str(each) for each in got[:MAX_PEOPLE]) if isinstance(got, list) else ()
        return Report(kind=ReportKind.DELIVERED, addresses=people)
    return None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _people(detail: dict[str, Any], name: str) -> list[dict[str, Any]]:
    people = detail.get(name)
    return [_dict(each) for each in people[:MAX_PEOPLE]] if isinstance(people, list) else []


def _failure(person: dict[str, Any], *, soft: bool) -> Failure | None:
    address, text = str(person.get("emailAddress", "")), str(person.get("diagnosticCode", ""))
    status = person.get("status") if isinstance(person.get("status"), str) else None
    if "@" not in address:
        return None
    cause = cause_of(None, status, text)
    if soft and cause.hard:
        cause = Cause.PASSING
    return Failure(
        address=addresses.tidy(address),
        cause=cause,
        status=status,
        text=" ".join(text.split())[:500],
    )
