"""Whoever is erased is nowhere; whoever never confirmed is forgotten in time, and nobody else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jobs_world import (
    NOW,
    STADTBLATT,
    Act,
    Clock,
    admit,
    ledger,
    open_world,
    publish,
    reply,
    scripted,
)
from returned_mails import bounce, complaint
from sqlalchemy import func, insert, select

from digest.errors import AddressRefused, DigestError, LeaseLost, LinkRefused, UsageError
from digest.jobs import choose, forget, join, leave, move
from digest.jobs.balance import balance
from digest.jobs.binding import with_journal
from digest.jobs.case import Did
from digest.jobs.feedback import MAILBOX, take_report
from digest.jobs.mailbox import understand
from digest.jobs.send import deliver
from digest.jobs.world import World
from digest.model.delivery import Bounced, Deferred
from digest.model.newsletter import Newsletter
from digest.model.report import Cause
from digest.model.subscriber import Subscription, SubscriptionState
from digest.store import consents, dialect, people, queue, requests, subscribers, suppressions
from digest.store.engine import Store
from digest.store.queue import Scope
from digest.store.spool import Goodbye, Spool
from digest.store.suppressions import ERASED
from digest.store.tables import metadata
from digest.store.tables import subscribers as known
from digest.store.troubles import asks, quotas, workers
from digest.subscribers.address import address_key

DOMAIN = "bounces.stadtblatt.example"
ANNA = "Anna.Unverwechselbar@example.org"
OLD = "Fraeulein.Zuvor@example.net"
BERTA = "berta@example.org"
#: no other part of the program writes these
TELLTALE = (b"unverwechselbar", b"fraeulein.zuvor")
STADTGRUEN = replace(STADTBLATT, slug="stadtgruen", title="Stadtgrün")


#: what is decided before any database is asked needs no second one
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def world(database_url: str, tmp_path: Path, clock: Clock) -> AsyncIterator[World]:
    """One with a journal, a spool and a domain for what comes back."""
    settings: dict[str, Any] = {"bounce_domain": DOMAIN, "spool": tmp_path / "digest.spool"}
    async with (
        open_world(database_url, clock, STADTBLATT, STADTGRUEN, **settings) as one,
        with_journal(one, tmp_path / "digest.journal") as whole,
    ):
        yield whole


# --------------------------------------------------------------- a life


async def find(world: World, address: str, newsletter: Newsletter = STADTBLATT) -> Subscription:
    async with world.store.read() as connection:
        found = await subscribers.by_address(connection, address_key(address))
    return next(each for each in found if each.newsletter == newsletter.slug)


async def person(world: World, address: str) -> int:
    return (await find(world, address)).subscriber.id


async def ask(world: World, address: str, newsletter: Newsletter = STADTBLATT) -> join.Asked:
    return await join.request(
        world, address=address, newsletter=newsletter, door="web", detail="Ja, bitte."
    )


async def confirm(world: World, address: str, newsletter: Newsletter = STADTBLATT) -> Subscription:
    found = await find(world, address, newsletter)
    token = world.signer.confirm_token(found.ref, found.request_nonce)
    return await choose.confirm(world, token, door="web", detail="Bestätigen")


async def send(world: World, acts: dict[str, list[Act]] | None = None) -> list[str]:
    ours, script = scripted(world, acts)
    await deliver(ours, Scope())
    return script.taken


async def take(world: World, mail: bytes) -> Did:
    report, key = understand(world, mail)
    now = world.clock()
    return (await take_report(world, report, door=MAILBOX, key=key, now=now)).did


async def return_path(world: World, name: str) -> str:
    """Of the newest message that somebody got."""
    row = [each for each in await ledger(world) if each.name == name and each.attempts][-1]
    token = world.signer.bounce_token(row.id, int(row.created_at.timestamp()))
    return f"b+{token}@{DOMAIN}"


def refused(code: str, cause: Cause, address: str) -> Deferred | Bounced:
    """A server's words about somebody, with the address in them in another case."""
    told = reply(f"{code} <{address.upper()}>: not now")
    return Bounced(reply=told, cause=cause) if code.startswith("5") else Deferred(reply=told)


def full(path: str, address: str) -> bytes:
    """A mail that says, with the address in it, that a mailbox is full."""
    return bounce(path, address, status="5.2.2", said=f"552 5.2.2 <{address}> is full")


async def move_to(world: World, old: str, new: str) -> None:
    found = await find(world, old)
    token = world.signer.preferences_token(found.ref)
    await move.ask(world, token, address=new, words="Umziehen", language="de", door="web")


@pytest.fixture
async def life(world: World, clock: Clock) -> World:
    """Anna signs up, moves here from an old address, and meets all that can happen to her."""
    await ask(world, OLD)
    await send(world)
    await confirm(world, OLD)
    name, old = ANNA.partition("@")[0], OLD.partition("@")[0]
    await publish(world, "Eins")
    await send(world, {old: [refused("450 4.2.2", Cause.FULL, OLD)]})
    clock.forward(days=1)
    await send(world)
    assert await take(world, full(await return_path(world, old), OLD)) is Did.BOUNCED
    await move_to(world, OLD, ANNA)
    await send(world)
    await confirm(world, ANNA)
    await ask(world, ANNA, STADTGRUEN)
    await send(world)
    clock.forward(days=1)
    await publish(world, "Zwei")
    await send(world, {name: [refused("550 5.7.1", Cause.BLOCKED, ANNA)]})
    clock.forward(days=1)
    await admit(world, "berta")
    await publish(world, "Drei")
    await send(world)
    assert await take(world, full(await return_path(world, name), ANNA)) is Did.BOUNCED
    clock.forward(minutes=1)
    await publish(world, "Vier")
    await send(world, {name: [refused("450 4.2.2", Cause.FULL, ANNA)]})
    await move_to(world, ANNA, "neu.unverwechselbar@example.com")
    async with world.store.write() as connection:
        trouble = f"it said <{ANNA.lower()}>"
        row = {"id": "w", "machine": "m", "process": "p", "seen_at": clock(), "trouble": trouble}
        await connection.execute(insert(workers).values(row))
    here = await find(world, ANNA)
    Spool(world.spool).append(Goodbye(ref=here.ref, at=clock(), door="mail"))
    return world


@pytest.fixture
async def reader(world: World) -> World:
    """Anna reads, and got an edition."""
    await ask(world, ANNA)
    await confirm(world, ANNA)
    await publish(world, "Eins")
    await send(world)
    return world


async def held(world: World) -> dict[str, list[Any]]:
    """Every row of every table."""
    async with world.store.read() as connection:
        return {
            table.name: [tuple(row) for row in await connection.execute(select(table))]
            for table in metadata.sorted_tables
        }


def _as_bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value, default=str).encode()


async def places(world: World, folder: Path, words: Iterable[bytes] = TELLTALE) -> set[str]:
    """Wherever one of these words stands, in whatever case: tables, and files."""
    texts: dict[str, bytes] = {
        f"table {name}": b"\n".join(_as_bytes(value) for row in rows for value in row)
        for name, rows in (await held(world)).items()
    }
    texts |= _files(folder)
    return {name for name, text in texts.items() if any(word in text.lower() for word in words)}


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


async def closed(world: World, address: str) -> str | None:
    async with world.store.read() as connection:
        hashed = world.signer.suppression_hash(address_key(address))
        return await suppressions.suppression(connection, hashed)


async def books_balance(world: World) -> bool:
    return all(each.balanced for each in await balance(world, None))


# --------------------------------------------------------------- erased


async def test_a_whole_life_leaves_nothing_behind_in_any_table_or_file(
    life: World, tmp_path: Path
) -> None:
    path = await return_path(life, ANNA.partition("@")[0])
    about = complaint("fbl@" + DOMAIN, returned=f"To: {ANNA}", mail_from=path)
    assert await take(life, about) is Did.COMPLAINED
    await forget.tidy_files(life)  # what was written is in the database's own file too
    before = await places(life, tmp_path)
    # else the search would prove nothing
    assert {
        f"table {name}" for name in ("subscribers", "deliveries", "bounces", "workers")
    } < before
    assert life.store.kind == "postgresql" or "digest.db" in before

    await forget.erase_person(life, subscriber_id=await person(life, ANNA), door="web")
    assert await places(life, tmp_path) == set()
    assert (await closed(life, ANNA), await closed(life, OLD)) == (ERASED, ERASED)
    assert await books_balance(life)
    rows = await ledger(life)
    assert {row.state.value for row in rows if row.name.startswith("erased:")} == {
        "sent",
        "bounced",
        "excluded",
    }
    assert [row.state.value for row in rows if row.name == "berta"] == ["sent"] * 2


@on_sqlite
async def test_whoever_is_erased_gets_nothing_more_and_may_be_erased_again(
    life: World, clock: Clock, tmp_path: Path
) -> None:
    number = await person(life, ANNA)
    clock.forward(minutes=1)
    await publish(life, "Fünf")
    await forget.erase_person(life, subscriber_id=number, door="web")
    after = await held(life)
    await forget.erase_person(life, subscriber_id=number, door="web")
    assert await held(life) == after
    clock.forward(minutes=1)
    await publish(life, "Sechs")
    assert await send(life) == ["berta", "berta"]
    with pytest.raises(UsageError, match="there is no subscriber 4711"):
        await forget.erase_person(life, subscriber_id=4711, door="web")
    assert await places(life, tmp_path) == set()


async def test_what_comes_back_later_of_a_message_to_somebody_erased_is_not_written_down(
    reader: World, tmp_path: Path
) -> None:
    path = await return_path(reader, ANNA.partition("@")[0])
    await forget.erase_person(reader, subscriber_id=await person(reader, ANNA), door="web")
    assert await take(reader, bounce(path, ANNA)) is Did.UNKNOWN
    await take(reader, complaint("fbl@" + DOMAIN, returned=f"To: {ANNA}", mail_from=path))
    assert await places(reader, tmp_path) == set()


@on_sqlite
@pytest.mark.parametrize("code", ["250 2.0.0", "550 5.1.1"])
@pytest.mark.parametrize("dotted", [1, 0])
async def test_a_reply_that_comes_after_the_erasure_is_not_written_down(
    world: World, tmp_path: Path, code: str, dotted: int
) -> None:
    await join.admit(world, address=ANNA, newsletter=STADTBLATT, door="cli", detail="a test")
    await publish(world, "Eins")
    number, (ours, script) = await person(world, ANNA), scripted(world)

    async def speak(message: Any, intend: Any) -> Any:  # noqa: ARG001 -- the port's shape
        if dotted:
            assert await intend()
        await forget.erase_person(world, subscriber_id=number, door="web")
        if not dotted and code.startswith("2"):
            assert not await intend()
            raise LeaseLost("not ours")
        return refused(code, Cause.GONE, ANNA)

    script.send = speak  # type: ignore[method-assign]
    await deliver(ours, Scope())
    (row,) = await ledger(world)
    # a dot that was out may have brought a copy, and nobody will ever say
    assert (row.state.value, row.doubts, row.owner) == ("excluded", dotted, None)
    assert await places(world, tmp_path) == set()
    assert await books_balance(world)
    assert await send(world) == []


async def test_signing_up_again_after_erasure_brings_no_mail_and_no_row(
    reader: World, tmp_path: Path
) -> None:
    await forget.erase_person(reader, subscriber_id=await person(reader, ANNA), door="web")
    assert await ask(reader, ANNA) is join.Asked.SUPPRESSED
    with pytest.raises(AddressRefused):
        await join.admit(reader, address=ANNA, newsletter=STADTBLATT, door="cli", detail="")
    await send(reader)
    assert await places(reader, tmp_path) == set()


async def test_links_of_old_mails_answer_and_change_nothing(reader: World) -> None:
    here = await find(reader, ANNA)
    await forget.erase_person(reader, subscriber_id=here.subscriber.id, door="web")
    before = await held(reader)
    heard = await leave.hear(reader, reader.signer.unsubscribe_token(here.ref), door="mail")
    assert heard.subscription is not None
    assert heard.subscription.state is SubscriptionState.UNSUBSCRIBED
    token = reader.signer.confirm_token(here.ref, here.request_nonce)
    with pytest.raises(LinkRefused):
        await choose.confirm(reader, token, door="web")
    assert await held(reader) == before


@on_sqlite
async def test_erasing_the_old_address_leaves_the_new_one_alone(
    life: World, tmp_path: Path
) -> None:
    await forget.erase_person(life, subscriber_id=await person(life, OLD), door="cli")
    assert await places(life, tmp_path, [b"fraeulein.zuvor"]) == set()
    assert (await find(life, ANNA)).state is SubscriptionState.ACTIVE
    assert await closed(life, ANNA) is None


async def test_an_erased_address_stays_closed_whatever_else_would_close_or_open_it(
    world: World,
) -> None:
    await join.admit(world, address=ANNA, newsletter=STADTBLATT, door="cli", detail="a test")
    hashed = world.signer.suppression_hash(address_key(ANNA))
    for first in ("complained", "asked", "bounced"):
        async with world.store.write() as connection:
            await suppressions.reopen(connection, hashed)
            await suppressions.suppress(connection, hashed, reason=first, now=NOW)
            await suppressions.suppress(connection, hashed, reason=ERASED, now=NOW)
            for later in ("complained", "bounced", ERASED):
                await suppressions.suppress(connection, hashed, reason=later, now=NOW)
        assert await closed(world, ANNA) == ERASED


# --------------------------------------------------------------- opened again


@on_sqlite
async def test_an_address_is_opened_again_for_a_reason_that_is_kept(world: World) -> None:
    await join.admit(world, address=BERTA, newsletter=STADTBLATT, door="cli", detail="a test")
    hashed = world.signer.suppression_hash(BERTA)
    async with world.store.write() as connection:
        await suppressions.suppress(connection, hashed, reason="bounced", now=NOW)
    assert await forget.reopen_address(world, BERTA, because="called us", door="cli") == "bounced"
    assert await forget.reopen_address(world, BERTA, because="called us", door="cli") is None
    async with world.store.read() as connection:
        record = await consents.consent_record(connection, (await find(world, BERTA)).id)
    assert (record[-1].kind, record[-1].detail) == ("reopened", "called us")
    await publish(world, "Eins")
    assert await send(world) == ["berta"]


@on_sqlite
async def test_whoever_was_erased_and_asks_to_be_let_in_again_begins_anew(
    world: World, clock: Clock
) -> None:
    await join.admit(world, address=ANNA, newsletter=STADTBLATT, door="cli", detail="a test")
    await forget.erase_person(world, subscriber_id=await person(world, ANNA), door="web")
    clock.forward(days=1)
    assert await forget.reopen_address(world, ANNA, because="mail", door="cli") == ERASED
    assert await ask(world, ANNA) is join.Asked.ASKED
    assert await send(world) == [ANNA.partition("@")[0]]
    assert (await confirm(world, ANNA)).state is SubscriptionState.ACTIVE


# --------------------------------------------------------------- what is held


async def test_the_export_holds_everything_and_the_old_address(life: World) -> None:
    found: Any = await forget.export_person(life, subscriber_id=await person(life, ANNA))
    assert json.loads(json.dumps(found)) == found
    assert (found["address"], found["suppressed"], found["record_unbroken"]) == (ANNA, None, True)
    reads, waits = found["subscriptions"]
    assert [reads["state"], waits["state"]] == ["active", "pending"]
    kinds = [event["kind"] for event in reads["consent"]]
    assert kinds == ["requested", "asked", "confirmed", "moved", "moving"]
    editions = [each for each in found["deliveries"] if each["edition"]]
    assert [(each["edition"], each["state"]) for each in editions] == [
        (2, "sent"),
        (3, "bounced"),
        (4, "deferred"),
    ]
    assert ANNA.upper() in editions[2]["reply"]
    assert [each["cause"] for each in found["bounces"]]
    (before,) = found["earlier_addresses"]
    assert (before["address"], before["subscriptions"][0]["state"]) == (OLD, "unsubscribed")


@on_sqlite
async def test_who_reads_at_the_old_address_today_is_somebody_else(
    life: World, clock: Clock
) -> None:
    """A mailbox that was given to another one, or whose owner was moved by a link he forwarded."""
    clock.forward(days=40)
    await join.admit(life, address=OLD, newsletter=STADTBLATT, door="cli", detail="another one")
    number = await person(life, ANNA)
    found: Any = await forget.export_person(life, subscriber_id=number)
    assert found.get("earlier_addresses", []) == []
    assert OLD not in json.dumps(found)
    await forget.erase_person(life, subscriber_id=number, door="web")
    async with life.store.read() as connection:
        [reads] = await subscribers.by_address(connection, OLD.casefold())
    assert reads.state is SubscriptionState.ACTIVE


@on_sqlite
async def test_nothing_is_exported_of_somebody_who_is_erased_or_never_was(reader: World) -> None:
    number = await person(reader, ANNA)
    await forget.erase_person(reader, subscriber_id=number, door="web")
    for each in (number, 4711):
        with pytest.raises(UsageError):
            await forget.export_person(reader, subscriber_id=each)


# --------------------------------------------------------------- never confirmed


async def test_a_request_that_nobody_confirmed_is_forgotten_after_seven_days(
    world: World, clock: Clock, tmp_path: Path
) -> None:
    await ask(world, ANNA)
    await send(world)
    clock.forward(days=7)
    assert await forget.forget_pending(world) == 0
    clock.forward(seconds=1)
    assert await forget.forget_pending(world) == 1
    assert await places(world, tmp_path) == set()
    assert await closed(world, ANNA) is None
    rows = await held(world)
    assert {name: rows[name] for name in ("subscribers", "subscriptions", "consent_events")} == {
        "subscribers": [],
        "subscriptions": [],
        "consent_events": [],
    }
    assert await forget.forget_pending(world) == 0


@on_sqlite
async def test_a_request_that_was_withdrawn_is_forgotten_as_well(
    world: World, clock: Clock, tmp_path: Path
) -> None:
    await ask(world, ANNA)
    await leave.leave_address(world, ANNA, newsletter=None, door="web")
    clock.forward(days=7, seconds=1)
    assert await forget.forget_pending(world) == 1
    assert await places(world, tmp_path) == set()


async def test_a_reader_who_left_and_asked_anew_is_as_he_was(world: World, clock: Clock) -> None:
    await ask(world, ANNA)
    await confirm(world, ANNA)
    await leave.leave_address(world, ANNA, newsletter=None, door="web")
    left = await find(world, ANNA)
    clock.forward(days=30)
    await ask(world, ANNA)
    clock.forward(days=7, seconds=1)
    assert await forget.forget_pending(world) == 1
    now = await find(world, ANNA)
    assert (now.state, now.unsubscribed_at) == (left.state, left.unsubscribed_at)
    async with world.store.read() as connection:
        record = await consents.consent_record(connection, now.id)
    assert [each.kind for each in record][-3:] == ["unsubscribed", "requested", "lapsed"]


async def test_nobody_else_is_forgotten_with_them(world: World, clock: Clock) -> None:
    await admit(world, "berta")
    await ask(world, BERTA, STADTGRUEN)  # she reads one and never confirmed the other
    await ask(world, "carla@example.org")
    await confirm(world, "carla@example.org")
    await leave.leave_address(world, "carla@example.org", newsletter=None, door="web")
    clock.forward(days=8)
    await ask(world, "dora@example.org")
    assert await forget.forget_pending(world) == 1
    states = [each.state.value for each in [await find(world, BERTA)]]
    assert states == ["active"]
    assert (await find(world, "carla@example.org")).state is SubscriptionState.UNSUBSCRIBED
    assert (await find(world, "dora@example.org")).state is SubscriptionState.PENDING
    assert len((await held(world))["subscriptions"]) == 3


@on_sqlite
async def test_thousands_are_forgotten_in_pages(
    world: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forget, "PAGE", 10)
    monkeypatch.setattr(forget, "BREATH", 0)
    for number in range(25):
        await ask(world, f"r{number}@example.org")
    clock.forward(days=8)
    writes, write = 0, Store.write

    def counted(self: Store) -> Any:
        nonlocal writes
        writes += 1
        return write(self)

    monkeypatch.setattr(Store, "write", counted)
    assert await forget.forget_pending(world) == 25
    assert writes == 3
    assert (await held(world))["deliveries"] == []


@on_sqlite
async def test_a_confirm_mail_that_is_on_its_way_is_not_torn_from_its_worker(
    world: World, clock: Clock
) -> None:
    await ask(world, ANNA)
    async with world.store.write() as connection:
        await queue.claim(
            connection, owner="w", scope=Scope(), resend_uncertain=True, limit=1, now=clock()
        )
    clock.forward(days=8)
    assert await forget.forget_pending(world) == 0
    assert len(await ledger(world)) == 1


@on_sqlite
async def test_counts_of_crowds_are_forgotten_in_time(world: World, clock: Clock) -> None:
    async with world.store.write() as connection:
        for table, row in (
            (asks, {"address_hash": "a", "newsletter": "", "mails": 0, "last_at": clock()}),
            (asks, {"address_hash": "a", "newsletter": "n", "mails": 3, "last_at": clock()}),
            (quotas, {"name": "all", "began_at": clock(), "used": 3}),
        ):
            await connection.execute(insert(table).values(row))
    clock.forward(days=1, seconds=1)
    await forget.forget_pending(world)
    assert [len((await held(world))[name]) for name in ("asks", "quotas")] == [2, 0]
    clock.forward(days=365)
    await forget.forget_pending(world)
    assert (await held(world))["asks"] == []


@on_postgresql
async def test_who_confirms_in_the_moment_of_forgetting_is_confirmed_or_forgotten_never_half(
    world: World, clock: Clock
) -> None:
    await ask(world, ANNA)
    found, before = await find(world, ANNA), clock() + timedelta(seconds=1)
    async with world.store.write() as connection:  # the page is on its way when he presses
        lapsed = await requests.lapse(connection, [found.id], before=before, now=clock())
        assert lapsed.forgotten == 1
        pressing = asyncio.create_task(_press(world, found))
        await asyncio.sleep(0.2)
        assert not pressing.done()
    await pressing
    rows = await held(world)
    assert {name: rows[name] for name in ("subscribers", "subscriptions", "consent_events")} == {
        "subscribers": [],
        "subscriptions": [],
        "consent_events": [],
    }


async def _press(world: World, found: Subscription) -> None:
    token = world.signer.confirm_token(found.ref, found.request_nonce)
    try:
        await choose.confirm(world, token, door="web")
    except DigestError:
        return


@on_postgresql
async def test_who_is_confirming_when_the_page_is_taken_is_left_alone(
    world: World, clock: Clock
) -> None:
    await ask(world, ANNA)
    found, before = await find(world, ANNA), clock() + timedelta(seconds=1)
    async with world.store.write() as one:
        assert await subscribers.activate(one, found.id, now=clock())
        async with world.store.write() as other:
            lapsed = await requests.lapse(other, [found.id], before=before, now=clock())
        assert (lapsed.forgotten, lapsed.left) == (0, ())
    assert (await find(world, ANNA)).state is SubscriptionState.ACTIVE


@on_postgresql
async def test_who_asks_anew_in_the_moment_of_forgetting_gets_his_mail(
    world: World, clock: Clock
) -> None:
    await ask(world, ANNA)
    found = await find(world, ANNA)
    clock.forward(days=8)
    async with world.store.write() as connection:
        before = clock() - join.REQUEST_LIFE
        await requests.lapse(connection, [found.id], before=before, now=clock())
        asking = asyncio.create_task(ask(world, ANNA))
        await asyncio.sleep(0.2)
        assert not asking.done()
    assert await asking is join.Asked.ASKED
    assert await send(world) == [ANNA.partition("@")[0]]


@on_postgresql
async def test_who_asks_in_the_moment_of_erasure_finds_a_closed_door(
    world: World, tmp_path: Path
) -> None:
    await join.admit(world, address=ANNA, newsletter=STADTBLATT, door="cli", detail="a test")
    number = await person(world, ANNA)
    async with world.store.write() as connection:
        whom = await people.look(connection, number)
        assert whom is not None
        await forget.erase(connection, world, whom, door="web")
        asking = asyncio.create_task(ask(world, ANNA))
        await asyncio.sleep(0.2)
        assert not asking.done()
    assert await asking is join.Asked.SUPPRESSED
    async with world.store.read() as connection:
        query = select(func.count()).where(known.c.address_key == address_key(ANNA))
        assert (await connection.execute(query)).scalar_one() == 0
    assert await places(world, tmp_path) == set()


@on_sqlite
async def test_who_reads_while_somebody_is_erased_keeps_nobody_from_it(
    reader: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialect, "SCOUR_SECONDS", 0.1)
    number = await person(reader, ANNA)
    async with reader.store.read() as connection:
        await connection.execute(select(known))
        await forget.erase_person(reader, subscriber_id=number, door="web")
    # the old page was still needed; the next hour takes it away
    assert "digest.db-wal" in await places(reader, tmp_path)
    await forget.tidy_files(reader)
    assert await places(reader, tmp_path) == set()
