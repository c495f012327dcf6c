"""Pausing, resuming and giving up by hand; and editions that have grown old."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from jobs_world import Clock, ledger, open_world, publish, sqlite
from sqlalchemy import update
from troubled_world import (
    LATER,
    acting,
    how,
    prepared,
    run,
    standing,
    stands,
    times,
)

from digest.errors import UsageError
from digest.jobs import hold
from digest.jobs.send import Tally, deliver
from digest.jobs.world import World
from digest.model.delivery import Uncertain
from digest.model.pause import Kind, Scope
from digest.store import deliveries
from digest.store.queue import Scope as Work
from digest.store.tables import deliveries as rows
from digest.store.tables import subscriptions


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def world(database_url: str, clock: Clock) -> AsyncIterator[World]:
    async with open_world(database_url, clock, smtp_connections=2) as one:
        yield one


@pytest.fixture
async def light(tmp_path: Path, clock: Clock) -> AsyncIterator[World]:
    async with open_world(sqlite(tmp_path), clock, smtp_connections=2) as one:
        yield one


async def test_what_is_paused_by_hand_waits_until_it_is_resumed(world: World, clock: Clock) -> None:
    edition = await prepared(world, *times(3, "g", "gmx.example"), *times(2, "w", "web.example"))
    await hold.pause(world, "GMX.example", reason="a word with them first")
    ours, _ = acting(world)
    assert await deliver(ours, Work()) == Tally(sent=2)
    assert (await standing(world))[0].cause == "a word with them first"
    await hold.pause(world, f"0{edition}", reason="the subject is wrong")
    assert await stands(world) == [
        (Scope.DOMAIN, "gmx.example", Kind.OPERATOR),
        (Scope.EDITION, str(edition), Kind.OPERATOR),
    ]
    clock.forward(hours=30)
    assert await deliver(ours, Work()) == Tally()
    # one is resumed, the other one still stands
    assert await hold.resume(world, str(edition))
    assert await deliver(ours, Work()) == Tally()
    assert await hold.resume(world, "gmx.example")
    assert not await hold.resume(world, "gmx.example")
    assert await deliver(ours, Work()) == Tally(sent=3)
    assert await how(world) == {"sent": 5}


async def test_what_cannot_be_paused_is_said(world: World) -> None:
    for name in ("99", "99999999999999999999", "gmx", "anna@gmx.example", "", "-1"):
        with pytest.raises(UsageError, match="edition"):
            await hold.resume(world, name)
        with pytest.raises(UsageError, match="edition"):
            await hold.pause(world, name, reason="x")
    with pytest.raises(UsageError):
        await hold.abandon(world, 2**40)


async def test_an_old_edition_is_paused_once_and_sent_or_given_up(
    light: World, clock: Clock
) -> None:
    first = await prepared(light, *times(3, "g", "gmx.example"))
    clock.forward(minutes=1)
    second = (await publish(light, "Zwei")).edition.id
    async with light.store.write() as connection:
        await connection.execute(
            update(subscriptions).where(subscriptions.c.id == 3).values(state="pending")
        )
        notice = await deliveries.queue_notice(
            connection, notice="confirm", subscription_id=3, now=clock.at
        )
    clock.forward(days=2, hours=1)
    ours, _ = acting(light)
    # service mail is not old news; whoever is not a reader any more is left out
    assert await deliver(ours, Work()) == Tally(sent=1)
    assert [row.state.value for row in await ledger(light) if row.id == notice] == ["sent"]
    assert await stands(light) == [
        (Scope.EDITION, str(first), Kind.STALE),
        (Scope.EDITION, str(second), Kind.STALE),
    ]
    assert await hold.resume(light, str(first))
    assert await deliver(ours, Work()) == Tally(sent=2)
    assert await hold.abandon(light, second) == 2
    clock.forward(days=9)
    assert await deliver(ours, Work()) == Tally()
    assert await stands(light) == []
    assert await how(light) == {"sent": 3, "expired": 2, "excluded": 2}


async def test_a_longer_expiry_is_asked_about_later(light: World, clock: Clock) -> None:
    await prepared(light, "anna@gmx.example")
    ours, _ = acting(light)
    clock.forward(days=3)
    assert await deliver(replace(ours, expiry=light.expiry * 2), Work()) == Tally(sent=1)


async def test_a_resumed_edition_that_is_deferred_in_its_old_age_expires(
    light: World, clock: Clock
) -> None:
    edition = await prepared(light, "late@gmx.example", "anna@gmx.example")
    clock.forward(days=3)
    ours, _ = acting(light, late=LATER)
    await run(ours)
    await hold.resume(light, str(edition))
    assert await deliver(ours, Work()) == Tally(sent=1, expired=1)
    assert await how(light) == {"sent": 1, "expired": 1}


@pytest.mark.parametrize("policy", ["hold", "resend"])
async def test_a_doubt_in_a_paused_edition(light: World, clock: Clock, policy: str) -> None:
    edition = await prepared(light, "odd@gmx.example", "anna@gmx.example")
    odd, _ = acting(light, odd=[Uncertain(reason="hung up")])
    ours = replace(odd, uncertain=policy, connections=1)  # type: ignore[arg-type] # one of two
    await run(ours)
    await hold.pause(light, str(edition), reason="x")
    clock.forward(hours=1)
    assert await deliver(ours, Work()) == Tally()
    await hold.resume(light, str(edition))
    again = Tally(sent=1) if policy == "resend" else Tally()
    assert await deliver(ours, Work()) == again
    assert (await how(light)).get("uncertain", 0) == (0 if policy == "resend" else 1)
    # given up, a doubt is over too
    if policy == "hold":
        assert await hold.abandon(light, edition) == 1
        assert await how(light) == {"sent": 1, "expired": 1}


async def test_what_is_paused_for_very_many_rows_does_not_end_a_send(
    light: World, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setattr("digest.store.queue.ROUNDS", 2)
    paused = await prepared(light, *times(150, "g", "gmx.example"))
    clock.forward(minutes=1)
    second = (await publish(light, "Zwei")).edition.id
    async with light.store.write() as connection:
        await connection.execute(
            rows.delete().where(rows.c.edition_id == second, rows.c.subscription_id > 2)
        )
    await hold.pause(light, str(paused), reason="x")
    ours, _ = acting(light)
    # more is held in front of them than one transaction moves
    assert await deliver(replace(ours, connections=1), Work()) == Tally(sent=2)
