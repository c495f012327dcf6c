"""Pauses: begun once, ended by time or by hand, remembered for ever."""

from __future__ import annotations

from datetime import timedelta

from troubled_store import NOW, at, make_edition, pause, set_row, stocked, table, take

from digest.model.pause import Kind, Scope
from digest.store import pauses
from digest.store.engine import Store

LATER = NOW + timedelta(minutes=30)


async def test_a_pause_ends_by_itself_and_is_still_the_last_one(store: Store) -> None:
    async with store.write() as connection:
        await pauses.begin(connection, pause(Scope.DOMAIN, "gmx.example", until=LATER))
        assert (await pauses.held(connection, now=NOW)).of(1, "gmx.example") is not None
        assert (await pauses.held(connection, now=NOW)).of(None, "gmx.example") is not None
        assert (await pauses.held(connection, now=NOW)).of(1, "web.example") is None
        assert not await pauses.held(connection, now=LATER)
        last = await pauses.last(connection, Scope.DOMAIN, "gmx.example")
        assert last is not None
        assert last.until == LATER
        assert await pauses.last(connection, Scope.EDITION, "gmx.example") is None


async def test_an_editions_pause_does_not_hold_service_mail(store: Store) -> None:
    async with store.write() as connection:
        await pauses.begin(connection, pause(Scope.EDITION, 7))
        held = await pauses.held(connection, now=NOW)
        assert held.of(7, "gmx.example") is not None
        assert held.of(8, "gmx.example") is None
        assert held.of(None, "gmx.example") is None


async def test_what_only_a_person_may_end_is_not_replaced_by_what_ends_by_itself(
    store: Store,
) -> None:
    async with store.write() as connection:
        await pauses.begin(connection, pause(Scope.DOMAIN, "x.example", cause="by hand"))
        soon = pause(Scope.DOMAIN, "x.example", kind=Kind.BLOCKED, until=LATER, cause="refused")
        await pauses.begin(connection, soon)
        (standing,) = await pauses.standing(connection, now=NOW)
        assert (standing.kind, standing.cause, standing.until) == (Kind.OPERATOR, "by hand", None)
        # the other way round it is
        await pauses.begin(connection, pause(Scope.DOMAIN, "y.example", until=LATER))
        await pauses.begin(connection, pause(Scope.DOMAIN, "y.example", kind=Kind.BREAKER))
        standing = (await pauses.standing(connection, now=NOW))[1]
        assert (standing.kind, standing.until) == (Kind.BREAKER, None)


async def test_the_same_pause_twice_is_one_and_the_newer_cause_is_told(store: Store) -> None:
    async with store.write() as connection:
        for cause in ("first", "second"):
            await pauses.begin(connection, pause(Scope.EDITION, 7, cause=cause))
        (standing,) = await pauses.standing(connection, now=NOW)
        assert standing.cause == "second"


async def test_a_pause_that_another_took_the_place_of_was_asked_all_the_same(store: Store) -> None:
    async with store.write() as connection:
        await pauses.begin(connection, pause(Scope.EDITION, 7, kind=Kind.BREAKER))
        await pauses.begin(connection, pause(Scope.EDITION, 7, kind=Kind.MESSAGE))
        (standing,) = await pauses.standing(connection, now=NOW)
        assert standing.kind is Kind.MESSAGE
        for kind in (Kind.BREAKER, Kind.MESSAGE):
            assert await pauses.asked(connection, Scope.EDITION, "7", kind)
        assert not await pauses.asked(connection, Scope.EDITION, "7", Kind.STALE)
        assert await pauses.end(connection, Scope.EDITION, "7", now=NOW)
        assert await pauses.standing(connection, now=NOW) == []
        assert await pauses.asked(connection, Scope.EDITION, "7", Kind.BREAKER)


async def test_a_domain_may_go_wrong_again_a_while_after_it_was_resumed(store: Store) -> None:
    async def asked(days: float) -> bool:
        since = NOW + timedelta(days=days) - timedelta(days=1)
        return await pauses.asked(connection, Scope.DOMAIN, "x.example", Kind.BREAKER, since=since)

    async with store.write() as connection:
        await pauses.begin(connection, pause(Scope.DOMAIN, "x.example", kind=Kind.BREAKER))
        assert await asked(3)  # it still stands
        await pauses.end(connection, Scope.DOMAIN, "x.example", now=NOW + timedelta(days=3))
        assert await asked(3.9)  # a day from the answer on, not from the question
        assert not await asked(4.1)


async def test_the_end_of_a_pause_brings_back_all_that_waits_there_and_nothing_else(
    store: Store,
) -> None:
    first = await stocked(store, *at("gmx.example", 5), "a@web.example")
    async with store.write() as connection:
        second = await make_edition(connection, 2)
        await pauses.begin(connection, pause(Scope.EDITION, first))
    far, past = NOW + timedelta(hours=20), NOW - timedelta(days=1)
    of_first = [row for row in await table(store) if row.edition_id == first]
    states = ("queued", "deferred", "uncertain", "sent", "claimed", "deferred")
    for row, state in zip(of_first, states, strict=True):
        await set_row(store, row.id, state=state, due_at=far)
    await set_row(store, of_first[5].id, due_at=past)
    for row in await table(store):
        if row.edition_id == second:
            await set_row(store, row.id, due_at=far)
    async with store.write() as connection:
        assert await pauses.end(connection, Scope.EDITION, str(first), now=NOW)
        assert not await pauses.end(connection, Scope.EDITION, str(first), now=NOW)
    found = await table(store)
    assert [row.due_at for row in found if row.edition_id == first] == [
        NOW,
        NOW,
        NOW,
        far,
        far,
        past,
    ]
    assert {row.due_at for row in found if row.edition_id == second} == {far}


async def test_the_end_of_a_domains_pause_moves_that_domain_only(store: Store) -> None:
    await stocked(store, "a@gmx.example", "b@web.example", "c@sub.gmx.example")
    far = NOW + timedelta(hours=20)
    for row in await table(store):
        await set_row(store, row.id, due_at=far)
    async with store.write() as connection:
        await pauses.begin(connection, pause(Scope.DOMAIN, "gmx.example"))
        await pauses.end(connection, Scope.DOMAIN, "gmx.example", now=NOW)
    assert [row.due_at for row in await table(store)] == [NOW, far, far]


async def test_giving_up_expires_what_is_open_and_ends_the_pause(store: Store) -> None:
    edition = await stocked(store, *at("gmx.example", 6))
    states = ("queued", "deferred", "uncertain", "sent", "bounced", "claimed")
    for row, state in zip(await table(store), states, strict=True):
        await set_row(store, row.id, state=state)
    async with store.write() as connection:
        await pauses.begin(connection, pause(Scope.EDITION, edition, kind=Kind.STALE))
        assert await pauses.give_up(connection, edition, now=NOW) == 3
        assert await pauses.standing(connection, now=NOW) == []
    assert [row.state for row in await table(store)] == [*["expired"] * 3, *states[3:]]
    assert await take(store) == []
