"""What is written down outside the database, for a restored backup must not forget it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Somebody left a newsletter, or withdrew the request for it. Times are UTC."""

    #: the keyed hash that suppressions know people by
    person: str
    newsletter: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejoined:
    """Somebody who had left confirmed anew."""

    person: str
    newsletter: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """An address was closed to us."""

    person: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopened:
    """An address is open again: what closed it was not the reader's doing."""

    person: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Considered:
    """An article that an edition told, or (without a position) left out for a reason."""

    key: str
    link_key: str | None
    url: str
    title: str
    seen_at: datetime
    position: int | None
    section: str | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An edition was made. What it said is not kept, only what it was about."""

    #: what it was called in the database, and so in the links of its mails
    id: int
    newsletter: str
    schedule: str
    number: int
    nonce: str
    made_at: datetime
    language: str
    subject: str
    slot_at: datetime
    manual: bool
    articles: tuple[Considered, ...]


Entry = Left | Rejoined | Closed | Reopened | Made
