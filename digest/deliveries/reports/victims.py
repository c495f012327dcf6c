"""Finds in the words of a report who did not get the message, and what was said of each."""

from __future__ import annotations

import re
from dataclasses import dataclass

from digest.deliveries.reports import addresses
from digest.deliveries.reports.addresses import ADDRESS
from digest.deliveries.reports.wording import any_of

#: people that one text may name
MAX_VICTIMS = 100
MAX_LINES = 1_500
MAX_SAID = 1_500

#: a line that begins with an address: "<a@b>:", "* a@b", ">>> a@b <<<", "a@b on Thu, ..."
_LISTED = re.compile(
    r"^[ \t]*+(?:[*•·+-]|>>>|\d{1,3}[.)])?+[ \t]*+[\"'<(`]{0,3}+(?:mailto:|smtp:|rfc822;[ ]?)?"
    rf"({ADDRESS.pattern})",
    re.ASCII | re.IGNORECASE,
)
#: words that stand before or after the address of whom they are about
_NEAR = any_of(
    r"""
    deliver|fail|reject|refus|return|bounce|error|exceed|full
    recipient|rcpt to|user~|mailbox|addressed|addressee
    unknown|no such|not found|invalid
    unable|could not|couldn't|cannot
    generated (?:by|from)
    zugestellt|empfänger|destinat|usuario|utilisateur|adres|получател|доставлен
    送信|宛先|配信|收件|无法
    """
)
_REPLY = re.compile(r"^[ \t]*+(?:<<<|#?)[ \t]*+#?[45]\d\d[ -]")
_TRANSCRIPT = re.compile(r"^[ \t]*+(?:>>>|sent >>>)?[ \t]*+rcpt to:", re.IGNORECASE)
#: fields of the message quoted in the words about it
_FIELD = any_of(
    r"""
    ^[ \t>]*+<name>[ \t]*+:
    """,
    name=r"""
    from|sender|reply-to|mail from|envelope-from|by|received|return-path
    message-id|id|in-reply-to|references|dkim[\w-]*|x-[\w-]+
    cc|subject|date|sent|original message
    von|de|absender|expéditeur
    """,
)
_TO = re.compile(r"^[ \t>]*+(?:original[- ])?(?:to|an|para|à|a|recipients?)[ \t]*+:", re.IGNORECASE)
#: words about whom to ask
_ASK = any_of(
    r"""
    contact|assistance|help|further|questions?|support|administrator|postmaster
    please (?:send|forward|reply|write|e-?mail)|reply to|forward|if you
    sent by|sender|on behalf|message-id
    """
)
_QUOTED = re.compile(r"^>(?!>>)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Victim:
    """An address, and the lines about it."""

    address: str
    said: str


def find_victims(text: str, *, ours: frozenset[str], returned: tuple[str, ...]) -> list[Victim]:
    """Who did not get it, as sure as the words are.

    `ours` are addresses that the report is addressed to or that sent the message: lower case, taken
    only where nobody else is named. `returned` is whom the returned message was for.
    """
    lines = [line for line in text.split("\n")[:MAX_LINES] if not _QUOTED.match(line)]
    listed = _listed(lines)
    others = [each for each in listed if each.address.lower() not in ours]
    if others:
        return others
    near = [each for each in _near(lines) if each.address.lower() not in ours]
    if near:
        return _of_returned(near, returned)
    if listed:
        return listed
    if len(returned) == 1:
        return [Victim(address=returned[0], said="")]
    if not returned:
        return _lonely(lines, ours)
    return []


def _listed(lines: list[str]) -> list[Victim]:
    """Addresses at the head of a line, each with what follows up to the next."""
    heads = [
        (number, address)
        for number, line in enumerate(lines)
        if (found := _LISTED.match(line))
        and not addresses.is_role(address := addresses.tidy(found[1]))
        and not _FIELD.match(line)
        and not (number and _ASK.search(lines[number - 1]))
    ]
    told: dict[str, list[str]] = {}
    spelling: dict[str, str] = {}
    ends = [number for number, _ in heads[1:]] + [len(lines)]
    for (number, address), end in zip(heads, ends, strict=False):
        key = address.lower()
        if key not in told and len(told) == MAX_VICTIMS:
            break
        spelling.setdefault(key, address)
        told.setdefault(key, []).append("\n".join(lines[number : min(end, number + 25)]))
    return [
        Victim(address=spelling[key], said="\n".join(said)[:MAX_SAID]) for key, said in told.items()
    ]


def _near(lines: list[str]) -> list[Victim]:
    """Addresses in lines that speak of a failure, or just after one."""
    found: dict[str, Victim] = {}
    before = ""
    for number, line in enumerate(lines):
        if "@" in line and not _FIELD.match(line) and not _ASK.search(line):
            about = before.lower() + " " + line.lower()
            if (
                _NEAR.search(ADDRESS.sub(" ", about))
                or _REPLY.match(line)
                or _TRANSCRIPT.match(line)
            ):
                said = "\n".join(lines[max(0, number - 1) : number + 12])[:MAX_SAID]
                for address in addresses.find(line):
                    if not addresses.is_role(address) and not _is_id(line, address):
                        found.setdefault(address.lower(), Victim(address=address, said=said))
        before = line if line.strip() else before
        if len(found) >= MAX_VICTIMS:
            break
    return list(found.values())


def _is_id(line: str, address: str) -> bool:
    """True where it is no address but the name of a message."""
    before = line.lower().partition(address.lower())[0]
    return before.rstrip(" <").endswith(("id", "id:", "message-id:", "ref:"))


def _of_returned(near: list[Victim], returned: tuple[str, ...]) -> list[Victim]:
    """Where several are named and some of them were written to, those are meant."""
    known = {each.lower() for each in returned}
    meant = [each for each in near if each.address.lower() in known]
    return meant or near


def _lonely(lines: list[str], ours: frozenset[str]) -> list[Victim]:
    """The one address that the words name at all, `To:` of the quoted message among it."""
    for chosen in (
        [line for line in lines if _TO.match(line)],
        [line for line in lines if not _FIELD.match(line) and not _ASK.search(line)],
    ):
        found = [
            each
            for each in addresses.find_in(chosen)
            if each.lower() not in ours and not addresses.is_role(each)
        ]
        if len(found) == 1:
            return [Victim(address=found[0], said="")]
    return []
