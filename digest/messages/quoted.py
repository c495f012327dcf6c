"""Turns text into quoted-printable lines that nothing on the way has a reason to change.

No line begins with a dot (which SMTP doubles) or with "From " (which some programs mark), there is
no tab and no second space in a row, and none at a line's end (which DKIM's relaxed form drops): so
the bytes are what goes over the wire and what is hashed.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence
from typing import Final

#: literal text and values by turns, beginning and ending with text
Passage = Sequence[str]

#: octets of an encoded line without its end (RFC 2045, section 6.7)
_LONGEST: Final = 76
_SOFT: Final = b"=\r\n"
#: what somebody on the way would change, and whether the line begins behind its first octet
_SIGNS: Final = {b"\n.": True, b"\nFrom ": True, b"  ": False, b"\t": False}
#: what a line of it says as it is
_PLAIN: Final = re.compile(r"(?!From |\.)[!-<>-~]+")
_TOKEN: Final = re.compile(rb"=[0-9A-F]{2}|.")


def encode_passage(passage: Passage) -> list[bytes]:
    """Return the pieces of a body, encoded, its values whole between soft line breaks.

    What a value becomes depends on nothing around it, so it can be put in later. Joined, the
    pieces are a text that ends with one line end.
    """
    last = len(passage) - 1
    found = []
    for place, piece in enumerate(passage):
        if place == last:
            encoded = encode(piece.rstrip("\r\n") + "\n")
        elif place % 2:
            encoded = encode_value(piece)
        else:
            encoded = _open(piece)
        if place % 2 == 0 and place and not encoded.startswith(b"\r\n"):
            encoded = _SOFT + encoded
        found.append(encoded)
    return found


def encode_value(value: str) -> bytes:
    """Return a value that stands between soft line breaks, with room for the one behind it."""
    if len(value) < _LONGEST and _PLAIN.fullmatch(value):
        return value.encode("ascii")
    return encode(value + "x")[:-1]


def _open(text: str) -> bytes:
    """Literal text before a value: empty, or ending with a line end of either kind."""
    if not text or text.endswith(("\r", "\n")):
        return encode(text)
    encoded = encode(text + "x")[:-1]
    return encoded if encoded.endswith(_SOFT) else encoded + _SOFT


def encode(text: str) -> bytes:
    """Return text that begins a line as quoted-printable; its last line has at most 76 octets."""
    whole = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    # an end more, because it tells b2a_qp how lines end
    found = binascii.b2a_qp(f"{whole}\r\n".encode("utf-8", "replace"), istext=True)
    pieces, done = [], 0
    for begin in sorted(_tempting(found)):
        end = found.find(b"\r\n", begin)
        pieces += [found[done:begin], _harden(found[begin:end])]
        done = end
    return b"".join((*pieces, found[done:]))[:-2]


def _tempting(text: bytes) -> set[int]:
    """Where lines begin that somebody would change, or that b2a_qp made too long (a last space).

    Searched for bytes by bytes: an expression for all of it takes ten times as long.
    """
    begins = {0} if text.startswith((b".", b"From ")) else set()
    for sign, ahead in _SIGNS.items():
        place = text.find(sign)
        while place >= 0:
            begins.add(place + 1 if ahead else text.rfind(b"\n", 0, place) + 1)
            place = text.find(sign, place + 1)
    lines = text.split(b"\r\n")
    if max(map(len, lines)) > _LONGEST:
        begins |= {
            sum(len(each) + 2 for each in lines[:number])
            for number, line in enumerate(lines)
            if len(line) > _LONGEST
        }
    return begins


def _harden(line: bytes) -> bytes:
    """The line with what tempts encoded, and broken anew where that made it too long."""
    soft = line.endswith(b"=")  # an escape never ends so
    lines = [b""]
    for token in _TOKEN.findall(line.removesuffix(b"=")):
        if len(lines[-1]) + len(token) + len(b"=20") > _LONGEST - 1:
            lines[-1] += b"="
            lines.append(b"")
        lines[-1] += _hardened(token, lines[-1])
    return b"\r\n".join(lines) + (b"=" if soft else b"")


def _hardened(token: bytes, before: bytes) -> bytes:
    if token == b"\t" or (token == b" " and before.endswith(b" ")):
        return b"=%02X" % token[0]
    if not before and token in (b".", b"F"):
        return b"=%02X" % token[0]
    return token
