"""The breaker: far too many refusals are not the readers' fault; a person is asked, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from jobs_world import Act, Clock, ledger, open_world, publish, scripted, sqlite
from sqlalchemy import update
from troubled_world import (
    GONE,
    acting,
    how,
    noted,
    prepared,
    run,
    stands,
    suppressed,
    times,
)

from digest.jobs import hold
from digest.jobs.breaker import LEAST, is_bad, trip
from digest.jobs.send import Tally, deliver
from digest.jobs.world import World
from digest.model.delivery import DeliveryState
from digest.model.pause import Kind, Scope
from digest.store import bounces
from digest.store.queue import Scope as Work
from digest.store.tables import deliveries

ALL_GONE: dict[str, Act | list[Act]] = {f"g{n:03d}": GONE for n in range(60)}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def world(database_url: str, clock: Clock) -> AsyncIterator[World]:
    async with open_world(database_url, clock, smtp_connections=3) as one:
        yield one


@pytest.fixture
async def light(tmp_path: Path, clock: Clock) -> AsyncIterator[World]:
    async with open_world(sqlite(tmp_path), clock, smtp_connections=3) as one:
        yield one


async def refused(world: World, *, tried: int, refusals: int) -> None:
    """Books in which so many were tried, and the first of them refused."""
    rows = await ledger(world)
    async with world.store.write() as connection:
        await connection.execute(
            update(deliveries).where(deliveries.c.id <= rows[tried - 1].id).values(attempts=1)
        )
        for row in rows[:refusals]:
            await bounces.note(
                connection,
                delivery_id=row.id,
                subscriber_id=row.id,
                edition_id=1,
                domain="gmx.example",
                cause=GONE.cause,
                door="smtp",
                text="no",
                now=world.clock(),
            )


@pytest.mark.parametrize(
    ("tried", "refusals", "bad"),
    [
        (199, LEAST, True),
        (200, LEAST, False),  # ten percent is not more than ten percent
        (201, LEAST, False),
        (30, LEAST - 1, False),
        (209, LEAST + 1, True),
    ],
)
async def test_more_than_a_tenth_and_at_least_twenty(
    light: World, tried: int, refusals: int, *, bad: bool
) -> None:
    edition = await prepared(light, *times(210, "g", "gmx.example"))
    await refused(light, tried=tried, refusals=refusals)
    async with light.store.read() as connection:
        whole = await is_bad(connection, edition, None)
        domain = await is_bad(connection, edition, "gmx.example")
        assert await is_bad(connection, edition, "web.example") is None
    assert (whole is not None, domain is not None) == (bad, bad)
    if bad:
        assert whole is not None
        assert f"{refusals} of {tried} " in whole


async def test_it_pauses_the_edition_blames_nobody_and_asks_once(
    world: World, clock: Clock
) -> None:
    edition = await prepared(world, *times(60, "g", "gmx.example"), "anna@web.example")
    ours, script = acting(world, **ALL_GONE)
    heard: list[DeliveryState] = []
    tally = await deliver(ours, Work(), told=heard.append)
    assert await stands(world) == [(Scope.EDITION, str(edition), Kind.BREAKER)]
    assert await suppressed(world) == {}
    assert set(await noted(world)) == {"blocked"}
    tried = len(script.attempts)
    # what was under way when it tripped is spared as well
    assert LEAST <= tried < 2 * LEAST
    assert await how(world) == {"deferred": tried, "queued": 61 - tried}
    assert tally == Tally(deferred=tried)
    assert len(heard) == tried
    # nothing more goes, not by itself
    clock.forward(hours=20)
    assert await deliver(ours, Work()) == Tally()
    # resumed, what is still refused is the readers' own, and nobody is asked again
    assert await hold.resume(world, str(edition))
    await run(ours)
    assert await stands(world) == []
    assert await how(world) == {"bounced": 60, "sent": 1}
    assert await suppressed(world) == {"bounced": 60}


async def test_a_breaker_that_was_wrong_sends_to_all_after_resume(light: World) -> None:
    edition = await prepared(light, *times(30, "g", "gmx.example"))
    ours, _ = acting(light, **ALL_GONE)
    await run(ours)
    await hold.resume(light, str(edition))
    calm, _ = acting(light)
    assert await deliver(calm, Work()) == Tally(sent=30)
    assert await how(light) == {"sent": 30}
    assert await suppressed(light) == {}


async def test_a_domain_that_refuses_many_is_paused_alone(light: World) -> None:
    await prepared(
        light,
        *times(400, "a", "web.example"),
        *times(40, "g", "gmx.example"),
        *times(5, "z", "zoo.example"),
    )
    async with light.store.write() as connection:  # the first 400 have theirs
        await connection.execute(
            update(deliveries).where(deliveries.c.id <= 400).values(state="sent", attempts=1)
        )
    ours, script = acting(light, **ALL_GONE)
    await run(ours)
    assert await stands(light) == [(Scope.DOMAIN, "gmx.example", Kind.BREAKER)]
    assert await suppressed(light) == {}
    assert len([each for each in script.attempts if each.startswith("g")]) < 2 * LEAST
    found = await how(light)
    assert (found["sent"], found.get("bounced", 0)) == (405, 0)
    assert await hold.resume(light, "gmx.example")
    await run(ours)
    assert await how(light) == {"sent": 405, "bounced": 40}


async def test_two_workers_count_together_and_neither_blames_anybody(
    database_url: str, clock: Clock
) -> None:
    async with (
        open_world(database_url, clock, smtp_connections=1) as one,
        open_world(database_url, clock, smtp_connections=1) as two,
    ):
        edition = await prepared(one, *times(60, "g", "gmx.example"))

        acts: dict[str, list[Act]] = {f"g{n:03d}": [GONE] * 9 for n in range(60)}
        first, a = scripted(one, acts)
        second, b = scripted(two, acts)
        done = asyncio.Event()

        async def pass_time() -> None:
            while not done.is_set():
                clock.forward(seconds=1)
                await asyncio.sleep(0.01)

        timer = asyncio.create_task(pass_time())
        await asyncio.gather(deliver(first, Work()), deliver(second, Work()))
        done.set()
        await timer
        assert a.attempts
        assert b.attempts
        # all of it is one domain, so that both are true, and one of them at least is said
        found = await stands(one)
        assert found
        assert {name for _, name, _ in found} <= {str(edition), "gmx.example"}
        assert {kind for _, _, kind in found} == {Kind.BREAKER}
        assert await suppressed(one) == {}
        assert (await how(one)).get("bounced", 0) == 0
        assert len(a.attempts) + len(b.attempts) < 40


async def test_a_refusal_that_comes_after_the_trip_is_taken_back_as_well(light: World) -> None:
    edition = await prepared(light, *times(25, "g", "gmx.example"))
    await refused(light, tried=25, refusals=21)
    async with light.store.write() as connection:
        bad = await is_bad(connection, edition, None)
        assert bad is not None
        assert await trip(connection, edition, None, bad, now=light.clock()) is not None
        # another worker, which has not heard of it, recorded one meanwhile
        await connection.execute(
            update(deliveries).where(deliveries.c.id == 1).values(state="bounced")
        )
        taken = await trip(connection, edition, None, bad, now=light.clock())
        assert taken is not None
        assert taken.waiting == 1
    assert await hold.resume(light, str(edition))
    async with light.store.write() as connection:
        assert await trip(connection, edition, None, bad, now=light.clock()) is None
        # the question was about its domains as well
        assert await trip(connection, edition, "gmx.example", bad, now=light.clock()) is None


async def test_the_next_edition_is_asked_about_anew(light: World, clock: Clock) -> None:
    edition = await prepared(light, *times(30, "g", "gmx.example"))
    ours, _ = acting(light, **ALL_GONE)
    await run(ours)
    assert await hold.abandon(light, edition) == 30
    assert await stands(light) == []
    clock.forward(minutes=1)
    second = (await publish(light, "Zwei")).edition.id
    await run(replace(ours, connections=1))
    assert await stands(light) == [(Scope.EDITION, str(second), Kind.BREAKER)]
    assert (await how(light))["expired"] == 30
