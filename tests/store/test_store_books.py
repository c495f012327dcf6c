"""The books: what an edition was given, and how each of it stands."""

from __future__ import annotations

from sqlalchemy import delete
from troubled_store import NOW, at, make_edition, set_row, stocked, table

from digest.model.delivery import DeliveryState
from digest.store import books, deliveries
from digest.store.engine import Store
from digest.store.tables import deliveries as rows


async def test_an_account_counts_each_state_and_remembers_what_was_written(store: Store) -> None:
    first = await stocked(store, *at("gmx.example", len(DeliveryState)))
    for row, state in zip(await table(store), DeliveryState, strict=True):
        await set_row(store, row.id, state=state.value, doubts=1 if state == "uncertain" else 0)
    async with store.write() as connection:
        second = await make_edition(connection, 2)
        await deliveries.queue_notice(connection, notice="confirm", subscription_id=1, now=NOW)
    async with store.read() as connection:
        one, two = await books.accounts(connection, None)
        assert await books.accounts(connection, second) == [two]
        assert await books.accounts(connection, second + 9) == []
    assert (one.edition_id, one.candidates, one.doubts) == (first, len(DeliveryState), 1)
    assert one.states == dict.fromkeys(DeliveryState, 1)
    assert (two.candidates, two.states) == (9, {DeliveryState.QUEUED: 9})


async def test_a_second_fan_out_adds_only_those_who_are_new(store: Store) -> None:
    edition = await stocked(store, *at("gmx.example", 3))
    async with store.write() as connection:
        written = await deliveries.fan_out(
            connection, edition_id=edition, newsletter="news", frequencies=["daily"], now=NOW
        )
        (account,) = await books.accounts(connection, edition)
    assert (written, account.candidates) == (0, 3)


async def test_a_row_that_went_away_is_missed(store: Store) -> None:
    edition = await stocked(store, *at("gmx.example", 3))
    async with store.write() as connection:
        await connection.execute(delete(rows).where(rows.c.id == (await _first(store))))
        (account,) = await books.accounts(connection, edition)
    assert (account.candidates, sum(account.states.values())) == (3, 2)


async def _first(store: Store) -> int:
    return int((await table(store))[0].id)


async def test_people_are_named_page_by_page(store: Store) -> None:
    edition = await stocked(store, *at("gmx.example", 5))
    for row in (await table(store))[:2]:
        await set_row(store, row.id, state="sent", reply="250 ok", attempts=1)
    async with store.read() as connection:
        page = await books.people(
            connection, edition, states=[DeliveryState.QUEUED, DeliveryState.CLAIMED], limit=2
        )
        rest = await books.people(
            connection, edition, states=[DeliveryState.QUEUED], after=page[-1].id
        )
        (one, _) = await books.people(connection, edition, states=[DeliveryState.SENT])
    assert [each.address[:6] for each in page + rest] == ["r00002", "r00003", "r00004"]
    assert (one.state, one.reply, one.attempts) == (DeliveryState.SENT, "250 ok", 1)
