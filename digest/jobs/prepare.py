"""Chooses and writes the edition that would go out now, whole or for a choice of topics.

It stores nothing: `publish` does, and a rehearsal does not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.editions.calendar import due_slot, rarer_than
from digest.editions.events import events_of
from digest.editions.topics import wanted, with_topics
from digest.editions.weigh import Event, Ranks, weigh
from digest.jobs.press import Chosen, Press
from digest.jobs.world import World
from digest.model.article import Article
from digest.model.edition import Draft, Written
from digest.model.layout import read_name
from digest.model.newsletter import Newsletter, Schedule
from digest.store import articles, editions, recent, verdicts, wishes
from digest.store.engine import Connection
from digest.store.subscribers import read_choice

#: what a first edition may look back to, however short its rhythm is
LOOK_BACK = timedelta(hours=24)

#: how long an event is remembered: who tells it again then tells it to those who forgot it
REMEMBERED = timedelta(days=7)
_KNOWN = 1000

#: so many articles say which words are usual
_BACKGROUND = 1000

#: an article may be committed a little after the edition that was made before it was seen
OVERLAP = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An edition that could go out now: chosen and written, not stored."""

    chosen: Chosen
    draft: Draft
    written: Written
    language: str


async def prepare(
    connection: Connection,
    world: World,
    newsletter: Newsletter,
    schedule: Schedule,
    *,
    name: str = "",
) -> Prepared | None:
    """The edition that would go out now, or a selection of it; None when there is nothing new."""
    chosen = await choose(connection, world, newsletter, schedule)
    press = Press(world, newsletter, chosen)
    await press.set([name])
    page = press.page(name)
    if page is None:
        return None
    return Prepared(
        chosen=chosen,
        draft=page.draft,
        written=press.write(name),
        language=read_name(name)[1] or newsletter.language,
    )


async def choose(
    connection: Connection, world: World, newsletter: Newsletter, schedule: Schedule
) -> Chosen:
    """What an edition that is made now may tell; nothing where nothing is new."""
    now = world.clock()
    found, ranks = await _ranked(connection, newsletter, schedule, now=now)
    rarer = rarer_than(schedule, newsletter, now=now)
    return Chosen(
        found=tuple(found),
        ranks=ranks,
        number=await editions.next_number(connection, newsletter.slug),
        # drawn after the articles were read: no feed can hold it
        nonce=world.secret_bytes(16).hex(),
        made_at=now,
        rarer=rarer.name if rarer else None,
    )


async def _ranked(
    connection: Connection, newsletter: Newsletter, schedule: Schedule, *, now: datetime
) -> tuple[list[Article], Ranks]:
    """What may be told, and what counts for each; nothing where all of it is left over."""
    found = await _candidates(connection, newsletter, schedule, now=now)
    if not found:
        return [], Ranks()
    events = await _events(connection, newsletter, schedule, found, now=now)
    said = await verdicts.of(connection, newsletter.slug)
    kept, ranks = weigh(found, newsletter, now=now, events=events, verdicts=said)
    old = await recent.left_over(
        connection, newsletter.slug, schedule.name, [each.id for each in kept]
    )
    # what had no room the last time is no reason to write again
    return (kept if any(each.id not in old for each in kept) else []), ranks


async def _events(
    connection: Connection,
    newsletter: Newsletter,
    schedule: Schedule,
    found: Sequence[Article],
    *,
    now: datetime,
) -> list[Event]:
    """Which of these articles are about one event, with what was told of it before."""
    told = await recent.told_since(
        connection, newsletter.slug, schedule.name, now - REMEMBERED, limit=_KNOWN
    )
    usual = await recent.background(connection, limit=_BACKGROUND)
    # thinking of a second or two, while the pages and the other jobs go on
    return await asyncio.to_thread(events_of, found, told=told, background=usual)


async def _candidates(
    connection: Connection, newsletter: Newsletter, schedule: Schedule, *, now: datetime
) -> list[Article]:
    last = await editions.last_made_at(connection, newsletter.slug, schedule.name)
    if last is not None:
        since = last - OVERLAP
    else:
        # nothing is lost that came since the clock began to run, however long we were down
        begun = await editions.last_slot(connection, newsletter.slug, schedule.name)
        since = min(_first_look_back(newsletter, schedule, now), begun or now)
    found = await articles.candidates(
        connection,
        newsletter=newsletter.slug,
        schedule=schedule.name,
        sources=newsletter.feeds,
        seen_since=since,
        fresh_since=now - newsletter.leftovers if newsletter.leftovers else None,
    )
    return with_topics(found, newsletter)


def _first_look_back(newsletter: Newsletter, schedule: Schedule, now: datetime) -> datetime:
    """How far a rhythm's first edition reaches: one full period, at least a day."""
    start = now
    for _ in range(2):
        earlier = due_slot(
            schedule.cron,
            timezone=newsletter.timezone,
            since=now - timedelta(days=62),
            now=start - timedelta(seconds=1),
        )
        start = earlier or now - timedelta(days=31)
    return min(start, now - LOOK_BACK)


async def count_recipients(
    connection: Connection, newsletter: Newsletter, schedule: Schedule, prepared: Prepared
) -> int:
    """How many readers would get something of this edition, by their choices of topics."""
    others = newsletter.takes_in_others_than(schedule)
    found = await wishes.all_of(
        connection,
        newsletter.slug,
        [schedule.name],
        others,
        by_hour=False,
        now=prepared.chosen.made_at,
    )
    return sum(
        each.readers
        for each in found
        if wanted(prepared.chosen.found, newsletter, read_choice(each.choice))
    )
