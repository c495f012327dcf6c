"""Many entries, few commits, and none spoils another's."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, select

from digest.jobs.clerk import Clerk, Entry
from digest.store.engine import Connection, Store
from digest.store.tables import feeds

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def _note(url: str) -> Entry:
    async def entry(connection: Connection) -> bool:
        await connection.execute(insert(feeds).values(url=url, next_poll_at=NOW))
        return True

    return entry


async def _urls(store: Store) -> list[str]:
    async with store.read() as connection:
        return sorted((await connection.execute(select(feeds.c.url))).scalars())


async def test_entries_made_at_once_share_few_commits(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = 0
    write = Store.write

    def counted(self: Store) -> object:
        nonlocal commits
        commits += 1
        return write(self)

    monkeypatch.setattr(Store, "write", counted)
    clerk = Clerk(store)
    answers = await asyncio.gather(*(clerk.write(_note(f"u{n}")) for n in range(40)))
    assert (all(answers), len(await _urls(store))) == (True, 40)
    assert commits <= 3


async def test_an_entry_is_on_disk_when_its_answer_comes(store: Store) -> None:
    clerk = Clerk(store)
    for n in range(3):
        await clerk.write(_note(f"u{n}"))
        assert len(await _urls(store)) == n + 1


async def test_an_entry_that_fails_takes_no_other_with_it(store: Store) -> None:
    async def broken(connection: Connection) -> bool:
        await connection.execute(insert(feeds).values(url=None, next_poll_at=NOW))
        return True

    clerk = Clerk(store)
    ends = await asyncio.gather(
        clerk.write(_note("a")),
        clerk.write(broken),
        clerk.write(_note("b")),
        return_exceptions=True,
    )
    assert [isinstance(end, Exception) for end in ends] == [False, True, False]
    assert await _urls(store) == ["a", "b"]
