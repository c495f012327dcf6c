"""What follows from a refusal: for the reader, for a domain, for an edition. The books balance."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from jobs_world import Clock, ledger, open_world, publish, reply, sqlite, states
from sqlalchemy import update
from troubled_world import (
    BARE,
    BLOCKED,
    GONE,
    LATER,
    SLOWER,
    SYNTAX,
    TOO_LARGE,
    acting,
    how,
    noted,
    prepared,
    rows_of,
    run,
    settle_people,
    standing,
    stands,
    suppressed,
    times,
)

from digest.jobs import hold
from digest.jobs.send import Tally, deliver
from digest.jobs.world import World
from digest.model.delivery import Bounced, Deferred, DeliveryState
from digest.model.pause import Kind, Scope
from digest.model.report import Cause
from digest.store import deliveries, paces
from digest.store.queue import Scope as Work
from digest.store.tables import subscriptions


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def world(database_url: str, clock: Clock) -> AsyncIterator[World]:
    async with open_world(database_url, clock, smtp_connections=2) as one:
        yield one


@pytest.fixture
async def light(tmp_path: object, clock: Clock) -> AsyncIterator[World]:
    """On one kind of database, for what is decided above it."""
    async with open_world(sqlite(tmp_path), clock, smtp_connections=2) as one:  # type: ignore[arg-type] # a path
        yield one


async def test_a_domain_that_refuses_the_sender_rests_and_nobody_is_blamed(
    world: World, clock: Clock
) -> None:
    await prepared(world, *times(6, "g", "gmx.example"), *times(4, "w", "web.example"))
    ours, script = acting(world, **{f"g{n:03d}": BLOCKED for n in range(6)})
    tally = await deliver(ours, Work())
    assert (tally.sent, tally.bounced) == (4, 0)
    assert await stands(world) == [(Scope.DOMAIN, "gmx.example", Kind.BLOCKED)]
    (pause,) = await standing(world)
    assert pause.until == clock.at + timedelta(minutes=30)
    assert "550 5.7.1 blocked" in pause.cause
    assert await suppressed(world) == {}
    found = await how(world)
    assert found["sent"] == 4
    assert found.get("bounced", 0) == 0
    # one for each connection found out; the others were never tried
    asked = [each for each in script.attempts if each.startswith("g")]
    assert len(asked) == len(set(asked)) <= 2
    # it lapses by itself, and they go
    calm, script = acting(world)
    assert await deliver(calm, Work()) == Tally()
    clock.forward(minutes=31)
    await run(calm)
    assert await stands(world) == []
    assert await how(world) == {"sent": 10}
    assert len(script.taken) == 6


async def test_a_domain_that_refuses_again_rests_longer_each_time(
    light: World, clock: Clock
) -> None:
    await prepared(light, "anna@gmx.example")
    ours, _ = acting(light, anna=BLOCKED)
    rests = []
    for _ in range(7):
        await run(ours)
        (pause,) = await standing(light)
        assert pause.until is not None
        rests.append((pause.until - clock.at) / timedelta(minutes=1))
        (row,) = await ledger(light)
        clock.at = max(pause.until, row.due_at)
    assert rests == [30, 60, 120, 240, 480, 480, 480]
    # a day of peace after its end it is a new story
    clock.forward(days=1, minutes=1)
    await publish(light, "Zwei")
    await run(ours)
    assert (await standing(light))[0].times == 1


async def test_one_readers_policy_keeps_no_neighbour_from_the_mail(light: World) -> None:
    await prepared(light, *times(6, "g", "gmx.example"))
    ours, _ = acting(light, g003=BLOCKED)
    await deliver(replace(ours, connections=1), Work())
    assert await stands(light) == []
    assert await how(light) == {"sent": 5, "deferred": 1}
    assert await noted(light) == {"blocked": 1}
    assert await suppressed(light) == {}


async def test_nobody_can_stop_a_domain_by_asking_for_a_confirm_mail(light: World) -> None:
    await prepared(light, "odd@gmx.example", "anna@gmx.example")
    async with light.store.write() as connection:
        await connection.execute(
            update(subscriptions).where(subscriptions.c.id == 1).values(state="pending")
        )
        await deliveries.queue_notice(
            connection, notice="confirm", subscription_id=1, now=light.clock()
        )
    ours, script = acting(light, odd=BLOCKED)
    await run(ours)
    assert await stands(light) == []
    assert script.taken == ["anna"]
    assert [row.state.value for row in await rows_of(light, "odd")] == ["excluded", "deferred"]


async def test_when_three_domains_refuse_it_is_not_the_domains(light: World, clock: Clock) -> None:
    edition = await prepared(
        light, "a@one.example", "b@two.example", "c@three.example", *times(5, "z", "zoo.example")
    )
    ours, _ = acting(light, a=BLOCKED, b=BLOCKED, c=BLOCKED)
    await deliver(replace(ours, connections=1), Work())
    (pause,) = [each for each in await standing(light) if each.scope is Scope.EDITION]
    assert (pause.name, pause.kind, pause.until) == (str(edition), Kind.BLOCKED, None)
    assert "3 domains" in pause.cause
    assert await how(light) == {"deferred": 3, "queued": 5}
    clock.forward(hours=1)
    assert await deliver(ours, Work()) == Tally()  # the domains' pauses are over, this one is not
    assert await hold.resume(light, str(edition))
    await deliver(replace(ours, connections=1), Work())
    # a person was asked once, that is enough
    assert {each.scope for each in await standing(light)} == {Scope.DOMAIN}
    assert await how(light) == {"deferred": 3, "sent": 5}


async def test_a_few_domains_that_never_want_us_do_not_stop_a_long_list(light: World) -> None:
    others = times(40, "z", "zoo.example")
    await prepared(light, *others, "a@one.example", "b@two.example", "c@three.example")
    ours, _ = acting(light, a=BLOCKED, b=BLOCKED, c=BLOCKED)
    await deliver(replace(ours, connections=1), Work())
    assert [scope for scope, _, _ in await stands(light)] == [Scope.DOMAIN] * 3
    assert await how(light) == {"sent": 40, "deferred": 3}


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (TOO_LARGE, Kind.MESSAGE),
        (Bounced(reply=reply("554 5.6.1 no such type"), cause=Cause.MESSAGE), Kind.MESSAGE),
        (SYNTAX, Kind.PROTOCOL),
    ],
)
async def test_a_message_that_nobody_can_want_stops_its_edition_until_resumed(
    light: World, clock: Clock, refusal: Bounced, kind: Kind
) -> None:
    edition = await prepared(light, *times(5, "g", "gmx.example"))
    ours, script = acting(light, g000=[refusal])
    await deliver(replace(ours, connections=1), Work())
    assert await stands(light) == [(Scope.EDITION, str(edition), kind)]
    assert str(refusal.reply) in (await standing(light))[0].cause
    assert await how(light) == {"deferred": 1, "queued": 4}
    assert (await suppressed(light), await noted(light)) == ({}, {})
    clock.forward(hours=5)
    other = (await publish(light, "Zwei")).edition.id
    await run(ours)
    assert len(script.taken) == 5  # another edition goes on
    assert await hold.resume(light, str(edition))
    calm, _ = acting(light)
    assert await deliver(calm, Work()) == Tally(sent=5)
    assert await how(light) == {"sent": 10}
    assert other != edition


async def test_a_mailbox_that_is_not_there_is_closed_at_once_and_left_out_next_time(
    world: World, clock: Clock
) -> None:
    await prepared(world, "gone@gmx.example", "anna@gmx.example")
    ours, _ = acting(world, gone=GONE)
    heard: list[DeliveryState] = []
    tally = await deliver(ours, Work(), told=heard.append)
    assert tally == Tally(sent=1, bounced=1)
    assert sorted(heard) == ["bounced", "sent"]
    assert await suppressed(world) == {"bounced": 1}
    assert await stands(world) == []
    # the next fan-out leaves them out
    clock.forward(minutes=1)
    await publish(world, "Zwei")
    assert await rows_of(world, "gone") == [(await ledger(world))[0]]
    await run(ours)
    assert await how(world) == {"sent": 2, "bounced": 1}


async def test_what_was_queued_before_the_address_was_closed_is_excluded(
    light: World, clock: Clock
) -> None:
    await prepared(light, "gone@gmx.example")
    clock.forward(minutes=1)
    await publish(light, "Zwei")
    ours, script = acting(light, gone=GONE)
    await deliver(replace(ours, connections=1), Work())
    assert script.taken == []
    assert await how(light) == {"bounced": 1, "excluded": 1}


async def test_a_bare_550_counts_and_the_third_over_two_weeks_closes(
    light: World, clock: Clock
) -> None:
    await settle_people(light, ["odd@gmx.example"])
    ours, _ = acting(light, odd=BARE)
    closed = []
    for week in range(3):
        await publish(light, f"Woche {week}")
        await run(ours)
        closed.append(await suppressed(light))
        clock.forward(days=7)
    assert closed == [{}, {}, {"bounced": 1}]
    assert await noted(light) == {"refused": 3}
    assert await how(light) == {"bounced": 3}


async def test_what_we_cannot_write_is_never_the_readers_fault(light: World, clock: Clock) -> None:
    await prepared(light, "anna@gmx.example")
    other = replace(light, newsletters=(replace(light.newsletters[0], slug="other"),))
    for _ in range(20):
        await run(other)
        (row,) = await ledger(light)
        clock.at = max(clock.at, row.due_at)
    assert row.state is DeliveryState.EXPIRED
    assert await noted(light) == {}


async def test_what_expires_counts_softly_and_421_not_at_all(light: World, clock: Clock) -> None:
    await prepared(light, "late@gmx.example", "left@web.example")
    left = Deferred(reply=reply("421 4.2.2 leaving"), cause=Cause.FULL)
    ours, _ = acting(light, late=LATER, left=left)
    for _ in range(25):
        await run(ours)
        clock.forward(hours=2)
    assert await states(light) == {"late": "expired", "left": "expired"}
    assert await noted(light) == {"passing": 1}
    assert (await suppressed(light), await stands(light)) == ({}, [])


# --------------------------------------------------------------- pace


async def gaps(world: World) -> dict[str, float]:
    async with world.store.read() as connection:
        return {name: each.gap for name, each in (await paces.slow(connection)).items()}


async def test_not_so_fast_slows_that_domain_and_no_other(world: World, clock: Clock) -> None:
    await prepared(world, *times(12, "g", "gmx.example"), *times(12, "w", "web.example"))
    ours, script = acting(world, g000=[SLOWER], g001=[SLOWER])
    await run(ours)
    # both connections were told so at once: that is one step
    assert await gaps(world) == {"gmx.example": 2.0}
    assert sorted(each for each in script.taken if each.startswith("w")) == [
        f"w{n:03d}" for n in range(12)
    ]
    assert len([each for each in script.taken if each.startswith("g")]) <= 2
    assert await stands(world) == []
    taken = []
    for _ in range(8):
        clock.forward(seconds=2)
        before = len(script.taken)
        await run(ours)
        taken.append(len(script.taken) - before)
    assert max(taken) <= 4
    clock.forward(minutes=6)
    for _ in range(20):
        await run(ours)
        clock.forward(seconds=2)
    assert await gaps(world) == {}  # each success makes it quicker, until it is as any other
    assert await how(world) == {"sent": 24}


async def test_a_domain_that_still_says_not_so_fast_gets_slower_still(
    light: World, clock: Clock
) -> None:
    await prepared(light, *times(8, "g", "gmx.example"))
    ours, _ = acting(light, **{f"g{n:03d}": SLOWER for n in range(8)})
    seen = []
    for _ in range(4):
        await deliver(replace(ours, connections=1), Work())
        seen.append((await gaps(light))["gmx.example"])
        clock.forward(seconds=seen[-1])
    assert seen == [2.0, 4.0, 8.0, 16.0]
    assert await noted(light) == {}
