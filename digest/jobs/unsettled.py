"""Turns an edition into what readers get of it who chose anew since their last one.

Nothing that they had, what they missed meanwhile, and no second edition on one day of theirs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from digest.editions.arrival import a_day_later, local_day, next_day
from digest.editions.calendar import check_timezone
from digest.jobs.press import Press, name_of
from digest.model.article import Article
from digest.model.edition import LEFT_OVER, Draft, Edition, Slot
from digest.model.layout import Extra
from digest.model.newsletter import Newsletter, Schedule
from digest.store import deliveries, missed, unsettled
from digest.store.engine import Connection
from digest.store.followed import told_to
from digest.store.subscribers import read_choice
from digest.store.unsettled import Grant, Reader, Row
from digest.store.wishes import Wish

#: how far back it is asked what somebody missed
MISSED: Final = timedelta(days=7)

#: and how many articles all of them together may have missed
MOST: Final = 60

#: how far back it is known what somebody had: two of the rarest usual rhythm
HAD: Final = timedelta(days=62)


async def beside(
    connection: Connection,
    newsletter: Newsletter,
    schedule: Schedule,
    *,
    tells: Collection[int] = (),
    now: datetime,
) -> list[Article]:
    """What the next edition of a rhythm has to have beside its own articles, the newest first.

    At most `MOST`: what readers who chose anew missed in the last week. `tells`: what the edition
    has anyway.
    """
    ids: set[int] = set()
    async for readers in _pages(connection, newsletter, schedule, now=now):
        past = await unsettled.rows_of(connection, [each.id for each in readers], since=now - HAD)
        before = await _before(connection, newsletter, now=now)
        owed = {each.id: _owed(each, past[each.id], before, schedule, now=now) for each in readers}
        keys = {(one, _choice(newsletter, each)) for each in readers for one in owed[each.id]}
        for articles in (await missed.told(connection, keys)).values():
            ids |= articles
    found = await missed.still_tellable(
        connection, newsletter.slug, ids - set(tells), newsletter.feeds
    )
    return found[:MOST]


@dataclass(slots=True, kw_only=True)
class Turn:
    """An edition under way to readers who chose anew."""

    connection: Connection
    newsletter: Newsletter
    slot: Slot
    schedule: Schedule
    edition: Edition
    draft: Draft
    #: whether nobody may get two on one day: not of a rhythm of several, nor by a person's word
    by_day: bool
    #: the selections of the edition
    press: Press
    #: when a wish is due
    due_at: Callable[[Wish], datetime]
    #: the selections that somebody got, and those of them that somebody got in a way of his own
    granted: set[str] = field(default_factory=set)
    altered: set[str] = field(default_factory=set)
    #: who needs to be looked at no more, and what he had chosen when we did
    _settled: dict[int, datetime] = field(default_factory=dict)

    async def grant(self) -> int:
        """The rows of those who have none yet; return how many are new."""
        written = 0
        pages = _pages(
            self.connection,
            self.newsletter,
            self.schedule,
            without=self.edition.id,
            now=self.edition.made_at,
        )
        async for readers in pages:
            grants = await self._grants(readers)
            new = await unsettled.write(
                self.connection, self.edition.id, grants, now=self.edition.made_at
            )
            later = [each.due_at for each in new if each.due_at > self.edition.made_at]
            await deliveries.count_in(
                self.connection, self.edition.id, len(new), max(later, default=None)
            )
            self.granted |= {each.choice for each in new}
            self.altered |= {each.choice for each in new if each.extra != Extra()}
            written += len(new)
        return written

    async def settle(self) -> None:
        """Let those be as everybody who are through; when all rows are written."""
        await unsettled.settle(self.connection, self._settled)

    async def _grants(self, readers: Sequence[Reader]) -> list[Grant]:
        """What each of them gets."""
        now = self.edition.made_at
        past = await unsettled.rows_of(
            self.connection, [each.id for each in readers], since=now - HAD
        )
        before = await _before(self.connection, self.newsletter, now=now)
        choices = {each.id: _choice(self.newsletter, each) for each in readers}
        owed = {
            each.id: _owed(each, past[each.id], before, self.schedule, now=now) for each in readers
        }
        await self.press.plan(choices.values())
        told_now = self.press.plans(set(choices.values()))
        keys = {(row.edition_id, row.choice) for each in readers for row in past[each.id]}
        keys |= {(one, choices[each]) for each, ones in owed.items() for one in ones}
        told = await missed.told(self.connection, keys)
        similar = await told_to(self.connection, [each.id for each in readers], since=now - HAD)
        grants = []
        for each in readers:
            choice = choices[each.id]
            if choice in told_now:
                had = _had(past[each.id], told) | similar[each.id]
                lacks = set().union(*(told[one, choice] for one in owed[each.id])) - had
                mine = frozenset(told_now[choice].article_ids)
                grant = self._grant(each, choice, past[each.id], mine=mine, had=had, lacks=lacks)
                grants += [grant] if grant is not None else []
        return grants

    def _grant(
        self,
        reader: Reader,
        choice: str,
        past: Sequence[Row],
        *,
        mine: frozenset[int],
        had: set[int],
        lacks: set[int],
    ) -> Grant | None:
        """What one gets; None where nothing would be left of it."""
        extra = Extra(
            omit=tuple(sorted(mine & had)),
            meanwhile=tuple(sorted((lacks & self.press.cards(choice)) - mine)),
        )
        tells = mine - had | set(extra.meanwhile)
        due_at = self._day(reader, past)
        if not tells or due_at is None:
            if not tells and not self._may_return(had):
                self._settled[reader.id] = reader.changed_at
            if not tells:
                return None
            at = self.due_at(_wish(reader))
            return Grant(reader=reader.id, choice=choice, due_at=at, extra=Extra(), skipped=True)
        is_last = all(row.due_at < due_at for row in past if row.counts)
        if not self.slot.manual and is_last and not self._may_return(had | tells):
            self._settled[reader.id] = reader.changed_at
        return Grant(reader=reader.id, choice=choice, due_at=due_at, extra=extra)

    def _may_return(self, had: set[int]) -> bool:
        """True where an edition to come may tell what this reader had: it found no room here."""
        return any(
            each.article.id in had for each in self.draft.left_out if each.reason in LEFT_OVER
        )

    def _day(self, reader: Reader, past: Sequence[Row]) -> datetime | None:
        """When his edition comes; None for never, for his day has one and the next one as well."""
        due_at = self.due_at(_wish(reader))
        if not self.by_day:
            return due_at
        zone = zone_of(reader.timezone, self.newsletter)
        taken = {local_day(row.due_at, zone) for row in past if row.counts}
        if local_day(due_at, zone) not in taken:
            return due_at
        later = a_day_later(due_at, zone)
        day = local_day(later, zone)
        following = next_day(
            self.slot.at, self.schedule, self.newsletter, hour=reader.hour, timezone=zone
        )
        free = day not in taken and (following is None or day < following)
        return later if free else None


def zone_of(timezone: str | None, newsletter: Newsletter) -> str:
    """A reader's zone: his own, if this machine knows it, or the newsletter's."""
    return newsletter.timezone if timezone is None or check_timezone(timezone) else timezone


def _choice(newsletter: Newsletter, reader: Reader) -> str:
    """The name of his selection."""
    return name_of(newsletter, read_choice(reader.choice), reader.language)


def _wish(reader: Reader) -> Wish:
    return Wish(choice=reader.choice, hour=reader.hour, timezone=reader.timezone)


async def _pages(
    connection: Connection,
    newsletter: Newsletter,
    schedule: Schedule,
    *,
    without: int | None = None,
    now: datetime,
) -> AsyncIterator[list[Reader]]:
    others, after = newsletter.takes_in_others_than(schedule), 0
    while True:
        readers = await unsettled.page(
            connection,
            newsletter.slug,
            [schedule.name],
            others,
            without=without,
            after=after,
            now=now,
        )
        if not readers:
            return
        yield readers
        after = readers[-1].id


async def _before(
    connection: Connection, newsletter: Newsletter, *, now: datetime
) -> list[tuple[int, str, datetime]]:
    """The editions of the last days, but for those that are made now."""
    found = await missed.made_since(connection, newsletter.slug, now - MISSED)
    return [each for each in found if each[2] < now]


def _owed(
    reader: Reader,
    past: Sequence[Row],
    before: Iterable[tuple[int, str, datetime]],
    schedule: Schedule,
    *,
    now: datetime,
) -> set[int]:
    """The editions that a reader missed: of his old rhythm and of this one, since his last."""
    last = next((row for row in reversed(past) if not row.skipped), None)
    if last is None:
        return set()
    since = max(last.made_at, reader.paused_until or last.made_at)
    have = {row.edition_id for row in past}
    skipped = {row.edition_id for row in past if row.skipped and row.made_at >= since}
    return {
        edition
        for edition, name, made_at in before
        if edition in skipped
        or (name in (last.schedule, schedule.name) and made_at > since and edition not in have)
        if made_at < now
    }


def _had(past: Iterable[Row], told: dict[missed.Key, frozenset[int]]) -> set[int]:
    had: set[int] = set()
    for row in past:
        if row.counts:
            had |= told[row.edition_id, row.choice] | set(row.extra.meanwhile)
    return had
