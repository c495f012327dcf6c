"""What ties a journal outside the database to it: a name, marks, and who has left.

`store/journal.py` is the file. What is put back from it stands in `store/lost.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import bindparam, case, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model.journal import Closed, Left
from digest.model.subscriber import ConsentEvent, SubscriptionState
from digest.store import consents
from digest.store.dialect import insert_new
from digest.store.tables import subscribers, subscriptions, suppressions
from digest.store.troubles import journals

#: the row that gives the database a name of its own; its mark stays 0
_DATABASE = "database "

#: rows read at once
PAGE = 10_000

#: what one statement may name
CHUNK = 500

_Name = TypeVar("_Name", str, int)


# --------------------------------------------------------------- names and marks


async def lock(connection: AsyncConnection) -> None:
    """Let one process compare and mend at a time; SQLite's write transaction is that lock."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('digest journal'))"))


async def name_of_database(connection: AsyncConnection) -> str | None:
    """What this database, and every copy of it, is called; None before its first journal."""
    query = select(journals.c.id).where(journals.c.id.startswith(_DATABASE))
    found = (await connection.execute(query)).scalar()
    return None if found is None else str(found).removeprefix(_DATABASE)


async def name_database(connection: AsyncConnection, name: str) -> None:
    """Give the database its name. Ask under the lock whether it has one."""
    await connection.execute(insert(journals).values(id=_DATABASE + name, mark=0))


async def mark(connection: AsyncConnection) -> int:
    """How far the database has come, by the count of all journals that are kept for it."""
    query = select(func.coalesce(func.sum(journals.c.mark), 0))
    return int((await connection.execute(query)).scalar_one())


async def advance(connection: AsyncConnection, journal: str, *, by: int = 1) -> int:
    """Count on, and return how far the database has come with that.

    The row is held until the transaction ends, so the answer is larger than all that were
    committed before by whoever shares this journal.
    """
    statement = insert_new(connection, journals).values(id=journal, mark=by)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["id"], set_={"mark": journals.c.mark + statement.excluded.mark}
        )
    )
    return await mark(connection)


# --------------------------------------------------------------- who left


async def who_left(connection: AsyncConnection) -> set[tuple[str, str]]:
    """Everybody who has left, and what, without the times: they are most of the work."""
    query = (
        select(subscribers.c.address_hash, subscriptions.c.newsletter)
        .join(subscriptions, subscribers.c.id == subscriptions.c.subscriber_id)
        .where(
            subscriptions.c.state == SubscriptionState.UNSUBSCRIBED.value,
            # of somebody who was forgotten nothing is left to tell
            subscribers.c.address_hash != "",
        )
    )
    return {(row[0], row[1]) for row in await connection.execute(query)}


async def gone(connection: AsyncConnection) -> AsyncIterator[Left]:
    """Everybody who has left, and when."""
    last = 0
    while True:
        query = (
            select(
                subscriptions.c.id,
                subscribers.c.address_hash,
                subscriptions.c.newsletter,
                func.coalesce(subscriptions.c.unsubscribed_at, subscriptions.c.requested_at).label(
                    "at"
                ),
            )
            .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
            .where(
                subscriptions.c.id > last,
                subscriptions.c.state == SubscriptionState.UNSUBSCRIBED.value,
                subscribers.c.address_hash != "",
            )
            .order_by(subscriptions.c.id)
            .limit(PAGE)
        )
        rows = (await connection.execute(query)).all()
        for row in rows:
            yield Left(person=row.address_hash, newsletter=row.newsletter, at=row.at)
        if len(rows) < PAGE:
            return
        last = rows[-1].id


async def closed(connection: AsyncConnection) -> AsyncIterator[Closed]:
    """Every address that is closed to us."""
    last = ""
    while True:
        query = (
            select(suppressions)
            .where(suppressions.c.address_hash > last)
            .order_by(suppressions.c.address_hash)
            .limit(PAGE)
        )
        rows = (await connection.execute(query)).all()
        for row in rows:
            yield Closed(person=row.address_hash, reason=row.reason, at=row.at)
        if len(rows) < PAGE:
            return
        last = rows[-1].address_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A subscription that is pending or active, and since when."""

    id: int
    person: str
    newsletter: str
    since: datetime


async def standing(connection: AsyncConnection, people: Collection[str]) -> list[Standing]:
    """What these people read or asked for, by the hashes of their addresses."""
    since = case(
        (
            subscriptions.c.state == SubscriptionState.ACTIVE.value,
            func.coalesce(subscriptions.c.confirmed_at, subscriptions.c.requested_at),
        ),
        else_=subscriptions.c.requested_at,
    )
    query = (
        select(
            subscriptions.c.id,
            subscribers.c.address_hash,
            subscriptions.c.newsletter,
            since.label("since"),
        )
        .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .where(subscriptions.c.state != SubscriptionState.UNSUBSCRIBED.value)
    )
    found = []
    for chunk in _chunks(sorted(people)):
        rows = await connection.execute(query.where(subscribers.c.address_hash.in_(chunk)))
        found += [
            Standing(id=row.id, person=row.address_hash, newsletter=row.newsletter, since=row.since)
            for row in rows
        ]
    return found


async def keep_out(
    connection: AsyncConnection, left: Mapping[int, datetime], *, detail: str
) -> None:
    """End these subscriptions, as of the time when each was left, with a line in the record."""
    if not left:
        return
    ending = (
        update(subscriptions)
        .where(
            subscriptions.c.id == bindparam("which"),
            subscriptions.c.state != SubscriptionState.UNSUBSCRIBED.value,
        )
        .values(state=SubscriptionState.UNSUBSCRIBED.value, unsubscribed_at=bindparam("left_at"))
    )
    rows = [{"which": each, "left_at": at} for each, at in left.items()]
    await connection.execute(ending, rows)
    for chunk in _chunks(sorted(left)):
        await consents.note_many(
            connection,
            {
                each: ConsentEvent(
                    kind="unsubscribed", at=left[each], door="journal", detail=detail
                )
                for each in chunk
            },
        )


def _chunks(names: Sequence[_Name]) -> Iterable[Sequence[_Name]]:
    return (names[start : start + CHUNK] for start in range(0, len(names), CHUNK))
