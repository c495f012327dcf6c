"""Proofs: the drafts that editors see before their slots, and what they decided about each."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Row, and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.edition import Draft, Slot
from digest.model.proof import Proof, ProofState
from digest.store.choosing import proofs
from digest.store.tables import editions, slots


async def add(
    connection: AsyncConnection, slot: Slot, *, draft: Draft, ref: bytes, now: datetime
) -> Proof:
    """Write down that the editors are to see this draft; the caller holds the newsletter's lock."""
    shown = [each.id for each in draft.articles]
    others = [each.article.id for each in draft.left_out]
    row = {
        "newsletter": slot.newsletter,
        "schedule": slot.schedule,
        "at": slot.at,
        "made_at": now,
        "ref": ref,
        "state": ProofState.OPEN.value,
        "lead": "",
        "shown": {"shown": shown, "others": others},
    }
    added = await connection.execute(insert(proofs).values(**row).returning(proofs.c.id))
    return Proof(
        id=int(added.scalar_one()),
        slot=slot,
        made_at=now,
        ref=ref,
        state=ProofState.OPEN,
        lead="",
        shown=tuple(shown),
        known=frozenset((*shown, *others)),
    )


async def of_slot(connection: AsyncConnection, slot: Slot) -> Proof | None:
    """The proof of a slot, whatever its state; None where there is none."""
    return _one((await connection.execute(select(proofs).where(_is(slot)))).first())


async def by_ref(connection: AsyncConnection, ref: bytes) -> Proof | None:
    """The proof that a signed link names, whatever its state."""
    return _one((await connection.execute(select(proofs).where(proofs.c.ref == ref))).first())


async def standing(
    connection: AsyncConnection, newsletter: str, schedule: str | None = None
) -> list[Proof]:
    """The proofs of a newsletter whose slots are not over, the earliest slot first."""
    query = select(proofs).where(
        proofs.c.newsletter == newsletter, proofs.c.state != ProofState.PASSED.value
    )
    if schedule is not None:
        query = query.where(proofs.c.schedule == schedule)
    rows = await connection.execute(query.order_by(proofs.c.at, proofs.c.id))
    return [_proof(row) for row in rows]


async def made_for(
    connection: AsyncConnection, newsletter: str, schedule: str, *, made_at: datetime
) -> datetime | None:
    """When the draft was made of the edition of that moment; None where no editor saw one.

    What came between the two was in neither.
    """
    query = (
        select(func.min(proofs.c.made_at))
        .join(
            slots,
            and_(
                slots.c.newsletter == proofs.c.newsletter,
                slots.c.schedule == proofs.c.schedule,
                slots.c.at == proofs.c.at,
            ),
        )
        .join(editions, editions.c.id == slots.c.edition_id)
        .where(
            editions.c.newsletter == newsletter,
            editions.c.schedule == schedule,
            editions.c.made_at == made_at,
        )
    )
    drawn: datetime | None = (await connection.execute(query)).scalar()
    return drawn


async def decide(
    connection: AsyncConnection, proof_id: int, state: ProofState, *, now: datetime
) -> None:
    """Hold it, or let it go out; a proof that has passed stays so."""
    await connection.execute(
        update(proofs).where(_stands(proof_id)).values(state=state.value, decided_at=now)
    )


async def write_lead(connection: AsyncConnection, proof_id: int, lead: str) -> None:
    """Put this above the news; nothing into a proof that has passed."""
    await connection.execute(update(proofs).where(_stands(proof_id)).values(lead=lead))


async def told(connection: AsyncConnection, proof_id: int, *, at: datetime) -> None:
    """Note that the editors have the mail; the first time counts."""
    untold = (proofs.c.id == proof_id) & proofs.c.told_at.is_(None)
    await connection.execute(update(proofs).where(untold).values(told_at=at))


async def close(connection: AsyncConnection, slot: Slot) -> None:
    """The slot was dealt with: its proof is over."""
    await connection.execute(update(proofs).where(_is(slot)).values(state=ProofState.PASSED.value))


async def pass_over(connection: AsyncConnection, ids: Collection[int]) -> None:
    """The next slot of the rhythm has come, or it was held too long: these are over."""
    if ids:
        await connection.execute(
            update(proofs).where(proofs.c.id.in_(list(ids))).values(state=ProofState.PASSED.value)
        )


def _is(slot: Slot) -> ColumnElement[bool]:
    return and_(
        proofs.c.newsletter == slot.newsletter,
        proofs.c.schedule == slot.schedule,
        proofs.c.at == slot.at,
    )


def _stands(proof_id: int) -> ColumnElement[bool]:
    return (proofs.c.id == proof_id) & (proofs.c.state != ProofState.PASSED.value)


def _one(row: Row[tuple[object, ...]] | None) -> Proof | None:
    return _proof(row) if row is not None else None


def _proof(row: Row[tuple[object, ...]]) -> Proof:
    return Proof(
        id=row.id,
        slot=Slot(newsletter=row.newsletter, schedule=row.schedule, at=row.at),
        made_at=row.made_at,
        ref=bytes(row.ref),
        state=ProofState(row.state),
        lead=row.lead,
        shown=tuple(row.shown["shown"]),
        known=frozenset((*row.shown["shown"], *row.shown["others"])),
        told_at=row.told_at,
        decided_at=row.decided_at,
    )
