"""Turns articles into ranks: what counts for each, number by number, and what is no news here.

Pure arithmetic over what the operator wrote; `digest explain` shows the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from digest.editions.topics import strength_of
from digest.model.edition import LeftOut, Score

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from digest.model.article import Article
    from digest.model.newsletter import Newsletter
    from digest.model.policy import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Articles about one event: those that are new, and those that were told before."""

    #: ids of new articles
    ids: tuple[int, ...]
    #: what an earlier edition told of it, the newest last
    told: tuple[Article, ...] = ()
    #: of the new ones, those that say more than what was told
    goes_on: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranks:
    """What was found out about the articles of an edition, by their ids."""

    scores: Mapping[int, Score] = field(default_factory=dict)
    #: a name for the event that each is about, where others are about it too
    events: Mapping[int, int] = field(default_factory=dict)
    #: those that go on with what an earlier edition told: that article
    earlier: Mapping[int, Article] = field(default_factory=dict)
    #: their places before all others, as the editors want it
    pinned: Mapping[int, int] = field(default_factory=dict)
    #: what is told to nobody, whatever the room
    left_out: tuple[LeftOut, ...] = ()

    def order(self, article: Article) -> tuple[float, float, float, int]:
        """What articles are sorted by: pins, then rank, then age, then their feed's order."""
        score = self.scores.get(article.id)
        return (
            self.pinned.get(article.id, math.inf),
            -score.total if score else 0.0,
            -article.published_at.timestamp(),
            article.id,
        )


def weigh(
    found: Iterable[Article],
    newsletter: Newsletter,
    *,
    now: datetime,
    events: Sequence[Event] = (),
    verdicts: Iterable[Verdict] = (),
) -> tuple[list[Article], Ranks]:
    """The articles that may be told, under the titles that they get, and their ranks.

    `found` have their topics already. Left out are those off topic, refused by the editors, and
    those that say nothing but what was told; an editor's pin outweighs the first and the last.
    """
    said = {each.article_id: each for each in verdicts}
    of_event = {each: event for event in events for each in event.ids}
    kept: list[Article] = []
    left_out: list[LeftOut] = []
    for article in found:
        verdict, event = said.get(article.id), of_event.get(article.id)
        out = _left_out(article, newsletter, event, verdict)
        if out is not None:
            left_out.append(out)
        else:
            title = verdict.title if verdict else None
            kept.append(replace(article, title=title) if title else article)
    sizes = {id(event): len(event.ids) + len(event.told) for event in events}
    return kept, Ranks(
        scores={
            each.id: score(
                each,
                newsletter,
                now=now,
                event_size=sizes[id(of_event[each.id])] if each.id in of_event else 1,
            )
            for each in kept
        },
        events={each: event.ids[0] for event in events if len(event.ids) > 1 for each in event.ids},
        earlier={
            each.id: of_event[each.id].told[-1]
            for each in kept
            if each.id in of_event and of_event[each.id].told
        },
        pinned={key: each.pinned for key, each in said.items() if each.pinned is not None},
        left_out=tuple(left_out),
    )


def _left_out(
    article: Article, newsletter: Newsletter, event: Event | None, verdict: Verdict | None
) -> LeftOut | None:
    if verdict is not None and verdict.refused:
        return LeftOut(article=article, reason="refused")
    if verdict is not None and verdict.pinned is not None:
        return None
    feed = next((each for each in newsletter.feeds if each.url == article.feed), None)
    if feed is not None and feed.only_topics and not article.topics:
        return LeftOut(article=article, reason="off topic")
    if event is not None and event.told and article.id not in event.goes_on:
        return LeftOut(article=article, reason="told", instead=event.told[-1].id)
    return None


def score(article: Article, newsletter: Newsletter, *, now: datetime, event_size: int = 1) -> Score:
    """The rank of an article, number by number.

    Freshness is 1 for what is new and halves with each half-life. A topic, a feed and a section
    count by what their weight is above or below the usual; a topic that only the text names, by
    half of that. An event counts for each doubling of the articles about it.
    """
    ranking = newsletter.ranking
    age = max(0.0, (now - article.published_at) / ranking.half_life)
    feed = next((each for each in newsletter.feeds if each.url == article.feed), None)
    rule = newsletter.section_rule(article.section)
    parts = {
        "freshness": ranking.freshness * 0.5 ** min(age, 1000.0),
        "topic": ranking.topic * _topic(article, newsletter),
        "thread": ranking.thread * math.log2(max(1, event_size)),
        "source": ranking.source * ((feed.weight if feed else 1.0) - 1.0),
        "section": rule.weight if rule else 0.0,
    }
    return Score(parts=tuple((name, round(number, 6)) for name, number in parts.items() if number))


def _topic(article: Article, newsletter: Newsletter) -> float:
    """What its strongest topic weighs more or less than the usual."""
    about = [each for each in newsletter.topics if each.name in article.topics]
    if not about:
        return 0.0
    strongest = max(about, key=lambda each: each.weight)
    return (strongest.weight - 1.0) * strength_of(article, strongest)
