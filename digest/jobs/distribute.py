"""Turns an edition into one row for each of its readers: what he gets of it, and when.

By his choice of topics and his hour. Somebody whose topics have no news this time gets nothing, as
everybody does when there is none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from digest.editions.calendar import check_timezone, is_daily_or_rarer, reader_hour
from digest.jobs.prepare import Prepared, select_for
from digest.jobs.world import World
from digest.model.edition import Edition, Slot
from digest.model.newsletter import Newsletter, Schedule
from digest.store import deliveries, editions, wishes
from digest.store.engine import Connection
from digest.store.subscribers import read_choice, write_choice
from digest.store.wishes import Wish


async def distribute(
    connection: Connection,
    world: World,
    newsletter: Newsletter,
    slot: Slot,
    *,
    edition: Edition,
    prepared: Prepared,
) -> int:
    """Write the rows of an edition, in the transaction that made it; return how many.

    On PostgreSQL a reader may change his mind meanwhile, so it looks again until everybody who is
    to get something has his row.
    """
    schedule = newsletter.schedule(slot.schedule) or newsletter.default_schedule
    some = _Distribution(connection, world, newsletter, slot, schedule, edition, prepared)
    written, asked = 0, await some.wishes()
    while asked:
        before = written
        for wish in asked:
            written += await some.grant(wish)
        if written == before or world.store.kind == "sqlite":
            break
        late = await some.wishes(without=edition.id)
        asked = [each for each in late if some.has_news(each)]
    return written


@dataclass(slots=True)
class _Distribution:
    """One edition under way to its readers."""

    connection: Connection
    world: World
    newsletter: Newsletter
    slot: Slot
    schedule: Schedule
    edition: Edition
    prepared: Prepared
    #: whether there is anything in the selection of a choice; "" is the edition itself
    _news: dict[str, bool] = field(default_factory=lambda: {"": True})

    async def wishes(self, *, without: int | None = None) -> list[Wish]:
        """What the readers wish for; their hours count for the clock's editions alone."""
        now = self.edition.made_at
        return await wishes.all_of(
            self.connection,
            self.newsletter.slug,
            [self.schedule.name],
            self.newsletter.takes_in_others_than(self.schedule),
            by_hour=not self.slot.manual
            and is_daily_or_rarer(self.schedule, self.newsletter, now=now),
            without=without,
            now=now,
        )

    def has_news(self, wish: Wish) -> bool:
        """False where it is known that there is nothing for this wish."""
        return self._news.get(self._choice(wish), True)

    async def grant(self, wish: Wish) -> int:
        """The rows of all readers of a wish; return how many are new."""
        choice = self._choice(wish)
        if choice not in self._news:
            await self._select(choice)
        if not self._news[choice]:
            return 0
        return await deliveries.fan_out(
            self.connection,
            edition_id=self.edition.id,
            newsletter=self.newsletter.slug,
            frequencies=[self.schedule.name],
            other_than=self.newsletter.takes_in_others_than(self.schedule),
            wish=wish,
            choice=choice,
            due_at=self._due_at(wish),
            now=self.edition.made_at,
        )

    async def _select(self, choice: str) -> None:
        """Write the selection of a choice, once for all of its readers."""
        found = await select_for(
            self.world, self.newsletter, self.schedule, self.prepared, read_choice(choice)
        )
        self._news[choice] = found is not None
        if found is not None:
            await editions.add_selection(
                self.connection, self.edition.id, choice=choice, written=found.written
            )
            told = [each.id for each in found.draft.articles]
            await editions.settle(self.connection, self.edition.id, told)

    def _choice(self, wish: Wish) -> str:
        """The topics of a wish that are still offered."""
        return write_choice(self.newsletter.choose(read_choice(wish.choice)))

    def _due_at(self, wish: Wish) -> datetime:
        """The reader's hour, counted from the slot: an edition is made some seconds after it."""
        now = self.edition.made_at
        if wish.hour is None:
            return now
        zone = wish.timezone
        if zone is None or check_timezone(zone) is not None:  # one that this machine does not know
            zone = self.newsletter.timezone
        return max(now, reader_hour(self.slot.at, hour=wish.hour, timezone=zone))
