"""The consent record: what a person said, when, through which door, and in answer to which words.

Each event holds the hash of the one before it: a line that is changed or taken out shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.subscriber import ConsentEvent, seal
from digest.store.tables import consent_events, subscriptions

_FIELDS = tuple(each.name for each in fields(ConsentEvent))


async def note(connection: AsyncConnection, subscription_id: int, event: ConsentEvent) -> None:
    """Write one line of the record."""
    await note_many(connection, {subscription_id: event})


async def note_many(connection: AsyncConnection, events: Mapping[int, ConsentEvent]) -> None:
    """Write one line for each of these subscriptions.

    Their rows are held until the transaction ends: two lines must not follow upon the same one.
    """
    if not events:
        return
    ids = sorted(events)
    mine = select(subscriptions.c.id).where(subscriptions.c.id.in_(ids)).order_by("id")
    await connection.execute(mine.with_for_update(key_share=True))
    last = (
        select(func.max(consent_events.c.id))
        .where(consent_events.c.subscription_id.in_(ids))
        .group_by(consent_events.c.subscription_id)
    )
    query = select(consent_events.c.subscription_id, consent_events.c.hash)
    found = await connection.execute(query.where(consent_events.c.id.in_(last)))
    behind = {row.subscription_id: row.hash for row in found}
    sealed = {each: seal(events[each], behind=behind.get(each, "")) for each in ids}
    rows = [
        {"subscription_id": each, **{name: getattr(event, name) for name in _FIELDS}}
        for each, event in sealed.items()
    ]
    await connection.execute(insert(consent_events), rows)


async def consent_record(connection: AsyncConnection, subscription_id: int) -> list[ConsentEvent]:
    """The record of one subscription, oldest first."""
    query = (
        select(*(consent_events.c[name] for name in _FIELDS))
        .where(consent_events.c.subscription_id == subscription_id)
        .order_by(consent_events.c.id)
    )
    return [ConsentEvent(**row._mapping) for row in await connection.execute(query)]  # noqa: SLF001 -- SQLAlchemy's public name for it
