"""Turns names and values into header fields, ASCII bytes that arrive as they were meant.

The standard library's folding turns a List-Unsubscribe, Feedback-ID or Message-ID that has no
space into RFC 2047 encoded-words, where RFC 2047 section 5 forbids them, and one-click is gone
without a word. So each kind of field is written here by its own rule, and none by another's.
"""

from __future__ import annotations

import re
from email.header import Header
from typing import TYPE_CHECKING, Final

from digest.errors import AddressRefused
from digest.messages import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

#: octets of a line without its end: RFC 5322 section 2.1.1, the limit and the wish
_LINE: Final = 998
_WISH: Final = 78

_FIELD_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_RAW: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_ADDRESS: Final = re.compile(r"[^\s@<>()\[\],;:\\\"\x00-\x20\x7f-\uffff]+@[A-Za-z0-9.-]+")
_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")


def raw(value: str) -> str:
    """Return a structured value as it is. Raises ValueError at anything but printable ASCII."""
    if _RAW.fullmatch(value) is None:
        raise ValueError(f"not fit for a header field: {value!r}")
    return value


def text(name: str, value: str) -> str:
    """Return unstructured text (RFC 5322 section 3.6.5), folded, as encoded-words if need be.

    Text that looks like an encoded-word is encoded itself, so that it is shown as it is.
    """
    value = plain.one_line(value)
    if (
        value.isascii()
        and "=?" not in value
        and max(map(len, value.split(" "))) < _WISH - len(name)
    ):
        return Header(value, "us-ascii", header_name=name, maxlinelen=_WISH).encode(linesep="\r\n")
    return Header(value, "utf-8", header_name=name, maxlinelen=_WISH - 2).encode(linesep="\r\n")


def phrase(name: str, value: str) -> str:
    """Return a display name (RFC 5322 section 3.2.5): atoms, a quoted string or encoded-words."""
    value = plain.one_line(value)
    if not value.isascii() or "=?" in value or len(value) + len(name) + 4 > _WISH:
        return Header(value, "utf-8", header_name=name, maxlinelen=_WISH - 2).encode(linesep="\r\n")
    if _ATOMS.fullmatch(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def address(value: str) -> str:
    """Return an addr-spec as it is. Raises AddressRefused where it needs SMTPUTF8 or quotes.

    RFC 2047 section 5 forbids encoded-words here, so there is no other way to write it.
    """
    if _ADDRESS.fullmatch(value) is None or len(value) > 254:  # noqa: PLR2004 -- RFC 5321 section 4.5.3.1.3
        raise AddressRefused(
            f"{value!r} cannot stand in a header: it needs a local part without quotes or spaces"
            " and a domain, all in ASCII"
        )
    return value


def mailbox(name: str, display: str, addr_spec: str) -> str:
    """Return `display <addr_spec>`, or the bare address where there is nothing to display."""
    shown = phrase(name, display)
    if not shown:
        return address(addr_spec)
    return _followed(shown, f"<{address(addr_spec)}>", name)


def list_id(title: str, identity: str) -> str:
    """Return a List-Id (RFC 2919): a title, cut to keep the field within 255 octets, and the id."""
    for limit in (60, 30, 12, 0):
        shown = phrase("List-Id", plain.shorten(plain.one_line(title), limit)) if limit else ""
        value = _followed(shown, raw(f"<{identity}>"), "List-Id") if shown else raw(f"<{identity}>")
        if len(value) <= 255:  # noqa: PLR2004 -- RFC 2919 section 2
            break
    return value


def _followed(shown: str, rest: str, name: str) -> str:
    """`shown rest`, with a fold between where the line would grow longer than is nice."""
    last = shown.rpartition("\n")[2]
    used = len(last) + (len(name) + 2 if last == shown else 0)
    return f"{shown} {rest}" if used + 1 + len(rest) <= _WISH else f"{shown}\r\n {rest}"


def write_fields(fields: Iterable[tuple[str, str]]) -> bytes:
    """Return the header: each field once, CRLF line ends, no empty line after it.

    Raises ValueError where a value, folded as it is, would break the header or a line its limit.
    """
    seen: set[str] = set()
    lines: list[str] = []
    for name, value in fields:
        if name.lower() in seen or _FIELD_NAME.fullmatch(name) is None:
            raise ValueError(f"{name}: written twice, or no field name")
        seen.add(name.lower())
        for line in f"{name}: {value}".split("\r\n"):
            if (
                len(line) > _LINE
                or not line.isascii()
                or not line.isprintable()
                or not line.strip()
            ):
                raise ValueError(f"{name}: a line that no header can hold: {line[:80]!r}")
        if any(not line.startswith(" ") for line in value.split("\r\n")[1:]):
            raise ValueError(f"{name}: a line that would be a field of its own")
        lines.append(f"{name}: {value}\r\n")
    return "".join(lines).encode("ascii")
