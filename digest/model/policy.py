"""How a newsletter chooses: what counts how much, what there is room for, who looks at it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """How much each reason counts for an article's place; 0 switches one off."""

    #: an article this much older counts half as fresh
    half_life: timedelta = timedelta(hours=24)
    freshness: float = 1.0
    #: times the weight of its strongest topic
    topic: float = 1.0
    #: for each doubling of the articles about the same event
    thread: float = 0.25
    #: times what its feed weighs more or less than 1
    source: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionRule:
    """What the operator says about one section of an edition."""

    title: str
    #: how many articles it may hold; None: as many as there is room for
    limit: int | None = None
    #: in which order its articles stand
    order: Literal["rank", "newest"] = "rank"
    #: added to the rank of its articles
    weight: float = 0.0
    #: fixed text under its title, and where that leads; a section may consist of nothing else
    text: str = ""
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sponsor:
    """Something paid for: it is marked as an advertisement, and stands apart from the news."""

    title: str
    text: str
    url: str
    #: UTC; None: no such end
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """A link by which readers may support the site."""

    text: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchEngine:
    """Where one may look further; `url` has {query} where the words of the title go."""

    name: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Editors see each draft so long before its slot, and may change it until then."""

    before: timedelta
    #: their addresses
    editors: tuple[str, ...]
    #: what nobody answering means
    silence: Literal["send", "hold"] = "send"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the editors say about an article in a newsletter."""

    article_id: int
    #: its place, counted from 1; None: where its rank puts it
    pinned: int | None = None
    refused: bool = False
    #: the title that it gets; None: its own
    title: str | None = None
