"""An edition: one number of a newsletter, from its slot to what is stored of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
class Score:
    """Why an article stands where it does, number by number: the parts of its rank by name."""

    parts: tuple[tuple[str, float], ...] = ()

    @property
    def total(self) -> float:
        """What articles are ordered by, the greatest first."""
        return sum(number for _, number in self.parts)


#: reasons for which an article may be considered again by the next edition, while it is fresh
LEFT_OVER = ("limit", "section limit", "minutes", "size")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """An article that was considered and not chosen, and why.

    "limit", "section limit", "minutes", "size" (see LEFT_OVER); "duplicate" and "thread" (another
    one of the same event stands there, `instead`), "told" (an earlier edition told all that it
    says), "off topic", "refused" (by the editors), "choice" (told to readers of some topics).
    """

    article: Article
    reason: str
    #: the id of the article that is told in its place
    instead: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What an edition will say, before it is written: pure choice, no markup."""

    sections: tuple[Section, ...]
    left_out: tuple[LeftOut, ...]
    subject: str
    preheader: str
    #: other articles about the event of a chosen one, by its id: links under its card
    also: Mapping[int, tuple[Article, ...]] = field(default_factory=dict)
    #: chosen articles that go on with what an earlier edition told, by their ids: that article
    earlier: Mapping[int, Article] = field(default_factory=dict)
    #: the rank of each article that was considered, by its id
    scores: Mapping[int, Score] = field(default_factory=dict)
    #: what the editors write above the news
    lead: str = ""

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
