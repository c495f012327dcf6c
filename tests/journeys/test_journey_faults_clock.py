"""Time that passes, and clocks that step: nobody is lost, and what waits is said."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from fault_stand import EVERYBODY, READERS, Stand
from loopback import Relay

from digest.app import open_app, utc_now
from digest.jobs.lease import enlisted
from digest.jobs.send import deliver, deliver_due
from digest.settings import read_settings
from digest.store.queue import Scope

pytest_plugins = ["kill_fixtures", "fault_fixtures"]


def test_not_now_for_two_days_is_tried_more_and_more_rarely_and_expires(
    stand: Stand, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row 14: the real retry times, by a clock that jumps from one to the next."""
    stand.name_relay(relay.port)
    relay.at_rcpt = dict.fromkeys(EVERYBODY, "450 4.2.1 try later")
    monkeypatch.chdir(stand.folder)
    begun = utc_now()
    at = begun
    rounds: list[timedelta] = []

    async def go_on() -> None:
        nonlocal at
        async with open_app(read_settings(stand.folder), clock=lambda: at) as world:
            while True:
                before = len(relay.asked)
                await deliver(world, Scope())
                if len(relay.asked) > before:
                    rounds.append(at - begun)
                due = stand.sql("SELECT max(due_at) FROM deliveries WHERE state = 'deferred'")[0][0]
                if due is None:
                    return
                at = datetime.fromisoformat(due).replace(tzinfo=begun.tzinfo)

    asyncio.run(go_on())
    tries = stand.sql("SELECT min(attempts), max(attempts) FROM deliveries")[0]
    assert tries[0] >= 14
    assert tries[1] <= 17
    assert timedelta(hours=43) < rounds[-1] <= timedelta(hours=48)
    assert stand.queue() == {"expired": READERS}
    status = stand.status()
    assert status["suppressed"] == {}
    assert stand.verify()["expired"] == READERS
    assert relay.mails == []


def test_a_clock_that_steps_during_a_send_loses_nobody(
    stand: Stand, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row 37: a day back, what is not due any more waits for its time; a day on, all goes on."""
    stand.name_relay(relay.port)
    monkeypatch.chdir(stand.folder)
    shift = timedelta(0)

    def step(count: int) -> None:
        nonlocal shift
        if count == 1:
            shift = timedelta(days=-1)

    relay.on_taken = step

    async def go_on() -> None:
        nonlocal shift
        async with (
            open_app(read_settings(stand.folder), clock=lambda: utc_now() + shift) as world,
            enlisted(world) as worker,
        ):
            stop = asyncio.Event()
            await deliver_due(world, worker, Scope(), stop=stop, carefully=True)
            assert stand.queue() == {"sent": 1, "queued": READERS - 1}
            assert len(relay.mails) == 1
            shift = timedelta(days=1)
            await deliver_due(world, worker, Scope(), stop=stop)

    asyncio.run(go_on())
    assert relay.got == sorted(EVERYBODY)
    assert stand.queue() == {"sent": READERS}
    assert stand.verify()["possible_copies"] == 0
    assert stand.sql("SELECT count(*) FROM workers") == [(0,)]
