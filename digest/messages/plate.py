"""Turns an edition into a plate, once, and a plate and one reader's values into his message.

A plate holds everything that the messages of a selection have in common, encoded and ready for the
hash: a reader's message is his few values between them. Byte for byte it is what
`mime.write_edition_message` and `sign.sign` make (tests hold them together), at a fraction of the
cost; it never looks into what stands in a message.
"""

from __future__ import annotations

import base64
import hashlib
import html as markup
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from digest.messages import fields, mime, sign
from digest.messages.assemble import fill
from digest.messages.quoted import encode_value
from digest.model.message import Links, Message, WayBack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from hashlib import _Hash

    from digest.messages.assemble import Joined
    from digest.messages.keys import Key
    from digest.model.edition import Edition
    from digest.model.newsletter import Newsletter

#: what is one reader's own: in the header, in the text, in the HTML, and what is told of them all
_TO, _ID, _LEAVE, _MAILED, _BODY_HASH = "to", "id", "leave", "mailed", "hash"
_OWN: Final = ("unsubscribe", "preferences", "address")


@dataclass(frozen=True, slots=True)
class _Form:
    """What is common, and between each two pieces of it the name of a value."""

    common: tuple[bytes, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, sample: bytes, gaps: Mapping[bytes, str]) -> _Form:
        """The form of a sample that has placeholders where values belong."""
        pieces = re.split(b"(" + b"|".join(map(re.escape, gaps)) + b")", sample)
        return cls(tuple(pieces[::2]), tuple(gaps[each] for each in pieces[1::2]))

    def fill(self, values: Mapping[str, bytes]) -> bytes:
        pieces = [b""] * (2 * len(self.names) + 1)
        pieces[::2] = self.common
        pieces[1::2] = [values[name] for name in self.names]
        return b"".join(pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plate:
    """What all messages of a selection have in common."""

    edition: Edition
    newsletter: Newsletter
    keys: Sequence[Key]
    header: _Form
    #: the body up to the first value, and the state of its hash there
    begun: bytes
    hashed: _Hash
    rest: _Form
    #: for each key the field without its signature, and what is signed
    seals: tuple[tuple[_Form, _Form], ...]

    def strike(
        self, links: Links, *, to_address: str, subscriber_ref: bytes, way_back: WayBack | None
    ) -> Message:
        """The message of one reader. Raises AddressRefused, and ValueError for what no link is.

        `way_back` is one where the plate was made for one, and names an address that ends the
        subscription where the plate's did.
        """
        edition, values = self.edition, _values(links, to_address)
        values[_TO] = fields.address(to_address).encode("ascii")
        values[_ID] = mime.seed_of(edition, subscriber_ref).encode("ascii")
        values[_LEAVE] = fields.raw(links.unsubscribe).encode("ascii")
        if way_back is not None and way_back.unsubscribe is not None:
            values[_MAILED] = fields.raw(way_back.unsubscribe).encode("ascii")
        rest = self.rest.fill(values)
        header = self.header.fill(values)
        seals: list[bytes] = []
        if self.keys:
            hashed = self.hashed.copy()
            hashed.update(rest)
            values[_BODY_HASH] = sign.hash_of(hashed)
            seals += (
                sign.finish(unsigned.fill(values), text.fill(values), key)
                for (unsigned, text), key in zip(self.seals, self.keys, strict=True)
            )
        data = b"".join((*seals, header, self.begun, rest))
        return mime.envelope(data, self.newsletter, to_address, way_back)


def make_plate(
    edition: Edition,
    newsletter: Newsletter,
    joined: Joined,
    *,
    links: Links,
    public_url: str,
    keys: Sequence[Key],
    mailed: bool,
) -> Plate:
    """Make the plate of a selection.

    Of `links` those count that all readers have in common. `mailed`: its readers can leave by mail
    too. Raises AddressRefused and ValueError where no message of it can be written.
    """
    gap = _Gaps(edition.nonce)
    sample = replace(links, unsubscribe=gap.link(_LEAVE), preferences=gap.link("preferences"))
    back = WayBack(return_path="", envelope_id="", unsubscribe=gap.address(_MAILED))
    header = mime.edition_header(
        edition,
        newsletter,
        sample,
        to_address=gap.address(_TO),
        seed=gap.seed(_ID),
        public_url=public_url,
        way_back=back if mailed else None,
    )
    body = _form_of_body(edition, joined, fill(joined, links, address=""))
    begun, *rest = body.common
    body_hash = gap.hash(_BODY_HASH)
    seals = sign.prepare(
        header, keys, domain=newsletter.sender.domain, at=edition.made_at, body_hash=body_hash
    )
    return Plate(
        edition=edition,
        newsletter=newsletter,
        keys=keys,
        header=_Form.of(header + b"\r\n", gap.known),
        begun=begun,
        hashed=hashlib.sha256(begun),
        rest=_Form((b"", *rest), body.names),
        seals=tuple((_Form.of(bare, gap.known), _Form.of(text, gap.known)) for bare, text in seals),
    )


class _Gaps:
    """Placeholders that stand for a reader's values in a sample; no feed can write one."""

    def __init__(self, nonce: str) -> None:
        self._nonce = nonce
        #: the names of values by what stands for them in the sample
        self.known: dict[bytes, str] = {}

    def seed(self, name: str) -> str:
        return self._known(name, self._drawn(name).hex()[:32])

    def address(self, name: str) -> str:
        return self._known(name, f"{self._drawn(name).hex()}@gap.invalid")

    def link(self, name: str) -> str:
        return self._known(name, f"https://gap.invalid/{self._drawn(name).hex()}")

    def hash(self, name: str) -> bytes:
        return self._known(name, base64.b64encode(self._drawn(name)).decode()).encode()

    def _drawn(self, name: str) -> bytes:
        return hashlib.sha256(f"{self._nonce}:gap:{name}".encode()).digest()

    def _known(self, name: str, made: str) -> str:
        self.known[made.encode()] = name
        return made


def _values(links: Links, address: str) -> dict[str, bytes]:
    """A reader's values as they stand in both parts."""
    said = (links.unsubscribe, links.preferences, address)
    values = {}
    for name, value in zip(_OWN, said, strict=True):
        values[f"text-{name}"] = encode_value(value)
        values[f"html-{name}"] = encode_value(markup.escape(value))
    return values


def _form_of_body(
    edition: Edition, joined: Joined, filled: tuple[Sequence[str], Sequence[str]]
) -> _Form:
    """The body; of its values those that are common have their place in it already."""
    names = [f"text-{name}" for name in joined.text[1::2]]
    names += [f"html-{name}" for name in joined.html[1::2]]
    first, *body = mime.edition_body(edition, *filled)
    common, own = [first], []
    for value, name, literal in zip(body[::2], names, body[1::2], strict=True):
        if name.partition("-")[2] in _OWN:
            own.append(name)
            common.append(literal)
        else:
            common[-1] += value + literal
    return _Form(tuple(common), tuple(own))
