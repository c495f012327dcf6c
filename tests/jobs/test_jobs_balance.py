"""The books add up, whatever happened; and say so when they do not."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from jobs_world import Clock, open_world, publish, scripted
from sqlalchemy import delete, update
from troubled_world import GONE, LATER, columns, prepared, run, settle_people, times

from digest.errors import UsageError
from digest.jobs.balance import COLUMNS, balance, name_people
from digest.jobs.world import World
from digest.model.delivery import DeliveryState, Uncertain
from digest.store.tables import deliveries


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def world(database_url: str, clock: Clock) -> AsyncIterator[World]:
    async with open_world(database_url, clock, smtp_connections=2) as one:
        yield one


async def test_every_state_stands_in_one_column(world: World) -> None:
    edition = await prepared(world, *times(len(DeliveryState), "g", "gmx.example"))
    async with world.store.write() as connection:
        for number, state in enumerate(DeliveryState, start=1):
            await connection.execute(
                update(deliveries).where(deliveries.c.id == number).values(state=state.value)
            )
    (found,) = await balance(world, edition)
    assert found.balanced
    assert found.columns == dict.fromkeys(COLUMNS, 1) | {"queued": 2, "uncertain": 2}
    named = [each async for each in name_people(world, edition, COLUMNS)]
    assert len(named) == len({each.address for each in named}) == len(DeliveryState)
    dotted = [each async for each in name_people(world, edition, ["uncertain"])]
    assert {each.state for each in dotted} == {DeliveryState.UNCERTAIN, DeliveryState.DOTTED}


async def test_a_row_that_was_taken_away_by_hand_is_missed(world: World, clock: Clock) -> None:
    first = await prepared(world, *times(3, "g", "gmx.example"))
    clock.forward(minutes=1)
    await settle_people(world, ["new@gmx.example"])
    second = (await publish(world, "Zwei")).edition.id
    async with world.store.write() as connection:
        await connection.execute(
            delete(deliveries).where(
                deliveries.c.edition_id == first, deliveries.c.subscription_id == 2
            )
        )
    one, two = await balance(world, None)
    assert (one.edition, one.candidates, one.columns["queued"], one.balanced) == (
        first,
        3,
        2,
        False,
    )
    assert (two.edition, two.candidates, two.balanced) == (second, 4, True)


async def test_the_columns_tell_what_happened(world: World) -> None:
    edition = await prepared(
        world, *(f"{name}@gmx.example" for name in ("anna", "gone", "late", "odd"))
    )
    ours, _ = scripted(world, {"gone": [GONE], "late": [LATER], "odd": [Uncertain(reason="?")]})
    await run(ours)
    (found,) = await balance(world, edition)
    assert columns(found) == {"sent": 1, "bounced": 1, "deferred": 1, "uncertain": 1}
    assert (found.balanced, found.doubts, found.candidates) == (True, 1, 4)


@pytest.mark.parametrize("number", [99, 2**31, 2**70])
async def test_an_edition_that_is_not_there_is_said(world: World, number: int) -> None:
    with pytest.raises(UsageError, match=f"no edition {number}"):
        await balance(world, number)
    assert await balance(world, None) == []
