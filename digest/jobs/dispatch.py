"""The manual send: gather, make an edition for each rhythm that has something new, deliver it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from digest.jobs.forget import forget_pending
from digest.jobs.gather import Poll, gather
from digest.jobs.lease import enlisted
from digest.jobs.publish import publish_now
from digest.jobs.send import Tally, deliver_due
from digest.jobs.stopping import unless_stopped
from digest.jobs.world import World
from digest.model.delivery import DeliveryState
from digest.model.newsletter import Newsletter, Schedule
from digest.model.pause import Pause, Scope
from digest.store import books, pauses
from digest.store.queue import Scope as Work

_OPEN = (
    DeliveryState.QUEUED,
    DeliveryState.CLAIMED,
    DeliveryState.DOTTED,
    DeliveryState.DEFERRED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """What a manual send did."""

    polls: tuple[Poll, ...]
    #: the editions it delivered, the new one of the default rhythm first
    editions: tuple[int, ...]
    #: of all of them
    articles: int
    #: deliveries that this run had to do with
    recipients: int
    tally: Tally
    #: deliveries that can still be made
    waiting: int
    #: what is not delivered to for now: these editions, and domains
    pauses: tuple[Pause, ...]
    #: it had nothing new to tell and finished an earlier edition
    resumed: bool
    #: nobody reads any of these rhythms, so no edition was made
    unread: bool
    stopped: bool


async def send_now(
    world: World,
    newsletter: Newsletter,
    schedules: Sequence[Schedule],
    *,
    gathering: bool,
    stop: asyncio.Event,
    told: Callable[[DeliveryState], None],
) -> Dispatch:
    """Deliver everything that is unfinished or new in these rhythms; nothing new sends nothing."""
    await forget_pending(world)
    polls = (
        await unless_stopped(stop, gather(world, [newsletter], only_due=False)) if gathering else []
    )
    new: list[int] = []
    if not stop.is_set():
        new = await _publish(world, newsletter, schedules)
    async with world.store.read() as connection:
        old = await books.unfinished(
            connection, newsletter.slug, with_uncertain=world.uncertain == "resend"
        )
    mine = list(dict.fromkeys([*new, *old]))
    tally = await _deliver(world, mine, stop=stop, told=told)
    waiting = await _waiting(world, mine)
    held = await _paused(world, mine)
    return Dispatch(
        polls=tuple(polls),
        editions=tuple(mine),
        articles=await _articles(world, mine),
        recipients=waiting + tally.sent + tally.bounced + tally.expired + tally.excluded,
        tally=tally,
        waiting=waiting,
        pauses=held,
        resumed=bool(mine) and not new,
        unread=not new and not await count_readers(world, newsletter, schedules),
        stopped=stop.is_set(),
    )


async def _deliver(
    world: World,
    editions: Sequence[int],
    *,
    stop: asyncio.Event,
    told: Callable[[DeliveryState], None],
) -> Tally:
    """Deliver these editions; confirm mails that wait go first and are not counted with them."""
    ours = Work(editions=frozenset(editions), notices=False)
    async with enlisted(world) as worker:
        notices = await deliver_due(
            world, worker, Work(editions=frozenset()), stop=stop, carefully=True
        )
        if notices.away is not None:
            return Tally(away=notices.away)
        return await deliver_due(world, worker, ours, stop=stop, told=told, carefully=True)


async def _publish(
    world: World, newsletter: Newsletter, schedules: Sequence[Schedule]
) -> list[int]:
    """An edition for each rhythm that has something new, and somebody who reads it.

    Without readers none is made: it would use the articles up before anybody could get them.
    """
    made = []
    for schedule in schedules:
        if await count_readers(world, newsletter, [schedule]):
            published = await publish_now(world, newsletter, schedule)
            if published is not None:
                made.append(published.edition.id)
    return made


async def count_readers(world: World, newsletter: Newsletter, schedules: Sequence[Schedule]) -> int:
    """How many readers these rhythms have."""
    async with world.store.read() as connection:
        return sum(
            [
                await books.count_readers(
                    connection,
                    newsletter=newsletter.slug,
                    schedule=each.name,
                    other_than=newsletter.takes_in_others_than(each),
                    now=world.clock(),
                )
                for each in schedules
            ]
        )


async def _waiting(world: World, editions: Sequence[int]) -> int:
    total = 0
    async with world.store.read() as connection:
        for each in editions:
            counts = await books.count(connection, each)
            total += sum(counts.get(state, 0) for state in _OPEN)
            total += counts.get(DeliveryState.UNCERTAIN, 0)
    return total


async def _paused(world: World, editions: Sequence[int]) -> tuple[Pause, ...]:
    names = {str(each) for each in editions}
    async with world.store.read() as connection:
        return tuple(
            each
            for each in await pauses.standing(connection, now=world.clock())
            if each.scope is Scope.DOMAIN or each.name in names
        )


async def _articles(world: World, editions: Sequence[int]) -> int:
    async with world.store.read() as connection:
        return sum([await books.count_articles(connection, each) for each in editions])
