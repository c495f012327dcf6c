"""Leases: who is gone for certain, what a sleeper may still do, and who looks after the dead."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from jobs_world import NOW, Clock, admit, ledger, names, open_world, publish, scripted, states
from sqlalchemy import select

from digest.jobs import lease
from digest.jobs.lease import enlisted
from digest.jobs.send import Tally, deliver
from digest.jobs.worker import LEASE, gone, this_worker
from digest.jobs.world import World
from digest.store import deliveries, queue, workers
from digest.store.queue import Scope
from digest.store.troubles import workers as roll

ME = this_worker(b"test")
OTHER_MACHINE = "another boot pid:[1]"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def world(database_url: str, clock: Clock) -> AsyncIterator[World]:
    async with open_world(database_url, clock, smtp_connections=1) as one:
        yield one


def verdict(machine: str, process: str, *, age: timedelta = timedelta()) -> bool:
    return gone([("w", machine, process, NOW - age)], machine=ME.machine, now=NOW) == ["w"]


def test_this_very_process_lives() -> None:
    assert not verdict(ME.machine, ME.process)


def test_a_lease_that_ran_out_is_gone_wherever_it_was() -> None:
    assert verdict(ME.machine, ME.process, age=LEASE + timedelta(seconds=1))
    assert verdict(OTHER_MACHINE, "1-1", age=LEASE + timedelta(seconds=1))
    assert not verdict(OTHER_MACHINE, "1-1", age=LEASE)


def test_a_process_of_this_machine_that_is_not_there_is_gone_at_once() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert verdict(ME.machine, f"{ended.pid}-1")


def test_a_process_that_ended_and_was_not_waited_for_is_gone() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "print(open('/proc/self/stat').read())"], stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        start = child.stdout.read().decode().rpartition(")")[2].split()[19]
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert verdict(ME.machine, f"{child.pid}-{start}")


def test_a_pid_that_was_given_to_another_process_is_gone() -> None:
    assert verdict(ME.machine, f"{os.getpid()}-1")


def test_elsewhere_and_where_nothing_is_known_only_the_lease_tells() -> None:
    assert not verdict(OTHER_MACHINE, "1-1")
    assert not verdict("", f"{os.getpid()}-1")


async def names_on_roll(world: World) -> list[str]:
    async with world.store.read() as connection:
        return list((await connection.execute(select(roll.c.id))).scalars())


async def test_a_worker_is_on_the_roll_while_it_works_and_not_after(world: World) -> None:
    async with enlisted(world) as worker:
        assert await names_on_roll(world) == [worker.id]
    assert await names_on_roll(world) == []


async def test_what_a_killed_process_held_is_taken_back_at_once(world: World) -> None:
    await admit(world, "anna", "ben", "carl")
    await publish(world, "Eins")
    async with world.store.write() as connection:
        await workers.enlist(
            connection, owner="dead", machine=ME.machine, process="999999999-1", now=NOW
        )
        claims = await queue.claim(
            connection, owner="dead", scope=Scope(), resend_uncertain=True, limit=2, now=NOW
        )
        await deliveries.intend(connection, claims[0].id, owner="dead", now=NOW)
    ours, script = scripted(world)
    assert await deliver(ours, Scope()) == Tally(sent=3)
    assert sorted(script.taken) == ["anna", "ben", "carl"]
    assert {row.name: row.doubts for row in await ledger(world)} == {"anna": 1, "ben": 0, "carl": 0}


async def test_what_a_worker_elsewhere_holds_is_left_to_it_while_its_lease_lasts(
    world: World, clock: Clock
) -> None:
    await admit(world, "anna")
    await publish(world, "Eins")
    async with world.store.write() as connection:
        await workers.enlist(connection, owner="far", machine=OTHER_MACHINE, process="1-1", now=NOW)
        await queue.claim(
            connection, owner="far", scope=Scope(), resend_uncertain=True, limit=9, now=NOW
        )
    ours, script = scripted(world)
    clock.at = NOW + LEASE
    assert await deliver(ours, Scope()) == Tally()
    clock.forward(seconds=1)
    assert await deliver(ours, Scope()) == Tally(sent=1)
    assert script.taken == ["anna"]


async def test_a_sleeper_sends_nothing_after_its_lease(
    database_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It held everything, slept before a dot past its lease, and another one did the work."""
    monkeypatch.setattr(lease, "SHOWN_EVERY", 3600)
    people = names(12)
    async with (
        open_world(database_url, clock, smtp_connections=1) as one,
        open_world(database_url, clock, smtp_connections=1) as two,
    ):
        await admit(one, *people)
        await publish(one, "Eins")
        heir, second = scripted(two)

        async def sleep() -> None:
            clock.forward(seconds=LEASE.total_seconds() + 1)
            await deliver(heir, Scope())

        sleeper, first = scripted(one, {"r02": [sleep]})
        tally = await deliver(sleeper, Scope())
        assert first.taken == ["r00", "r01"]
        assert sorted(second.taken) == people[2:]
        assert tally == Tally(sent=2)
        assert set((await states(one)).values()) == {"sent"}


async def test_a_sleeper_after_its_dot_costs_one_copy_and_writes_nothing(
    database_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "SHOWN_EVERY", 3600)
    async with (
        open_world(database_url, clock, smtp_connections=1) as one,
        open_world(database_url, clock, smtp_connections=1) as two,
    ):
        await admit(one, "anna", "ben")
        await publish(one, "Eins")
        heir, second = scripted(two)
        sleeper, first = scripted(one)
        hand_over = first.send

        async def slow(message: object, intend: object) -> object:
            outcome = await hand_over(message, intend)  # type: ignore[arg-type] # passed through
            if len(first.taken) == 1:
                clock.forward(seconds=LEASE.total_seconds() + 1)
                await deliver(heir, Scope())
            return outcome

        monkeypatch.setattr(first, "send", slow)
        tally = await deliver(sleeper, Scope())
        assert (first.taken, sorted(second.taken)) == (["anna"], ["anna", "ben"])
        assert tally == Tally()
        assert {row.name: row.doubts for row in await ledger(one)} == {"anna": 1, "ben": 0}
        assert set((await states(one)).values()) == {"sent"}


async def test_a_worker_that_shows_itself_keeps_what_it_holds(
    database_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "SHOWN_EVERY", 0.01)
    async with (
        open_world(database_url, clock, smtp_connections=1) as one,
        open_world(database_url, clock, smtp_connections=1) as two,
    ):
        await admit(one, *names(4))
        await publish(one, "Eins")
        other, second = scripted(two)

        async def take_long() -> None:
            for _ in range(4):
                clock.forward(seconds=LEASE.total_seconds() / 2)
                await asyncio.sleep(0.15)
                assert await deliver(other, Scope()) == Tally()

        ours, first = scripted(one, {"r00": [take_long]})
        assert await deliver(ours, Scope()) == Tally(sent=4)
        assert (first.taken, second.taken) == (names(4), [])


async def test_a_worker_whose_lease_was_taken_away_begins_anew(
    world: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "SHOWN_EVERY", 0.01)
    async with enlisted(world) as worker:
        async with world.store.write() as connection:
            await workers.bury(connection, [worker.id], now=clock.at)
        await asyncio.sleep(0.3)
        assert await names_on_roll(world) == [worker.id]
