"""Turns a report's parts into what it tells people, and into the header that it returns."""

from __future__ import annotations

import re
from dataclasses import dataclass

from digest.deliveries.reports.parcel import Header, Parcel, Part, read_header, split_header
from digest.deliveries.reports.wording import any_of
from digest.model.text import plain_text

#: characters of the notice, and of the returned text, that are looked at
MAX_NOTICE = 60_000
MAX_RETURNED = 60_000
MAX_LINE = 2_000

_RETURNED = (
    "message/rfc822",
    "text/rfc822-headers",
    "message/rfc822-headers",
    "message/global",
    "message/global-headers",
    "message/partial",
    "text/rfc822",
    "message/x-original",
)
#: where the notice ends and the message that it returns begins
_SEPARATOR = any_of(
    r"""
    (?m:^)[ \t]*+[-=_*#+]{2,}+[^\n]{0,40}?<rule>
    (?m:^)[ \t]*+original message(?: follows| headers?)?[ .:]*(?m:$)
    (?m:^)[ \t]*+<opening>
    """,
    rule=r"""
    original\b|original-?message
    (?:returned|unsent|undelivered|forwarded) message
    copy of (?:the|your)
    (?:message |the )?headers? (?:of the|follow)
    message (?:header|follows)
    below this line
    includes the (?:original|message)
    text of your|start of returned|the message that|your message|received:
    mensaje original|message d'origine|ursprünglich|オリジナル|原文|原信
    """,
    opening=r"""
    original message headers:
    (?:below is|below this line is|this is) (?:a|the) copy
    the original message(?:'s headers)? (?:follows|is attached|was:)
    possibly truncated original message
    your original message (?:follows|is|was)
    message headers? ?(?:follow|:)
    header of (?:the )?original
    the following is the (?:message|header)
    copy of the (?:original )?message
    unsent message
    ursprüngliche nachricht|исходное сообщение
    received: (?:from|by|\()
    return-path: ?<
    """,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a report says to a person, and what it returns."""

    text: str
    returned: Header


def read_notice(parcel: Parcel) -> Notice:
    """The words of a report up to the returned message, and the header of that message."""
    returned = next((_header_of(part) for part in parcel.of_kind(*_RETURNED)), Header())
    told: list[str] = []
    for text in _texts(parcel):
        cut = _SEPARATOR.search(text)
        told.append(text[: cut.start()] if cut else text)
        if cut and not returned.fields:
            returned = _header_in(text[cut.start() :])
    return Notice(text="\n\n".join(told)[:MAX_NOTICE], returned=returned)


def _texts(parcel: Parcel) -> list[str]:
    """Plain text; HTML where there is none. Long lines are cut."""
    plain = parcel.of_kind("text/plain", "text", "text/enriched")
    texts = [part.text() for part in plain[:5] if _is_shown(part) or len(plain) == 1]
    if not any(text.strip() for text in texts):
        texts = [plain_text(part.text()[:MAX_NOTICE]) for part in parcel.of_kind("text/html")[:3]]
    if not texts:  # a kind that nobody knows, such as text/report
        texts = [part.text() for part in parcel.parts[:1] if part.kind.startswith("text/")]
    return ["\n".join(line[:MAX_LINE] for line in text.split("\n")) for text in texts]


def _is_shown(part: Part) -> bool:
    return not part.header.get("content-disposition").lower().startswith("attachment")


def _header_of(part: Part) -> Header:
    """The header in a returned part; some put empty lines before it."""
    body = part.content()[:MAX_RETURNED].lstrip(b"\n \t")
    if part.kind in ("text/rfc822-headers", "message/global-headers", "message/rfc822-headers"):
        return read_header(body.decode("utf-8", "replace"))
    return split_header(body)[0]


def _header_in(text: str) -> Header:
    """The header in plain text after a separator: from its first field to the next empty line."""
    lines = text[:MAX_RETURNED].split("\n")
    fields = re.compile(r"[A-Za-z][\w-]{1,40}:")
    start = next((n for n, line in enumerate(lines) if fields.match(line.strip())), len(lines))
    block: list[str] = []
    for line in lines[start:]:
        if not line.strip() and block:
            break
        block.append(line)
    indented = all(line[:1] in " \t>" for line in block if line)
    return read_header("\n".join(line.lstrip(" \t>") if indented else line for line in block))
