from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from backups import Backup, back_up
from jobs_world import (
    DAILY,
    STADTBLATT,
    WEEKLY,
    Act,
    Clock,
    Script,
    admit,
    bring,
    each_state,
    ledger,
    open_world,
    publish,
    row_counts,
    scripted,
    sqlite,
    titles,
)
from sqlalchemy import delete, select

from digest.errors import RelayAway, StoreError
from digest.jobs import breaker, choose, hold, join, remember, restore, trouble
from digest.jobs.binding import with_journal
from digest.jobs.leave import leave_address
from digest.jobs.publish import Published, has_due, publish_due, publish_now
from digest.jobs.send import deliver
from digest.jobs.world import World
from digest.messages.assemble import archive_html
from digest.model.journal import Closed, Left, Made
from digest.model.pause import Kind, Pause, Scope
from digest.model.report import Cause
from digest.store import (
    consents,
    editions,
    journals,
    lost,
    past,
    pauses,
    queue,
    subscribers,
    suppressions,
)
from digest.store import journal as journal_file
from digest.store.journal import Journal
from digest.store.tables import articles, consent_events, slots
from digest.store.troubles import journals as marks
from digest.subscribers.address import address_key


@dataclass
class Place:
    """A database and a journal, opened and closed as the program does."""

    url: str
    journal: Path
    clock: Clock

    @asynccontextmanager
    async def open(
        self, acts: dict[str, list[Act]] | None = None, **settings: Any
    ) -> AsyncIterator[tuple[World, Script]]:
        settings = {"journal": None, "smtp_connections": 1, **settings}
        async with (
            open_world(self.url, self.clock, STADTBLATT, **settings) as world,
            with_journal(world, self.journal) as whole,
        ):
            yield scripted(whole, acts)

    @asynccontextmanager
    async def checked(self) -> AsyncIterator[World]:
        async with self.open() as (world, _):
            await restore.check(world)
            yield world

    async def publish(self, world: World, *titles: str) -> Published:
        """An edition; each at a time of its own, for a slot is one moment."""
        self.clock.forward(minutes=1)
        return await publish(world, *titles)

    async def back_up(self) -> Backup:
        return await back_up(self.url)

    def entries(self) -> list[Any]:
        found = Journal.open(self.journal)
        assert found is not None
        return list(found.read())


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Place:
    return Place(database_url, tmp_path / "digest.journal", Clock())


@pytest.fixture
def desk(tmp_path: Path) -> Place:
    """A place where what is asked is not a matter of the database."""
    return Place(sqlite(tmp_path), tmp_path / "digest.journal", Clock())


def key(world: World, name: str) -> str:
    return world.signer.suppression_hash(address_key(f"{name}@example.org"))


async def leave(world: World, name: str) -> None:
    await leave_address(world, f"{name}@example.org", newsletter=None, door="cli")


async def suppress(world: World, name: str, reason: str = "complaint") -> None:
    now = world.clock()
    async with world.store.write() as connection:
        await suppressions.suppress(connection, key(world, name), reason=reason, now=now)
        await remember.closed(world.journal, key(world, name), reason=reason, now=now)


async def who_is(world: World, name: str) -> str:
    async with world.store.read() as connection:
        found = await subscribers.by_address(connection, f"{name}@example.org")
        shut = await suppressions.is_suppressed(connection, key(world, name))
    return "suppressed" if shut else found[0].state.value if found else "unknown"


async def held(world: World) -> list[Pause]:
    async with world.store.read() as connection:
        return await pauses.standing(connection, now=world.clock())


async def resume(world: World, edition: int) -> None:
    async with world.store.write() as connection:
        await pauses.end(connection, Scope.EDITION, str(edition), now=world.clock())


# --------------------------------------------------------------- the whole journey


@pytest.fixture
async def restored(place: Place) -> Place:
    """Half of an edition is sent, and backed up; then come much else and the restore."""
    async with place.open({"r2": [RelayAway("gone for a while")]}) as (world, script):
        await admit(world, "r0", "r1", "r2", "r3", "gone", "back", "shut")
        await place.publish(world, "Eins")
        await deliver(world, queue.Scope())
        assert script.taken == ["r0", "r1"]
    backup = await place.back_up()
    place.clock.forward(hours=1)
    async with place.open() as (world, script):
        await deliver(world, queue.Scope())
        assert sorted(script.taken) == ["back", "gone", "r2", "r3", "shut"]
        await place.publish(world, "Zwei")
        await deliver(world, queue.Scope())
        place.clock.forward(hours=1)
        await leave(world, "gone")
        await leave(world, "back")
        place.clock.forward(minutes=1)
        await admit(world, "back", "new")
        await suppress(world, "shut")
    assert b"example.org" not in place.journal.read_bytes()
    await backup.restore()
    place.clock.forward(hours=1)
    return place


async def test_after_a_restore_nothing_is_sent_unasked(restored: Place) -> None:
    async with restored.open() as (world, script):
        tally = await deliver(world, queue.Scope())
        assert (script.attempts, tally.sent) == ([], 0)
        [pause] = await held(world)
        assert (pause.scope, pause.name, pause.kind) == (Scope.EDITION, "1", Kind.RESTORED)
        assert "`digest resume 1` sends it, `digest abandon 1` does not" in pause.cause

        await resume(world, 1)
        await deliver(world, queue.Scope())
        assert sorted(script.taken) == ["back", "r2", "r3"]
        assert await held(world) == []
        script.attempts.clear()

    async with restored.open() as (world, script):  # and nobody is asked a second time
        await deliver(world, queue.Scope())
        assert (script.attempts, await held(world)) == ([], [])


async def test_after_a_restore_nobody_who_left_comes_back(restored: Place) -> None:
    async with restored.open() as (world, script):
        await deliver(world, queue.Scope())
        known = {name: await who_is(world, name) for name in ("gone", "back", "shut", "new", "r2")}
        assert known == {
            "gone": "unsubscribed",
            "back": "active",
            "shut": "suppressed",
            "new": "unknown",
            "r2": "active",
        }
        await restored.publish(world, "Drei")
        await deliver(world, queue.Scope())
        assert sorted(script.taken) == ["back", "r0", "r1", "r2", "r3"]


async def test_after_a_restore_no_article_is_told_again_and_no_number_is_used_again(
    restored: Place,
) -> None:
    async with restored.open() as (world, _):
        await deliver(world, queue.Scope())
        await bring(world, "Eins", "Zwei")  # the next poll brings the lost article again
        assert await publish_now(world, STADTBLATT, DAILY) is None
        third = await restored.publish(world, "Drei")
        assert titles(third) == ["Drei"]
        assert (third.edition.id, third.edition.number) == (3, 3)


async def test_a_restore_in_the_middle_of_an_edition_holds_it_though_nothing_else_came_after(
    place: Place,
) -> None:
    async with place.open({"r1": [RelayAway("gone")]}) as (world, script):
        await admit(world, "r0", "r1", "r2")
        await place.publish(world, "Eins")
        await deliver(world, queue.Scope())
    backup = await place.back_up()
    async with place.open() as (world, script):
        await deliver(world, queue.Scope())
        assert sorted(script.taken) == ["r1", "r2"]
    for _ in range(2):  # every restore is a new question
        await backup.restore()
        async with place.open() as (world, script):
            await deliver(world, queue.Scope())
            assert script.attempts == []
            assert [each.kind for each in await held(world)] == [Kind.RESTORED]


async def test_a_worker_under_whose_feet_a_backup_is_restored_sends_nothing_more(
    place: Place,
) -> None:
    async with place.open() as (world, script):
        await admit(world, "r0", "r1")
        await place.publish(world, "Eins")
    backup = await place.back_up()
    async with place.open() as (world, script):
        await deliver(world, queue.Scope())
        script.attempts.clear()
        await world.store.engine.dispose()
        await backup.restore()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(restore, "check", _nothing)  # it ran before the restore
            with pytest.raises(StoreError, match="a backup was restored"):
                await deliver(world, queue.Scope())
        assert script.attempts == []
        assert set(each_state(await ledger(world))) == {"queued"}
        await restore.look(world)  # what a living worker does at its next sign
        await deliver(world, queue.Scope())
        assert script.attempts == []
        assert [each.kind for each in await held(world)] == [Kind.RESTORED]


async def _nothing(_: World) -> None:
    """Look at nothing."""


async def test_a_clock_that_runs_on_a_restored_database_makes_no_slot_again(place: Place) -> None:
    async with place.open() as (world, _):
        await admit(world, "r0")
        await publish_due(world, STADTBLATT)  # the rhythms begin
    backup = await place.back_up()
    place.clock.forward(days=1)
    async with place.open() as (world, script):
        await bring(world, "Eins")
        assert [titles(each) for each in await publish_due(world, STADTBLATT)] == [["Eins"]]
        await world.store.engine.dispose()
        await backup.restore()
        await bring(world, "Eins")
        assert await has_due(world, STADTBLATT)  # so it seems, until somebody looks
        assert await publish_due(world, STADTBLATT) == []
        assert not await has_due(world, STADTBLATT)
        async with world.store.read() as connection:
            rows = (await connection.execute(select(slots.c.outcome, slots.c.edition_id))).all()
        assert sorted(tuple(row) for row in rows if row.edition_id) == [("edition", 1)]
        await deliver(world, queue.Scope())
        assert script.attempts == []


# --------------------------------------------------------------- what is put back


async def test_a_lost_edition_keeps_its_id_and_shows_its_headlines_in_the_archive(
    place: Place,
) -> None:
    async with place.open() as (world, _):
        await admit(world, "r0")
    backup = await place.back_up()
    async with place.open() as (world, _):
        made = await place.publish(world, "Eins <b>", "Zwei")
    await backup.restore()
    async with place.checked() as world:
        async with world.store.read() as connection:
            found = await editions.get(connection, made.edition.id)
            [shown] = await past.past(connection)
            headlines = await past.headlines(connection, made.edition.id)
        assert found is not None
        assert (found.nonce, found.made_at) == (made.edition.nonce, made.edition.made_at)
        assert shown.subject == made.edition.written.subject
        assert [title for title, _ in headlines] == titles(made)
        page = archive_html(found, public_url="http://news.example")
        assert "Eins &lt;b&gt;</a>" in page
        assert await ledger(world) == []
        after = await place.publish(world, "Drei")
        assert after.edition.id == made.edition.id + 1


async def test_an_article_that_only_one_rhythm_told_is_still_news_for_the_other(
    place: Place,
) -> None:
    async with place.open() as (world, _):
        await admit(world, "r0", frequency="weekly")
    backup = await place.back_up()
    async with place.open() as (world, _):
        await place.publish(world, "Eins")
    await backup.restore()
    async with place.checked() as world:
        await bring(world, "Eins", excerpt="Alles dazu.")
        assert await publish_now(world, STADTBLATT, DAILY) is None
        weekly = await publish_now(world, STADTBLATT, WEEKLY)
        assert weekly is not None
        assert [each.excerpt for each in weekly.draft.articles] == ["Alles dazu."]


async def test_an_edition_made_on_a_restored_database_before_we_looked_loses_nothing(
    place: Place,
) -> None:
    async with place.open() as (world, _):
        await admit(world, "r0")
    backup = await place.back_up()
    async with place.open() as (world, _):
        await place.publish(world, "Eins")
    await backup.restore()
    async with open_world(place.url, place.clock, STADTBLATT, journal=None) as world:
        await place.publish(world, "Zwei")  # without a journal: it takes the number and the id
    async with place.checked() as world, world.store.read() as connection:
        shown = await past.past(connection)
        assert sorted((each.id, each.number) for each in shown) == [(1, 1), (2, 2)]
        assert await lost.known_editions(connection) == {
            each.nonce: each.id for each in await lost.made(connection, [1, 2])
        }
        [shell] = await lost.made(connection, [2])
        assert [each.title for each in shell.articles] == ["Eins"]


async def test_confirm_mails_of_a_backup_are_not_sent_again(place: Place) -> None:
    async with place.open() as (world, _):
        await join.request(
            world, address="neu@example.org", newsletter=STADTBLATT, door="web", detail="yes"
        )
    backup = await place.back_up()
    async with place.open() as (world, script):
        await deliver(world, queue.Scope())
        assert script.taken == ["neu"]
    await backup.restore()
    async with place.open() as (world, script):
        await deliver(world, queue.Scope())
        assert script.attempts == []
        [row] = await ledger(world)
        assert (row.state.value, row.reply) == (
            "expired",
            "the database was restored and this may have been sent already; who waits asks again",
        )


# --------------------------------------------------------------- who left


async def test_who_left_is_kept_out_with_a_line_in_the_consent_record(place: Place) -> None:
    async with place.open() as (world, _):
        await admit(world, "gone", "r0")
    backup = await place.back_up()
    place.clock.forward(hours=2)
    async with place.open() as (world, _):
        await leave(world, "gone")
        left_at = place.clock()
    await backup.restore()
    place.clock.forward(days=1)
    async with place.checked() as world:
        assert (await who_is(world, "gone"), await who_is(world, "r0")) == (
            "unsubscribed",
            "active",
        )
        async with world.store.read() as connection:
            [found] = await subscribers.by_address(connection, "gone@example.org")
            event = (await consents.consent_record(connection, found.id))[-1]
        assert (event.kind, event.door, event.at) == ("unsubscribed", "journal", left_at)
        assert found.unsubscribed_at == left_at
        assert await held(world) == []  # nothing was sent meanwhile: there is nothing to ask
    assert [type(each) for each in place.entries()] == [Left]


async def test_who_asked_anew_after_leaving_is_not_thrown_out_at_the_next_start(
    desk: Place,
) -> None:
    async with desk.open() as (world, _):
        await admit(world, "anna")
        await leave(world, "anna")
        desk.clock.forward(minutes=1)
        await join.request(
            world, address="anna@example.org", newsletter=STADTBLATT, door="web", detail="yes"
        )
    async with desk.checked() as world:
        assert await who_is(world, "anna") == "pending"
        desk.clock.forward(minutes=1)
        async with world.store.read() as connection:
            [found] = await subscribers.by_address(connection, "anna@example.org")
        token = world.signer.confirm_token(found.ref, found.request_nonce)
        await choose.confirm(world, token, door="web")
    assert [type(each).__name__ for each in desk.entries()] == ["Left", "Rejoined"]
    async with desk.checked() as world:
        assert await who_is(world, "anna") == "active"


async def test_a_request_that_was_withdrawn_stays_withdrawn(desk: Place) -> None:
    async with desk.open() as (world, _):
        await join.request(
            world, address="anna@example.org", newsletter=STADTBLATT, door="web", detail="yes"
        )
    backup = await desk.back_up()
    async with desk.open() as (world, _):
        await leave(world, "anna")
    await backup.restore()
    async with desk.open() as (world, script):
        await deliver(world, queue.Scope())
        assert (await who_is(world, "anna"), script.attempts) == ("unsubscribed", [])


async def test_an_address_that_was_opened_again_stays_open(desk: Place) -> None:
    async with desk.open() as (world, _):
        await admit(world, "ben", "mia")
    backup = await desk.back_up()
    async with desk.open() as (world, _):
        await suppress(world, "ben", "bounced")
        await suppress(world, "mia", "bounced")
        await remember.reopened(world.journal, [key(world, "ben")], now=desk.clock())
    await backup.restore()
    async with desk.checked() as world:
        assert (await who_is(world, "ben"), await who_is(world, "mia")) == ("active", "suppressed")


async def test_what_the_breaker_takes_back_is_taken_back_in_the_journal_too(desk: Place) -> None:
    async with desk.open() as (world, _):
        await admit(world, "ben")
        made = await desk.publish(world, "Eins")
        [row] = await ledger(world)
        about = trouble.About(
            delivery_id=row.id,
            subscriber_id=1,
            address_hash=key(world, "ben"),
            domain="example.org",
            edition_id=made.edition.id,
        )
        now, journal = desk.clock(), world.journal
        async with world.store.write() as connection:
            assert await trouble.blame_reader(
                connection, about, cause=Cause.GONE, door="smtp", text="", journal=journal, now=now
            )
            await breaker.trip(connection, made.edition.id, None, "", journal=journal, now=now)
        assert await who_is(world, "ben") == "active"
    assert [type(each).__name__ for each in desk.entries()] == ["Made", "Closed", "Reopened"]
    async with desk.checked() as world:
        assert await who_is(world, "ben") == "active"


# --------------------------------------------------------------- crashes, between each two steps


async def test_a_crash_before_the_commit_of_a_leave_lets_it_take_effect_at_the_next_start(
    desk: Place,
) -> None:
    async with desk.open() as (world, _):
        await admit(world, "anna")
        with pytest.raises(RuntimeError):
            async with world.store.write() as connection:
                await _leave_and_die(connection, world)
        assert await who_is(world, "anna") == "active"
    async with desk.checked() as world:
        assert await who_is(world, "anna") == "unsubscribed"
        assert await held(world) == []


async def _leave_and_die(connection: Any, world: World) -> None:
    [found] = await subscribers.by_address(connection, "anna@example.org")
    await subscribers.leave(connection, found.id, now=world.clock())
    await remember.left(world, found, now=world.clock())
    raise RuntimeError


async def test_a_crash_before_the_commit_of_a_claim_or_an_edition_is_no_restore(
    place: Place,
) -> None:
    async with place.open() as (world, script):
        await admit(world, "r0")
        await place.publish(world, "Eins")
        with pytest.raises(RuntimeError):
            await _count_and_die(world)
        await deliver(world, queue.Scope())
        assert (script.taken, await held(world)) == (["r0"], [])


async def _count_and_die(world: World) -> None:
    async with world.store.write() as connection:
        await remember.count(connection, world)
        raise RuntimeError


async def test_workers_that_share_a_journal_never_take_each_other_for_a_restore(
    place: Place,
) -> None:
    async with place.open() as (one, _), place.open() as (other, _):

        async def claim(world: World) -> None:
            for _ in range(10):
                async with world.store.write() as connection:
                    mark = await remember.count(connection, world)
                await remember.note(world, mark)

        await asyncio.gather(*(claim(world) for world in (one, other) for _ in range(4)))
        assert one.journal is not None
        async with one.store.read() as connection:
            assert one.journal.mark() == await journals.mark(connection) == 80


async def test_a_crash_behind_the_commit_is_made_good_at_the_next_start(place: Place) -> None:
    async with place.open() as (world, _):
        await admit(world, "r0", "anna", "ben")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(remember, "note", _note_nothing)
            patch.setattr(remember, "tell", _note_nothing)
            await place.publish(world, "Eins")
            await leave(world, "anna")
            await suppress(world, "ben")
    assert place.entries() == []
    async with place.open() as (world, script):
        await deliver(world, queue.Scope())
        assert (script.taken, await held(world)) == (["r0"], [])
        async with world.store.read() as connection:
            assert world.journal is not None
            assert world.journal.mark() == await journals.mark(connection)
    assert {type(each) for each in place.entries()} == {Made, Left, Closed}


async def _note_nothing(*_: object) -> None:
    """Die before anything is noted."""


async def test_no_message_of_an_edition_goes_out_before_the_journal_has_it(desk: Place) -> None:
    async with desk.open() as (world, _):
        await admit(world, "r0")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(remember, "note", _note_nothing)
            await desk.publish(world, "Eins")  # the process that made it dies here

    def known() -> int:
        return sum(isinstance(each, Made) for each in desk.entries())

    seen: list[int] = []

    async def look() -> None:
        seen.append(known())

    async with desk.open({"r0": [look]}) as (world, script):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(restore, "check", _nothing)
            await deliver(world, queue.Scope())
    assert (seen, script.taken) == ([1], ["r0"])


@pytest.mark.parametrize("step", ["_keep_out", "_put_back", "_hold"])
async def test_a_crash_while_mending_leaves_all_of_it_to_the_next_start(
    desk: Place, step: str
) -> None:
    async with desk.open() as (world, _):
        await admit(world, "r0", "gone")
        await desk.publish(world, "Eins")
    backup = await desk.back_up()
    async with desk.open() as (world, _):
        await deliver(world, queue.Scope())
        await desk.publish(world, "Zwei")
        await leave(world, "gone")
    await backup.restore()
    before = desk.journal.read_bytes()
    async with desk.open() as (world, _):
        rows = await row_counts(world)
        real: Callable[..., Any] = getattr(restore, step)

        async def die(*given: Any, **named: Any) -> None:
            await real(*given, **named)
            raise RuntimeError

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(restore, step, die)
            with pytest.raises(RuntimeError):
                await restore.check(world)
        assert await row_counts(world) == rows
        assert await who_is(world, "gone") == "active"
    assert desk.journal.read_bytes() == before
    async with desk.checked() as world:
        assert await who_is(world, "gone") == "unsubscribed"
        assert [each.name for each in await held(world)] == ["1"]


async def test_looking_again_changes_nothing(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    async with place.open() as (world, _):
        await admit(world, "r0", "gone")
        await place.publish(world, "Eins")
    backup = await place.back_up()
    async with place.open() as (world, _):
        await place.publish(world, "Zwei")
        await leave(world, "gone")
        await suppress(world, "r0")
    await backup.restore()
    async with place.checked() as world:
        rows, told = await row_counts(world), place.journal.read_bytes()
        caplog.clear()
        with caplog.at_level(logging.INFO, "digest.journal"):
            await restore.check(world)
            await restore.look(world)
        assert (await row_counts(world), place.journal.read_bytes()) == (rows, told)
        assert caplog.messages == []


# --------------------------------------------------------------- a disk that is full


async def test_nobody_is_kept_from_leaving_by_a_full_disk(
    desk: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with desk.open() as (world, script):
        await admit(world, "anna", "ben", "r0")
        with monkeypatch.context() as patch:
            patch.setattr(journal_file, "_write", _no_room)
            await leave(world, "anna")
            await desk.publish(world, "Eins")
            await deliver(world, queue.Scope())
        assert (await who_is(world, "anna"), sorted(script.taken)) == (
            "unsubscribed",
            ["ben", "r0"],
        )
        assert "status=not-written lines=1" in caplog.text
        assert "No space left on device" in caplog.text
        assert desk.entries() == []
        await leave(world, "ben")  # there is room again
    assert [type(each).__name__ for each in desk.entries()][:2] == ["Left", "Made"]
    assert len({each.person for each in desk.entries() if isinstance(each, Left)}) == 2


def _no_room(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


# --------------------------------------------------------------- whose journal it is


async def test_a_journal_is_begun_from_what_the_database_knows(place: Place) -> None:
    async with open_world(place.url, place.clock, STADTBLATT, journal=None) as world:
        await admit(world, "r0", "gone", "shut")
        await place.publish(world, "Eins")
        await place.publish(world, "Zwei")
        await leave(world, "gone")
        await suppress(world, "shut")
    async with place.open() as (world, _):
        assert world.journal is not None
    kinds = [type(each).__name__ for each in place.entries()]
    assert kinds == ["Made", "Made", "Left", "Closed"]


async def test_a_backup_from_before_the_journal_is_known_by_its_editions(place: Place) -> None:
    async with open_world(place.url, place.clock, STADTBLATT, journal=None) as world:
        await admit(world, "r0", "gone")
        await place.publish(world, "Eins")
    backup = await place.back_up()
    async with place.open() as (world, _):
        await deliver(world, queue.Scope())
        await leave(world, "gone")
    await backup.restore()
    async with place.open() as (world, script):
        await deliver(world, queue.Scope())
        assert (script.attempts, await who_is(world, "gone")) == ([], "unsubscribed")
        assert [each.kind for each in await held(world)] == [Kind.RESTORED]


@pytest.mark.parametrize("named", [True, False], ids=["with a journal", "fresh"])
async def test_the_journal_of_another_database_is_refused_and_throws_nobody_out(
    desk: Place, tmp_path: Path, *, named: bool
) -> None:
    async with desk.open() as (world, _):
        await admit(world, "r0")
        await desk.publish(world, "Eins")
        await leave(world, "r0")
    before = desk.journal.read_bytes()
    other = Place(f"sqlite:///{tmp_path}/other.db", tmp_path / "other.journal", desk.clock)
    if named:
        async with other.open() as (world, _):
            await admit(world, "r0")
    stray = Place(other.url, desk.journal, desk.clock)
    with pytest.raises(StoreError, match="was kept for another database") as told:
        async with stray.open():
            pass
    assert "move the file away" in str(told.value)
    assert "\n" not in str(told.value)
    assert desk.journal.read_bytes() == before
    desk.journal.rename(tmp_path / "kept")
    async with stray.open():  # as the line says
        assert desk.journal.exists()


async def test_two_machines_have_a_journal_each_and_one_database(
    place: Place, tmp_path: Path
) -> None:
    elsewhere = Place(place.url, tmp_path / "elsewhere.journal", place.clock)
    async with place.open() as (world, _), elsewhere.open() as (other, script):
        await admit(world, "r0", "r1")
        await place.publish(world, "Eins")
        await other.store.engine.dispose()
        await world.store.engine.dispose()
        backup = await place.back_up()
        await deliver(world, queue.Scope())
        await restore.look(other)  # at its next sign it learns how far the others have come
    await backup.restore()
    async with elsewhere.open() as (other, script):
        await deliver(other, queue.Scope())
        assert script.attempts == []
        assert [each.kind for each in await held(other)] == [Kind.RESTORED]


async def test_a_machine_that_lost_its_journal_begins_a_new_one_and_asks_nothing(
    desk: Place,
) -> None:
    async with desk.open() as (world, _):
        await admit(world, "r0")
        await desk.publish(world, "Eins")
    desk.journal.unlink()
    async with desk.open() as (world, script):
        await deliver(world, queue.Scope())
        assert (script.taken, await held(world)) == (["r0"], [])
        async with world.store.read() as connection:
            rows = (await connection.execute(select(marks.c.id))).all()
        assert len(rows) == 3  # the database's name, and both journals


async def test_a_world_without_a_journal_keeps_none(desk: Place) -> None:
    async with open_world(desk.url, desk.clock, STADTBLATT, journal=None) as opened:
        world, script = scripted(opened)
        await admit(world, "r0", "gone")
        await leave(world, "gone")
        await desk.publish(world, "Eins")
        await deliver(world, queue.Scope())
        await restore.look(world)
        assert script.taken == ["r0"]
        assert (await row_counts(world))["journals"] == 0
    assert not desk.journal.exists()


async def test_damaged_lines_are_told_and_skipped(
    desk: Place, caplog: pytest.LogCaptureFixture
) -> None:
    async with desk.open() as (world, _):
        await admit(world, "gone")
        await leave(world, "gone")
        async with world.store.write() as connection:
            await connection.execute(delete(consent_events))
            await connection.execute(delete(articles))
    with desk.journal.open("ab") as file:
        file.write(b"what is this?\n")
    with caplog.at_level(logging.WARNING, "digest.journal"):
        async with desk.checked() as world:
            assert await who_is(world, "gone") == "unsubscribed"
    assert [each for each in caplog.messages if "damaged-lines=1" in each]


async def test_a_restored_edition_waits_longer_than_a_day(desk: Place) -> None:
    async with desk.open() as (world, _):
        await admit(world, "r0")
        await desk.publish(world, "Eins")
    backup = await desk.back_up()
    async with desk.open() as (world, _):
        await deliver(world, queue.Scope())
    await backup.restore()
    async with desk.open() as (world, script):
        for _ in range(3):
            await deliver(world, queue.Scope())
            desk.clock.at += timedelta(hours=10)
        assert script.attempts == []


async def test_a_backup_from_the_middle_of_a_batch_sends_nothing_again(place: Place) -> None:
    """The whole list was claimed before the backup, and most of it was sent after it."""
    people = [f"r{number:02d}" for number in range(8)]
    kept: list[Backup] = []

    async def back_up_now() -> None:
        kept.append(await place.back_up())

    async with place.open({"r03": [back_up_now]}) as (world, script):
        await admit(world, *people)
        await place.publish(world, "Eins")
        await deliver(world, queue.Scope())
        assert script.taken == people
    await kept[0].restore()
    async with place.open() as (world, script):
        await deliver(world, queue.Scope())
        assert script.taken == []
        async with world.store.read() as connection:
            standing = await pauses.standing(connection, now=place.clock())
        assert [each.kind for each in standing] == [Kind.RESTORED]


async def test_what_was_given_up_after_a_backup_is_not_sent_unasked(place: Place) -> None:
    async with place.open() as (world, _):
        await admit(world, "anna")
        made = await place.publish(world, "Eins")
        backup = await place.back_up()
        await hold.abandon(world, made.edition.id)
    await backup.restore()
    async with place.open() as (world, script):
        await deliver(world, queue.Scope())
        assert script.taken == []
