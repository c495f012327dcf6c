"""Turns a moment into a signed stamp or a challenge, and what is sent back into what it is worth.

A stamp says when one of our forms was made. A challenge asks for a number whose hash begins with
zeros: a moment of a visitor's processor, and much of one who has ten thousand addresses to type in.
Nobody else's service is asked for anything, and nothing is learnt about whoever works.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from digest.subscribers.links import Signer

#: nobody reads a form, types an address and presses a button in less
TOO_SOON: Final = timedelta(seconds=2)
#: an older stamp is none: a page that stayed open over night still has a good one
STAMP_LIFE: Final = timedelta(hours=24)

#: leading zero bits: 2^18 hashes on average. Our script makes half a million in a second in
#: Chromium on a busy core of a small server: half a second there, one to three on a telephone
BITS: Final = 18
#: in a brake four times that
BRAKE_BITS: Final = BITS + 2
CHALLENGE_LIFE: Final = timedelta(minutes=15)
#: what somebody without scripts does instead: he waits so long
PATIENCE: Final = timedelta(seconds=30)

#: octets of milliseconds since 1970: enough until the year 10889
_TIME: Final = 6
_MAC: Final = 16
_TEXT: Final = re.compile(r"[A-Za-z0-9_-]{30,31}")
_NONCE: Final = re.compile(r"[0-9]{1,16}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(milliseconds=1)


def stamp(signer: Signer, at: datetime) -> str:
    """The stamp of a form that is made now, 30 letters."""
    when = _octets(at)
    return _letters(when + signer.mark("form", when))


def read_stamp(signer: Signer, text: str | None, *, now: datetime) -> timedelta | None:
    """How old the form is that came back; None for no stamp, a forged one, or one of yesterday."""
    data = _read(text, _TIME + _MAC)
    if data is None or not compare_digest(data[_TIME:], signer.mark("form", data[:_TIME])):
        return None
    age = now - _moment(data[:_TIME])
    # one from the future is of a clock that was put right since: not older than now
    return max(age, timedelta()) if age <= STAMP_LIFE else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """A question to somebody who wants to sign up, good once and for one address."""

    #: what stands in the form and is hashed with the number that is looked for
    text: str
    at: datetime
    bits: int

    def is_solved_by(self, nonce: str | None) -> bool:
        """True if the hash of the question and this number begins with enough zeros."""
        if nonce is None or _NONCE.fullmatch(nonce) is None:
            return False
        hashed = sha256(f"{self.text}.{nonce}".encode()).digest()
        return int.from_bytes(hashed) >> (len(hashed) * 8 - self.bits) == 0

    def rest(self, now: datetime) -> timedelta:
        """How long somebody who does not work must still wait; zero when he has."""
        patience = PATIENCE * (1 << max(self.bits - BITS, 0))  # in a brake that costs more too
        return max(self.at + patience - now, timedelta())


def challenge(
    signer: Signer, *, typed: str, newsletter: str, bits: int, now: datetime
) -> Challenge:
    """Ask for work, from whoever typed this in for this newsletter."""
    head = _octets(now) + bytes([bits])
    return Challenge(
        text=_letters(head + _bound(signer, head, typed, newsletter)), at=_moment(head), bits=bits
    )


def read_challenge(
    signer: Signer, text: str | None, *, typed: str, newsletter: str, now: datetime
) -> Challenge | None:
    """The challenge that came back; None if it is none of ours, another's, or too old."""
    data = _read(text, _TIME + 1 + _MAC)
    if data is None or text is None:
        return None
    head, mac = data[: _TIME + 1], data[_TIME + 1 :]
    if not compare_digest(mac, _bound(signer, head, typed, newsletter)):
        return None
    at = _moment(head)
    return Challenge(text=text, at=at, bits=head[_TIME]) if now - at <= CHALLENGE_LIFE else None


def _bound(signer: Signer, head: bytes, typed: str, newsletter: str) -> bytes:
    return signer.mark("work", b"\0".join((head, newsletter.encode(), typed.encode())))


def _octets(at: datetime) -> bytes:
    return ((at - _EPOCH) // _TICK).to_bytes(_TIME)


def _moment(data: bytes) -> datetime:
    return _EPOCH + int.from_bytes(data[:_TIME]) * _TICK


def _letters(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _read(text: str | None, octets: int) -> bytes | None:
    """The octets in these letters; None for what cannot be so many of ours."""
    if text is None or _TEXT.fullmatch(text) is None:
        return None
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    # the last letter carries bits that are none of ours: each text would have twins
    return data if len(data) == octets and _letters(data) == text else None
