"""The rate: so many a second over all workers, and a stop that need not wait for its turn."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from jobs_world import NOW, SENT, Clock, ledger, names, open_world, sqlite
from loopback import Relay, running
from troubled_world import acting, how, prepared, times

from digest.app import utc_now
from digest.deliveries.transport import Intend
from digest.jobs import send
from digest.jobs.send import Tally, deliver
from digest.model.delivery import DeliveryState, Outcome
from digest.model.message import Message
from digest.store.queue import Scope as Work


@pytest.fixture
def clock() -> Clock:
    return Clock()


@dataclass
class Timed:
    """A transport that notes when each message came, by the world's clock."""

    clock: Clock
    came: list[float] = field(default_factory=list)

    async def send(self, message: Message, intend: Intend) -> Outcome:
        del message
        begun = self.clock.at.timestamp()
        assert await intend()
        self.came.append(begun)
        return SENT

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def by_clock(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for one's turn moves the clock, and nobody waits."""

    async def wait_for(waiting: object, seconds: float) -> None:
        waiting.close()  # type: ignore[attr-defined] # a coroutine
        until = clock.at.timestamp() + seconds
        await asyncio.sleep(0)
        ahead = until - clock.at.timestamp()
        if ahead > 0:
            clock.forward(seconds=ahead)
        raise TimeoutError

    monkeypatch.setattr(send.asyncio, "wait_for", wait_for)  # type: ignore[attr-defined]


async def test_two_workers_keep_to_one_rate(
    database_url: str, clock: Clock, by_clock: None
) -> None:
    del by_clock
    async with (
        open_world(database_url, clock, smtp_connections=2, smtp_rate=5) as one,
        open_world(database_url, clock, smtp_connections=2, smtp_rate=5) as two,
    ):
        await prepared(one, *times(60, "g", "gmx.example"))
        timed = Timed(clock)
        tallies = await asyncio.gather(
            *(deliver(replace(each, transport=timed), Work()) for each in (one, two))
        )
        assert sum(each.sent for each in tallies) == 60
        assert await how(one) == {"sent": 60}
    came = sorted(timed.came)
    # nobody is ahead of the line that both share
    for place, at in enumerate(came):
        assert at - NOW.timestamp() >= place / 5 - 0.001
    assert came[-1] - came[0] <= 60 / 5 + 2.5


async def test_a_claim_holds_no_more_than_what_goes_soon(tmp_path: Path, clock: Clock) -> None:
    async with open_world(sqlite(tmp_path), clock, smtp_connections=9, smtp_rate=2) as world:
        await prepared(world, *times(20, "g", "gmx.example"))
        stop = asyncio.Event()
        held: list[int] = []

        async def look() -> None:
            held.append(sum(row.owner is not None for row in await ledger(world)))
            stop.set()

        ours, _ = acting(world, g000=[look])
        await deliver(ours, Work(), stop=stop)
        assert held[0] <= 4


async def test_a_stop_does_not_wait_for_the_next_turn(tmp_path: Path, clock: Clock) -> None:
    async with open_world(sqlite(tmp_path), clock, smtp_connections=2, smtp_rate=0.01) as world:
        await prepared(world, *times(5, "g", "gmx.example"))
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(0.5, stop.set)
        ours, script = acting(world)
        begun = time.monotonic()
        tally = await deliver(ours, Work(), stop=stop)
        assert time.monotonic() - begun < 10  # and not a hundred seconds
        assert tally == Tally(sent=1)
        assert len(script.attempts) == 1
        assert {row.state for row in await ledger(world)} == {
            DeliveryState.SENT,
            DeliveryState.QUEUED,
        }
        assert {row.owner for row in await ledger(world)} == {None}


async def test_over_smtp_a_rate_is_kept_in_real_time(tmp_path: Path) -> None:
    with running(Relay()) as relay:
        port = relay.port
        async with open_world(
            sqlite(tmp_path),
            utc_now,  # type: ignore[arg-type] # a clock that nobody moves
            smtp_port=port,
            smtp_security="none",
            smtp_connections=4,
            smtp_rate=20,
        ) as world:
            await prepared(world, *(f"{each}@gmx.example" for each in names(40)))
            begun = time.monotonic()
            assert await deliver(world, Work()) == Tally(sent=40)
            assert 1.9 <= time.monotonic() - begun < 15
    assert len(relay.mails) == 40
