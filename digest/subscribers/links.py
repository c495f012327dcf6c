"""Turns the reference of a subscription into signed links, and signed links into references.

A token tells nothing about anybody, and one made for one purpose is worth nothing for another.
This module never asks the store: whether a reference is known is for the caller to find out.
"""

from __future__ import annotations

import hmac
import re
from base64 import b32decode, b32encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from typing import Final, Literal

from digest.errors import LinkRefused, SettingsError

_REF: Final = 12
#: 128 bits of the MAC (RFC 2104 section 5: no less than half of the hash)
_MAC: Final = 16
_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]{38}")
_PURPOSES: Final = (
    *("confirm", "unsubscribe", "preferences", "suppression", "bounce", "mail"),
    *("form", "work", "network", "picture", "proof", "follow", "stop", "preview", "served"),
)
#: octets of a delivery's number: more than anybody will ever send
_NUMBER: Final = 6
#: octets of the second in which it was queued: a restored database gives numbers out again
_SECOND: Final = 4
#: in addresses tokens are base32, for servers on the way may change case; each has its own length
_BOUNCE: Final = re.compile(r"(?<![a-z0-9])[a-z2-7]{42}(?![a-z0-9])", re.IGNORECASE)
_MAIL: Final = re.compile(r"(?<![a-z0-9])[a-z2-7]{45}(?![a-z0-9])", re.IGNORECASE)


class Signer:
    """Makes and checks the tokens of one secret, with a key of its own for each purpose.

    Raises SettingsError when the secret is empty.
    """

    __slots__ = ("_keys",)

    def __init__(self, secret: str) -> None:
        self._keys = {purpose: _key(secret, purpose) for purpose in _PURPOSES}

    def unsubscribe_token(self, ref: bytes) -> str:
        """The token that ends the subscription; it never grows old."""
        return self._token("unsubscribe", ref)

    def preferences_token(self, ref: bytes) -> str:
        """The token that opens the subscription's settings; it never grows old."""
        return self._token("preferences", ref)

    def confirm_token(self, ref: bytes, request_nonce: bytes) -> str:
        """The token that confirms this one request; the next request's nonce makes it void."""
        return self._token("confirm", ref, request_nonce)

    def check_unsubscribe(self, token: str) -> bytes:
        """The reference in an unsubscribe token. Raises LinkRefused."""
        return self._check("unsubscribe", token)

    def check_preferences(self, token: str) -> bytes:
        """The reference in a preferences token. Raises LinkRefused."""
        return self._check("preferences", token)

    def proof_token(self, ref: bytes) -> str:
        """The token with which the editors speak about one draft."""
        return self._token("proof", ref)

    def check_proof(self, token: str) -> bytes:
        """The reference in a proof token. Raises LinkRefused."""
        return self._check("proof", token)

    def check_confirm(self, token: str, request_nonce: bytes) -> None:
        """Pass if the token confirms the request of this nonce. Raises LinkRefused."""
        self._check("confirm", token, request_nonce)

    def follow_token(self, ref: bytes, nonce: bytes) -> str:
        """The token that confirms this one wish to follow; the next wish's nonce makes it void."""
        return self._token("follow", ref, nonce)

    def check_follow(self, token: str, nonce: bytes) -> None:
        """Pass if the token confirms the wish of this nonce. Raises LinkRefused."""
        self._check("follow", token, nonce)

    def stop_token(self, ref: bytes) -> str:
        """The token that ends one follow; it never grows old."""
        return self._token("stop", ref)

    def check_stop(self, token: str) -> bytes:
        """The reference of the follow in a stop token. Raises LinkRefused."""
        return self._check("stop", token)

    def preview_token(self, slug: str, until: int) -> str:
        """The token that shows what this newsletter would send.

        `until`: when it ends, in seconds since 1970.
        """
        return self._token("preview", until.to_bytes(_REF), slug.encode())

    def check_preview(self, token: str, slugs: Iterable[str]) -> tuple[str, int]:
        """Which of these newsletters a token shows, and until when. Raises LinkRefused."""
        until, mac = _split(token)
        for slug in slugs:
            if hmac.compare_digest(mac, self._mac("preview", until + slug.encode())[:_MAC]):
                return slug, int.from_bytes(until)
        raise LinkRefused("this link is not valid here: ask for another with digest preview --web")

    def bounce_token(self, delivery_id: int, queued: int) -> str:
        """The token in the return path of one delivery's message, 42 letters and digits.

        `queued`: when the delivery was written, in seconds since 1970.
        """
        number = delivery_id.to_bytes(_NUMBER) + queued.to_bytes(_SECOND)
        return _letters(number + self._mac("bounce", number)[:_MAC])

    def find_bounce(self, traces: Iterable[str]) -> tuple[int, int] | None:
        """The delivery whose token stands in one of these texts, and when it was queued.

        None where no true one does.
        """
        for data in _found(_BOUNCE, traces):
            named, mac = data[: _NUMBER + _SECOND], data[_NUMBER + _SECOND :]
            if hmac.compare_digest(mac, self._mac("bounce", named)[:_MAC]):
                return int.from_bytes(named[:_NUMBER]), int.from_bytes(named[_NUMBER:])
        return None

    def mail_token(self, ref: bytes) -> str:
        """The token in the address to which an unsubscribe is mailed, 45 letters and digits."""
        return _letters(ref + self._mac("mail", ref)[:_MAC])

    def find_mail(self, traces: Iterable[str]) -> bytes | None:
        """The reference whose mail token stands in one of these texts; None if no true one does."""
        for data in _found(_MAIL, traces):
            ref, mac = data[:_REF], data[_REF:]
            if hmac.compare_digest(mac, self._mac("mail", ref)[:_MAC]):
                return ref
        return None

    def suppression_hash(self, address_key: str) -> str:
        """What is kept of an address that must not be written to, once the person is forgotten.

        Keyed, so that nobody without the secret can try addresses against it. 64 hex digits.
        """
        return self._mac("suppression", address_key.encode()).hex()

    def mark(
        self, purpose: Literal["form", "work", "network", "picture", "served"], data: bytes
    ) -> bytes:
        """128 bits that only this secret can make of these bytes, for what names no subscription.

        For the hidden fields of a form, for networks, which are counted and not known, and for the
        addresses of pictures that we show.
        """
        return self._mac(purpose, data)[:_MAC]

    def _token(self, purpose: str, ref: bytes, nonce: bytes = b"") -> str:
        if len(ref) != _REF:
            raise ValueError(f"a reference has {_REF} bytes, not {len(ref)}")
        return _text(ref + self._mac(purpose, ref + nonce)[:_MAC])

    def _check(self, purpose: str, token: str, nonce: bytes = b"") -> bytes:
        ref, mac = _split(token)
        if not hmac.compare_digest(mac, self._mac(purpose, ref + nonce)[:_MAC]):
            raise LinkRefused("this link is not valid here: use the newest one from our mail")
        return ref

    def _mac(self, purpose: str, data: bytes) -> bytes:
        return hmac.digest(self._keys[purpose], data, "sha256")


def read_ref(token: str) -> bytes:
    """The reference that a token names, unchecked: only to ask the store for the nonce.

    Raises LinkRefused for what cannot be a token.
    """
    return _split(token)[0]


def _key(secret: str, purpose: str) -> bytes:
    if not secret:
        raise SettingsError("DIGEST_SECRET_KEY is empty: set it to 32 random characters")
    return hmac.digest(secret.encode(), b"digest/" + purpose.encode(), "sha256")


def _split(token: str) -> tuple[bytes, bytes]:
    if not _SHAPE.fullmatch(token):
        raise LinkRefused("this link is incomplete: copy all of it from our mail")
    data = urlsafe_b64decode(token + "==")
    # 38 letters carry four bits more than 28 bytes: without this, each token would have 16 twins
    if _text(data) != token:
        raise LinkRefused("this link is incomplete: copy all of it from our mail")
    return data[:_REF], data[_REF:]


def _found(shape: re.Pattern[str], traces: Iterable[str]) -> Iterator[bytes]:
    for text in traces:
        for found in shape.findall(text):
            data = b32decode(found.upper() + "=" * (-len(found) % 8))
            # the last letter carries bits that are none of ours: each token would have twins
            if _letters(data) == found.lower():
                yield data


def _letters(data: bytes) -> str:
    return b32encode(data).rstrip(b"=").decode().lower()


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
