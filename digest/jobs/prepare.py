"""Chooses and writes the edition that would go out now, whole or for a choice of topics.

It stores nothing: `publish` does, and a rehearsal does not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.editions.calendar import due_slot, rarer_than
from digest.editions.events import events_of
from digest.editions.topics import wanted, with_topics
from digest.editions.weigh import Ranks, weigh
from digest.jobs.illustrate import illustrate
from digest.jobs.press import Chosen, Press
from digest.jobs.world import World
from digest.model.article import Article
from digest.model.edition import Draft, Written
from digest.model.layout import Plan, read_name
from digest.model.newsletter import Newsletter, Schedule
from digest.model.policy import Verdict
from digest.store import articles, editions, proofs, recent, verdicts, wishes
from digest.store.engine import Connection
from digest.store.subscribers import read_choice

#: what a first edition may look back to, however short its rhythm is
LOOK_BACK = timedelta(hours=24)

#: how long an event is remembered: who tells it again then tells it to those who forgot it
REMEMBERED = timedelta(days=7)
KNOWN = 1000

#: so many articles say which words are usual
BACKGROUND = 1000

#: an article may be committed a little after the edition that was made before it was seen
OVERLAP = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a rhythm knows, beside the articles themselves, when they are ranked."""

    #: what was told of late, oldest first
    told: Sequence[Article]
    #: what says which words are usual
    usual: Sequence[Article]
    verdicts: Sequence[Verdict]
    #: the ids of what an earlier edition had no room for
    left_over: Collection[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An edition that could go out now: chosen and written, not stored."""

    chosen: Chosen
    draft: Draft
    written: Written
    plan: Plan
    language: str


async def prepare(
    connection: Connection,
    world: World,
    newsletter: Newsletter,
    schedule: Schedule,
    *,
    name: str = "",
    linked: bool = False,
) -> Prepared | None:
    """The edition that would go out now, or a selection of it; None when there is nothing new.

    `linked`: a picture that we would serve and have not made yet is shown from its site.
    """
    chosen = await choose(connection, world, newsletter, schedule, linked=linked)
    return await prepare_of(world, newsletter, chosen, name=name)


async def prepare_of(
    world: World, newsletter: Newsletter, chosen: Chosen, *, name: str = ""
) -> Prepared | None:
    """What was chosen, written; None where nothing is in it."""
    press = Press(world, newsletter, chosen)
    await press.plan([name])
    page = press.page(name)
    if page is None:
        return None
    return Prepared(
        chosen=chosen,
        draft=page.draft,
        written=press.write(name),
        plan=page.plan,
        language=read_name(name)[1] or newsletter.language,
    )


async def choose(
    connection: Connection,
    world: World,
    newsletter: Newsletter,
    schedule: Schedule,
    *,
    lead: str = "",
    among: Collection[int] | None = None,
    linked: bool = False,
) -> Chosen:
    """What an edition that is made now may tell; nothing where nothing is new.

    `lead` is what the editors write above it; `among` are the ids that they have seen, None where
    nobody looks. `linked`: pictures that we would serve and have not made come from their sites.
    """
    now = world.clock()
    found, ranks = await _ranked(connection, newsletter, schedule, now=now, among=among)
    rarer = rarer_than(schedule, newsletter, now=now)
    return Chosen(
        found=tuple(await illustrate(connection, world, newsletter, found, linked=linked)),
        ranks=ranks,
        number=await editions.next_number(connection, newsletter.slug),
        # drawn after the articles were read: no feed can hold it
        nonce=world.secret_bytes(16).hex(),
        made_at=now,
        rarer=rarer.name if rarer else None,
        lead=lead,
    )


async def _ranked(
    connection: Connection,
    newsletter: Newsletter,
    schedule: Schedule,
    *,
    now: datetime,
    among: Collection[int] | None,
) -> tuple[list[Article], Ranks]:
    """What may be told, and what counts for each; nothing where all of it is left over."""
    open_to = await find_candidates(connection, newsletter, schedule, now=now)
    found = [each for each in open_to if among is None or each.id in among]
    if not found:
        return [], Ranks()
    slug, rhythm = newsletter.slug, schedule.name
    known = Known(
        told=await recent.told_since(connection, slug, rhythm, now - REMEMBERED, limit=KNOWN),
        usual=await recent.background(connection, limit=BACKGROUND),
        verdicts=await verdicts.of(connection, slug),
        left_over=await recent.left_over(connection, slug, rhythm, [each.id for each in found]),
    )
    return await rank(found, newsletter, known, now=now)


async def rank(
    found: Sequence[Article], newsletter: Newsletter, known: Known, *, now: datetime
) -> tuple[list[Article], Ranks]:
    """What of these articles may be told now; nothing where all of it is left over."""
    # thinking of a second or two, while the pages and the other jobs go on
    events = await asyncio.to_thread(events_of, found, told=known.told, background=known.usual)
    kept, ranks = weigh(found, newsletter, now=now, events=events, verdicts=known.verdicts)
    # what had no room the last time is no reason to write again
    return (kept if any(each.id not in known.left_over for each in kept) else []), ranks


async def find_candidates(
    connection: Connection, newsletter: Newsletter, schedule: Schedule, *, now: datetime
) -> list[Article]:
    """All that the next edition of a rhythm could tell, with its topics, the newest first."""
    last = await editions.last_made_at(connection, newsletter.slug, schedule.name)
    if last is not None:
        # what came while the editors looked at a draft was in none so far
        drawn = await proofs.made_for(connection, newsletter.slug, schedule.name, made_at=last)
        since = (drawn or last) - OVERLAP
    else:
        # nothing is lost that came since the clock began to run, however long we were down
        begun = await editions.last_slot(connection, newsletter.slug, schedule.name)
        since = min(first_look_back(newsletter, schedule, now), begun or now)
    found = await articles.candidates(
        connection,
        newsletter=newsletter.slug,
        schedule=schedule.name,
        sources=newsletter.feeds,
        seen_since=since,
        fresh_since=now - newsletter.leftovers if newsletter.leftovers else None,
    )
    return with_topics(found, newsletter)


def first_look_back(newsletter: Newsletter, schedule: Schedule, now: datetime) -> datetime:
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
