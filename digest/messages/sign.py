"""Turns a message's bytes into the same bytes under DKIM signatures (RFC 6376, 8301 and 8463).

Keys and time come in as arguments; it never changes an octet of what it signs. How a key becomes a
DNS record is said here too, because whoever signs and whoever checks have to agree on it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from digest.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

#: bits: RFC 8301 section 3.2 asks for 2048, and no receiver has to read more than 4096
RSA_BITS: Final = (2048, 4096)

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
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_SELECTOR: Final = re.compile(rf"(?=.{{1,190}}\Z){_LABEL}(?:\.{_LABEL})*")
#: octets of one string of a TXT record (RFC 1035, section 3.3)
_STRING: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A private key, read once, and the selector under which DNS has its public half."""

    selector: str
    secret: RSAPrivateKey | Ed25519PrivateKey

    @property
    def kind(self) -> str:
        """`rsa` or `ed25519`, as in a record's k= and before the hyphen of a signature's a=."""
        return "rsa" if isinstance(self.secret, RSAPrivateKey) else "ed25519"


# ------------------------------------------------------------------- signing


def sign(data: bytes, keys: Sequence[Key], *, domain: str, at: datetime) -> bytes:
    """Return `data` with one DKIM-Signature a key before it, in the order of the keys.

    `data` is the message as it goes out, CRLF at each line's end; `domain` is that of its From, in
    lower-case ASCII; `at`, the time of signing, is the message's own date, so that equal arguments
    give equal bytes and a retry sends what the first attempt sent. Raises ValueError for bytes that
    are no message with a From, and for a time without a zone.
    """
    if at.tzinfo is None:
        raise ValueError("the time of signing needs a zone")
    header, _, body = data.partition(b"\r\n\r\n")
    names, signed = _cover(relaxed_fields(header))
    body_hash = base64.b64encode(hashlib.sha256(relaxed_body(body)).digest())
    signatures = []
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
        signatures.append(_finish(unsigned, _signature(key, signed + name + b":" + value)))
    return b"".join((*signatures, data))


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


def _finish(unsigned: bytes, signature: bytes) -> bytes:
    """Write the signature after `b=`, folded, and end the field."""
    value = base64.b64encode(signature)
    room = _WISH - len(unsigned) + unsigned.rfind(b"\n") + 1
    rest = [value[start : start + _WISH - 1] for start in range(room, len(value), _WISH - 1)]
    return b"\r\n ".join((unsigned + value[:room], *rest)) + b"\r\n"


def _signature(key: Key, text: bytes) -> bytes:
    """Sign; both ways give the same octets for the same text every time."""
    if isinstance(key.secret, RSAPrivateKey):
        return key.secret.sign(text, PKCS1v15(), SHA256())
    return key.secret.sign(hashlib.sha256(text).digest())  # RFC 8463 section 3: of the hash


# ------------------------------------------------------------------- keys


def read_keys(selectors: str, files: Sequence[tuple[str, bytes]]) -> tuple[Key, ...]:
    """Pair DIGEST_DKIM_SELECTOR, split at its commas, with the files' names and PEM bytes.

    Nothing and nothing are no keys. Raises SettingsError where the counts differ, two keys have one
    selector, none is RSA, or `read_key` refuses one.
    """
    names = [each.strip() for each in selectors.split(",")] if selectors.strip() else []
    if len(names) != len(files):
        raise SettingsError(
            f"DIGEST_DKIM_SELECTOR has {len(names)} names and DIGEST_DKIM_KEY_FILE has"
            f" {len(files)}: write one selector for each key file, in the same order"
        )
    keys = tuple(read_key(name, pem, file) for name, (file, pem) in zip(names, files, strict=True))
    lower = [each.lower() for each in names]
    twice = next((each for each in names if lower.count(each.lower()) > 1), None)
    if twice is not None:
        raise SettingsError(f"DIGEST_DKIM_SELECTOR has {twice} twice: each key needs its own")
    if keys and all(key.kind != "rsa" for key in keys):
        raise SettingsError(
            "DIGEST_DKIM_KEY_FILE has no RSA key: many receivers cannot check Ed25519 alone;"
            " `digest init --dkim` makes one"
        )
    return keys


def read_key(selector: str, pem: bytes, name: str) -> Key:
    """Read a private key; `name` is its file's. Raises SettingsError with one line that says why.

    Taken are RSA of 2048 to 4096 bits and Ed25519, as PEM without a password.
    """
    check_selector(selector)
    try:
        secret = load_pem_private_key(pem, password=None)
    except TypeError as problem:
        raise SettingsError(
            f"DKIM key {name} has a password: write it without one"
            " (openssl pkey -in OLD -out NEW), for the service's user alone to read"
        ) from problem
    except (ValueError, UnsupportedAlgorithm) as problem:
        raise SettingsError(
            f"DKIM key {name} is no private key in PEM; `digest init --dkim` makes one"
        ) from problem
    if not isinstance(secret, RSAPrivateKey | Ed25519PrivateKey):
        raise SettingsError(
            f"DKIM key {name} is neither RSA nor Ed25519; `digest init --dkim` makes one"
        )
    least, most = RSA_BITS
    if isinstance(secret, RSAPrivateKey) and not least <= secret.key_size <= most:
        raise SettingsError(
            f"DKIM key {name} has {secret.key_size} bits: RSA keys of {least} to {most} are taken"
            " (RFC 8301); `digest init --dkim` makes one"
        )
    return Key(selector=selector, secret=secret)


def check_selector(selector: str) -> None:
    """Raise SettingsError for a selector that is no sequence of DNS labels (section 3.1)."""
    if _SELECTOR.fullmatch(selector) is None:
        raise SettingsError(
            f"DKIM selector {selector!r}: write letters a-z, digits and hyphens, such as digest1"
        )


def make_rsa_key() -> bytes:
    """A fresh RSA key of 2048 bits, as PEM (PKCS #8); it takes about a tenth of a second."""
    return _pem(generate_private_key(public_exponent=65537, key_size=RSA_BITS[0]))


def make_ed25519_key() -> bytes:
    """A fresh Ed25519 key, as PEM (PKCS #8)."""
    return _pem(Ed25519PrivateKey.generate())


def _pem(secret: RSAPrivateKey | Ed25519PrivateKey) -> bytes:
    return secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


# ------------------------------------------------------------------- DNS


def record_name(key: Key, domain: str) -> str:
    """Where receivers look for the record (section 3.6.2.1), without a dot at the end."""
    return f"{key.selector}._domainkey.{domain}"


def dns_record(key: Key) -> str:
    """Return the TXT record's value, which tells the public half alone (section 3.6.1)."""
    if isinstance(key.secret, RSAPrivateKey):
        public = key.secret.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
    else:  # RFC 8463 section 4.2: the 32 octets as they are
        public = key.secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return f"v=DKIM1; k={key.kind}; p={base64.b64encode(public).decode()}"


def split_record(value: str) -> list[str]:
    """The value in the strings of at most 255 octets that a TXT record is made of."""
    return [value[start : start + _STRING] for start in range(0, len(value), _STRING)]
