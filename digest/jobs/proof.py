"""Lets the editors see a draft before its slot, and an edition wait for them; it sends nothing.

Nothing goes out that the editors have not had time for: a slot without a proof waits until there is
one, and an edition is chosen from what its proof was chosen from.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from digest.editions.approval import goes_at, is_overtaken, slot_to_show
from digest.jobs.pictures import bring_pictures
from digest.jobs.prepare import Prepared, choose, prepare, prepare_of
from digest.jobs.press import Chosen
from digest.jobs.world import World
from digest.model.edition import Slot
from digest.model.newsletter import Newsletter, Schedule
from digest.model.proof import Proof, ProofState
from digest.store import editions, feeds, proofs, verdicts
from digest.store.dialect import lock_newsletter
from digest.store.engine import Connection

log = logging.getLogger("digest.proof")


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What the editors' side says to a slot that somebody wants to publish."""

    #: an edition may be made now
    go: bool
    #: the draft that they saw, or None
    proof: Proof | None = None
    #: they should see one first: only that there is nothing new may be found out
    needs_proof: bool = False


_UNASKED = Word(go=True)


async def next_wanted(
    world: World, newsletter: Newsletter, schedule: Schedule, due: Slot | None
) -> Slot | None:
    """The slot to deal with now: one that an editor sends early, else the due one if it may go.

    Without editors, the due one as it is.
    """
    if newsletter.approval is None:
        return due
    now = world.clock()
    async with world.store.read() as connection:
        for proof in await proofs.standing(connection, newsletter.slug, schedule.name):
            # also where it is due, and the next slot has not come
            if proof.state is ProofState.RELEASED and not is_overtaken(
                proof, newsletter, schedule, now=now
            ):
                return proof.slot
        if due is None:
            return None
        word = await word_on(connection, newsletter, due, now=now)
        if word.proof is None and due != await _slot_to_show(
            connection, newsletter, schedule, now=now
        ):
            return None  # the next slot is so near that its proof tells these stories too
        return due if word.go else None


async def word_on(
    connection: Connection, newsletter: Newsletter, slot: Slot, *, now: datetime
) -> Word:
    """Whether the edition of a slot may be made now; ask under the newsletter's lock to be sure."""
    if newsletter.approval is None or slot.manual:
        return _UNASKED
    proof = await proofs.of_slot(connection, slot)
    if proof is None:
        return Word(go=True, needs_proof=True)
    at = goes_at(proof, newsletter.approval)
    return Word(go=at is not None and at <= now, proof=proof)


async def choose_seen(
    connection: Connection,
    world: World,
    newsletter: Newsletter,
    schedule: Schedule,
    proof: Proof | None,
) -> Chosen:
    """What the editors want of what they have seen; without a proof, of everything.

    What came after the proof was made comes in only where an editor pinned it.
    """
    if proof is None:
        return await choose(connection, world, newsletter, schedule)
    said = await verdicts.of(connection, newsletter.slug)
    taken = {each.article_id for each in said if each.pinned is not None}
    return await choose(
        connection, world, newsletter, schedule, lead=proof.lead, among=proof.known | taken
    )


async def prepare_seen(
    connection: Connection,
    world: World,
    newsletter: Newsletter,
    schedule: Schedule,
    proof: Proof | None,
) -> Prepared | None:
    """The same, written as it would go out now; None where nothing is in it."""
    chosen = await choose_seen(connection, world, newsletter, schedule, proof)
    return await prepare_of(world, newsletter, chosen)


# --------------------------------------------------------------- making them


async def slots_to_show(world: World, newsletter: Newsletter) -> list[tuple[Schedule, Slot]]:
    """The slots whose drafts the editors should have by now and have not; it changes nothing."""
    found = []
    async with world.store.read() as connection:
        for schedule in newsletter.schedules if newsletter.approval else ():
            slot = await _slot_to_show(connection, newsletter, schedule, now=world.clock())
            if slot is not None and await proofs.of_slot(connection, slot) is None:
                found.append((schedule, slot))
    return found


async def _slot_to_show(
    connection: Connection, newsletter: Newsletter, schedule: Schedule, *, now: datetime
) -> Slot | None:
    last = await editions.last_slot(connection, newsletter.slug, schedule.name)
    if last is None:
        return None
    at = slot_to_show(newsletter, schedule, last=last, now=now)
    return Slot(newsletter=newsletter.slug, schedule=schedule.name, at=at) if at else None


async def draw(world: World, newsletter: Newsletter) -> list[Proof]:
    """Make the proofs that the editors should have by now; where nothing is new there is none.

    What is overtaken by the rhythm's next slot ends here.
    """
    await _pass_over(world, newsletter)
    made = []
    for schedule, slot in await slots_to_show(world, newsletter):
        proof = await _draw(world, newsletter, schedule, slot)
        if proof is not None:
            log.info(
                "newsletter=%s schedule=%s slot=%s proof=%d articles=%d",
                *(slot.newsletter, slot.schedule, slot.at.isoformat()),
                *(proof.id, len(proof.shown)),
            )
            made.append(proof)
    return made


async def _draw(
    world: World, newsletter: Newsletter, schedule: Schedule, slot: Slot
) -> Proof | None:
    await bring_pictures(world, newsletter)
    async with world.store.write() as connection:
        await lock_newsletter(connection, newsletter.slug)
        if await editions.is_taken(connection, slot) or await proofs.of_slot(connection, slot):
            return None
        prepared = await prepare(connection, world, newsletter, schedule)
        if prepared is None:
            return None
        return await proofs.add(
            connection,
            slot,
            draft=prepared.draft,
            ref=world.secret_bytes(12),
            now=world.clock(),
        )


async def _pass_over(world: World, newsletter: Newsletter) -> None:
    now, over = world.clock(), []
    async with world.store.read() as connection:
        for proof in await proofs.standing(connection, newsletter.slug):
            schedule = newsletter.schedule(proof.slot.schedule)
            if schedule is None or is_overtaken(proof, newsletter, schedule, now=now):
                over.append(proof)
    if over:
        async with world.store.write() as connection:
            await proofs.pass_over(connection, [each.id for each in over])
    for proof in over:
        log.warning(
            "newsletter=%s schedule=%s slot=%s proof=%d status=passed state=%s",
            *(proof.slot.newsletter, proof.slot.schedule, proof.slot.at.isoformat()),
            *(proof.id, proof.state),
        )


async def wants_news(world: World, newsletter: Newsletter) -> bool:
    """True when a draft is to be made and most feeds were not asked since its time began."""
    approval = newsletter.approval
    waiting = await slots_to_show(world, newsletter)
    if approval is None or not waiting:
        return False
    since = min(slot.at for _, slot in waiting) - approval.before
    async with world.store.read() as connection:
        known = await feeds.find(connection, [each.url for each in newsletter.feeds], retired=False)
    # not each: one that its site has put off must not let all others be asked at every tick
    fresh = [each for each in known if each.last_polled_at and each.last_polled_at >= since]
    return len(fresh) * 2 < len(known)
