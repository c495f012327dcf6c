"""Turns what a trial chose, and what was sent, into what one told and the other did not.

Pure counting; it never asks what the reader would have liked better.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from digest.editions.compose import compose

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from digest.editions.weigh import Ranks
    from digest.model.article import Article
    from digest.model.edition import Draft
    from digest.model.newsletter import Newsletter

#: how much of an edition is told at length, and characters of the excerpts there and below
_AT_LENGTH: Final = 10
_LONG: Final = 260
_SHORT: Final = 120
_WORDS_A_MINUTE: Final = 200


def fit(found: Sequence[Article], newsletter: Newsletter, ranks: Ranks) -> Draft | None:
    """The draft of these articles within the newsletter's limit and minutes, without writing it."""
    draft = compose(found, newsletter, ranks=ranks)
    most = newsletter.minutes
    while draft is not None and most is not None and len(draft.articles) > 1:
        chosen, minutes = len(draft.articles), minutes_of(draft.articles)
        if minutes <= most:
            break
        fewer = max(1, min(chosen - 1, chosen * most // minutes))
        full = {each.article.id for each in draft.left_out if each.reason == "limit"}
        draft = compose(found, replace(newsletter, limit=fewer), ranks=ranks)
        if draft is not None:
            why = [
                replace(each, reason="minutes")
                if each.reason == "limit" and each.article.id not in full
                else each
                for each in draft.left_out
            ]
            draft = replace(draft, left_out=tuple(why))
    return draft


def minutes_of(articles: Sequence[Article]) -> int:
    """How long a mail of these articles takes to read, about: titles and cut excerpts."""
    words = 0
    for place, each in enumerate(articles):
        excerpt = each.excerpt[: _LONG if place < _AT_LENGTH else _SHORT]
        words += len(f"{each.title} {excerpt}".split())
    return max(1, round(words / _WORDS_A_MINUTE)) if articles else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """An article that was told, or would have been. Times are UTC."""

    id: int
    title: str
    url: str
    published_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What one edition told, and what it left out."""

    at: datetime
    told: tuple[Story, ...] = ()
    left_out: tuple[Story, ...] = ()
    #: why each of these was left out, by its id
    reasons: Mapping[int, str] = field(default_factory=dict)

    @property
    def newest(self) -> int:
        """How many of those told are what a choice by date alone would have told."""
        others = [each for each in self.left_out if self.reasons.get(each.id) != "duplicate"]
        every = sorted((*self.told, *others), key=lambda each: (each.published_at, -each.id))
        latest = {each.id for each in every[::-1][: len(self.told)]}
        return sum(each.id in latest for each in self.told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What a slot told in the trial, beside what was sent in its time."""

    at: datetime
    #: of the trial; 0 where there was nothing new
    stories: int
    minutes: int
    #: in both, only in the trial, only in what was sent
    kept: int
    new: int
    gone: int
    #: the marks = + - and what each of them is about; empty where nobody asked
    titles: tuple[tuple[str, Story], ...] = ()


def compare(
    at: datetime, trial: Sequence[Story], sent: Sequence[Story], *, minutes: int, full: bool
) -> Line:
    """A slot of the trial beside what was sent in its time, `full` with every title."""
    ours, theirs = ({each.id for each in side} for side in (trial, sent))
    marked = [("=" if each.id in theirs else "+", each) for each in trial]
    marked += [("-", each) for each in sent if each.id not in ours]
    return Line(
        at=at,
        stories=len(trial),
        minutes=minutes,
        kept=len(ours & theirs),
        new=len(ours - theirs),
        gone=len(theirs - ours),
        titles=tuple(marked) if full else (),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What one side told in all of the time."""

    editions: int
    stories: int
    #: distinct sites that the stories lead to
    sources: int
    #: the share of stories that a choice by date alone would have told; None where there are none
    newest: float | None
    #: hours that a story was old when it was told; None where there are none
    age: float | None
    #: how many were considered and never told, by the last reason
    never: Mapping[str, int]


@dataclass(slots=True)
class Tally:
    """Adds up what one side told; it grows with articles by two numbers each."""

    editions: int = 0
    told: set[int] = field(default_factory=set)
    _stories: int = 0
    _newest: int = 0
    _hours: float = 0.0
    _sites: set[str] = field(default_factory=set)
    _out: dict[int, str] = field(default_factory=dict)

    def add(self, choice: Choice) -> None:
        """Count an edition."""
        self.editions += bool(choice.told)
        self._stories += len(choice.told)
        self._newest += choice.newest
        for each in choice.told:
            self.told.add(each.id)
            self._sites.add(_site(each.url))
            self._hours += max(0.0, (choice.at - each.published_at).total_seconds() / 3600)
        self._out |= choice.reasons

    def overlook(self, ids: Iterable[int], reason: str) -> None:
        """Count what could have been told where there was no edition."""
        for each in ids:
            self._out.setdefault(each, reason)

    def knows_nothing(self) -> bool:
        """True where nothing was ever considered."""
        return not self.told and not self._out

    def summary(self) -> Summary:
        """What it comes to."""
        count = self._stories
        never = Counter(why for key, why in self._out.items() if key not in self.told)
        return Summary(
            editions=self.editions,
            stories=count,
            sources=len(self._sites),
            newest=self._newest / count if count else None,
            age=self._hours / count if count else None,
            never=dict(never.most_common()),
        )


def _site(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:  # an address that is none
        return ""


def stories_of(articles: Collection[Article]) -> tuple[Story, ...]:
    """What is counted of articles."""
    return tuple(
        Story(id=each.id, title=each.title, url=each.url, published_at=each.published_at)
        for each in articles
    )
