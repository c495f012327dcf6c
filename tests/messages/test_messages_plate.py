"""The quick way to write a message and the readable one make the same bytes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from message_samples import (
    HOSTILE,
    LINKS,
    PUBLIC_URL,
    article,
    draft,
    edition,
    newsletter,
    ordinary,
)

from digest.errors import AddressRefused
from digest.messages.assemble import fill, join_cards
from digest.messages.keys import Key, make_ed25519_key, make_rsa_key, read_key
from digest.messages.mime import write_edition_message
from digest.messages.plate import Plate, make_plate
from digest.messages.sign import sign
from digest.model.edition import Edition
from digest.model.message import Links, Message, WayBack

ORDINARY = edition(ordinary(3))
STRANGE = edition(
    draft([article(n, title=title or "–", excerpt=title * 3) for n, title in enumerate(HOSTILE)])  # noqa: RUF001 -- what stands for nothing
)
LOCAL = st.text("abcxyz0189!#$%&'*+-/=?^_`{|}~", min_size=1, max_size=64)
TOKENS = st.text("abcXYZ019_-", min_size=1, max_size=90)


@cache
def keys() -> tuple[Key, ...]:
    return (
        read_key("digest1", make_rsa_key(), "rsa.pem"),
        read_key("digest1-ed25519", make_ed25519_key(), "ed25519.pem"),
    )


def slowly(
    made: Edition, links: Links, *, to: str, ref: bytes, back: WayBack | None, by: tuple[Key, ...]
) -> Message:
    html, text = fill(join_cards(made), links, address=to)
    message = write_edition_message(
        edition=made,
        newsletter=newsletter(),
        html=html,
        text=text,
        links=links,
        to_address=to,
        subscriber_ref=ref,
        public_url=PUBLIC_URL,
        way_back=back,
    )
    if not by:
        return message
    return replace(message, data=sign(message.data, by, domain="example.org", at=made.made_at))


@cache
def plate(number: int, *, signs: bool, mailed: bool) -> Plate:
    made = (ORDINARY, STRANGE)[number]
    return make_plate(
        made,
        newsletter(),
        join_cards(made),
        links=LINKS,
        public_url=PUBLIC_URL,
        keys=keys() if signs else (),
        mailed=mailed,
    )


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([0, 1]), LOCAL, TOKENS, TOKENS, st.binary(min_size=12, max_size=12),
    st.sampled_from([None, "", "u+abc@bounces.example.org"]), st.booleans(),
)  # fmt: skip
def test_both_ways_make_the_same_bytes(  # noqa: PLR0917 -- drawn
    number: int,
    local: str,
    leave: str,
    prefer: str,
    ref: bytes,
    by_mail: str | None,
    signs: bool,  # noqa: FBT001 -- drawn
) -> None:
    made, to = (ORDINARY, STRANGE)[number], f"{local}@example.net"
    links = replace(
        LINKS,
        unsubscribe=f"{PUBLIC_URL}/unsubscribe/{leave}",
        preferences=f"{PUBLIC_URL}/preferences/{prefer}?a=1&b=2",
    )
    back = None
    if by_mail is not None:
        back = WayBack(
            return_path="b+x@b.example.org", envelope_id="x", unsubscribe=by_mail or None
        )
    struck = plate(number, signs=signs, mailed=bool(by_mail)).strike(
        links, to_address=to, subscriber_ref=ref, way_back=back
    )
    by = keys() if signs else ()
    assert struck == slowly(made, links, to=to, ref=ref, back=back, by=by)


def test_nothing_of_a_placeholder_is_left_in_a_message() -> None:
    message = plate(0, signs=True, mailed=False).strike(
        LINKS, to_address="a@example.net", subscriber_ref=b"r" * 12, way_back=None
    )
    assert b"gap.invalid" not in message.data
    assert ORDINARY.nonce.encode() not in message.data


@pytest.mark.parametrize("address", ["ä@example.net", 'a"b@example.net', "a b@example.net", "a"])
def test_an_address_that_cannot_stand_in_a_header_is_refused(address: str) -> None:
    with pytest.raises(AddressRefused):
        plate(0, signs=False, mailed=False).strike(
            LINKS, to_address=address, subscriber_ref=b"r" * 12, way_back=None
        )


def test_a_link_that_would_break_the_header_is_refused() -> None:
    with pytest.raises(ValueError, match="not fit for a header"):
        plate(0, signs=False, mailed=False).strike(
            replace(LINKS, unsubscribe="https://x.example/\r\nBcc: a@example.net"),
            to_address="a@example.net",
            subscriber_ref=b"r" * 12,
            way_back=None,
        )
