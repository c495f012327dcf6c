"""What readers of some topics or of another language get of an edition, and what single ones do.

A selection is a plan; the pieces that it is laid out from stand once for each language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.layout import Plan, Sheet, read_plan, read_sheet
from digest.store.choosing import selections, sheets


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """A selection of an edition: its plan, or of old its two texts, all cards in their places."""

    subject: str
    preheader: str
    plan: Plan | None
    html: str
    text: str


async def keep(
    connection: AsyncConnection,
    edition_id: int,
    *,
    sheets_of: Mapping[str, Sheet],
    plans: Mapping[str, Plan],
) -> None:
    """Store the sheets of an edition by their language, and its plans by their names."""
    rows = [
        {"edition_id": edition_id, "language": language, "pieces": sheet.as_json()}
        for language, sheet in sheets_of.items()
    ]
    if rows:
        await connection.execute(insert(sheets), rows)
    plan_rows = [
        {
            "edition_id": edition_id,
            "choice": name,
            "subject": plan.subject,
            "preheader": plan.preheader,
            "plan": plan.as_json(),
        }
        for name, plan in plans.items()
    ]
    if plan_rows:
        await connection.execute(insert(selections), plan_rows)


async def get(connection: AsyncConnection, edition_id: int, name: str) -> Selection | None:
    """A selection of an edition by its name; None where there is no such one."""
    query = select(selections).where(
        selections.c.edition_id == edition_id, selections.c.choice == name
    )
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    return Selection(
        subject=row.subject,
        preheader=row.preheader,
        plan=read_plan(row.plan) if row.plan is not None else None,
        html=row.html or "",
        text=row.text or "",
    )


async def sheet(connection: AsyncConnection, edition_id: int, language: str) -> Sheet | None:
    """The pieces of an edition in this language."""
    query = select(sheets.c.pieces).where(
        sheets.c.edition_id == edition_id, sheets.c.language == language
    )
    row = (await connection.execute(query)).first()
    return read_sheet(language, row.pieces) if row is not None else None
