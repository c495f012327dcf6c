"""Turns a message's bytes into the same bytes under DKIM signatures (RFC 6376, 8301 and 8463).

Keys and time come in as arguments; it never changes an octet of what it signs.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from hashlib import _Hash

    from digest.messages.keys import Key

#: Signed once more often than they are there, so that nobody can add one (RFC 6376, sections 5.4.2
#: and 8.15): of two Subjects or two List-Unsubscribes a mail program takes the one that nobody
#: signed, and a message that is sent on with another To or Reply-To still looks like ours. No relay
#: adds any of these to a message that has them, so what breaks is what was tampered with.
_SEALED: Final = (
    b"from", b"to", b"cc", b"reply-to", b"subject", b"date", b"message-id", b"mime-version",
    b"content-type", b"list-unsubscribe", b"list-unsubscribe-post",
)  # fmt: skip
#: signed where they are there, and every other List-… with them. Not sealed: relays may add some of
#: them, a Content-Transfer-Encoding above all. RFC 8058 section 4 wants both List-Unsubscribe…
_COVERED: Final = frozenset(
    (
        b"auto-submitted", b"precedence", b"feedback-id", b"x-auto-response-suppress", b"sender",
        b"in-reply-to", b"references", b"content-transfer-encoding", b"content-language",
    )
)  # fmt: skip

#: octets of a line without its end: RFC 5322 section 2.1.1, the wish
_WISH: Final = 78
_RUN: Final = re.compile(rb"  +")
_AFTER_COLON: Final = re.compile(rb"(?<=:)")


def sign(data: bytes, keys: Sequence[Key], *, domain: str, at: datetime) -> bytes:
    """Return `data` with one DKIM-Signature a key before it, in the order of the keys.

    `data` is the message as it goes out, CRLF at each line's end; `domain` is that of its From, in
    lower-case ASCII; `at`, the time of signing, is the message's own date, so that equal arguments
    give equal bytes and a retry sends what the first attempt sent. Raises ValueError for bytes that
    are no message with a From, and for a time without a zone.
    """
    header, _, body = data.partition(b"\r\n\r\n")
    body_hash = hash_of(hashlib.sha256(relaxed_body(body)))
    claims = prepare(header, keys, domain=domain, at=at, body_hash=body_hash)
    return b"".join((*(finish(*claim, key) for claim, key in zip(claims, keys, strict=True)), data))


def hash_of(body: _Hash) -> bytes:
    """What stands behind bh=, of the hash of a body in relaxed form: 44 octets."""
    return base64.b64encode(body.digest())


def prepare(
    header: bytes, keys: Sequence[Key], *, domain: str, at: datetime, body_hash: bytes
) -> list[tuple[bytes, bytes]]:
    """Return for each key the field without its signature, and the text to be signed.

    Both hold the values of the header as they stand in it, so that a header of placeholders makes
    what many messages have in common. Raises ValueError as `sign` does.
    """
    if at.tzinfo is None:
        raise ValueError("the time of signing needs a zone")
    names, signed = _cover(relaxed_fields(header))
    prepared = []
    for key in keys:
        unsigned = _fold(
            b" v=1;",
            f" a={key.kind}-sha256;".encode(),
            b" c=relaxed/relaxed;",
            f" d={domain};".encode(),
            f" s={key.selector};".encode(),
            f" t={int(at.timestamp())};".encode(),
            *_AFTER_COLON.split(b" h=" + b":".join(names) + b";"),
            b" bh=" + body_hash + b";",
            b" b=",
        )
        # the field itself is signed last, its b= empty and without its line end (section 3.7)
        ((name, value),) = relaxed_fields(unsigned)
        prepared.append((unsigned, signed + name + b":" + value))
    return prepared


def relaxed_fields(header: bytes) -> list[tuple[bytes, bytes]]:
    """Return each field's name and value in relaxed form (section 3.4.2), in their order.

    `header` ends with its last field, with or without CRLF. Raises ValueError where it holds a line
    that is no field.
    """
    lines = _one_space(header.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ")).split(b"\r\n")
    if not lines[-1]:
        lines.pop()
    found = []
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not name.strip(b" ") or name.startswith(b" "):
            raise ValueError(f"no header field: {line[:80]!r}")
        found.append((name.rstrip(b" ").lower(), value.strip(b" ")))
    return found


def relaxed_body(body: bytes) -> bytes:
    """Return the body in relaxed form (section 3.4.4): empty, or lines that all end in CRLF."""
    text = _one_space(body).replace(b" \r\n", b"\r\n").removesuffix(b" ")
    end = len(text)
    while text.endswith(b"\r\n", 0, end):
        end -= 2
    return text[:end] + b"\r\n" if end else b""


def _one_space(text: bytes) -> bytes:
    """Each run of spaces and tabs becomes one space; single ones, most of them, stay untouched."""
    return _RUN.sub(b" ", text.replace(b"\t", b" "))


def _cover(fields: list[tuple[bytes, bytes]]) -> tuple[list[bytes], bytes]:
    """Return the names for h= and what of the header is signed, each name from the bottom up."""
    values: dict[bytes, list[bytes]] = {}
    for name, value in fields:
        values.setdefault(name, []).append(value)
    if b"from" not in values:
        raise ValueError("a message without From cannot be signed")  # RFC 6376 section 5.4
    names: list[bytes] = []
    for name in _SEALED:
        names += [name] * (len(values.get(name, ())) + 1)
    for name, found in values.items():
        if name not in _SEALED and (name in _COVERED or name.startswith(b"list-")):
            names += [name] * len(found)
    # a name with nothing left to stand for is nothing at all (section 5.4.2)
    signed = [name + b":" + values[name].pop() + b"\r\n" for name in names if values.get(name)]
    return names, b"".join(signed)


def _fold(*chunks: bytes) -> bytes:
    """Join the chunks to one field, folded between them where a line would grow too long."""
    lines = [b"DKIM-Signature:"]
    for chunk in chunks:
        if len(lines[-1]) + len(chunk) <= _WISH:
            lines[-1] += chunk
        else:
            lines.append(b" " + chunk.lstrip(b" "))
    return b"\r\n".join(lines)


def finish(unsigned: bytes, text: bytes, key: Key) -> bytes:
    """Return the whole field: the signature of the text after `b=`, folded, and the line end."""
    value = base64.b64encode(_signature(key, text))
    room = _WISH - len(unsigned) + unsigned.rfind(b"\n") + 1
    rest = [value[start : start + _WISH - 1] for start in range(room, len(value), _WISH - 1)]
    return b"\r\n ".join((unsigned + value[:room], *rest)) + b"\r\n"


def _signature(key: Key, text: bytes) -> bytes:
    """Sign; both ways give the same octets for the same text every time."""
    if isinstance(key.secret, RSAPrivateKey):
        return key.secret.sign(text, PKCS1v15(), SHA256())
    return key.secret.sign(hashlib.sha256(text).digest())  # RFC 8463 section 3: of the hash
