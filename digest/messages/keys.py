"""Turns PEM files into the keys that sign, and keys into the DNS records that prove them.

RFC 6376 section 3.6, RFC 8301 and RFC 8463. Whoever signs and whoever checks agree on them here.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
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

#: bits: RFC 8301 section 3.2 asks for 2048, and no receiver has to read more than 4096
RSA_BITS: Final = (2048, 4096)

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
