"""Bounces: one a delivery, the heavier one stays, and they can be taken back."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from troubled_store import NOW, at, make_edition, set_row, stocked, table

from digest.model.report import Cause
from digest.store import bounces, suppressions
from digest.store.engine import Connection, Store, open_store
from digest.store.tables import deliveries as ledger
from digest.store.troubles import bounces as noted

LATER = NOW + timedelta(days=1)


async def note(
    connection: Connection,
    row: Any,
    cause: Cause,
    *,
    door: str = "smtp",
    now: datetime = NOW,
) -> bool:
    return await bounces.note(
        connection,
        delivery_id=row.id,
        subscriber_id=row.id,  # both are counted from 1 here
        edition_id=row.edition_id,
        domain=row.domain,
        cause=cause,
        door=door,
        text="no",
        now=now,
    )


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        (Cause.GONE, Cause.GONE, Cause.GONE),
        (Cause.PASSING, Cause.GONE, Cause.GONE),
        (Cause.GONE, Cause.PASSING, Cause.GONE),
        (Cause.REFUSED, Cause.CLOSED, Cause.CLOSED),
        (Cause.GONE, Cause.CLOSED, Cause.GONE),
        # what was about us gives way to what is about the reader, and never the other way round
        (Cause.BLOCKED, Cause.REFUSED, Cause.REFUSED),
        (Cause.BLOCKED, Cause.GONE, Cause.GONE),
        (Cause.REFUSED, Cause.BLOCKED, Cause.REFUSED),
        (Cause.BLOCKED, Cause.BLOCKED, Cause.BLOCKED),
        (Cause.FULL, Cause.REFUSED, Cause.FULL),
    ],
)
async def test_a_delivery_bounces_once_and_the_heavier_cause_stays(
    tmp_path: Path, first: Cause, second: Cause, kept: Cause
) -> None:
    # one kind of database is enough for ten pairs
    store = await open_store(f"sqlite:///{tmp_path}/digest.db")
    await stocked(store, "a@gmx.example")
    (row,) = await table(store)
    async with store.write() as connection:
        assert await note(connection, row, first)
        assert await note(connection, row, second, now=LATER) is (kept is not first)
        assert await bounces.of_person(connection, row.id, since=NOW) == [
            (kept, NOW if kept is first else LATER)
        ]
    await store.close()


async def test_the_record_of_a_person_is_told_by_time_and_forgets_what_is_old(store: Store) -> None:
    first = await stocked(store, "a@gmx.example")
    async with store.write() as connection:
        second = await make_edition(connection, 2)
    rows = {row.edition_id: row for row in await table(store)}
    async with store.write() as connection:
        assert await note(connection, rows[first], Cause.FULL, now=LATER)
        await bounces.note(
            connection,
            delivery_id=rows[second].id,
            subscriber_id=rows[first].id,
            edition_id=second,
            domain="gmx.example",
            cause=Cause.GONE,
            door="mailbox",
            text="x" * 900,
            now=NOW,
        )
        known = await bounces.of_person(connection, rows[first].id, since=NOW)
        assert known == [(Cause.GONE, NOW), (Cause.FULL, LATER)]
        assert await bounces.of_person(connection, rows[first].id, since=LATER) == [
            (Cause.FULL, LATER)
        ]
        assert await bounces.count_since(connection, NOW) == {Cause.GONE: 1, Cause.FULL: 1}
        # a second word on the same delivery is no second bounce, on either database
        assert not await note(connection, rows[first], Cause.PASSING)
        assert await note(connection, rows[first], Cause.CLOSED)


async def test_what_counts_towards_the_breaker(store: Store) -> None:
    edition = await stocked(store, *at("gmx.example", 8), *at("web.example", 2))
    rows = await table(store)
    causes = [
        Cause.GONE,
        Cause.CLOSED,
        Cause.NOWHERE,
        Cause.REFUSED,
        Cause.BLOCKED,
        Cause.FULL,
        Cause.PASSING,
    ]
    async with store.write() as connection:
        for row, cause in zip(rows, causes, strict=False):
            await note(connection, row, cause)
        await note(connection, rows[8], Cause.GONE)
        # what comes back later counts whatever its cause: a relay without a resolver says 4.4.3
        await note(connection, rows[9], Cause.PASSING, door="mailbox")
    for row in rows[:9]:
        await set_row(store, row.id, attempts=1)
    async with store.read() as connection:
        assert await bounces.refusals(connection, edition, None) == 7
        assert await bounces.refusals(connection, edition, "gmx.example") == 5
        assert await bounces.refusals(connection, edition, "web.example") == 2
        assert await bounces.refusals(connection, edition + 1, None) == 0
        assert await bounces.tried(connection, edition, None) == 9
        assert await bounces.tried(connection, edition, "web.example") == 1


async def test_a_domain_that_took_one_of_this_edition_is_known(store: Store) -> None:
    first = await stocked(store, "a@gmx.example", "b@web.example")
    async with store.write() as connection:
        second = await make_edition(connection, 2)
    await set_row(store, (await table(store))[0].id, state="sent")
    async with store.read() as connection:
        assert await bounces.any_sent(connection, first, "gmx.example")
        assert not await bounces.any_sent(connection, first, "web.example")
        assert not await bounces.any_sent(connection, second, "gmx.example")


@pytest.mark.parametrize("domain", [None, "gmx.example"])
async def test_taking_back_opens_addresses_and_lets_refused_mail_wait(
    store: Store, domain: str | None
) -> None:
    edition = await stocked(store, *at("gmx.example", 3), "w@web.example")
    rows = await table(store)
    async with store.write() as connection:
        for row, (cause, state) in zip(
            rows,
            [
                (Cause.GONE, "bounced"),
                (Cause.GONE, "sent"),
                (Cause.PASSING, "expired"),
                (Cause.GONE, "bounced"),
            ],
            strict=True,
        ):
            await note(connection, row, cause, door="mailbox" if state == "sent" else "smtp")
            await suppressions.suppress(
                connection, f"hash-{row.address}", reason="bounced", delivery_id=row.id, now=NOW
            )
            await connection.execute(
                ledger.update().where(ledger.c.id == row.id).values(state=state)
            )
        # a complaint stays, whatever bounced as well
        await suppressions.suppress(
            connection, f"hash-{rows[1].address}", reason="complaint", now=NOW
        )
        # and so does what another edition closed
        await suppressions.suppress(
            connection, "hash-other", reason="bounced", delivery_id=999, now=NOW
        )
        taken = await bounces.take_back(connection, edition, domain, later=LATER)
        assert (len(taken.opened), taken.waiting) == ((3, 2) if domain is None else (2, 1))
        left = {
            each.address: await suppressions.suppression(connection, f"hash-{each.address}")
            for each in rows
        }
        causes = set((await connection.execute(select(noted.c.cause))).scalars())
    others = None if domain is None else "bounced"
    assert list(left.values()) == [None, "complaint", None, others]
    assert causes == ({"blocked"} if domain is None else {"blocked", "gone"})
    found = await table(store)
    last = "deferred" if domain is None else "bounced"
    assert [row.state for row in found] == ["deferred", "sent", "expired", last]
    assert found[0].due_at == LATER
