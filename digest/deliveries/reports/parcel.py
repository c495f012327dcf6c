"""Turns the bytes of a mail into header fields and leaf parts; bounded, and never raises.

The `email` package is not used: it recurses with the nesting, keeps broken bytes as surrogates and
reads all of a mail of 20 MB. What we want to know stands in the first part of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from digest.deliveries.reports.decode import decode_body, decode_field, decode_text

#: octets of a mail that are looked at; a report stands before the message that it returns
MAX_BYTES = 1_048_576
#: octets of one header; and fields in it, and characters of one
MAX_HEADER = 131_072
MAX_FIELDS = 400
MAX_VALUE = 4_000
MAX_DEPTH = 8
MAX_PARTS = 40
#: characters of text that are read in all
MAX_TEXT = 150_000

_FIELD = re.compile(r"([!-9;-~]{1,80})[ \t]*:(.*)", re.DOTALL)
_BOUNDARY = re.compile(
    r"\bboundary[ \t]*=[ \t]*(?:\"([^\"]{1,200})|([^\s;\"]{1,200}))", re.IGNORECASE
)
_CHARSET = re.compile(r"\bcharset[ \t]*=[ \t]*[\"']?([\w.:+-]{1,40})", re.IGNORECASE)
_GUESSED_BOUNDARY = re.compile(rb"(?im)^--([^\s-][^\n]{0,100})\ncontent-")
_KIND = re.compile(r"\s*([\w.+-]{1,40}/[\w.+-]{1,60})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Fields in their order: name in lower case, value unfolded and decoded."""

    fields: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """The first value of this name, or nothing."""
        return next((value for key, value in self.fields if key == name), "")

    def all(self, *names: str) -> list[str]:
        """Every value of these names."""
        return [value for key, value in self.fields if key in names]

    def has(self, name: str) -> bool:
        """True when there is such a field, though it be empty."""
        return any(key == name for key, _ in self.fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A leaf of a mail: what is no multipart. `body` is as it was sent."""

    header: Header
    #: "text/plain", in lower case
    kind: str
    body: bytes

    def content(self) -> bytes:
        """The body without its transfer encoding."""
        return decode_body(self.body, self.header.get("content-transfer-encoding"))

    def text(self) -> str:
        """The body as text, at most MAX_TEXT characters, with LF at line ends."""
        charset = _CHARSET.search(self.header.get("content-type"))
        return decode_text(self.content()[:MAX_TEXT], charset[1] if charset else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A whole mail, opened: its own header and its leaf parts. Returned mails stay closed."""

    header: Header
    parts: tuple[Part, ...]

    def of_kind(self, *kinds: str) -> list[Part]:
        """The parts of these kinds."""
        return [part for part in self.parts if part.kind in kinds]


def open_parcel(data: bytes) -> Parcel:
    """Open a mail, in whatever state it is."""
    whole = data[:MAX_BYTES].replace(b"\0", b" ").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    header, body = split_header(whole.lstrip(b"\n \t\xef\xbb\xbf"))
    parts: list[Part] = []
    for part in _leaves(header, body):
        parts.append(part)
        if len(parts) == MAX_PARTS:
            break
    return Parcel(header=header, parts=tuple(parts))


def split_header(data: bytes) -> tuple[Header, bytes]:
    """The header at the head of `data`, and what stands after its empty line."""
    end = data.find(b"\n\n")
    if data.startswith(b"\n"):
        return Header(), data[1:]
    head = data[: end if end >= 0 else len(data)]
    body = data[end + 2 :] if end >= 0 else b""
    return read_header(head[:MAX_HEADER].decode("utf-8", "replace")), body


def read_header(text: str) -> Header:
    """Header fields of text in which lines that are none may stand; they are passed over."""
    fields: list[tuple[str, str]] = []
    name, lines = "", [""]
    for line in text.split("\n"):
        if line[:1] in (" ", "\t"):
            lines.append(line.strip())
            continue
        if name:
            fields.append((name, decode_field(" ".join(lines).strip()[:MAX_VALUE])))
        found = _FIELD.match(line)
        name, lines = (found[1].lower(), [found[2].strip()]) if found else ("", [""])
        if len(fields) >= MAX_FIELDS:
            return Header(fields=tuple(fields))
    if name:
        fields.append((name, decode_field(" ".join(lines).strip()[:MAX_VALUE])))
    return Header(fields=tuple(fields))


def _leaves(header: Header, body: bytes) -> Iterator[Part]:
    """Every part that is no multipart, in order, down to MAX_DEPTH."""
    waiting = [(header, body, 0, "text/plain")]
    while waiting:
        header, body, depth, default = waiting.pop()
        declared = header.get("content-type")
        found = _KIND.match(declared)
        kind = found[1].lower() if found else default
        if not kind.startswith("multipart/"):
            yield Part(header=header, kind=kind, body=body)
            continue
        if depth == MAX_DEPTH:
            continue
        pieces = _pieces(declared, body)
        if not pieces:  # the boundary is a lie: read what there is
            yield Part(header=header, kind="text/plain", body=body)
            continue
        inner = "message/rfc822" if kind == "multipart/digest" else "text/plain"
        opened = [(*split_header(piece), depth + 1, inner) for piece in pieces]
        waiting.extend(reversed(opened))


def _pieces(declared: str, body: bytes) -> list[bytes]:
    """What stands between the boundaries (RFC 2046 5.1.1), at most MAX_PARTS."""
    named = _BOUNDARY.search(declared)
    boundary = (named[1] or named[2]).rstrip().encode("utf-8", "replace") if named else b""
    if not boundary or b"--" + boundary not in body:
        guessed = _GUESSED_BOUNDARY.search(body)
        if guessed is None:
            return []
        boundary = guessed[1].rstrip()
    marker = b"\n--" + boundary
    pieces = (b"\n" + body).split(marker, MAX_PARTS)[1:]
    kept = []
    for piece in pieces:
        rest, _, content = piece.partition(b"\n")
        if rest.startswith(b"--"):
            break
        kept.append(content)
    return kept
