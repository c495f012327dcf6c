"""Turns a delivery status (RFC 3464) into its fields, a recipient at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from digest.deliveries.reports import addresses
from digest.deliveries.reports.causes import find_code, find_status
from digest.deliveries.reports.decode import decode_field

#: recipients of one report that are read
MAX_RECIPIENTS = 100
MAX_LINES = 4_000
MAX_VALUE = 700

_FIELD = re.compile(r"([A-Za-z][\w-]{1,40})[ \t]*:(.*)")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_RECIPIENTS = ("original-recipient", "final-recipient", "x-actual-recipient")
#: what makes a group of lines one about a recipient
_ABOUT = (*_RECIPIENTS, "action", "status", "diagnostic-code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What a report says of one recipient."""

    #: the one that we wrote to where it tells both; None where it names a pipe or nobody
    address: str | None
    #: "failed", "delayed", "delivered", or nothing
    action: str
    code: int | None
    status: str | None
    #: what the server said
    text: str
    #: every address that it names
    named: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A delivery status, read: fields about the message, and the fates."""

    envelope_id: str = ""
    sender: str = ""
    fates: tuple[Fate, ...] = ()


def read_status(text: str) -> Status:
    """Read the fields, in whatever order and with whatever empty lines they stand."""
    envelope_id = sender = ""
    fates: list[Fate] = []
    for group in _groups(text):
        envelope_id = envelope_id or group.get("original-envelope-id", "")
        sender = sender or group.get("x-postfix-sender", "") or group.get("x-sender", "")
        if any(name in group for name in _ABOUT):
            fates.append(_fate(group))
    return Status(envelope_id=envelope_id, sender=sender, fates=tuple(fates[:MAX_RECIPIENTS]))


def _groups(text: str) -> list[dict[str, str]]:
    """The fields of each recipient; a new one begins where a field comes a second time."""
    groups: list[dict[str, str]] = [{}]
    last = ""
    blank = False
    for line in text.split("\n")[:MAX_LINES]:
        if not line.strip():
            blank, last = True, ""
            continue
        if line[0] in " \t" and last:
            groups[-1][last] = f"{groups[-1][last]} {line.strip()}"[:MAX_VALUE]
            continue
        found = _FIELD.match(line.lstrip(" \t"))
        if found is None:  # a reply of several lines, not folded
            if last:
                groups[-1][last] = f"{groups[-1][last]} {line.strip()}"[:MAX_VALUE]
            continue
        name, value = found[1].lower(), found[2].strip()[:MAX_VALUE]
        if _begins_another(groups[-1], name, after_blank=blank):
            groups.append({})
        blank, last = False, name
        groups[-1].setdefault(name, value)
    return groups


def _begins_another(group: dict[str, str], name: str, *, after_blank: bool) -> bool:
    if name in group and name in _ABOUT:
        return True
    whole = "action" in group and any(each in group for each in _RECIPIENTS)
    return after_blank and (whole or not any(each in group for each in _ABOUT))


def _fate(group: dict[str, str]) -> Fate:
    said = decode_field(group.get("diagnostic-code", ""))
    kind, _, rest = said.partition(";")
    text = rest.strip() if rest and len(kind) < 30 and " " not in kind.strip() else said  # noqa: PLR2004
    text = text or group.get("x-notes", "") or group.get("x-display-text", "")
    status = find_status(group.get("status", ""))
    within = find_status(text)
    if within and (status is None or status.endswith(".0.0")):
        status = within
    named = tuple(each for name in _RECIPIENTS if (each := _address(group.get(name, ""))))
    return Fate(
        address=named[0] if named else None,
        action=_action(group.get("action", ""), status),
        code=find_code(text),
        status=status,
        text=text,
        named=named,
    )


def _address(value: str) -> str | None:
    """`rfc822; user@host`, in every spelling; xtext in an Original-Recipient (RFC 3461 4.2)."""
    kind, semicolon, rest = value.partition(";")
    raw = (rest if semicolon else kind).strip()
    if "@" not in raw and "+40" in raw:
        raw = _XTEXT.sub(lambda found: chr(int(found[1], 16)), raw)
    if raw.startswith(("|", "/", '"|')) or "@" not in raw:
        return None
    if found := addresses.first(raw):
        return found
    plain = raw.strip("<>").split()[0]
    return addresses.tidy(plain) if not plain.startswith("@") else None


def _action(value: str, status: str | None) -> str:
    word = value.strip().lower()
    for stem, action in (
        ("fail", "failed"),
        ("undeliver", "failed"),
        ("expired", "failed"),
        ("delay", "delayed"),
        ("deliver", "delivered"),
        ("relay", "delivered"),
        ("expand", "delivered"),
    ):
        if word.startswith(stem):
            return action
    by_class = {"2": "delivered", "5": "failed"}
    return by_class.get((status or " ")[0], "")


def failed(fates: tuple[Fate, ...], *, late: bool) -> tuple[Fate, ...]:
    """The same fates where those without an action are taken as failed, or as late."""
    word = "delayed" if late else "failed"
    return tuple(fate if fate.action else replace(fate, action=word) for fate in fates)
