"""Replays the choice of one slot of the past after the other, as a policy would have made it.

What it told, what it settled and what found no room it remembers itself; it writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from digest.editions.backtest import Choice, Tally, fit, stories_of
from digest.editions.topics import with_topics
from digest.editions.weigh import Ranks
from digest.jobs.prepare import BACKGROUND, KNOWN, OVERLAP, REMEMBERED, Known, first_look_back, rank
from digest.model.article import Article
from digest.model.edition import LEFT_OVER, Draft
from digest.model.newsletter import Newsletter, Schedule
from digest.store import recent, replay, verdicts
from digest.store.engine import Connection

#: no more of what found no room is tried again: an edition has room for 200 at most
_TRIED_AGAIN = 5000


@dataclass(slots=True, kw_only=True)
class Trial:
    """A policy that is being tried, and what it would remember of what it told."""

    newsletter: Newsletter
    schedule: Schedule
    begun: datetime
    #: when the last real edition was made that it goes on from
    last: datetime | None
    #: when it would have made its own last edition
    made_at: datetime | None = None
    #: ids of what needs no second look
    settled: set[int] = field(default_factory=set)
    #: what found no room, and when it was published
    left_over: dict[int, datetime] = field(default_factory=dict)
    #: what it told or named of late, and when; oldest first
    told: list[tuple[datetime, Article]] = field(default_factory=list)

    async def choose(self, connection: Connection, at: datetime, tally: Tally) -> list[Article]:
        """What it would have told at this slot, in reading order; nothing where nothing was new."""
        found, old = await self._found(connection, at)
        if not found:
            return []
        known = await self._known(connection, at, old)
        kept, ranks = await rank(found, self.newsletter, known, now=at)
        draft = fit(kept, self.newsletter, ranks)
        if draft is None:
            tally.add(Choice(at=at, reasons=_reasons(ranks)))
            tally.overlook((each.id for each in found), "no news")
            return []
        self._remember(at, draft, {each.id: each for each in found})
        tally.add(
            Choice(
                at=at,
                told=stories_of(draft.articles),
                left_out=stories_of([each.article for each in draft.left_out]),
                reasons={each.article.id: each.reason for each in draft.left_out},
            )
        )
        return list(draft.articles)

    async def _found(
        self, connection: Connection, at: datetime
    ) -> tuple[list[Article], frozenset[int]]:
        """What it could tell, as it was known, and the ids of what is left over of it."""
        fresh = at - self.newsletter.leftovers if self.newsletter.leftovers else None
        for key, published in list(self.left_over.items()):
            if fresh is None or published < fresh:
                del self.left_over[key]
                self.settled.add(key)
        made = self.made_at or (min(self.last, self.begun) if self.last else None)
        found, old = await replay.known_at(
            connection,
            newsletter=self.newsletter.slug,
            schedule=self.schedule.name,
            sources=self.newsletter.feeds,
            at=at,
            seen_since=made - OVERLAP
            if made
            else min(first_look_back(self.newsletter, self.schedule, at), self.begun),
            fresh_since=fresh,
            settled_by=self.last,
            left_over=sorted(self.left_over, key=self.left_over.__getitem__)[-_TRIED_AGAIN:],
        )
        open_ones = [each for each in found if each.id not in self.settled]
        return with_topics(open_ones, self.newsletter), old.union(self.left_over)

    async def _known(self, connection: Connection, at: datetime, old: frozenset[int]) -> Known:
        since = at - REMEMBERED
        self.told = [each for each in self.told if each[0] >= since][-KNOWN:]
        told = [article for _, article in self.told]
        slug = self.newsletter.slug
        if self.last is not None and self.last >= since:
            told[:0] = await recent.told_since(
                connection, slug, self.schedule.name, since, limit=KNOWN, until=self.last
            )
        return Known(
            told=told[-KNOWN:],
            usual=await recent.background(connection, limit=BACKGROUND, until=at),
            verdicts=await verdicts.of(connection, slug, until=at),
            left_over=old,
        )

    def _remember(self, at: datetime, draft: Draft, found: dict[int, Article]) -> None:
        """Let nothing be told twice, and let what found no room be tried again."""
        self.made_at = at
        out = {each.article.id: each.reason for each in draft.left_out}
        named = [key for key, reason in out.items() if reason == "thread"]
        shown = [each.id for each in draft.articles]
        self.told += [(at, found[key]) for key in sorted((*shown, *named))]
        for key in (*shown, *out):
            if out.get(key) in LEFT_OVER:
                self.left_over[key] = found[key].published_at
            else:
                self.left_over.pop(key, None)
                self.settled.add(key)


def _reasons(ranks: Ranks) -> dict[int, str]:
    return {each.article.id: each.reason for each in ranks.left_out}
