"""Paces: places on a line of time, the same for all workers."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from troubled_store import NOW

from digest.store import paces
from digest.store.engine import Store


async def reserve(store: Store, *, count: int, gap: float, now: datetime = NOW) -> float:
    """Seconds from NOW to the first place."""
    async with store.write() as connection:
        first = await paces.reserve(connection, paces.EVERYBODY, count=count, gap=gap, now=now)
    return (first - NOW).total_seconds()


async def test_places_follow_each_other_and_time_that_passed_is_not_saved_up(store: Store) -> None:
    assert await reserve(store, count=4, gap=0.5) == 0
    assert await reserve(store, count=1, gap=0.5) == 2
    assert await reserve(store, count=1, gap=0.5, now=NOW + timedelta(seconds=1)) == 2.5
    assert await reserve(store, count=1, gap=0.5, now=NOW + timedelta(hours=1)) == 3600


async def test_workers_that_reserve_at_once_get_places_of_their_own(store: Store) -> None:
    firsts = await asyncio.gather(*(reserve(store, count=2, gap=0.25) for _ in range(8)))
    assert sorted(firsts) == [n * 0.5 for n in range(8)]


async def test_a_clock_that_was_a_day_ahead_stops_nobody_for_a_day(store: Store) -> None:
    await reserve(store, count=10, gap=0.1, now=NOW + timedelta(days=1))
    assert await reserve(store, count=1, gap=0.1) == 0
    # while a very slow rate is no wrong clock
    assert [await reserve(store, count=1, gap=1800) for _ in range(3)] == [0.1, 1800.1, 3600.1]


async def test_the_line_of_everybody_is_no_slow_domain(store: Store) -> None:
    await reserve(store, count=1, gap=1)
    async with store.write() as connection:
        assert await paces.slow(connection) == {}
        await paces.set_gap(connection, "gmx.example", 2.0, asked_at=NOW, now=NOW)
        assert list(await paces.slow(connection)) == ["gmx.example"]


async def test_reserving_does_not_look_like_being_asked_to_go_slower(store: Store) -> None:
    later = NOW + timedelta(seconds=30)
    async with store.write() as connection:
        await paces.set_gap(connection, "gmx.example", 2.0, asked_at=NOW, now=NOW)
        await paces.reserve(connection, "gmx.example", count=1, gap=2.0, now=later)
        known = (await paces.slow(connection, lock=True))["gmx.example"]
    assert (known.updated_at, known.next_at) == (NOW, later + timedelta(seconds=2))


async def test_a_new_gap_holds_from_now_on_and_gives_no_reserved_place_away(store: Store) -> None:
    async with store.write() as connection:
        await paces.set_gap(connection, "gmx.example", 8.0, asked_at=NOW, now=NOW)
        known = (await paces.slow(connection))["gmx.example"]
        assert known.next_at == NOW + timedelta(seconds=8)
        await paces.reserve(connection, "gmx.example", count=2, gap=8.0, now=NOW)
        await paces.set_gap(connection, "gmx.example", 6.0, asked_at=NOW, now=NOW)
        known = (await paces.slow(connection))["gmx.example"]
        assert (known.gap, known.next_at) == (6.0, NOW + timedelta(seconds=24))
        await paces.set_gap(connection, "gmx.example", 0.0, asked_at=NOW, now=NOW)
        assert await paces.slow(connection) == {}


async def test_whoever_means_to_change_a_pace_holds_them_all(store: Store) -> None:
    """Else two workers that change two paces in two orders would wait for each other."""
    done: list[str] = []

    async def second() -> None:
        async with store.write() as connection:
            await paces.slow(connection, lock=True)
            done.append("second")

    async with store.write() as connection:
        for name in ("web.example", "gmx.example"):
            await paces.set_gap(connection, name, 2.0, asked_at=NOW, now=NOW)
    async with store.write() as connection:
        await paces.slow(connection, lock=True)
        waiting = asyncio.create_task(second())
        await asyncio.sleep(0.2)
        done.append("first")
    await waiting
    assert done == ["first", "second"]
