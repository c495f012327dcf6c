"""The bounce mailbox is read: what breaks in between loses nothing and applies nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from dovecot import Dovecot, dovecot
from jobs_world import Clock, admit, ledger, names, open_world, publish, scripted, sqlite
from returned_mails import bounce, broken, complaint, forged, huge, letter, ticket, vacation
from sqlalchemy import func, select

from digest.deliveries.mailbox.maildir import Maildir
from digest.deliveries.reports import read_report
from digest.errors import DigestError, SettingsError, StoreError
from digest.jobs.feedback import take_report
from digest.jobs.mailbox import process_mailbox
from digest.jobs.send import deliver
from digest.jobs.world import World
from digest.scheduler import Ticker
from digest.store import subscribers
from digest.store.queue import Scope
from digest.store.tables import suppressions
from digest.store.troubles import bounces
from digest.subscribers.links import Signer

DOMAIN = "bounces.stadtblatt.example"


@pytest.fixture
def box(tmp_path: Path) -> Path:
    folder = tmp_path / "mail"
    for each in ("tmp", "new", "cur"):
        (folder / each).mkdir(parents=True)
    return folder


@pytest.fixture
async def world(tmp_path: Path, box: Path) -> AsyncIterator[World]:
    async with open_world(
        sqlite(tmp_path),
        Clock(),
        bounce_domain=DOMAIN,
        bounce_mailbox=f"maildir:{box}",
        journal="",
    ) as one:
        yield one


def put(box: Path, *mails: bytes) -> None:
    first = sum(1 for each in box.rglob("*.host*"))
    for number, mail in enumerate(mails, start=first):
        (box / "new" / f"17000{number:05d}.a.host").write_bytes(mail)


def kept(box: Path, folder: str = "") -> list[bytes]:
    where = box / f".{folder}" if folder else box
    files = [each for sub in ("new", "cur") for each in (where / sub).glob("*")]
    return [each.read_bytes() for each in sorted(files, key=lambda file: file.name)]


async def sent_to(world: World, *people: str) -> dict[str, str]:
    """The return path of each reader's message."""
    await admit(world, *people)
    await publish(world, "Eins")
    ours, _ = scripted(world)
    await deliver(ours, Scope())
    token = world.signer.bounce_token
    return {
        row.name: f"b+{token(row.id, int(row.created_at.timestamp()))}@{DOMAIN}"
        for row in await ledger(world)
    }


async def process(world: World, **more: Any) -> dict[str, int]:
    """What a run did, without what it did not."""
    done = await process_mailbox(world, stop=asyncio.Event(), **more)
    return {name: count for name, count in asdict(done).items() if count}


async def states(world: World) -> dict[str, str]:
    return {row.name: row.state.value for row in await ledger(world)}


async def counted(world: World) -> tuple[int, int]:
    """How many bounces and how many suppressions there are."""
    numbers = []
    async with world.store.read() as connection:
        for each in (bounces, suppressions):
            query = select(func.count()).select_from(each)
            numbers.append((await connection.execute(query)).scalar_one())
    return numbers[0], numbers[1]


async def test_everything_that_may_lie_in_it(world: World, box: Path) -> None:
    to = await sent_to(world, *names(24))
    paths = list(to.values())
    gone = world.signer.mail_token(b"nobody there")
    reader = "r{:02d}@example.org".format
    understood = [
        bounce(paths[0], reader(0)),
        bounce(paths[1], reader(1), status="4.2.2", said="452 4.2.2 the mailbox is full"),
        huge(paths[2], reader(2)),
        bounce(paths[3], reader(3), action="delayed", status="4.4.1", said="timed out"),
        vacation(paths[4]),
        ticket(paths[5]),
        complaint("abuse@x.example", returned=f"Return-Path: <{paths[6]}>"),
        complaint("x@y.example", kind="opt-out", returned=f"Return-Path: <{paths[7]}>"),
        complaint("x@y.example", kind="auth-failure", returned=f"Return-Path: <{paths[8]}>"),
    ]
    strange = [
        b"",
        b"\xff\xfe\0 no mail at all \r\n" * 20,
        broken(f"nobody@{DOMAIN}"),
        letter(f"post@{DOMAIN}", "Wo ist mein Blatt?"),
        forged(paths[9], reader(9)),
        bounce(f"b+{'a' * 42}@{DOMAIN}", reader(10)),
        bounce(f"b+{Signer('another secret').bounce_token(11, 0)}@{DOMAIN}", reader(11)),
        complaint("x@y.example", returned="X-Other: y"),
        letter(f"u+{gone}@{DOMAIN}", "Unsubscribe"),
    ]
    put(box, *understood, *strange)
    done = await process(world)
    assert done == {
        "read": 18,
        "bounced": 3,
        "complaints": 1,
        "unsubscribed": 1,
        "delayed": 1,
        "autoreplies": 2,
        "unknown": 9,
        "nothing": 1,
        "suppressed": 3,
    }
    # nothing is deleted, and nothing is changed
    assert (kept(box), kept(box, "Processed"), kept(box, "Unknown")) == ([], understood, strange)
    bounced = [name for name, state in (await states(world)).items() if state == "bounced"]
    assert bounced == ["r00", "r01", "r02"]
    assert await process(world) == {}


async def test_an_unsubscribe_by_mail_is_heard(world: World, box: Path) -> None:
    await sent_to(world, "anna")
    async with world.store.read() as connection:
        (found,) = await subscribers.by_address(connection, "anna@example.org")
    put(box, letter(f"u+{world.signer.mail_token(found.ref)}@{DOMAIN}", "", "bitte"))
    assert await process(world) == {"read": 1, "unsubscribed": 1}


async def test_a_dry_run_says_what_would_be_done_and_does_nothing(world: World, box: Path) -> None:
    to = await sent_to(world, "anna")
    mails = [bounce(to["anna"], "anna@example.org"), b"?"]
    put(box, *mails)
    assert await process(world, dry_run=True) == {
        "read": 2,
        "bounced": 1,
        "unknown": 1,
        "suppressed": 1,
    }
    assert (kept(box), await states(world)) == (mails, {"anna": "sent"})
    assert (kept(box, "Processed"), kept(box, "Unknown")) == ([], [])


async def test_a_crash_between_applying_and_moving_applies_nothing_twice(
    world: World, box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = await sent_to(world, "anna", "bert")
    put(box, *(bounce(to[name], f"{name}@example.org") for name in ("anna", "bert")))

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    async def run() -> None:
        with pytest.raises(KeyboardInterrupt):
            await process_mailbox(world, stop=asyncio.Event())

    with monkeypatch.context() as patch:
        patch.setattr(Maildir, "move", crash)
        await run()
    assert (len(kept(box)), await counted(world)) == (2, (1, 1))
    assert await process(world) == {"read": 2, "nothing": 1, "bounced": 1, "suppressed": 1}
    assert (len(kept(box, "Processed")), await counted(world)) == (2, (2, 2))


async def test_while_the_database_is_away_mails_wait(
    world: World, box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = await sent_to(world, "anna")
    put(box, bounce(to["anna"], "anna@example.org"))

    def away(*_: object) -> None:
        raise StoreError("the database cannot be used")

    with monkeypatch.context() as patch:
        patch.setattr("digest.store.reports.whose", away)
        with pytest.raises(StoreError):
            await process(world)
    assert len(kept(box)) == 1
    assert await process(world) == {"read": 1, "bounced": 1, "suppressed": 1}


async def test_whoever_asks_to_stop_waits_for_one_mail_at_most(world: World, box: Path) -> None:
    put(box, *[b"?"] * 5)
    stop, counts = asyncio.Event(), []

    @contextmanager
    def counting(total: int) -> Iterator[Any]:
        counts.append(total)

        def one_more() -> None:
            counts.append(1)
            if len(counts) == 3:
                stop.set()

        yield one_more

    done = await process_mailbox(world, stop=stop, counting=counting)
    assert (done.read, counts, len(kept(box))) == (2, [5, 1, 1], 3)


async def test_a_mail_that_breaks_us_keeps_no_other_from_being_read(
    world: World, box: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    to = await sent_to(world, "anna")
    put(box, b"poison", bounce(to["anna"], "anna@example.org"))

    def fragile(data: bytes) -> Any:
        if data == b"poison":
            raise RecursionError
        return read_report(data)

    monkeypatch.setattr("digest.jobs.mailbox.read_report", fragile)
    assert await process(world) == {
        "read": 2,
        "bounced": 1,
        "unknown": 1,
        "suppressed": 1,
        "errors": 1,
    }
    assert "poison" not in caplog.text
    assert kept(box, "Unknown") == [b"poison"]


async def test_where_nothing_can_be_moved_it_says_so_and_ends(world: World, box: Path) -> None:
    to = await sent_to(world, "anna")
    put(box, bounce(to["anna"], "anna@example.org"), *[vacation(to["anna"])] * 20)
    (box / ".Processed").write_bytes(b"in the way")
    with pytest.raises(DigestError, match="10 mails in a row"):
        await process(world)
    assert len(kept(box)) == 21
    (box / ".Processed").unlink()
    assert await process(world) == {"read": 21, "nothing": 1, "autoreplies": 20}
    assert await counted(world) == (1, 1)


async def test_a_mailbox_that_is_not_set_is_asked_for(world: World) -> None:
    with pytest.raises(SettingsError, match=r"DIGEST_BOUNCE_MAILBOX is not set: write maildir:"):
        await process(replace(world, bounce_mailbox=None))


async def test_the_log_names_no_token_and_no_address(
    world: World, box: Path, caplog: pytest.LogCaptureFixture
) -> None:
    to = await sent_to(world, "anna")
    caplog.clear()
    put(box, bounce(to["anna"], "anna@example.org"), letter(to["anna"], "Geheim", "Geheim"))
    with caplog.at_level("DEBUG", logger="digest"):
        await process(world)
    said = [each.getMessage() for each in caplog.records if each.name.startswith("digest")]
    assert "report door=mailbox kind=bounce status=bounced delivery=1" in said
    assert "report door=mailbox kind=not_bounce status=unknown delivery=-" in said
    for each in ("anna", "Geheim", to["anna"][2:20]):
        assert each not in "\n".join(said)


async def test_the_clock_looks_into_it(world: World, box: Path) -> None:
    to = await sent_to(world, "anna")
    put(box, bounce(to["anna"], "anna@example.org"))
    ticker = Ticker(replace(world, newsletters=()), wake=asyncio.Event())
    ticker.start()
    try:
        async with asyncio.timeout(10):
            while kept(box):  # noqa: ASYNC110 -- a file system tells nobody
                await asyncio.sleep(0.02)
    finally:
        await ticker.stop()
    assert await states(world) == {"anna": "bounced"}


# ---------------------------------------------------------------------------- real IMAP


@pytest.fixture
def server() -> Iterator[Dovecot]:
    with dovecot() as one:
        yield one


async def test_the_server_is_killed_and_forgets_its_uids_in_the_middle(
    world: World, server: Dovecot
) -> None:
    people = names(12)
    to = await sent_to(world, *people)
    ours = replace(world, bounce_mailbox=server.url())
    full = "452 4.2.2 the mailbox is full"
    mails = [bounce(to[each], f"{each}@example.org", status="4.2.2", said=full) for each in people]
    server.deliver(*mails)
    server.deliver(mails[0])  # the same once more

    taken = 0

    def kill_at_five(*arguments: Any, **more: Any) -> Any:
        nonlocal taken
        taken += 1
        if taken == 5:
            server.kill()
        return take_report(*arguments, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("digest.jobs.mailbox.take_report", kill_at_five)
        with pytest.raises(DigestError, match="the next run goes on"):
            await process(ours)
    # the fifth is applied, and lies there still
    assert (len(server.held()), len(server.held("Processed"))) == (9, 4)
    assert await counted(world) == (5, 0)
    with pytest.raises(DigestError, match="refused"):
        await process(ours)
    server.forget_uids()
    server.start()
    assert await process(ours) == {"read": 9, "bounced": 7, "nothing": 2}
    assert (server.held(), len(server.held("Processed"))) == ([], 13)
    assert await counted(world) == (12, 0)
    assert set((await states(world)).values()) == {"bounced"}
    assert await process(ours) == {}
