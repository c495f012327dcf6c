"""Makes an edition of what is new, and one delivery for each reader, in one transaction."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from digest.editions.calendar import due_slot
from digest.editions.compose import compose
from digest.jobs import remember, restore
from digest.jobs.world import World
from digest.messages.render import SIZE, size_of
from digest.model.article import Article
from digest.model.edition import Draft, Edition, LeftOut, Slot, Written
from digest.model.newsletter import Newsletter, Schedule
from digest.store import articles, deliveries, editions
from digest.store.dialect import lock_newsletter
from digest.store.engine import Connection

log = logging.getLogger("digest.publish")

#: what a first edition may look back to, however short its rhythm is
LOOK_BACK = timedelta(hours=24)

#: an article may be committed a little after the edition that was made before it was seen
OVERLAP = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """An edition and how many deliveries it has."""

    edition: Edition
    draft: Draft
    recipients: int


async def publish_due(world: World, newsletter: Newsletter) -> list[Published]:
    """Make the editions whose slots have come: the latest slot of each rhythm, and only once.

    A slot that was missed while the service was down is made late; several missed ones are one.
    A rhythm that we meet for the first time owes nothing before that moment.
    """
    made = []
    for schedule in newsletter.schedules:
        slot = await _due(world, newsletter, schedule)
        if slot is not None:
            published = await _publish(world, newsletter, schedule, slot)
            if published is not None:
                made.append(published)
    return made


async def has_due(world: World, newsletter: Newsletter) -> bool:
    """True when `publish_due` would deal with a slot now."""
    return any([await _due(world, newsletter, each) for each in newsletter.schedules])


async def _due(world: World, newsletter: Newsletter, schedule: Schedule) -> Slot | None:
    now = world.clock()
    async with world.store.read() as connection:
        last = await editions.last_slot(connection, newsletter.slug, schedule.name)
    if last is None:
        await _begin(world, newsletter, schedule, now)
        return None
    at = due_slot(schedule.cron, timezone=newsletter.timezone, since=last, now=now)
    return Slot(newsletter=newsletter.slug, schedule=schedule.name, at=at) if at else None


async def _begin(world: World, newsletter: Newsletter, schedule: Schedule, now: datetime) -> None:
    slot = Slot(newsletter=newsletter.slug, schedule=schedule.name, at=now)
    async with world.store.write() as connection:
        await lock_newsletter(connection, newsletter.slug)
        if await editions.last_slot(connection, newsletter.slug, schedule.name) is None:
            await editions.take(connection, slot, outcome="start", now=now)


async def publish_now(world: World, newsletter: Newsletter, schedule: Schedule) -> Published | None:
    """Make an edition because a person asks for it; None when there is nothing new."""
    now = world.clock()
    slot = Slot(newsletter=newsletter.slug, schedule=schedule.name, at=now, manual=True)
    return await _publish(world, newsletter, schedule, slot)


async def _publish(
    world: World, newsletter: Newsletter, schedule: Schedule, slot: Slot
) -> Published | None:
    """Make the edition of a slot under the newsletter's lock, from reading to writing."""
    await restore.look(world)
    now = world.clock()
    async with world.store.write() as connection:
        await lock_newsletter(connection, newsletter.slug)
        if await editions.is_taken(connection, slot):
            return None
        found = await _candidates(connection, newsletter, schedule, now=now)
        prepared = await _write(world, connection, newsletter, found, now=now)
        if prepared is None:
            if not slot.manual:
                await editions.take(connection, slot, outcome="nothing new", now=now)
            _tell_nothing(slot)
            return None
        await editions.take(connection, slot, outcome="edition", now=now)
        edition = await editions.add(
            connection,
            slot,
            draft=prepared.draft,
            written=prepared.written,
            number=prepared.number,
            language=newsletter.language,
            nonce=prepared.nonce,
            now=now,
        )
        recipients = await _fan_out(connection, newsletter, schedule, edition, now=now)
        mark = await remember.count(connection, world)
    await remember.note(world, mark, [edition.id])
    _tell(edition, prepared.draft, recipients)
    return Published(edition=edition, draft=prepared.draft, recipients=recipients)


def _tell_nothing(slot: Slot) -> None:
    log.info("newsletter=%s schedule=%s status=nothing-new", slot.newsletter, slot.schedule)


def _tell(edition: Edition, draft: Draft, recipients: int) -> None:
    log.info(
        "newsletter=%s schedule=%s edition=%d articles=%d left-out=%d recipients=%d",
        edition.newsletter,
        edition.schedule,
        edition.id,
        len(draft.articles),
        len(draft.left_out),
        recipients,
    )


async def _fan_out(
    connection: Connection,
    newsletter: Newsletter,
    schedule: Schedule,
    edition: Edition,
    *,
    now: datetime,
) -> int:
    return await deliveries.fan_out(
        connection,
        edition_id=edition.id,
        newsletter=newsletter.slug,
        frequencies=[schedule.name],
        other_than=newsletter.takes_in_others_than(schedule),
        now=now,
    )


# --------------------------------------------------------------- what to tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An edition that could go out now: chosen and written, not stored."""

    draft: Draft
    written: Written
    number: int
    nonce: str
    made_at: datetime


async def prepare(
    connection: Connection, world: World, newsletter: Newsletter, schedule: Schedule
) -> Prepared | None:
    """The edition that would go out now; None when there is nothing new."""
    now = world.clock()
    found = await _candidates(connection, newsletter, schedule, now=now)
    return await _write(world, connection, newsletter, found, now=now)


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
    return await articles.candidates(
        connection,
        newsletter=newsletter.slug,
        schedule=schedule.name,
        sources=newsletter.feeds,
        seen_since=since,
    )


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


async def _write(
    world: World,
    connection: Connection,
    newsletter: Newsletter,
    found: list[Article],
    *,
    now: datetime,
) -> Prepared | None:
    draft = compose(found, newsletter)
    if draft is None:
        return None
    number = await editions.next_number(connection, newsletter.slug)
    # chosen after the articles were read: no feed can hold it
    nonce = world.secret_bytes(16).hex()
    while True:
        written = await asyncio.to_thread(
            world.renderer.render_edition,
            draft,
            newsletter,
            number=number,
            made_at=now,
            language=newsletter.language,
            nonce=nonce,
            public_url=world.public_url,
        )
        shorter = _shorten(draft, written, found, newsletter)
        if shorter is None:
            return Prepared(draft=draft, written=written, number=number, nonce=nonce, made_at=now)
        draft = shorter


def _shorten(
    draft: Draft, written: Written, found: list[Article], newsletter: Newsletter
) -> Draft | None:
    """A draft with fewer articles, or None when the HTML is small enough to be shown whole."""
    size = size_of(written)
    chosen = len(draft.articles)
    if size <= SIZE or chosen == 1:
        return None
    fewer = max(1, min(chosen - 1, int(chosen * SIZE / size)))
    shorter = compose(found, replace(newsletter, limit=fewer))
    if shorter is None:
        return None
    # what stayed out before keeps its reason; this may be the second time that we shorten
    reasons = {each.article.id: each.reason for each in draft.left_out}
    return replace(
        shorter,
        left_out=tuple(
            LeftOut(article=each.article, reason=reasons.get(each.article.id, "size"))
            for each in shorter.left_out
        ),
    )
