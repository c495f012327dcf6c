"""Hands a draft out to its editors by mail, once; a crash may repeat the mail and never loses it.

What was told is noted after the mail's final dot. The mail leads to a page and changes nothing.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import assert_never

from digest.editions.approval import goes_at
from digest.errors import AddressRefused, LeaseLost, RelayAway
from digest.jobs.proof import prepare_seen
from digest.jobs.world import World
from digest.messages.proof import write_proof_mail
from digest.messages.sign import sign
from digest.model.delivery import Bounced, Deferred, Outcome, Sent, Uncertain
from digest.model.edition import Draft
from digest.model.message import Message
from digest.model.newsletter import Newsletter
from digest.model.policy import Approval
from digest.model.proof import Proof
from digest.store import proofs

log = logging.getLogger("digest.proof")


async def hand_out(world: World, newsletter: Newsletter) -> int:
    """Mail the drafts that its editors have not seen yet; say how many drafts that were.

    Where the relay is away, or took none of the mails, the next call tries again. Raises StoreError
    and TemplateFault.
    """
    if newsletter.approval is None:
        return 0
    async with world.store.read() as connection:
        standing = await proofs.standing(connection, newsletter.slug)
    count = 0
    for proof in standing:
        if proof.told_at is None and await _tell(world, newsletter, newsletter.approval, proof):
            async with world.store.write() as connection:
                await proofs.told(connection, proof.id, at=world.clock())
            count += 1
    return count


async def _tell(world: World, newsletter: Newsletter, approval: Approval, proof: Proof) -> bool:
    """True when somebody has it now, or nobody ever will."""
    schedule = newsletter.schedule(proof.slot.schedule)
    if schedule is None:
        return False
    async with world.store.read() as connection:
        prepared = await prepare_seen(connection, world, newsletter, schedule, proof)
    if prepared is None:
        return False  # somebody sent its stories by hand meanwhile

    async def still_untold() -> bool:
        # two processes may be about to tell the same
        async with world.store.read() as connection:
            now = await proofs.of_slot(connection, proof.slot)
        return now is not None and now.told_at is None

    ended: list[bool] = []
    for editor in approval.editors:
        try:
            message = _write(world, newsletter, approval, proof, prepared.draft, to=editor)
            outcome = await world.transport.send(message, still_untold)
        except (RelayAway, LeaseLost) as problem:
            log.warning(
                "proof=%d editor=%s status=waiting reason=%r", proof.id, editor, str(problem)
            )
            return any(ended)
        except AddressRefused as problem:
            log.error("proof=%d editor=%s status=refused reason=%r", proof.id, editor, str(problem))  # noqa: TRY400 -- one line is what the operator needs
            continue
        ended.append(_is_heard(world, proof, editor, outcome))
    # one who has it is enough: the others would get a copy each minute
    return any(ended) or not ended


def _is_heard(world: World, proof: Proof, editor: str, outcome: Outcome) -> bool:
    match outcome:
        case Sent():
            log.info("proof=%d editor=%s status=sent", proof.id, editor)
            return True
        case Deferred():
            log.warning(
                "proof=%d editor=%s status=deferred reply=%r", proof.id, editor, str(outcome.reply)
            )
            return False
        case Uncertain():
            # as with readers: a copy, or perhaps nothing
            log.warning(
                "proof=%d editor=%s status=uncertain reason=%r", proof.id, editor, outcome.reason
            )
            return world.uncertain == "hold"
        case Bounced():
            # it would be refused every minute, until the slot
            log.error(
                "proof=%d editor=%s status=bounced reply=%r: see `digest proof`, and editors"
                " in newsletters.toml",
                *(proof.id, editor, str(outcome.reply)),
            )
            return True
        case _:
            assert_never(outcome)


def link_to(world: World, proof: Proof) -> str:
    """The page on which whoever has this address speaks for the editors."""
    return f"{world.public_url}/desk/proof/{world.signer.proof_token(proof.ref)}"


def _write(
    world: World, newsletter: Newsletter, approval: Approval, proof: Proof, draft: Draft, *, to: str
) -> Message:
    message = write_proof_mail(
        world.renderer,
        newsletter,
        draft,
        to_address=to,
        slot_at=proof.slot.at,
        goes_at=goes_at(proof, approval),
        link=link_to(world, proof),
        seed=proof.ref.hex(),
        date=proof.made_at,
    )
    if not world.keys:
        return message
    data = sign(message.data, world.keys, domain=newsletter.sender.domain, at=proof.made_at)
    return replace(message, data=data)
