"""Turns how often something was asked for into what is asked in return: nothing, work, patience.

Nothing here looks at who asks: the counts of a network and of all are enough, and one address is
protected by what it was sent. It never asks the store or the clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

Address = IPv4Address | IPv6Address

#: what is counted is counted for so long
WINDOW: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many sign-ups in a window are free, and after how many nothing helps but waiting."""

    soft: int
    hard: int


#: a household, or a class that signs up together, is through before anybody notices. A company or a
#: university behind one address gets in by work, a second or two each; 40 in an hour is a lecture
#: hall, and more than any machine needs to be a nuisance. A bot's 40 mails go to 40 addresses
NETWORK: Final = Limits(soft=10, hard=40)
#: what one customer of an IPv6 network may have for himself, or a firm with many houses
SITE: Final = Limits(soft=40, hard=160)
#: 200 in an hour is a very good day of a site with 100,000 readers. Above it each one costs work,
#: which a visitor hardly notices; 2,000 mails in an hour to people who may not have asked for them
#: is what providers begin to hold against a sender
ALL: Final = Limits(soft=200, hard=2_000)
#: whoever sends no stamp did not see our page: a form on another site, or a machine
UNSTAMPED: Final = 2


class Verdict(Enum):
    """What is asked of somebody who wants to sign up."""

    FREE = "free"
    #: a proof of work, or half a minute of patience
    WORK = "work"
    #: to come back later
    FULL = "full"


def judge(counts: Iterable[tuple[int, Limits]], *, weight: int, braked: bool) -> Verdict:
    """What to ask of somebody, by how many were let in before him, in each of these respects.

    `weight`: as how many he counts.
    """
    known = list(counts)
    if any(used >= limits.hard for used, limits in known):
        return Verdict.FULL
    if braked or any(used + weight > limits.soft for used, limits in known):
        return Verdict.WORK
    return Verdict.FREE


# --------------------------------------------------------------- one address

#: one confirm mail for each address and newsletter in this time, and so many in all: a stranger
#: who types somebody else's address in again and again must not fill his mailbox
COOL_DOWN: Final = timedelta(hours=24)
CONFIRM_MAILS: Final = 3
#: and so many for an address in that time, whatever they ask about
CONFIRM_MAILS_OF_ALL: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """The confirm mails that an address had about one newsletter since it last confirmed."""

    newsletter: str
    mails: int
    #: when the last of them was queued
    last_at: datetime


def may_ask(asks: Iterable[Ask], *, newsletter: str, now: datetime) -> bool:
    """True if one more confirm mail about this newsletter may go to the address of these asks."""
    known = list(asks)
    lately = [each for each in known if now - each.last_at < COOL_DOWN]
    if len(lately) >= CONFIRM_MAILS_OF_ALL:  # each of them had one mail in that time
        return False
    mine = [each for each in known if each.newsletter == newsletter]
    return all(each not in lately and each.mails < CONFIRM_MAILS for each in mine)


# --------------------------------------------------------------- when pending grows

#: whoever confirms does so within the hour, mostly; a request younger than this says nothing yet
BRAKE_AFTER: Final = timedelta(hours=1)
BRAKE_OVER: Final = timedelta(hours=24)
#: a new newsletter has few requests and fewer confirmations: so many are no crowd
BRAKE_COUNT: Final = 50
#: of honest sign-ups more than half are confirmed; one of six is somebody else's addresses
BRAKE_RATIO: Final = 5


def is_braked(*, unconfirmed: int, confirmed: int) -> bool:
    """True when so few confirm that most requests must be for other people's addresses."""
    return unconfirmed > BRAKE_COUNT and unconfirmed > BRAKE_RATIO * confirmed


# --------------------------------------------------------------- networks


def networks_of(address: Address) -> tuple[str, ...]:
    """The networks that are counted, the smallest first.

    /24 of IPv4; /64 of IPv6, which one household has at least, and the /48 around it, which one
    customer may have.
    """
    return tuple(dict.fromkeys((_cut(address, 24, 64), _cut(address, 24, 48))))


def shorten(address: Address) -> str:
    """What is kept of an address in the consent record: /24 of IPv4, /48 of IPv6."""
    return _cut(address, 24, 48)


def _cut(address: Address, bits4: int, bits6: int) -> str:
    plain = address.ipv4_mapped if isinstance(address, IPv6Address) else address
    if plain is not None:
        return str(IPv4Network((int(plain), bits4), strict=False))
    return str(IPv6Network((int(address), bits6), strict=False))
