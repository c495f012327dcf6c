"""Writing outcomes down: insisting, once, and not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from jobs_world import Clock, ledger, open_world, sqlite
from troubled_world import GONE, SLOWER, acting, how, noted, prepared, stands, suppressed

from digest.errors import StoreError
from digest.jobs import record
from digest.jobs.clerk import Clerk
from digest.jobs.send import Tally, deliver
from digest.jobs.world import World
from digest.model.delivery import DeliveryState
from digest.store import deliveries, paces, queue
from digest.store.engine import Connection, Store
from digest.store.queue import Scope as Work


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def light(tmp_path: Path, clock: Clock) -> AsyncIterator[World]:
    async with open_world(sqlite(tmp_path), clock, smtp_connections=2) as one:
        yield one


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "PATIENCE", 0.01)
    monkeypatch.setattr(record, "GRACE", 0.1)


@dataclass
class Trouble:
    """What happens to the next writes: "away" fails at once, "mute" commits and then fails."""

    coming: list[str] = field(default_factory=list)
    #: what is done when so many are still to come
    when: dict[int, Callable[[], None]] = field(default_factory=dict)


@pytest.fixture
def trouble(monkeypatch: pytest.MonkeyPatch) -> Trouble:
    ours, whole = Trouble(), Store.write

    @asynccontextmanager
    async def write(self: Store) -> AsyncIterator[Connection]:
        ours.when.get(len(ours.coming), lambda: None)()
        act = ours.coming.pop(0) if ours.coming else ""
        if act == "away":
            raise StoreError("the database cannot be used: gone")
        async with whole(self) as connection:
            yield connection
        if act == "mute":
            raise StoreError("the database cannot be used: the line broke")

    monkeypatch.setattr(Store, "write", write)
    return ours


async def told(world: World, **kwargs: Any) -> tuple[Tally, list[DeliveryState]]:
    heard: list[DeliveryState] = []
    return await deliver(world, Work(), told=heard.append, **kwargs), heard


def when_dotted(trouble: Trouble, *acts: str) -> Any:
    """After the fence is written, and before the outcome is."""

    async def act() -> None:
        # the fence itself is the next write
        trouble.coming[:] = ["", *acts]

    return act


async def test_an_outcome_is_written_down_though_the_database_was_away(
    light: World, trouble: Trouble
) -> None:
    await prepared(light, "anna@gmx.example")
    ours, script = acting(light, anna=[when_dotted(trouble, "away", "away")])
    assert await told(ours) == (Tally(sent=1), [DeliveryState.SENT])
    assert script.taken == ["anna"]
    (row,) = await ledger(light)
    assert (row.state.value, row.attempts, row.doubts) == ("sent", 1, 0)


async def test_a_commit_whose_answer_was_lost_is_counted_once(
    light: World, trouble: Trouble, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "digest")
    await prepared(light, "anna@gmx.example")
    ours, _ = acting(light, anna=[when_dotted(trouble, "mute", "away", "mute")])
    assert await told(ours) == (Tally(sent=1), [DeliveryState.SENT])
    (row,) = await ledger(light)
    assert (row.state.value, row.attempts, row.doubts) == ("sent", 1, 0)
    assert " late" not in caplog.text


async def test_what_follows_from_an_outcome_follows_once(light: World, trouble: Trouble) -> None:
    await prepared(light, "gone@gmx.example", "slow@web.example")
    one, _ = acting(light, gone=[GONE], slow=[SLOWER])
    send = one.transport.send

    async def refusing(message: Any, intend: Any) -> Any:
        outcome = await send(message, intend)
        trouble.coming[:] = ["mute"]
        return outcome

    one.transport.send = refusing  # type: ignore[method-assign]
    tally, heard = await told(replace(one, connections=1))
    assert tally == Tally(bounced=1, deferred=1)
    assert sorted(heard) == ["bounced", "deferred"]
    assert await how(light) == {"bounced": 1, "deferred": 1}
    assert (await noted(light), await suppressed(light)) == ({"gone": 1}, {"bounced": 1})
    assert await stands(light) == []
    async with light.store.read() as connection:
        assert {n: p.gap for n, p in (await paces.slow(connection)).items()} == {"web.example": 2.0}


async def test_a_fence_whose_answer_was_lost_sends_no_dot(light: World, trouble: Trouble) -> None:
    await prepared(light, "anna@gmx.example")

    async def act() -> None:
        trouble.coming[:] = ["mute"]

    ours, script = acting(light, anna=[act])
    with pytest.raises(StoreError):
        await told(ours)
    assert script.taken == []
    (row,) = await ledger(light)
    # the books cannot know that: it counts as a doubt
    assert (row.state.value, row.attempts, row.doubts) == ("uncertain", 1, 1)


async def test_fences_that_are_written_twice_hold_and_count_one_attempt(
    light: World, trouble: Trouble
) -> None:
    await prepared(light, "anna@gmx.example", "berta@gmx.example")
    now = light.clock()
    async with light.store.write() as connection:
        claims = await queue.claim(
            connection, owner="w", scope=Work(), resend_uncertain=True, limit=2, now=now
        )
    clerk = Clerk(light.store)
    trouble.coming[:] = ["mute"]  # the commit of both; then each is written alone
    assert await asyncio.gather(
        *(
            clerk.write(lambda c, each=each: deliveries.intend(c, each.id, owner="w", now=now))  # type: ignore[misc] # bound early
            for each in claims
        )
    ) == [True, True]
    assert [(row.state.value, row.attempts) for row in await ledger(light)] == [("dotted", 1)] * 2


async def test_who_is_asked_to_stop_waits_for_the_database_a_while_and_no_longer(
    light: World, trouble: Trouble
) -> None:
    await prepared(light, "anna@gmx.example")
    stop = asyncio.Event()

    async def act() -> None:
        stop.set()
        trouble.coming[:] = ["", *["away"] * 1000]

    ours, script = acting(light, anna=[act])
    with pytest.raises(StoreError):
        await told(ours, stop=stop)
    assert script.taken == ["anna"]
    # ten tries in the time of grace, and a few at the end
    assert 900 < len(trouble.coming) < 992
    trouble.coming.clear()
    (row,) = await ledger(light)
    assert row.state is DeliveryState.DOTTED  # in doubt, as it should be


async def test_the_time_of_grace_begins_when_the_stop_is_asked_for(
    light: World, trouble: Trouble
) -> None:
    await prepared(light, "anna@gmx.example")
    stop = asyncio.Event()
    # the stop comes after more tries than the grace has, and the database soon after it
    trouble.when[10] = stop.set
    ours, _ = acting(light, anna=[when_dotted(trouble, *["away"] * 40)])
    assert await told(ours, stop=stop) == (Tally(sent=1), [DeliveryState.SENT])
    assert [row.state.value for row in await ledger(light)] == ["sent"]
