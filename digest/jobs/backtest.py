"""Replays what a policy would have chosen at each slot of the past, beside what was really sent.

It writes nothing and renders nothing. What was known at a slot is read for that slot alone, so that
memory grows with the titles that are asked for, not with what is held.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

from digest.editions.backtest import (
    Choice,
    Line,
    Story,
    Summary,
    Tally,
    compare,
    minutes_of,
    stories_of,
)
from digest.editions.calendar import due_slot, next_times
from digest.errors import DigestError, UsageError
from digest.jobs.exhibit import utc
from digest.jobs.trial import Trial
from digest.jobs.world import World
from digest.model.newsletter import Newsletter, Schedule
from digest.store import feeds, replay
from digest.store.engine import Connection
from digest.store.replay import Considered

#: how far back one may ask, and for how many slots: each is a choice of its own
DAYS = 400
SLOTS = 10_000

#: given the number of slots: a context in which to count each one
Counting = Callable[[int], AbstractContextManager[Callable[[], None]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """What a policy would have told in the last days, beside what was sent."""

    newsletter: Newsletter
    schedule: Schedule
    days: int
    lines: tuple[Line, ...]
    trial: Summary
    sent: Summary
    #: of all days: in both, only in the trial, only in what was sent
    kept: int
    new: int
    gone: int
    #: feeds of the policy of which nothing is held
    unread: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """As `digest backtest --json` prints it."""
        return {
            "newsletter": self.newsletter.slug,
            "schedule": self.schedule.name,
            "cron": self.schedule.cron,
            "days": self.days,
            "slots": [_describe(each) for each in self.lines],
            "summary": {
                "trial": asdict(self.trial),
                "sent": asdict(self.sent),
                "kept": self.kept,
                "new": self.new,
                "gone": self.gone,
            },
            "unread_feeds": list(self.unread),
        }


def _describe(line: Line) -> dict[str, object]:
    titles = [
        {"mark": mark, "id": each.id, "title": each.title, "url": each.url}
        for mark, each in line.titles
    ]
    counts = {name: getattr(line, name) for name in ("stories", "minutes", "kept", "new", "gone")}
    return {"slot_utc": utc(line.at), **counts, **({"titles": titles} if titles else {})}


async def backtest(
    world: World,
    newsletter: Newsletter,
    schedule: Schedule,
    *,
    days: int,
    full: bool = False,
    counting: Counting = lambda _: nullcontext(lambda: None),
) -> Backtest:
    """What `newsletter`, as the policy has it, would have told in this rhythm in the last days.

    `full`: with every title. Raises UsageError where the time holds no slot or too many, and
    DigestError where it holds no article.
    """
    now = world.clock()
    slots = _slots(newsletter, schedule, days=days, now=now)
    begun = _slot_before(newsletter, schedule, slots[0])
    async with world.store.read() as connection:
        last = await replay.last_made(connection, newsletter.slug, schedule.name, by=begun)
        known = {each.url for each in await feeds.find(connection, _urls(newsletter))}
    trial = Trial(newsletter=newsletter, schedule=schedule, begun=begun, last=last)
    ours, theirs, lines, before = Tally(), Tally(), [], begun
    with counting(len(slots)) as count_one:
        for at in slots:
            # each slot reads by itself: a long look would keep the database from tidying up
            async with world.store.read() as connection:
                told = await trial.choose(connection, at, ours)
                sent = await _sent(connection, newsletter, schedule, theirs, after=before, until=at)
            shown = stories_of(told)
            lines.append(compare(at, shown, sent, minutes=minutes_of(told), full=full))
            before = at
            count_one()
    if ours.knows_nothing() and theirs.knows_nothing():
        raise DigestError(
            f"{newsletter.slug}: no article of its feeds was seen in the last {days} days;"
            " ask for more --days, or gather first"
        )
    return Backtest(
        newsletter=newsletter,
        schedule=schedule,
        days=days,
        lines=tuple(lines),
        trial=ours.summary(),
        sent=theirs.summary(),
        kept=len(ours.told & theirs.told),
        new=len(ours.told - theirs.told),
        gone=len(theirs.told - ours.told),
        unread=tuple(each for each in _urls(newsletter) if each not in known),
    )


def _urls(newsletter: Newsletter) -> list[str]:
    return list(dict.fromkeys(each.url for each in newsletter.feeds))


def _slots(
    newsletter: Newsletter, schedule: Schedule, *, days: int, now: datetime
) -> list[datetime]:
    """The slots of the last days, in UTC. Raises UsageError where there are none or too many."""
    if not 1 <= days <= DAYS:
        raise UsageError(f"--days {days}: say how many days to look back, from 1 to {DAYS}")
    asked = f"{schedule.name} ({schedule.cron}) has"
    since = now - timedelta(days=days)
    times = next_times(schedule.cron, timezone=newsletter.timezone, after=since, count=SLOTS + 1)
    slots = [each.astimezone(UTC) for each in times if each <= now]
    if not slots:
        raise UsageError(f"{asked} no slot in the last {days} days; ask for more --days")
    if len(slots) > SLOTS:
        raise UsageError(f"{asked} more than {SLOTS} slots in {days} days; ask for fewer --days")
    return slots


def _slot_before(newsletter: Newsletter, schedule: Schedule, first: datetime) -> datetime:
    """Where the trial begins: what was told until then was told."""
    earlier = due_slot(
        schedule.cron,
        timezone=newsletter.timezone,
        since=first - timedelta(days=62),
        now=first - timedelta(seconds=1),
    )
    return earlier or first - timedelta(days=31)


async def _sent(
    connection: Connection,
    newsletter: Newsletter,
    schedule: Schedule,
    tally: Tally,
    *,
    after: datetime,
    until: datetime,
) -> list[Story]:
    """What was really told in this rhythm in the time of a slot, in reading order."""
    found = await replay.considered_between(
        connection, newsletter.slug, schedule.name, after=after, until=until
    )
    for _, group in groupby(found, key=lambda each: each.edition):
        mine = list(group)
        out = [each for each in mine if each.position is None]
        tally.add(
            Choice(
                at=mine[0].at,
                told=_as_stories([each for each in mine if each.position is not None]),
                left_out=_as_stories(out),
                reasons={each.id: each.reason or "" for each in out},
            )
        )
    return list(_as_stories([each for each in found if each.position is not None]))


def _as_stories(found: Sequence[Considered]) -> tuple[Story, ...]:
    return tuple(
        Story(id=each.id, title=each.title, url=each.url, published_at=each.published_at)
        for each in found
    )
