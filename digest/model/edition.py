"""An edition: one number of a newsletter, from its slot to what is stored of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from digest.model.article import Article


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A moment at which a schedule asks for an edition. `at` is UTC.

    A slot is one row, unique on newsletter, schedule and moment: whoever writes it makes the
    edition, and nobody else can. `manual` marks one that a person asked for.
    """

    newsletter: str
    schedule: str
    at: datetime
    manual: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of an edition; the main one has no title."""

    title: str | None
    articles: tuple[Article, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """An article that was considered and not chosen, and why (one word: "limit", "size")."""

    article: Article
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What an edition will say, before it is written: pure choice, no markup."""

    sections: tuple[Section, ...]
    left_out: tuple[LeftOut, ...]
    subject: str
    preheader: str

    @property
    def articles(self) -> tuple[Article, ...]:
        """All chosen articles in the order in which they are read."""
        return tuple(article for section in self.sections for article in section.articles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One article rendered and inlined for an edition."""

    article_id: int
    html: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An edition rendered once for everybody: a frame, and the cards that belong into it.

    The frame has a slot for each card and each personal value. All slots begin with the edition's
    nonce, which no feed can know.
    """

    subject: str
    preheader: str
    html: str
    text: str
    cards: tuple[Card, ...]
    #: how long the mail itself takes to read; None where that was never noted
    minutes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One number of a newsletter, as it is stored and sent. Times are UTC."""

    id: int
    newsletter: str
    schedule: str
    #: counts the editions of one newsletter from 1
    number: int
    made_at: datetime
    language: str
    #: 128 random bits in hex, chosen after the articles were read: marks slots, seeds Message-IDs
    nonce: str
    written: Written
