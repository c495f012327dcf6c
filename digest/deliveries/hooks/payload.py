"""Turns a stranger's bytes into JSON, and any JSON value into the text, time or address in it.

Nothing here raises: what is not there, or of another kind, is empty. Every text comes out on one
line, without controls or halves of surrogate pairs, and not too long, so that it can be stored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from digest.deliveries.hooks.event import Malformed
from digest.model.text import one_line

#: a JSON object, or the empty one where there was none
Payload = Mapping[str, object]

_ID: Final = 200
_TEXT: Final = 500
_TRACE: Final = 1000
#: values that we keep, and that we look at, when we look for our token
_TRACES: Final = 40
_LOOKS: Final = 400
_DEPTH: Final = 3
#: RFC 5321 4.5.3.1.3: a path has 256 octets, with its brackets
_ADDRESS: Final = 254
#: more seconds than this since 1970 are milliseconds
_MILLISECONDS: Final = 100_000_000_000
_YEARS: Final = range(2000, 2200)


def parse_json(body: bytes | str) -> object:
    """The value, or `Malformed` for what is no JSON or is nested deeper than a reader can go."""
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        return Malformed(reason="the body is not JSON")
    return value


def parse_object(body: bytes | str) -> Payload | Malformed:
    """The JSON object in `body`."""
    value = parse_json(body)
    if isinstance(value, Malformed):
        return value
    return value if isinstance(value, dict) else Malformed(reason="the body is no JSON object")


def object_of(value: object) -> Payload:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}


def list_of(value: object) -> list[object]:
    """The list, or an empty one."""
    return value if isinstance(value, list) else []


def text_of(value: object, limit: int = _TEXT) -> str:
    """The text, or the integer as text; empty for everything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return one_line(value[: 4 * limit])[:limit] if isinstance(value, str) else ""


def id_of(value: object) -> str:
    """A provider's id; empty where there is none."""
    return text_of(value, _ID)


def made_id(*parts: str) -> str:
    """An id for an event that has none: the same parts give the same one."""
    return sha256("\0".join(parts).encode()).hexdigest()[:40]


def address_of(value: object) -> str:
    """The address in `a@b`, `<a@b>` or `Name <a@b>`, its domain in lower case; or empty."""
    text = text_of(value, _TRACE)
    inside = re.search(r"<([^<>]*)>$", text)
    local, _, domain = (inside[1] if inside else text).rpartition("@")
    address = f"{local}@{domain.lower()}"
    alone = text.count("<") <= 1 and " " not in address  # a header field may name several
    return address if local and domain and alone and len(address) <= _ADDRESS else ""


def moment_of(value: object) -> datetime | None:
    """The time in seconds or milliseconds since 1970, or as ISO 8601; UTC without a zone."""
    try:
        if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,15}(?:\.[0-9]{1,9})?", value):
            moment = datetime.fromisoformat(value[:40])
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            seconds = float(value)
            if seconds > _MILLISECONDS:
                seconds /= 1000
            moment = datetime.fromtimestamp(seconds, UTC)
        else:
            return None
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment.year in _YEARS else None


def gather_traces(*values: object) -> tuple[str, ...]:
    """The texts in these values and, not too deep, in the lists and objects among them."""
    found: dict[str, None] = {}
    waiting = [(value, 0) for value in reversed(values)]
    for _ in range(_LOOKS):
        if not waiting or len(found) == _TRACES:
            break
        value, depth = waiting.pop()
        inner = list(value.values()) if isinstance(value, dict) else list_of(value)
        if depth < _DEPTH:
            waiting += [(each, depth + 1) for each in reversed(inner[:_LOOKS])]
        if text := text_of(value, _TRACE):
            found[text] = None
    return tuple(found)
