"""Turns an edition into one row for each of its readers: what he gets of it, and when.

By his choice of topics, his language and his hour. Somebody whose topics have no news this time
gets nothing, as everybody does when there is none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from digest.editions.arrival import arrival, local_day, waits
from digest.editions.calendar import check_timezone, is_daily_or_rarer
from digest.jobs import followed
from digest.jobs.illustrate import illustrate
from digest.jobs.press import Press, abroad_of, name_of
from digest.jobs.unsettled import Turn, beside, zone_of
from digest.messages.shortened import shortened
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
    #: what waits for readers who follow something
    _found: followed.Waiting = field(default_factory=dict)
    #: the selections that somebody gets
    _granted: set[str] = field(default_factory=set)

    @property
    def by_hour(self) -> bool:
        """Whether readers' hours and days count: for the clock's editions alone."""
        now = self.press.chosen.made_at
        return not self.slot.manual and is_daily_or_rarer(self.schedule, self.newsletter, now=now)

    async def begin(self) -> None:
        """Set the edition itself and all that its readers wish for."""
        whole = self.press.draft("")
        if whole is None:
            return
        tells = {each.id for each in whole.articles}
        more = await beside(
            self.connection,
            self.newsletter,
            self.schedule,
            tells=tells,
            now=self.press.chosen.made_at,
        )
        self._found = await followed.waiting(self.connection, self.newsletter)
        more += await followed.beside(self.connection, self.newsletter, self._found, tells=tells)
        more = await illustrate(self.connection, self.press.world, self.newsletter, more)
        asked = await self._wishes(settled=False)
        await self.press.plan(["", *map(self._name, asked)], more)

    async def fan_out(self, edition: Edition) -> int:
        """Write the rows of an edition; return how many.

        On PostgreSQL a reader may change his mind meanwhile, so it looks again until everybody who
        is to get something has his row.
        """
        others = self._others(edition)
        written, asked = await others.grant(), await self._wishes()
        while asked:
            await self.press.plan(map(self._name, asked))
            before = written
            for wish in asked:
                written += await self._grant(edition, wish)
            if written == before or self.connection.dialect.name == "sqlite":
                break
            written += await others.grant()
            late = await self._wishes(without=edition.id)
            asked = [each for each in late if not self.press.is_empty(self._name(each))]
        await others.settle()
        self._granted |= others.granted
        altered = others.altered | await followed.grant(
            self.connection, edition.id, self.press, self._found, now=edition.made_at
        )
        await self._keep(edition, altered)
        return written

    def _others(self, edition: Edition) -> Turn:
        """What stands ready for those who chose anew."""
        page = self.press.page("")
        if page is None:
            raise LookupError("an edition of nothing has no readers")
        return Turn(
            connection=self.connection,
            newsletter=self.newsletter,
            slot=self.slot,
            schedule=self.schedule,
            edition=edition,
            draft=page.draft,
            by_day=self.by_hour,
            press=self.press,
            due_at=self._due_at,
        )

    async def _apart(self) -> list[str]:
        """The zones whose readers wait for midnight, though they named no hour."""
        if not self.by_hour:
            return []
        year = local_day(self.slot.at, self.newsletter.timezone).year
        return [
            zone
            for zone in await wishes.zones_without_hour(self.connection, self.newsletter.slug)
            if check_timezone(zone) is None
            and waits(self.schedule, self.newsletter, zone, year=year)
        ]

    async def _wishes(self, *, settled: bool = True, without: int | None = None) -> list[Wish]:
        """What the readers wish for; their hours count for the clock's editions alone."""
        now = self.press.chosen.made_at
        return await wishes.all_of(
            self.connection,
            self.newsletter.slug,
            [self.schedule.name],
            self.newsletter.takes_in_others_than(self.schedule),
            abroad=abroad_of(self.newsletter),
            by_hour=self.by_hour,
            apart=await self._apart(),
            settled=settled,
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

    async def _keep(self, edition: Edition, altered: set[str]) -> None:
        """Store the selections that somebody gets, and note what they told more than the whole."""
        names = sorted((self._granted - {""}) | altered)
        # what the whole lost for want of room is asked for later: `digest explain`
        whole = self.press.page("")
        cut = {""} if whole is not None and shortened(whole.plan) else set()
        if not names and not cut:
            return
        told: set[int] = set()
        for name in names:
            page = self.press.page(name)
            told |= {each.id for each in page.draft.articles} if page else set()
        if names:
            await editions.settle(self.connection, edition.id, sorted(told))
        await selections.keep(
            self.connection,
            edition.id,
            sheets_of=self.press.sheets(names),
            plans=self.press.plans({*names, *cut}),
        )

    def _name(self, wish: Wish) -> str:
        return name_of(self.newsletter, read_choice(wish.choice), wish.language)

    def _due_at(self, wish: Wish) -> datetime:
        """The reader's hour, counted from the slot: an edition is made some seconds after it."""
        now = self.press.chosen.made_at
        if not self.by_hour or (wish.hour is None and wish.timezone is None):
            return now
        zone = zone_of(wish.timezone, self.newsletter)
        comes = arrival(self.slot.at, self.schedule, self.newsletter, hour=wish.hour, timezone=zone)
        return max(now, comes)
