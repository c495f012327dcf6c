"""A backup brings back whom it knew; whoever was erased since then is erased again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from backups import back_up
from jobs_world import STADTBLATT, Clock, admit, open_world, publish, scripted
from sqlalchemy import select

from digest.jobs import forget, restore
from digest.jobs.binding import with_journal
from digest.jobs.send import deliver
from digest.jobs.world import World
from digest.store import consents, erasing, people, suppressions
from digest.store.journal import Journal
from digest.store.queue import Scope
from digest.store.suppressions import ERASED
from digest.store.tables import metadata


@dataclass
class Place:
    """A database and a journal, opened and closed as the program does."""

    url: str
    journal: Path
    clock: Clock

    @asynccontextmanager
    async def open(self) -> AsyncIterator[World]:
        async with (
            open_world(self.url, self.clock, STADTBLATT) as world,
            with_journal(world, self.journal) as whole,
        ):
            await restore.check(whole)
            yield whole

    def entries(self) -> list[object]:
        found = Journal.open(self.journal)
        assert found is not None
        try:
            return list(found.read())
        finally:
            found.close()


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Place:
    return Place(database_url, tmp_path / "digest.journal", Clock())


async def known(world: World, name: str) -> int | None:
    async with world.store.read() as connection:
        return await people.known(connection, f"{name}@example.org")


async def closed(world: World, name: str) -> str | None:
    async with world.store.read() as connection:
        hashed = world.signer.suppression_hash(f"{name}@example.org")
        return await suppressions.suppression(connection, hashed)


async def erase(world: World, name: str) -> None:
    await forget.erase_address(world, f"{name}@example.org", door="cli")


async def stands(world: World, word: str) -> list[str]:
    """The tables in which a word stands."""
    async with world.store.read() as connection:
        return [
            table.name
            for table in metadata.sorted_tables
            if any(word in str(tuple(row)) for row in await connection.execute(select(table)))
        ]


async def test_who_was_erased_after_the_backup_is_erased_again(place: Place) -> None:
    async with place.open() as world:
        await admit(world, "anna", "berta")
        await publish(world, "Eins")
        await deliver(scripted(world)[0], Scope())
    backup = await back_up(place.url)
    place.clock.forward(hours=1)
    async with place.open() as world:
        await erase(world, "anna")
    assert b"anna" not in place.journal.read_bytes()
    await backup.restore()
    place.clock.forward(hours=1)
    told = place.entries()
    async with place.open() as world:
        assert (await stands(world, "anna@"), await closed(world, "anna")) == ([], ERASED)
        assert await known(world, "berta") is not None
        assert await closed(world, "berta") is None
        ours, script = scripted(world)
        place.clock.forward(hours=1)
        await publish(world, "Zwei")
        await deliver(ours, Scope())
        assert script.taken == ["berta"]
    # the journal knew of it, and is not told a second time
    assert [each for each in place.entries()[len(told) :] if getattr(each, "reason", "")] == []
    async with place.open() as world:  # and again, nothing happens
        assert await stands(world, "anna@") == []


async def test_an_address_that_the_backup_had_closed_for_less_is_closed_as_erased(
    place: Place,
) -> None:
    async with place.open() as world:
        await admit(world, "anna")
        async with world.store.write() as connection:
            hashed = world.signer.suppression_hash("anna@example.org")
            await suppressions.suppress(connection, hashed, reason="bounced", now=place.clock())
    backup = await back_up(place.url)
    place.clock.forward(hours=1)
    async with place.open() as world:
        await erase(world, "anna")
    await backup.restore()
    async with place.open() as world:
        assert (await known(world, "anna"), await closed(world, "anna")) == (None, ERASED)


async def test_an_erasure_whose_commit_was_lost_is_made_good(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place.open() as world:
        await admit(world, "anna")

    async def crash(*_: object, **__: object) -> None:
        raise OSError("the machine died")

    place.clock.forward(hours=1)
    async with place.open() as world:
        with monkeypatch.context() as patch:
            patch.setattr(erasing, "erase", crash)
            with pytest.raises(Exception, match="the machine died"):
                await erase(world, "anna")
        assert await known(world, "anna") is not None
    async with place.open() as world:
        assert (await known(world, "anna"), await closed(world, "anna")) == (None, ERASED)


async def test_who_came_back_after_he_was_erased_stays(place: Place) -> None:
    async with place.open() as world:
        await admit(world, "anna")
        place.clock.forward(hours=1)
        await erase(world, "anna")
        place.clock.forward(hours=1)
        await forget.reopen_address(world, "anna@example.org", because="a letter", door="cli")
        await admit(world, "anna")
    backup = await back_up(place.url)
    await backup.restore()
    place.clock.forward(hours=1)
    async with place.open() as world:
        found = await known(world, "anna")
        assert (found is not None, await closed(world, "anna")) == (True, None)
        async with world.store.read() as connection:
            assert [each.kind for each in await consents.consent_record(connection, 2)] == [
                "operator"
            ]
