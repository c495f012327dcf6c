"""Writes what all connections of a process have to say to the ledger, many entries in one commit.

While one commit is on its way to the disk, what the other connections have to write gathers for
the next: a commit costs the same for one entry and for fifty. Nobody waits for company.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from digest.store.engine import Connection, Store

#: one change of the ledger; says whether the row was still ours
Entry = Callable[[Connection], Awaitable[bool]]


class Clerk:
    """The one who writes; an entry is on disk when `write` returns."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[tuple[Entry, asyncio.Future[bool]]] = []
        self._at_work: asyncio.Task[None] | None = None

    async def write(self, entry: Entry) -> bool:
        """Make one change and give its answer. Raises StoreError when it could not be made."""
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, answer))
        if self._at_work is None or self._at_work.done():
            self._at_work = asyncio.create_task(self._work())
        return await answer

    async def _work(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await self._commit(batch)
            except Exception as problem:  # noqa: BLE001 -- whoever waits gets it
                if len(batch) == 1:
                    _refuse(batch[0][1], problem)
                    continue
                # one entry that cannot be written must not take the others with it
                for each in batch:
                    await self._alone(each)

    async def _alone(self, each: tuple[Entry, asyncio.Future[bool]]) -> None:
        try:
            await self._commit([each])
        except Exception as problem:  # noqa: BLE001 -- whoever waits gets it
            _refuse(each[1], problem)

    async def _commit(self, batch: list[tuple[Entry, asyncio.Future[bool]]]) -> None:
        async with self._store.write() as connection:
            answers = [await entry(connection) for entry, _ in batch]
        for (_, answer), value in zip(batch, answers, strict=True):
            if not answer.done():
                answer.set_result(value)


def _refuse(answer: asyncio.Future[bool], problem: Exception) -> None:
    if not answer.done():
        answer.set_exception(problem)
