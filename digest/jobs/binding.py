"""Opens the journal and ties it to the database; begins one where there is none; reads it whole."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from digest.errors import StoreError
from digest.jobs.world import World
from digest.model.journal import Closed, Entry, Left, Made, Rejoined, Reopened
from digest.store import journals, lost
from digest.store.journal import Journal

log = logging.getLogger("digest.journal")

#: lines written at once when a journal is begun
_PAGE = 10_000


@asynccontextmanager
async def with_journal(world: World, path: Path | None) -> AsyncIterator[World]:
    """The world with its journal, which is closed at the end; as it is where none is kept.

    Raises StoreError, see `open_journal`.
    """
    if path is None:
        yield world
        return
    journal = await open_journal(world, path)
    try:
        yield replace(world, journal=journal)
    finally:
        journal.close()


async def open_journal(world: World, path: Path) -> Journal:
    """The journal at `path`, begun from what the database knows where there is none.

    Raises StoreError when it cannot be used, or was kept for another database.
    """
    found = await asyncio.to_thread(Journal.open, path)
    async with world.store.read() as connection:
        name = await journals.name_of_database(connection)
    if name is None:
        name = await _name(world, found)
    if found is None:
        found = await _begin(world, path, name)
    if found.database != name:
        found.close()
        raise _stranger(path)
    return found


async def _name(world: World, journal: Journal | None) -> str:
    """Name the database, which never had a journal: anew, or as the journal that is there says.

    A backup from before the journal was begun is known by an edition that both have.
    """
    async with world.store.write() as connection:
        await journals.lock(connection)
        name = await journals.name_of_database(connection)
        if name is not None:
            return name
        if journal is None:
            name = world.secret_bytes(16).hex()
        else:
            memory = await asyncio.to_thread(recall, journal)
            known = await lost.known_editions(connection)
            if not memory.is_empty and not known.keys() & memory.made.keys():
                journal.close()
                raise _stranger(journal.path)
            name = journal.database
        await journals.name_database(connection, name)
    return name


def _stranger(path: Path) -> StoreError:
    return StoreError(
        f"the journal {path} was kept for another database than DIGEST_DATABASE_URL names; "
        "if this database is meant, move the file away: a new one is begun"
    )


async def _begin(world: World, path: Path, name: str) -> Journal:
    async with world.store.write() as connection:
        await journals.lock(connection)
        found = await asyncio.to_thread(Journal.open, path)
        if found is not None:  # another process was first
            return found
        journal = Journal.begin(
            path,
            journal=world.secret_bytes(16).hex(),
            database=name,
            mark=await journals.mark(connection),
        )
        known = await lost.known_editions(connection)
        await _fill(journal, await lost.made(connection, known.values()))
        page: list[Entry] = []
        async for each in journals.gone(connection):
            page.append(each)
            if len(page) >= _PAGE:
                page = await _fill(journal, page)
        async for shut in journals.closed(connection):
            page.append(shut)
            if len(page) >= _PAGE:
                page = await _fill(journal, page)
        await _fill(journal, page)
        await asyncio.to_thread(journal.settle)
        log.debug("journal=%s status=begun editions=%d", path, len(known))
    return journal


async def _fill(journal: Journal, entries: list[Entry] | list[Made]) -> list[Entry]:
    try:
        await asyncio.to_thread(journal.append, entries, sync=False)
    except OSError as problem:
        raise StoreError(
            f"the journal {journal.path} cannot be begun: {problem.strerror}"
        ) from problem
    return []


# --------------------------------------------------------------- what the file says


@dataclass(slots=True)
class Memory:
    """What a journal comes to, when all of it is read."""

    left: dict[tuple[str, str], datetime] = field(default_factory=dict)
    closed: dict[str, Closed] = field(default_factory=dict)
    made: dict[str, Made] = field(default_factory=dict)
    damaged: int = 0

    @property
    def is_empty(self) -> bool:
        """Nothing was ever told."""
        return not (self.left or self.closed or self.made)

    def take(self, entry: Entry | None) -> None:
        """One more line; what comes later counts."""
        match entry:
            case Left():
                self.left[entry.person, entry.newsletter] = entry.at
            case Rejoined():
                self.left.pop((entry.person, entry.newsletter), None)
            case Closed():
                known = self.closed.get(entry.person)
                # a wish to be forgotten outlasts whatever else closes the address
                if known is None or known.reason != "erased":
                    self.closed[entry.person] = entry
            case Reopened():
                self.closed.pop(entry.person, None)
            case Made():
                self.made[entry.nonce] = entry
            case None:
                self.damaged += 1


def recall(journal: Journal) -> Memory:
    """All of a journal. Raises StoreError when it cannot be read."""
    memory = Memory()
    try:
        for entry in journal.read():
            memory.take(entry)
    except OSError as problem:
        raise StoreError(
            f"the journal {journal.path} cannot be read: {problem.strerror}"
        ) from problem
    if memory.damaged:
        log.warning("journal=%s damaged-lines=%d", journal.path, memory.damaged)
    return memory
