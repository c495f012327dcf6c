"""Shows the edition that would go out now, and sends tests of it; nothing of it is ever stored."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from digest.errors import UsageError
from digest.jobs.asking import Turns, ask
from digest.jobs.gather import Poll, keep
from digest.jobs.prepare import Prepared, count_recipients, prepare
from digest.jobs.world import World
from digest.jobs.write import links_for, write_test
from digest.messages import assemble
from digest.model.delivery import Outcome
from digest.model.edition import Edition, Written
from digest.model.newsletter import Newsletter, Schedule
from digest.model.subscriber import Subscription
from digest.store import editions, feeds, past

#: the reference of no subscription
NOBODY = bytes(12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What would happen now."""

    polls: tuple[Poll, ...]
    #: None when there is nothing new
    prepared: Prepared | None
    recipients: int


async def rehearse(
    world: World,
    newsletter: Newsletter,
    schedule: Schedule,
    *,
    gathering: bool = True,
    name: str = "",
) -> Rehearsal:
    """Poll, choose and write as a send would, and take every change of the database back.

    With the `name` of a selection: what its readers would get.
    """
    urls = [source.url for source in newsletter.feeds]
    async with world.store.rehearse() as connection:
        await feeds.know(connection, urls, now=world.clock())
        known = await feeds.find(connection, urls, retired=False) if gathering else []
    # the feeds are asked while no transaction is open: a slow site must not hold the database
    turns = Turns()
    answers = await asyncio.gather(*(ask(world, feed, turns) for feed in known))
    async with world.store.rehearse() as connection:
        await feeds.know(connection, urls, now=world.clock())
        here = {feed.url: feed for feed in await feeds.find(connection, urls)}
        polls = [
            (await keep(connection, world, here[feed.url], answer)).poll
            for feed, answer in zip(known, answers, strict=True)
            if answer is not None
        ]
        prepared = await prepare(connection, world, newsletter, schedule, name=name, linked=True)
        readers = (
            await count_recipients(connection, newsletter, schedule, prepared) if prepared else 0
        )
    return Rehearsal(polls=tuple(polls), prepared=prepared, recipients=readers)


def as_edition(prepared: Prepared, newsletter: Newsletter, schedule: Schedule) -> Edition:
    """What was prepared, in the shape of an edition; its id 0 is nobody's."""
    return Edition(
        id=0,
        newsletter=newsletter.slug,
        schedule=schedule.name,
        number=prepared.chosen.number,
        made_at=prepared.chosen.made_at,
        language=prepared.language,
        nonce=prepared.chosen.nonce,
        written=prepared.written,
    )


def show(
    world: World,
    edition: Edition,
    newsletter: Newsletter,
    reader: Subscription | None,
    *,
    inert: bool = False,
) -> Written:
    """The edition with every slot filled, as this reader gets it, or as nobody in particular.

    What is `inert` names the reader, and has links that speak for nobody.
    """
    ref = reader.ref if reader and not inert else NOBODY
    address = reader.subscriber.address if reader else newsletter.sender.address
    links = links_for(world, newsletter, ref, edition.id)
    html, text = assemble.assemble(edition, links, address=address)
    return Written(
        subject=edition.written.subject,
        preheader=edition.written.preheader,
        html=html,
        text=text,
        cards=(),
    )


async def latest(world: World, newsletter: Newsletter) -> Edition:
    """The newest edition that went out. Raises UsageError when there is none."""
    async with world.store.read() as connection:
        newest = await past.past(connection, newsletter=newsletter.slug, limit=1)
        found = await editions.get(connection, newest[0].id) if newest else None
    if found is None:
        raise UsageError(f"{newsletter.slug} has nothing to show yet: its feeds brought no article")
    return found


async def send_tests(
    world: World, edition: Edition, newsletter: Newsletter, addresses: list[str]
) -> list[Outcome]:
    """Send a marked test to each address, past the ledger. Raises RelayAway."""

    async def yes() -> bool:
        return True

    joined = assemble.join_cards(edition)
    return [
        await world.transport.send(write_test(world, edition, joined, newsletter, to=to), yes)
        for to in addresses
    ]
