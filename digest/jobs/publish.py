"""Makes an edition of what is new, and one delivery for each reader, in one transaction."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from digest.editions.calendar import due_slot
from digest.jobs import remember, restore
from digest.jobs.distribute import Distribution
from digest.jobs.illustrate import keep_told
from digest.jobs.pictures import bring_pictures
from digest.jobs.press import Press
from digest.jobs.proof import choose_seen, next_wanted, word_on
from digest.jobs.world import World
from digest.model.edition import Draft, Edition, Slot
from digest.model.newsletter import Newsletter, Schedule
from digest.store import editions, proofs
from digest.store.dialect import lock_newsletter
from digest.store.engine import Connection

log = logging.getLogger("digest.publish")


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
    due = Slot(newsletter=newsletter.slug, schedule=schedule.name, at=at) if at else None
    return await next_wanted(world, newsletter, schedule, due)


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
    await bring_pictures(world, newsletter)  # while no transaction is open: sites may be slow
    now = world.clock()
    async with world.store.write() as connection:
        await lock_newsletter(connection, newsletter.slug)
        if await editions.is_taken(connection, slot):
            return None
        word = await word_on(connection, newsletter, slot, now=now)
        if not word.go:
            return None
        chosen = await choose_seen(connection, world, newsletter, schedule, word.proof)
        press = Press(world, newsletter, chosen)
        readers = Distribution(connection, newsletter, schedule, slot, press)
        await readers.begin()
        page = press.page("")
        if page is None:
            if not slot.manual:
                await _take(connection, slot, outcome="nothing new", now=now)
            _tell_nothing(slot)
            return None
        if word.needs_proof:
            return None  # news came in this moment: the editors have not seen it
        await _take(connection, slot, outcome="edition", now=now)
        edition = await editions.add(
            connection,
            slot,
            draft=page.draft,
            written=press.write(""),
            number=chosen.number,
            language=newsletter.language,
            nonce=chosen.nonce,
            now=chosen.made_at,
        )
        recipients = await readers.fan_out(edition)
        if newsletter.pictures == "served":
            await keep_told(connection, world, press.markup(), now=now)
        mark = await remember.count(connection, world)
    await remember.note(world, mark, [edition.id])
    _tell(edition, page.draft, recipients)
    return Published(edition=edition, draft=page.draft, recipients=recipients)


async def _take(connection: Connection, slot: Slot, *, outcome: str, now: datetime) -> None:
    await editions.take(connection, slot, outcome=outcome, now=now)
    await proofs.close(connection, slot)


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
