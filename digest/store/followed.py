"""What single readers get of an edition because they follow an article; written at their rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.delivery import DeliveryState
from digest.model.layout import Extra, Followed, read_extra
from digest.store.choosing import findings
from digest.store.signs import in_chunks
from digest.store.tables import deliveries


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A reader's row of an edition, which nobody has taken yet."""

    id: int
    subscription_id: int
    #: the name of his selection
    choice: str
    extra: Extra


async def rows_of(
    connection: AsyncConnection, edition_id: int, subscription_ids: Collection[int]
) -> list[Row]:
    """The rows of these readers that wait to be sent."""
    found = []
    for chunk in in_chunks(sorted(subscription_ids)):
        query = select(deliveries).where(
            deliveries.c.edition_id == edition_id,
            deliveries.c.subscription_id.in_(chunk),
            deliveries.c.state == DeliveryState.QUEUED.value,
        )
        for row in await connection.execute(query):
            extra = read_extra(row.extra) if row.extra is not None else Extra()
            mine = Row(
                id=row.id, subscription_id=row.subscription_id, choice=row.choice, extra=extra
            )
            found.append(mine)
    return found


async def add(connection: AsyncConnection, followed: Mapping[Row, Sequence[Followed]]) -> None:
    """Let these rows tell what was found for their readers, beside what they tell anyway."""
    statement = (
        update(deliveries)
        .where(deliveries.c.id == bindparam("the_row"))
        .values(extra=bindparam("the_extra", type_=deliveries.c.extra.type))
    )
    rows = [
        {"the_row": row.id, "the_extra": replace(row.extra, followed=tuple(mine)).as_json()}
        for row, mine in followed.items()
    ]
    if rows:
        await connection.execute(statement, rows)


async def told_to(
    connection: AsyncConnection, subscription_ids: Collection[int], *, since: datetime
) -> dict[int, set[int]]:
    """The articles that each of these readers was told of since then because of what he follows."""
    found: dict[int, set[int]] = {each: set() for each in subscription_ids}
    for chunk in in_chunks(sorted(found)):
        query = select(findings.c.subscription_id, findings.c.article_id).where(
            findings.c.subscription_id.in_(chunk), findings.c.told_at >= since
        )
        for row in await connection.execute(query):
            found[row.subscription_id].add(row.article_id)
    return found
