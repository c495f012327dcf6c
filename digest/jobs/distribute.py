"""Turns an edition into one row for each of its readers: what he gets of it, and when.

By his choice of topics, his language and his hour. Somebody whose topics have no news this time
gets nothing, as everybody does when there is none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from digest.editions.calendar import check_timezone, is_daily_or_rarer, reader_hour
from digest.jobs.press import Press, abroad_of, name_of
from digest.model.edition import Edition, Slot
from digest.model.newsletter import Newsletter, Schedule
from digest.store import deliveries, editions, selections, wishes
from digest.store.engine import Connection
from digest.store.subscribers import read_choice
from digest.store.wishes import Wish


@dataclass(slots=True)
class Distribution:
    """One edition under way to its readers, in the transaction that makes it."""

    connection: Connection
    newsletter: Newsletter
    schedule: Schedule
    slot: Slot
    press: Press
    #: the selections that somebody gets
    _granted: set[str] = field(default_factory=set)

    async def begin(self) -> list[Wish]:
        """Set the edition itself and all that its readers wish for; return the wishes."""
        asked = await self._wishes()
        await self.press.set(["", *map(self._name, asked)])
        return asked

    async def fan_out(self, edition: Edition, asked: list[Wish]) -> int:
        """Write the rows of an edition; return how many.

        On PostgreSQL a reader may change his mind meanwhile, so it looks again until everybody who
        is to get something has his row.
        """
        written = 0
        while asked:
            before = written
            for wish in asked:
                written += await self._grant(edition, wish)
            if written == before or self.connection.dialect.name == "sqlite":
                break
            late = await self._wishes(without=edition.id)
            asked = [each for each in late if not self.press.is_empty(self._name(each))]
            await self.press.set(map(self._name, asked))
        await self._keep(edition)
        return written

    async def _wishes(self, *, without: int | None = None) -> list[Wish]:
        """What the readers wish for; their hours count for the clock's editions alone."""
        now = self.press.chosen.made_at
        return await wishes.all_of(
            self.connection,
            self.newsletter.slug,
            [self.schedule.name],
            self.newsletter.takes_in_others_than(self.schedule),
            abroad=abroad_of(self.newsletter),
            by_hour=not self.slot.manual
            and is_daily_or_rarer(self.schedule, self.newsletter, now=now),
            without=without,
            now=now,
        )

    async def _grant(self, edition: Edition, wish: Wish) -> int:
        """The rows of all readers of a wish; return how many are new."""
        name = self._name(wish)
        if self.press.is_empty(name):
            return 0
        self._granted.add(name)
        return await deliveries.fan_out(
            self.connection,
            edition_id=edition.id,
            newsletter=self.newsletter.slug,
            frequencies=[self.schedule.name],
            other_than=self.newsletter.takes_in_others_than(self.schedule),
            wish=wish,
            choice=name,
            due_at=self._due_at(wish),
            now=edition.made_at,
        )

    async def _keep(self, edition: Edition) -> None:
        """Store the selections that somebody gets, and note what they told more than the whole."""
        names = sorted(self._granted - {""})
        if not names:
            return
        told: set[int] = set()
        for name in names:
            page = self.press.page(name)
            told |= {each.id for each in page.draft.articles} if page else set()
        await editions.settle(self.connection, edition.id, sorted(told))
        await selections.keep(
            self.connection,
            edition.id,
            sheets_of=self.press.sheets(names),
            plans=self.press.plans(names),
        )

    def _name(self, wish: Wish) -> str:
        return name_of(self.newsletter, read_choice(wish.choice), wish.language)

    def _due_at(self, wish: Wish) -> datetime:
        """The reader's hour, counted from the slot: an edition is made some seconds after it."""
        now = self.press.chosen.made_at
        if wish.hour is None:
            return now
        zone = wish.timezone
        if zone is None or check_timezone(zone) is not None:  # one that this machine does not know
            zone = self.newsletter.timezone
        return max(now, reader_hour(self.slot.at, hour=wish.hour, timezone=zone))
