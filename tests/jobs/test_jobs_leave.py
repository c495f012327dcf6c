"""Leaving without the database: noted on disk, applied as of then, and nobody is written to."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from jobs_world import (
    NOW,
    STADTBLATT,
    Clock,
    admit,
    ledger,
    open_world,
    publish,
    scripted,
    sqlite,
    states,
)
from returned_mails import letter
from sqlalchemy import select

from digest.errors import LinkRefused, StoreError
from digest.jobs import choose, join, leave, spool
from digest.jobs.clerk import Clerk
from digest.jobs.leave import Heard, hear, leave_address, look
from digest.jobs.mailbox import process_mailbox
from digest.jobs.send import Tally, deliver
from digest.jobs.spool import apply, keep_applying
from digest.jobs.world import World
from digest.model.subscriber import ConsentEvent, Subscription, is_unbroken
from digest.store import consents, deliveries, queue, subscribers, suppressions
from digest.store.engine import Connection
from digest.store.queue import Scope
from digest.store.spool import Goodbye, Spool, goodbyes
from digest.store.tables import subscriptions
from digest.subscribers.address import address_key

ANNA = "anna@example.org"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def world(tmp_path: Path, clock: Clock) -> AsyncIterator[World]:
    async with open_world(
        sqlite(tmp_path), clock, spool=tmp_path / "digest.spool", smtp_connections=2
    ) as one:
        yield one


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leave, "PATIENCE", 0.3)


async def known(world: World, address: str = ANNA) -> Subscription:
    async with world.store.read() as connection:
        (found,) = await subscribers.by_address(connection, address_key(address))
    return found


async def record(world: World, address: str = ANNA) -> list[ConsentEvent]:
    found = await known(world, address)
    async with world.store.read() as connection:
        return await consents.consent_record(connection, found.id)


async def kinds(world: World, address: str = ANNA) -> list[str]:
    return [each.kind for each in await record(world, address)]


async def token(world: World, address: str = ANNA) -> str:
    return world.signer.unsubscribe_token((await known(world, address)).ref)


async def ask(world: World, address: str = ANNA) -> None:
    await join.request(world, address=address, newsletter=STADTBLATT, door="web")


async def closed(world: World, address: str = ANNA) -> str | None:
    known_as = world.signer.suppression_hash(address_key(address))
    async with world.store.read() as connection:
        return await suppressions.suppression(connection, known_as)


def waiting(world: World) -> list[Goodbye]:
    found, unreadable = goodbyes(Spool(world.spool).read())
    assert unreadable == 0
    return found


def put(world: World, found: Subscription, *, never: bool = False) -> None:
    """A wish of now, as a page writes it while the database is away."""
    wish = Goodbye(ref=found.ref, at=world.clock(), door="web", never=never)
    Spool(world.spool).append(wish)


HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held_by_another_process(database: Path) -> Iterator[None]:
    """SQLite's one write lock is taken, until the block ends."""
    holder = subprocess.Popen(  # noqa: S603 -- our own program
        [sys.executable, "-c", HOLD, str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    try:
        yield
    finally:
        holder.communicate(timeout=10)


def out_of_reach(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store says what it says when the server is away."""

    def away(*_: object) -> None:
        raise StoreError("the database cannot be used: connection refused")

    monkeypatch.setattr(type(world.store), "write", away)
    monkeypatch.setattr(type(world.store), "read", away)


# --------------------------------------------------------------- noted, and applied as of then


async def test_a_locked_database_keeps_nobody_from_leaving(
    world: World, clock: Clock, tmp_path: Path
) -> None:
    await admit(world, "anna")
    link = await token(world)
    with held_by_another_process(tmp_path / "digest.db"):
        began = time.monotonic()
        heard = await hear(world, link, door="mail")
        assert time.monotonic() - began < 10  # SQLite itself would wait for 30
        assert heard == Heard(subscription=None)
        assert [(each.at, each.door, each.never) for each in waiting(world)] == [
            (NOW, "mail", False)
        ]
    clock.forward(hours=3)
    assert await apply(world) == 1
    left = await known(world)
    assert (left.state, left.unsubscribed_at) == ("unsubscribed", NOW)
    said = (await record(world))[-1]
    assert (said.kind, said.at, said.door) == ("unsubscribed", NOW, "mail")
    assert is_unbroken(await record(world))
    assert Spool(world.spool).is_empty()
    assert await apply(world) == 0


async def test_a_row_that_somebody_holds_keeps_nobody_from_leaving(
    database_url: str, clock: Clock, tmp_path: Path
) -> None:
    """On either database: another transaction has what ours needs, and takes its time."""
    async with (
        open_world(database_url, clock, spool=tmp_path / "spool") as world,
        open_world(database_url, clock) as other,
    ):
        await admit(world, "anna", "ben")
        links = [await token(world, f"{name}@example.org") for name in ("anna", "ben")]
        async with other.store.write() as connection:
            await connection.execute(select(subscriptions.c.id).with_for_update())
            heard = await asyncio.gather(*(hear(world, link, door="mail") for link in links))
            assert heard == [Heard(subscription=None)] * 2
            assert len(waiting(world)) == 2
        assert await apply(world) == 2
        for name in ("anna", "ben"):
            assert await kinds(world, f"{name}@example.org") == ["operator", "unsubscribed"]


async def test_a_database_that_is_away_is_not_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await admit(world, "anna")
    link = await token(world)
    monkeypatch.setattr(leave, "PATIENCE", 30)
    with monkeypatch.context() as patch:
        out_of_reach(world, patch)
        async with asyncio.timeout(2):
            assert await hear(world, link, door="web") == Heard(subscription=None)
            assert await look(world, link) is None
    await apply(world)
    assert (await known(world)).state == "unsubscribed"


async def test_even_a_fault_of_ours_keeps_nobody_from_leaving(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await admit(world, "anna")
    link = await token(world)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("anna@example.org")

    with monkeypatch.context() as patch:
        patch.setattr(leave, "withdraw", broken)
        assert await hear(world, link, door="web") == Heard(subscription=None)
        patch.setattr(spool, "withdraw", broken)
        with pytest.raises(StoreError, match="nothing is sent before it is: RuntimeError"):
            await apply(world)
    assert await apply(world) == 1
    assert (await known(world)).state == "unsubscribed"


async def test_where_nothing_can_be_written_nothing_is_claimed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await admit(world, "anna")
    link = await token(world)
    full = replace(world, spool=Path("/dev/full"))
    with monkeypatch.context() as patch:
        out_of_reach(world, patch)
        with pytest.raises(StoreError, match="No space left on device"):
            await hear(full, link, door="web")
    assert (await known(world)).state == "active"


async def test_a_link_that_is_not_ours_needs_no_database_to_be_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await admit(world, "anna")
    other = world.signer.preferences_token((await known(world)).ref)
    stranger = world.signer.unsubscribe_token(bytes(12))
    for call in (hear(world, stranger, door="web"), look(world, stranger)):
        with pytest.raises(LinkRefused):
            await call
    out_of_reach(world, monkeypatch)
    for wrong in (other, "x", ""):
        with pytest.raises(LinkRefused):
            await hear(world, wrong, door="web")
        with pytest.raises(LinkRefused):
            await look(world, wrong)
    assert waiting(world) == []


async def test_the_log_names_no_token_no_reference_and_no_address(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await admit(world, "anna")
    link, found = await token(world), await known(world)
    with caplog.at_level("DEBUG", logger="digest"):
        with monkeypatch.context() as patch:
            out_of_reach(world, patch)
            await hear(world, link, door="mail")
        Spool(world.spool).append(Goodbye(ref=bytes(12), at=NOW, door="web"))
        assert await apply(world) == 2
    said = [each.getMessage() for each in caplog.records if each.name == "digest.leave"]
    assert said[0].startswith("unsubscribe door=mail status=spooled reason=")
    assert said[1:] == [
        f"unsubscribe door=mail status=applied subscription={found.id}",
        "unsubscribe door=web status=unknown subscription=-",
    ]
    for secret in (link, found.ref.hex(), ANNA, bytes(12).hex()):
        assert secret not in "\n".join(said)
    assert Spool(world.spool).is_empty()


async def test_a_mailed_wish_stays_in_the_mailbox_while_the_database_is_away(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That mailbox is a spool of its own: a mail is moved when it is applied."""
    box = tmp_path / "mail"
    for each in ("tmp", "new", "cur"):
        (box / each).mkdir(parents=True)
    mailed = {"bounce_domain": "back.example", "bounce_mailbox": f"maildir:{box}"}
    async with open_world(sqlite(tmp_path), clock, **mailed) as world:
        await admit(world, "anna")
        to = f"u+{world.signer.mail_token((await known(world)).ref)}@back.example"
        mail = box / "new" / "1700000000.a.host"
        mail.write_bytes(letter(to, "unsubscribe"))
        with monkeypatch.context() as patch:
            out_of_reach(world, patch)
            with pytest.raises(StoreError):
                await process_mailbox(world, stop=asyncio.Event())
        assert (mail.exists(), (await known(world)).state) == (True, "active")
        assert (await process_mailbox(world, stop=asyncio.Event())).unsubscribed == 1
        assert (mail.exists(), (await known(world)).state) == (False, "unsubscribed")
        assert (await record(world))[-1].door == "mail"


# --------------------------------------------------------------- who came back stays


async def test_who_confirmed_anew_since_is_not_thrown_out(world: World, clock: Clock) -> None:
    await admit(world, "anna")
    put(world, await known(world))  # and the crash comes before it is taken out
    kept = world.spool.read_bytes()
    await apply(world)
    clock.forward(hours=1)
    await ask(world)
    world.spool.write_bytes(kept)
    assert await apply(world) == 1
    assert (await known(world)).state == "pending"
    found = await known(world)
    clock.forward(minutes=1)
    confirm = world.signer.confirm_token(found.ref, found.request_nonce)
    await choose.confirm(world, confirm, door="web")
    world.spool.write_bytes(kept)
    assert await apply(world) == 1
    assert (await known(world)).state == "active"
    assert await kinds(world) == ["operator", "unsubscribed", "requested", "confirmed"]
    assert Spool(world.spool).is_empty()


async def test_who_returned_since_is_not_thrown_out(world: World, clock: Clock) -> None:
    """However returning is written down: the record has it."""
    await admit(world, "anna")
    put(world, await known(world))
    clock.forward(seconds=1)
    found = await known(world)
    async with world.store.write() as connection:
        event = ConsentEvent(kind="returned", at=clock.at, door="web", detail="")
        await consents.note(connection, found.id, event)
    await apply(world)
    assert (await known(world)).state == "active"


async def test_a_wish_of_the_very_moment_of_confirming_counts(world: World) -> None:
    await admit(world, "anna")
    put(world, await known(world))
    await apply(world)
    assert (await known(world)).state == "unsubscribed"


# --------------------------------------------------------------- never again


async def test_a_request_of_a_stranger_is_ended_and_the_address_closed(world: World) -> None:
    await ask(world)
    link = await token(world)
    for _ in range(2):
        heard = await hear(world, link, door="web", never=True)
        assert heard.closed
        assert heard.subscription is not None
        assert heard.subscription.state == "unsubscribed"
    assert await closed(world) == "asked"
    assert await kinds(world) == ["requested", "unsubscribed"]
    ours, script = scripted(world)
    await deliver(ours, Scope())
    assert script.taken == []


async def test_it_can_be_closed_after_the_request_was_withdrawn(world: World) -> None:
    await ask(world)
    link = await token(world)
    await hear(world, link, door="mail")
    assert await closed(world) is None
    assert (await hear(world, link, door="web", never=True)).closed
    assert await closed(world) == "asked"


async def test_a_reader_who_leaves_is_never_closed_by_his_link(world: World) -> None:
    await admit(world, "anna")
    link = await token(world)
    for _ in range(2):
        assert not (await hear(world, link, door="web", never=True)).closed
    assert (await known(world)).state == "unsubscribed"
    assert await closed(world) is None


async def test_never_again_holds_against_a_request_that_came_in_between(
    world: World, clock: Clock
) -> None:
    await ask(world)
    put(world, await known(world), never=True)
    clock.forward(hours=25)
    await ask(world)
    await apply(world)
    assert (await known(world)).state == "unsubscribed"
    assert await closed(world) == "asked"


# --------------------------------------------------------------- crashes and company


async def run_until_killed(program: str, *arguments: object) -> bool:
    """Run it in a process of its own; True when that killed itself."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program),
        *map(str, arguments),
        cwd=Path(__file__).parent,
        stderr=subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        _, said = await process.communicate()
    assert process.returncode == -signal.SIGKILL, said.decode()
    return True


async def test_a_crash_between_commit_and_removal_applies_twice_and_once(
    tmp_path: Path, world: World, clock: Clock
) -> None:
    """The process is killed when all is committed and nothing is taken out yet."""
    await admit(world, "anna", "ben")
    for name in ("anna", "ben"):
        put(world, await known(world, f"{name}@example.org"))
    kept = world.spool.read_bytes()
    assert await run_until_killed(DIE_BEFORE_CLEARING, tmp_path)
    assert world.spool.read_bytes() == kept
    assert [(await known(world, f"{name}@example.org")).state for name in ("anna", "ben")] == [
        "unsubscribed"
    ] * 2
    clock.forward(hours=1)
    assert await apply(world) == 2
    assert await kinds(world) == ["operator", "unsubscribed"]
    assert (await known(world)).unsubscribed_at == NOW
    assert Spool(world.spool).is_empty()


DIE_BEFORE_CLEARING = """
import asyncio, os, signal, sys
from pathlib import Path
from jobs_world import Clock, open_world, sqlite
from digest.jobs.spool import apply
from digest.store.spool import Spool
Spool.clear = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
async def main(folder):
    async with open_world(sqlite(folder), Clock(), spool=folder / "digest.spool") as world:
        await apply(world)
asyncio.run(main(Path(sys.argv[1])))
"""


async def test_a_page_killed_before_its_answer_has_noted_the_wish(
    tmp_path: Path, world: World
) -> None:
    """Whoever hears nothing presses again; whoever does not has left all the same."""
    await admit(world, "anna")
    with held_by_another_process(tmp_path / "digest.db"):
        assert await run_until_killed(DIE_BEFORE_ANSWERING, tmp_path, await token(world))
    assert await apply(world) == 1
    assert (await known(world)).state == "unsubscribed"


DIE_BEFORE_ANSWERING = """
import asyncio, os, signal, sys
from pathlib import Path
from jobs_world import Clock, open_world, sqlite
from digest.jobs import leave
leave.PATIENCE = 0.2
async def main(folder, token):
    async with open_world(sqlite(folder), Clock(), spool=folder / "digest.spool") as world:
        await leave.hear(world, token, door="mail")
        os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
"""


async def test_who_comes_while_others_are_applied_is_not_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [f"r{number}" for number in range(6)]
    await admit(world, *people)
    everybody = [await known(world, f"{name}@example.org") for name in people]
    late = everybody[3:]
    for each in everybody[:3]:
        put(world, each)
    clear = Spool.clear

    def while_it_is_taken_out(self: Spool, applied: bytes) -> bool:
        if late:
            put(world, late.pop())
        return clear(self, applied)

    monkeypatch.setattr(Spool, "clear", while_it_is_taken_out)
    assert await apply(world) == 6
    assert {(await known(world, f"{name}@example.org")).state for name in people} == {
        "unsubscribed"
    }
    assert Spool(world.spool).is_empty()


async def test_many_processes_apply_the_same_at_once(
    database_url: str, clock: Clock, tmp_path: Path
) -> None:
    path = tmp_path / "spool"
    async with (
        open_world(database_url, clock, spool=path) as one,
        open_world(database_url, clock, spool=path) as two,
    ):
        people = [f"r{number}" for number in range(8)]
        await admit(one, *people)
        for name in people:
            put(one, await known(one, f"{name}@example.org"))
        await asyncio.gather(*(apply(each) for each in (one, two) * 2))
        for name in people:
            assert await kinds(one, f"{name}@example.org") == ["operator", "unsubscribed"]
        assert Spool(path).is_empty()


async def test_it_is_applied_soon_after_the_database_is_back(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await admit(world, "anna")
    found = await known(world)
    monkeypatch.setattr(spool, "LOOK_EVERY", 0.02)
    stop = asyncio.Event()
    keeper = asyncio.create_task(keep_applying(world, stop=stop))
    with monkeypatch.context() as patch:
        out_of_reach(world, patch)
        put(world, found)
        await asyncio.sleep(0.1)
        assert waiting(world)
    async with asyncio.timeout(5):
        while waiting(world):  # noqa: ASYNC110 -- a file tells nobody
            await asyncio.sleep(0.01)
    stop.set()
    await keeper
    assert (await known(world)).state == "unsubscribed"
    assert caplog.text.count("connection refused") == 1


# --------------------------------------------------------------- nobody in it is written to


@pytest.fixture
async def either(database_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(
        database_url, clock, spool=tmp_path / "digest.spool", smtp_connections=2
    ) as one:
        yield one


async def test_who_waits_in_the_spool_is_not_claimed(either: World) -> None:
    await admit(either, "anna", "leaver")
    await publish(either, "Eins")
    put(either, await known(either, "leaver@example.org"))
    ours, script = scripted(either)
    assert await deliver(ours, Scope()) == Tally(sent=1)
    assert script.attempts == ["anna"]
    assert await states(either) == {"anna": "sent", "leaver": "excluded"}


async def test_while_the_spool_cannot_be_applied_nobody_is_claimed(
    either: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await admit(either, "anna")
    await publish(either, "Eins")
    put(either, await known(either))
    ours, script = scripted(either)

    def away(*_: object, **__: object) -> None:
        raise StoreError("the database cannot be used")

    with monkeypatch.context() as patch:
        patch.setattr(spool, "withdraw", away)
        with pytest.raises(StoreError):
            await deliver(ours, Scope())
    (row,) = await ledger(either)
    assert (row.state, row.owner, script.attempts) == ("queued", None, [])
    either.spool.unlink()
    either.spool.mkdir()
    with pytest.raises(StoreError, match=r"Is a directory \(DIGEST_SPOOL names it\)"):
        await deliver(ours, Scope())
    assert script.attempts == []


async def test_who_is_spooled_between_claim_and_dot_gets_nothing(either: World) -> None:
    await admit(either, "anna", "leaver")
    await publish(either, "Eins")
    leaver = await known(either, "leaver@example.org")

    async def go() -> None:
        put(either, leaver)

    ours, script = scripted(either, {"leaver": [go]})
    assert await deliver(ours, Scope()) == Tally(sent=1, excluded=1)
    assert script.taken == ["anna"]
    assert await states(either) == {"anna": "sent", "leaver": "excluded"}
    assert Spool(either.spool).is_empty()


async def test_who_is_spooled_while_the_fence_is_written_gets_nothing(
    either: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit was on its way when he was told that he has left."""
    await admit(either, "leaver")
    await publish(either, "Eins")
    leaver = await known(either, "leaver@example.org")
    intend = deliveries.intend

    async def and_meanwhile(connection: Connection, *row: int, **more: object) -> bool:
        written = await intend(connection, *row, **more)  # type: ignore[arg-type] # passed on
        put(either, leaver)
        return written

    monkeypatch.setattr(deliveries, "intend", and_meanwhile)
    ours, script = scripted(either)
    assert await deliver(ours, Scope()) == Tally(excluded=1)
    assert script.taken == []
    assert await states(either) == {"leaver": "excluded"}


async def test_the_answer_comes_behind_a_fence_that_is_being_written(
    either: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is told that he left was sent nothing after that, not even by a hair."""
    monkeypatch.setattr(leave, "PATIENCE", 30)
    row, link = await claimed(either)
    async with either.store.write() as connection:
        assert await deliveries.intend(connection, row, owner="me", now=NOW)
        told = asyncio.create_task(hear(either, link, door="mail"))
        await asyncio.sleep(0.3)
        assert not told.done()
    assert (await told).subscription is not None
    assert await states(either) == {"anna": "dotted"}


async def test_a_fence_that_is_asked_while_somebody_leaves_says_no(either: World) -> None:
    row, _ = await claimed(either)
    clerk = Clerk(either.store)
    async with either.store.write() as connection:
        await leave.withdraw(connection, either, await known(either), door="mail")
        passes = asyncio.create_task(
            clerk.write(lambda other: deliveries.intend(other, row, owner="me", now=NOW))
        )
        await asyncio.sleep(0.3)
        assert not passes.done()
    assert not await passes
    assert await states(either) == {"anna": "excluded"}


async def claimed(world: World) -> tuple[int, str]:
    """Anna's message, held by a worker, and her link."""
    await admit(world, "anna")
    await publish(world, "Eins")
    async with world.store.write() as connection:
        (claim,) = await queue.claim(
            connection, owner="me", scope=Scope(), resend_uncertain=True, limit=9, now=NOW
        )
    return claim.id, await token(world)


async def test_who_came_back_since_is_sent_to(either: World, clock: Clock) -> None:
    await admit(either, "anna")
    put(either, await known(either))
    kept = either.spool.read_bytes()
    await apply(either)
    clock.forward(hours=1)
    await admit(either, "anna")
    await publish(either, "Eins")
    either.spool.write_bytes(kept)
    ours, script = scripted(either)
    assert await deliver(ours, Scope()) == Tally(sent=1)
    assert script.taken == ["anna"]


async def test_an_empty_spool_costs_a_claim_next_to_nothing(world: World) -> None:
    found = await admit_one(world)
    began = time.perf_counter()
    for _ in range(1000):
        await apply(world)
        assert not spool.holds(world, found)
    assert (time.perf_counter() - began) / 2000 < 0.001


async def admit_one(world: World) -> Subscription:
    await admit(world, "anna")
    return await known(world)


async def test_the_operator_needs_the_database(world: World) -> None:
    """Somebody sits there and reads what went wrong: nothing is spooled for him."""
    await admit(world, "anna")
    (left,) = await leave_address(world, ANNA, newsletter=None, door="cli")
    assert (left.state, waiting(world)) == ("unsubscribed", [])
