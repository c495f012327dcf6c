"""The queue: what a claim takes, what it moves aside, and that it looks far enough."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import event, insert, update
from troubled_store import (
    NOW,
    at,
    make_edition,
    pause,
    set_row,
    settle_people,
    stocked,
    table,
    take,
)

from digest.model.pause import Kind, Scope
from digest.store import deliveries, paces, pauses, suppressions
from digest.store.engine import Store
from digest.store.holds import AHEAD, FAR, SOON
from digest.store.tables import deliveries as ledger
from digest.store.tables import subscriptions

SECOND = timedelta(seconds=1)


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    """What is said to the database meanwhile."""
    said: list[str] = []

    def listen(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        said.append(statement)

    event.listen(store.engine.sync_engine, "before_cursor_execute", listen)
    try:
        yield said
    finally:
        event.remove(store.engine.sync_engine, "before_cursor_execute", listen)


async def slow_down(store: Store, domain: str, gap: float) -> None:
    async with store.write() as connection:
        past = NOW - timedelta(seconds=gap)
        await paces.set_gap(connection, domain, gap, asked_at=past, now=past)


async def begin(store: Store, scope: Scope, name: object, **more: object) -> None:
    async with store.write() as connection:
        await pauses.begin(connection, pause(scope, name, **more))  # type: ignore[arg-type] # a dict of them


async def test_a_paused_edition_in_front_keeps_no_other_from_going(store: Store) -> None:
    async with store.write() as connection:
        await settle_people(connection, at("gmx.example", 3000))
        paused = await make_edition(connection)
        other = await make_edition(connection, 2, fan_out=False)
        await connection.execute(
            insert(ledger).values(
                edition_id=other,
                subscription_id=1,
                state="queued",
                due_at=NOW,
                created_at=NOW,
                updated_at=NOW,
            )
        )
    await begin(store, Scope.EDITION, paused)
    with statements(store) as said:
        taken = await take(store)
    found = {row.id: row for row in await table(store)}
    assert [found[each].edition_id for each in taken] == [other]
    assert len(said) < 80
    assert Counter(row.due_at for row in found.values()) == {NOW + FAR: 3000, NOW: 1}
    assert await take(store) == []
    async with store.write() as connection:
        await pauses.end(connection, Scope.EDITION, str(paused), now=NOW)
    assert len(await take(store)) == 16


async def test_thousands_at_a_slow_domain_in_front_starve_nobody(store: Store) -> None:
    await stocked(store, *at("slow.example", 5000), *at("quick.example", 10))
    await slow_down(store, "slow.example", 2.0)
    domains: Counter[str] = Counter()
    with statements(store) as said:
        for _ in range(3):
            taken = await take(store)
            found = {row.id: row for row in await table(store)} if taken else {}
            domains.update(found[each].domain for each in taken)
            if domains["quick.example"]:
                break
    assert domains["quick.example"] == 10
    assert domains["slow.example"] <= AHEAD / (2 * SECOND) + 1
    assert len(said) < 250
    # nobody of them waits longer than a look takes
    assert max(row.due_at for row in await table(store)) <= NOW + SOON


async def test_a_claim_holds_no_more_of_a_slow_domain_than_its_pace(store: Store) -> None:
    await stocked(store, *at("slow.example", 200))
    await slow_down(store, "slow.example", 0.5)
    taken = 0
    for second in range(15):
        now = NOW + second * SECOND
        got = len(await take(store, now=now)) + len(await take(store, now=now, owner="other"))
        taken += got
        assert taken <= 2 * (second + AHEAD.total_seconds()) + 1
    # nor far less
    assert taken >= 2 * 15 * 0.8


async def test_a_very_slow_domain_goes_on_one_by_one(store: Store) -> None:
    await stocked(store, *at("slow.example", 5))
    await slow_down(store, "slow.example", 300.0)
    times = []
    for minute in range(26):
        times += [minute for _ in await take(store, now=NOW + timedelta(minutes=minute))]
    assert times == [0, 5, 10, 15, 20]


async def test_those_who_left_take_no_place_on_a_slow_domains_line(store: Store) -> None:
    await stocked(store, *at("slow.example", 12))
    await slow_down(store, "slow.example", 1.0)
    async with store.write() as connection:
        for each in at("slow.example", 10):
            await suppressions.suppress(connection, f"hash-{each}", reason="complaint", now=NOW)
    assert len(await take(store, limit=10)) == 2
    assert Counter(row.state for row in await table(store)) == {"excluded": 10, "claimed": 2}


async def test_a_paused_domain_waits_until_its_pause_is_over(store: Store) -> None:
    await stocked(store, *at("gmx.example", 3), "w@web.example")
    until = NOW + timedelta(minutes=30)
    await begin(store, Scope.DOMAIN, "gmx.example", until=until)
    assert len(await take(store)) == 1
    assert [row.due_at for row in await table(store)] == [until] * 3 + [NOW]
    assert await take(store, now=until - SECOND) == []
    assert len(await take(store, now=until)) == 3


async def test_an_edition_that_is_old_news_is_paused_and_asked_about_once(store: Store) -> None:
    edition = await stocked(store, *at("gmx.example", 4))
    late = NOW + timedelta(days=2, minutes=1)
    async with store.write() as connection:
        notice = await deliveries.queue_notice(
            connection, notice="confirm", subscription_id=1, now=NOW
        )
        await connection.execute(
            update(subscriptions).where(subscriptions.c.id == 1).values(state="pending")
        )
    # to whom two days are not old gets it
    assert len(await take(store, now=late, window=timedelta(days=4), limit=3)) == 2
    # service mail is no news
    assert notice in [row.id for row in await table(store) if row.state == "claimed"]
    assert await take(store, now=late) == []
    async with store.write() as connection:
        (standing,) = await pauses.standing(connection, now=late)
        assert (standing.kind, standing.name, standing.until) == (Kind.STALE, str(edition), None)
        assert f"digest resume {edition}" in standing.cause
        assert "2026-11-23" in standing.cause
        await pauses.end(connection, Scope.EDITION, str(edition), now=late)
    assert len(await take(store, now=late + timedelta(days=9))) == 2
    async with store.read() as connection:
        assert await pauses.standing(connection, now=late) == []


async def test_who_resumed_an_old_edition_is_not_asked_whether_it_is_old(store: Store) -> None:
    edition = await stocked(store, *at("gmx.example", 2))
    late = NOW + timedelta(days=3)
    await begin(store, Scope.EDITION, edition, kind=Kind.BREAKER)
    assert await take(store) == []
    async with store.write() as connection:
        await pauses.end(connection, Scope.EDITION, str(edition), now=late)
    assert len(await take(store, now=late)) == 2


async def test_an_uncertain_row_waits_with_its_edition_and_comes_back_with_it(store: Store) -> None:
    edition = await stocked(store, *at("gmx.example", 2))
    first = (await table(store))[0]
    await set_row(store, first.id, state="uncertain")
    await begin(store, Scope.EDITION, edition)
    assert await take(store) == []
    assert {row.due_at for row in await table(store)} == {NOW + FAR}
    async with store.write() as connection:
        await pauses.end(connection, Scope.EDITION, str(edition), now=NOW)
    assert first.id not in await take(store, resend=False)
    assert await take(store, resend=True) == [first.id]


async def test_two_workers_at_once_take_different_rows_while_others_are_moved(store: Store) -> None:
    domains = ("gmx.example", "web.example", "slow.example", "paused.example")
    await stocked(store, *(each for domain in domains for each in at(domain, 60)))
    for domain in domains[:3]:
        await slow_down(store, domain, 0.2)
    await begin(store, Scope.DOMAIN, "paused.example", until=NOW + timedelta(hours=1))
    held: list[int] = []

    async def work(owner: str, turn: int) -> list[int]:
        return await take(store, owner=owner, limit=4, now=NOW + turn * SECOND)

    async def speed_up(turn: int) -> None:
        # what the record of a success does, in another order of domains
        now = NOW + turn * SECOND
        async with store.write() as connection:
            for domain in domains[2::-1]:
                known = (await paces.slow(connection, lock=True))[domain]
                await paces.set_gap(connection, domain, 0.2, asked_at=known.updated_at, now=now)

    # SQLite lets one writer in at a time: there is nothing to find out
    for turn in range(50 if store.kind == "postgresql" else 5):
        one, two, _ = await asyncio.wait_for(
            asyncio.gather(work("one", turn), work("two", turn), speed_up(turn)), 20
        )
        assert not set(one) & set(two)
        held += one + two
    assert len(held) == len(set(held)) > 20
    owners = Counter(row.owner for row in await table(store))
    assert owners["one"] + owners["two"] == len(held)
