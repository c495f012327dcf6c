"""Turns what somebody typed into one address that mail can be written to, or says why not.

It never asks the network: whether a mailbox exists is shown by the confirm mail alone.
"""

from __future__ import annotations

from typing import Final

from email_validator import EmailNotValidError, validate_email

from digest.errors import AddressRefused

#: what copying and pasting leaves around an address; line ends are no accident and stay refused
_TRIMMED: Final = " \u00a0\u200b\ufeff"
#: RFC 5321 section 4.5.3.1: a path of 256 octets with its angle brackets
_LONGEST: Final = 254
_SHOWN: Final = 60
_DOTLESS: Final = ("gmail.com", "googlemail.com")


def parse_address(text: str, *, smtputf8: bool = False) -> str:
    """The address as it goes on the wire: local part as given, domain in lower-case ASCII.

    `smtputf8` takes a local part beyond ASCII too, which only a relay that offers SMTPUTF8 carries
    (RFC 6531). Domains kept for tests and examples are taken (RFC 2606); special-use domains such
    as `.local`, names without a dot, IP literals and quoted local parts are not. Raises
    AddressRefused with one line that says what is wrong.
    """
    trimmed = text.strip(_TRIMMED)
    try:
        found = validate_email(
            trimmed,
            strict=True,
            check_deliverability=False,
            allow_smtputf8=smtputf8,
            test_environment=True,
        )
    except EmailNotValidError as error:
        raise _refusal(trimmed, str(error)) from error
    if "." not in found.ascii_domain:
        raise _refusal(trimmed, "The part after the @-sign should have a period.")
    wire = f"{found.local_part}@{found.ascii_domain.lower()}"
    if len(wire.encode()) > _LONGEST:
        raise _refusal(trimmed, f"It is longer than {_LONGEST} bytes.")
    return wire


def address_key(address: str) -> str:
    """What tells whether two parsed addresses are the same person: the address, casefolded."""
    return address.casefold()


def mailbox_key(key: str) -> str:
    """Who is bothered by mail to this address, as far as can be told: what limits go by.

    Many providers bring name+anything to name, and one of them does not look at dots. It is no
    identity: whoever reads by such an address is written to as he wishes.
    """
    local, _, domain = key.rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _DOTLESS:
        local = local.replace(".", "")
    return f"{local}@{domain}"


def _refusal(text: str, reason: str) -> AddressRefused:
    shown = repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
    return AddressRefused(f"{shown} is not an address to write to: {' '.join(reason.split())}")
