"""Counts hold on both databases, also when many come at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from digest.store import crowds
from digest.store.crowds import Want
from digest.store.engine import Store
from digest.store.troubles import asks, quotas

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def take(store: Store, *wants: Want, now: datetime = NOW) -> str | None:
    async with store.write() as connection:
        return await crowds.take(connection, wants, now=now, window=HOUR)


async def used(store: Store, *names: str, since: datetime = NOW - HOUR) -> dict[str, int]:
    async with store.read() as connection:
        found = await crowds.used(connection, names, since=since)
    return {name: count for name, (count, _) in found.items()}


def want(name: str, limit: int = 3, count: int = 1) -> Want:
    return Want(name=name, count=count, limit=limit)


async def test_nobody_is_counted_beyond_the_limit(store: Store) -> None:
    answers = [await take(store, want("a")) for _ in range(5)]
    assert answers == [None, None, None, "a", "a"]
    assert await used(store, "a", "b") == {"a": 3}


async def test_whoever_counts_double_needs_room_for_two(store: Store) -> None:
    answers = [await take(store, want("a", count=2)), await take(store, want("a", count=2))]
    assert answers == [None, "a"]
    assert await take(store, want("a")) is None


async def test_a_window_begins_with_the_first_and_ends_for_all(store: Store) -> None:
    for minutes in (0, 20, 40):
        assert await take(store, want("a"), now=NOW + timedelta(minutes=minutes)) is None
    assert await take(store, want("a"), now=NOW + timedelta(minutes=59)) == "a"
    assert await used(store, "a", since=NOW) == {}
    assert await take(store, want("a"), now=NOW + HOUR) is None
    assert await used(store, "a", since=NOW) == {"a": 1}


async def test_who_is_one_too_many_in_one_respect_is_counted_in_none(store: Store) -> None:
    await take(store, want("all", limit=1))
    assert await take(store, want("work"), want("a"), want("all", limit=1)) == "all"
    assert await used(store, "work", "a", "all") == {"work": 0, "a": 0, "all": 1}


async def test_many_at_once_are_no_more_than_the_limit(store: Store) -> None:
    wants = [[want(f"network {n % 4}", limit=9), want("all", limit=12)] for n in range(24)]
    answers = await asyncio.gather(*(take(store, *each) for each in wants))
    assert answers.count(None) == 12
    counts = await used(store, "all", *(f"network {n}" for n in range(4)))
    assert counts.pop("all") == sum(counts.values()) == 12


async def test_what_an_address_was_sent_is_known_until_it_confirms(store: Store) -> None:
    async with store.write() as connection:
        await crowds.hold(connection, "anna", now=NOW)
        assert await crowds.asked(connection, "anna") == []
        for hours in range(2):
            await crowds.count_mail(connection, "anna", "a", now=NOW + hours * HOUR)
        await crowds.count_mail(connection, "anna", "b", now=NOW)
        await crowds.count_mail(connection, "ben", "a", now=NOW)
        assert sorted(await crowds.asked(connection, "anna")) == [
            ("a", 2, NOW + HOUR),
            ("b", 1, NOW),
        ]
        await crowds.clear(connection, "anna", "a")
        assert await crowds.asked(connection, "anna") == [("b", 1, NOW)]
        assert len(await crowds.asked(connection, "ben")) == 1


async def test_an_address_is_forgotten_a_year_after_anybody_asked_about_it(store: Store) -> None:
    year = timedelta(days=365)
    async with store.write() as connection:
        for name, days in (("anna", 0), ("ben", 40)):
            await crowds.count_mail(connection, name, "a", now=NOW)
            await crowds.hold(connection, name, now=NOW + timedelta(days=days))
    await take(store, want("closed"))
    await take(store, want("open"), now=NOW + year)
    async with store.write() as connection:
        past = NOW + year + timedelta(minutes=1)
        gone = await crowds.forget(connection, asked_before=past - year, counted_before=past - HOUR)
        assert gone == 3  # the address, its mails, the window that closed
        assert set(await connection.scalars(select(asks.c.address_hash))) == {"ben"}
        assert list(await connection.scalars(select(quotas.c.name))) == ["open"]
