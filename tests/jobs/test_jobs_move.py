"""An address is changed when the new one confirms, and not before; the old one is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from choosing import ANNA, CITY, HARBOUR, NEW, WORDS, Readers
from jobs_world import NOW, Clock, ledger, open_world, publish, scripted, sqlite
from sqlalchemy import select, update

from digest.deliveries.transport import Intend
from digest.errors import LeaseLost, LinkRefused, StoreError
from digest.jobs import balance, forget, join, leave, move, prefer, restore
from digest.jobs.decide import Form, Refusal
from digest.jobs.send import deliver
from digest.jobs.spool import apply as apply_spool
from digest.messages import notices as written
from digest.model.delivery import Outcome
from digest.model.message import Message
from digest.model.subscriber import SubscriptionState, is_unbroken
from digest.store import journals, spool, suppressions
from digest.store.queue import NOTICES, Scope
from digest.store.tables import subscribers, subscriptions

ACTIVE, PENDING, GONE = (
    SubscriptionState.ACTIVE,
    SubscriptionState.PENDING,
    SubscriptionState.UNSUBSCRIBED,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def readers(tmp_path: Path, clock: Clock) -> AsyncIterator[Readers]:
    async with open_world(sqlite(tmp_path), clock, CITY, HARBOUR) as world:
        yield Readers(world)


async def notices(readers: Readers) -> list[tuple[str, str]]:
    """Every service mail, as kind and whom it is for."""
    return [(row.notice, row.name) for row in await ledger(readers.world) if row.notice]


async def addresses(readers: Readers) -> set[str]:
    async with readers.world.store.read() as connection:
        return set((await connection.execute(select(subscribers.c.address))).scalars())


# --------------------------------------------------------------- the way of it


async def test_asking_changes_nothing_but_that_a_mail_goes_to_the_new_address(
    readers: Readers,
) -> None:
    before = await readers.admit()
    await prefer.save(
        readers.world, await readers.token(), Form(language="en", timezone="UTC"), door="web"
    )
    await readers.move()
    assert await notices(readers) == [("confirm", "anna.neu")]
    asked = await readers.of(NEW)
    assert (asked.state, asked.replaces) == (PENDING, before.id)
    assert (asked.subscriber.language, asked.subscriber.timezone) == ("en", "UTC")
    assert (await readers.of()).state is ACTIVE
    (event,) = await readers.record(NEW)
    assert (event.kind, event.detail, event.language) == ("requested", WORDS, "en")
    assert await readers.kinds() == ["operator", "changed", "moving"]


async def test_confirming_moves_everything_as_it_was_chosen(readers: Readers) -> None:
    await readers.admit()
    await readers.admit(newsletter=HARBOUR)
    token = await readers.token()
    form = Form(frequency="weekly", topics=("chips",), hour="9")
    await prefer.save(readers.world, token, form, door="web")
    await readers.move()
    # what is chosen until it is confirmed counts as well
    harbour = await readers.token(newsletter=HARBOUR)
    until = NOW + timedelta(weeks=1)
    await prefer.pause(readers.world, harbour, until=until, door="web")
    await readers.confirm()
    old, new = await readers.all_of(), await readers.all_of(NEW)
    assert {each.state for each in old.values()} == {GONE}
    assert {each.state for each in new.values()} == {ACTIVE}
    city = new[CITY.slug]
    assert (city.frequency, city.topics, city.hour) == ("weekly", ("chips",), 9)
    assert new[HARBOUR.slug].paused_until == until
    assert {each.replaces for each in new.values()} == {None}
    assert await notices(readers) == [("confirm", "anna.neu"), ("moved", "anna")]


async def test_both_records_say_what_was_and_the_new_one_holds_the_old(readers: Readers) -> None:
    await readers.admit()
    await readers.move()
    await readers.confirm()
    old, new = await readers.record(), await readers.record(NEW)
    assert [each.kind for each in old] == ["operator", "moving", "moved"]
    assert [each.kind for each in new] == ["requested", "confirmed", "moved"]
    assert NEW not in str(old)
    assert new[-1].detail == f"moved from an address confirmed on 2026-11-23, record {old[-1].hash}"
    assert is_unbroken(old)
    assert is_unbroken(new)


async def test_the_links_of_the_old_address_are_over(readers: Readers) -> None:
    await readers.admit()
    token = await readers.token()
    leaving = readers.world.signer.unsubscribe_token((await readers.of()).ref)
    await readers.move()
    await readers.confirm()
    before = await readers.all_of(NEW)
    await prefer.leave_all(readers.world, token, door="web")
    assert (
        await prefer.save(readers.world, token, Form(frequency="weekly"), door="web")
        is Refusal.GONE
    )
    back = await prefer.come_back(readers.world, token, words="", language="en", door="web")
    assert back is Refusal.GONE
    assert await readers.all_of(NEW) == before
    # but who wants to leave has left, whichever of his mails he says it by
    seen = await leave.look(readers.world, leaving)
    assert seen is not None
    assert (seen.state, seen.subscriber.address) == (ACTIVE, ANNA)
    await leave.hear(readers.world, leaving, door="mail")
    assert (await readers.of(NEW)).state is GONE


async def test_who_asked_to_leave_before_he_moved_goes_on_at_the_new_address(
    readers: Readers, clock: Clock
) -> None:
    """The wish waited in the spool while the database was away; he has confirmed since."""
    await readers.admit()
    spool.Spool(readers.world.spool).append(
        spool.Goodbye(ref=(await readers.of()).ref, at=clock.at, door="web")
    )
    clock.forward(minutes=1)
    await readers.move()
    await readers.confirm()
    await apply_spool(readers.world)
    assert (await readers.of(NEW)).state is ACTIVE


async def test_a_move_that_is_taken_back_is_nobody_who_left(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = tmp_path / "digest.journal"
    async with open_world(sqlite(tmp_path), clock, CITY, HARBOUR, journal=journal) as world:
        readers = Readers(world)
        await readers.admit()
        await readers.move()

        async def fails(*_: object, **__: object) -> int:
            raise StoreError("the database went away")

        with monkeypatch.context() as patch:
            patch.setattr("digest.jobs.move.deliveries.queue_notice", fails)
            with pytest.raises(StoreError):
                await readers.confirm()
        assert "left" not in journal.read_text(encoding="utf-8")
        await restore.check(world)
        assert (await readers.of()).state is ACTIVE
        await readers.confirm()
        assert '"did":"left"' in journal.read_text(encoding="utf-8")


async def test_two_readers_may_move_to_each_others_address_at_once(
    database_url: str, clock: Clock
) -> None:
    async with (
        open_world(database_url, clock, CITY, HARBOUR) as one,
        open_world(database_url, clock, CITY, HARBOUR) as two,
    ):
        readers, others = Readers(one), Readers(two)
        await readers.admit()
        await others.admit(NEW, HARBOUR)
        await readers.move(NEW)
        await others.move(ANNA, await others.token(NEW, HARBOUR))
        await asyncio.gather(readers.confirm(NEW, CITY), others.confirm(ANNA, HARBOUR))
        states = {
            (address, slug): found.state
            for address in (ANNA, NEW)
            for slug, found in (await readers.all_of(address)).items()
        }
        assert sorted(states.values()).count(ACTIVE) == 2


async def test_whoever_asks_for_himself_gets_what_he_asked_for_and_not_what_was_to_move(
    readers: Readers, clock: Clock
) -> None:
    await readers.admit()
    await readers.admit(newsletter=HARBOUR)
    await prefer.save(
        readers.world,
        await readers.token(),
        Form(frequency="weekly", topics=("chips",)),
        door="web",
    )
    await readers.move()
    clock.forward(hours=1)
    asked = await join.request(readers.world, address=NEW, newsletter=CITY, door="web")
    assert asked is join.Asked.WAITING
    await readers.confirm()
    found = await readers.all_of(NEW)
    assert set(found) == {"stadtblatt"}
    assert (found["stadtblatt"].frequency, found["stadtblatt"].topics) == ("daily", ())
    assert (await readers.of()).state is ACTIVE


async def test_the_button_again_moves_nothing_again(readers: Readers) -> None:
    await readers.admit()
    await readers.move()
    for _ in range(2):
        await readers.confirm()
    assert (await readers.kinds(NEW)).count("moved") == 1
    assert (await notices(readers)).count(("moved", "anna")) == 1


async def test_an_edition_that_waited_for_the_old_address_comes_to_the_new_one(
    database_url: str, clock: Clock
) -> None:
    async with open_world(database_url, clock, CITY, HARBOUR) as world:
        readers = Readers(world)
        await readers.admit()
        ours, script = scripted(world)
        await publish(ours, "one")
        await readers.move()
        await readers.confirm()
        await deliver(ours, Scope())
        assert sorted(script.taken) == ["anna", "anna.neu"]  # "moved" to the old one
        (edition,) = [row for row in await ledger(world) if row.notice is None]
        assert (edition.name, edition.state) == ("anna.neu", "sent")
        assert [each.balanced for each in await balance.balance(world, None)] == [True]


async def test_an_edition_that_a_worker_held_for_the_old_address_comes_to_the_new_one(
    database_url: str, clock: Clock
) -> None:
    async with open_world(database_url, clock, CITY, HARBOUR) as world:
        readers, fences = Readers(world), []
        await readers.admit()
        await publish(world, "one")

        stop = asyncio.Event()

        class Moves:
            """The reader's new address confirms just before the dot."""

            async def send(self, message: Message, intend: Intend) -> Outcome:
                stop.set()
                await readers.move()
                await readers.confirm()
                fences.append((message.rcpt_to, await intend()))
                raise LeaseLost(message.rcpt_to)

            async def close(self) -> None: ...

        # the notices wait: this is about the edition
        editions = Scope(editions=frozenset({1}), notices=False)
        await deliver(replace(world, transport=Moves()), editions, stop=stop)
        assert fences == [("anna@example.org", False)]
        ours, script = scripted(world)
        await deliver(ours, editions)
        assert script.taken == ["anna.neu"]
        assert [each.balanced for each in await balance.balance(world, None)] == [True]


async def test_nobody_gets_an_edition_twice_because_he_moved(
    database_url: str, clock: Clock
) -> None:
    async with open_world(database_url, clock, CITY, HARBOUR) as world:
        readers = Readers(world)
        await readers.admit()
        await readers.admit(NEW)
        ours, script = scripted(world)
        await publish(ours, "one")
        await prefer.leave_all(world, await readers.token(NEW), door="web")
        await readers.move()
        await readers.confirm()
        await deliver(ours, Scope())
        assert sorted(script.taken) == ["anna", "anna.neu"]
        found = {row.name: row.state for row in await ledger(world) if row.notice is None}
        assert found == {"anna": "excluded", "anna.neu": "sent"}
        assert [each.balanced for each in await balance.balance(world, None)] == [True]


async def test_the_old_address_is_told_and_not_where_to(readers: Readers) -> None:
    sent: list[Message] = []

    class Kept:
        async def send(self, message: Message, intend: Intend) -> Outcome:
            assert await intend()
            sent.append(message)
            raise OSError  # kept is enough

        async def close(self) -> None: ...

    await readers.admit()
    await readers.move()
    await readers.confirm()
    ours = replace(readers.world, transport=Kept())
    with pytest.raises(OSError):  # noqa: PT011 -- our own
        await deliver(ours, Scope())
    (message,) = [each for each in sent if each.rcpt_to == ANNA]
    mail = message_from_bytes(message.data, policy=policy.default)
    whole = mail.as_string() + "".join(
        str(part.get_content()) for part in mail.walk() if not part.is_multipart()
    )
    assert CITY.title in str(mail["Subject"])
    assert ANNA in whole
    assert CITY.sender.address in whole
    assert "elsewhere.example" not in whole


async def test_the_journal_knows_that_the_old_address_is_left(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "digest.journal"
    async with open_world(sqlite(tmp_path), clock, CITY, HARBOUR, journal=path) as world:
        readers = Readers(world)
        await readers.admit()
        await readers.move()
        clock.forward(minutes=1)
        await readers.confirm()
        known_as = world.signer.suppression_hash(ANNA)
        assert any(known_as in line and "left" in line for line in path.read_text().splitlines())
        async with world.store.read() as connection:
            assert await journals.who_left(connection) == {(known_as, CITY.slug)}


# --------------------------------------------------------------- what was done meanwhile


async def test_what_was_left_meanwhile_stays_left(readers: Readers) -> None:
    await readers.admit()
    await readers.admit(newsletter=HARBOUR)
    await readers.move()
    harbour = readers.world.signer.unsubscribe_token((await readers.of(newsletter=HARBOUR)).ref)
    await leave.hear(readers.world, harbour, door="web")
    await readers.confirm()
    assert set(await readers.all_of(NEW)) == {CITY.slug}
    assert (await readers.kinds(newsletter=HARBOUR))[-1] == "unsubscribed"


async def test_a_wish_that_was_not_confirmed_in_time_moves_nobody(
    readers: Readers, clock: Clock
) -> None:
    await readers.admit()
    await readers.move()
    clock.forward(days=7, seconds=1)
    with pytest.raises(LinkRefused):
        await readers.confirm()
    assert (await readers.of()).state is ACTIVE


async def test_who_reads_one_of_them_there_reads_it_once(readers: Readers) -> None:
    await readers.admit()
    await readers.admit(newsletter=HARBOUR)
    there = await readers.admit(NEW, HARBOUR)
    await readers.move()
    await readers.confirm()
    assert (await readers.of(NEW, HARBOUR)).confirmed_at == there.confirmed_at
    assert {each.state for each in (await readers.all_of()).values()} == {GONE}


async def test_a_request_of_ones_own_made_since_is_no_move(readers: Readers, clock: Clock) -> None:
    await readers.admit()
    await readers.move()
    clock.forward(days=2)
    await join.request(readers.world, address=NEW, newsletter=CITY, door="web")
    await readers.confirm()
    assert (await readers.of()).state is ACTIVE
    assert (await readers.of(NEW)).state is ACTIVE
    assert ("moved", "anna") not in await notices(readers)


async def test_a_number_that_somebody_else_got_since_ends_nobody(
    readers: Readers, clock: Clock
) -> None:
    await readers.admit()
    await readers.move()
    clock.forward(minutes=1)
    await readers.admit("bert@example.org")
    bert = await readers.of("bert@example.org")
    async with readers.world.store.write() as connection:
        await connection.execute(
            update(subscriptions)
            .where(subscriptions.c.id == (await readers.of(NEW)).id)
            .values(replaces=bert.id)
        )
    await readers.confirm()
    assert (await readers.of("bert@example.org")).state is ACTIVE


async def test_who_was_erased_meanwhile_is_not_there_to_be_moved(readers: Readers) -> None:
    person = (await readers.admit()).subscriber.id
    await readers.move()
    waiting = await readers.of(NEW)
    token = readers.world.signer.confirm_token(waiting.ref, waiting.request_nonce)
    await forget.erase_person(readers.world, subscriber_id=person, door="web")
    assert token
    assert await readers.all_of(NEW) == {}


# --------------------------------------------------------------- what cannot be


@pytest.mark.parametrize("there", ["active", "suppressed", "impossible", "same", "junk"])
async def test_where_nothing_can_be_moved_to_nothing_is_sent(readers: Readers, there: str) -> None:
    await readers.admit()
    before = await readers.of()
    to = {"impossible": "anna@localhost", "same": "ANNA@example.org", "junk": "\0" * 5000}
    if there == "active":
        await readers.admit(NEW)
    if there == "suppressed":
        known_as = readers.world.signer.suppression_hash(NEW)
        async with readers.world.store.write() as connection:
            await suppressions.suppress(connection, known_as, reason="bounced", now=NOW)
    known = await addresses(readers)
    await readers.move(to.get(there, NEW))
    assert await notices(readers) == []
    assert await readers.of() == before
    assert await addresses(readers) == known


async def test_an_address_gets_one_mail_about_it_in_a_day(readers: Readers, clock: Clock) -> None:
    await readers.admit()
    await readers.admit(newsletter=HARBOUR)
    for newsletter in (CITY, HARBOUR, CITY):
        await readers.move(token=await readers.token(newsletter=newsletter))
        clock.forward(minutes=1)
    assert await notices(readers) == [("confirm", "anna.neu")]
    before = (await readers.of(NEW)).request_nonce
    clock.forward(days=1, seconds=1)
    await readers.move()
    assert await notices(readers) == [("confirm", "anna.neu")] * 2
    assert (await readers.of(NEW)).request_nonce != before


async def test_one_may_ask_for_three_in_a_day(readers: Readers, clock: Clock) -> None:
    await readers.admit()
    for number in range(6):
        await readers.move(f"n{number}@elsewhere.example")
        clock.forward(minutes=1)
    assert await notices(readers) == [("confirm", f"n{number}") for number in range(3)]
    clock.forward(days=1, seconds=1)
    await readers.move("n9@elsewhere.example")
    assert len(await notices(readers)) == 4


async def test_the_last_of_several_wishes_that_is_confirmed_finds_nothing_to_move(
    readers: Readers, clock: Clock
) -> None:
    await readers.admit()
    await readers.move("n1@elsewhere.example")
    clock.forward(minutes=1)
    await readers.move("n2@elsewhere.example")
    await readers.confirm("n1@elsewhere.example")
    await readers.confirm("n2@elsewhere.example")
    # whoever confirmed reads; nobody was moved twice
    assert (await readers.of("n2@elsewhere.example")).state is ACTIVE
    assert (await readers.kinds()).count("moved") == 1


async def test_who_does_not_read_moves_nothing(readers: Readers) -> None:
    await readers.admit()
    token = await readers.token()
    await prefer.leave_all(readers.world, token, door="web")
    await readers.move()
    assert await readers.all_of(NEW) == {}


# --------------------------------------------------------------- twice at once


async def test_asked_and_confirmed_twice_at_once_it_is_done_once(
    database_url: str, clock: Clock
) -> None:
    async with (
        open_world(database_url, clock, CITY, HARBOUR) as one,
        open_world(database_url, clock, CITY, HARBOUR) as two,
    ):
        both = [Readers(one), Readers(two)] * 3
        readers = both[0]
        await readers.admit()
        await readers.admit(newsletter=HARBOUR)
        await asyncio.gather(*(each.move() for each in both))
        assert await notices(readers) == [("confirm", "anna.neu")]
        await asyncio.gather(*(each.confirm() for each in both))
        assert await notices(readers) == [("confirm", "anna.neu"), ("moved", "anna")]
        assert {each.state for each in (await readers.all_of(NEW)).values()} == {ACTIVE}
        assert await readers.kinds(NEW) == ["requested", "confirmed", "moved"]


async def test_leaving_while_the_new_address_confirms_leaves_or_moves(
    database_url: str, clock: Clock
) -> None:
    async with (
        open_world(database_url, clock, CITY, HARBOUR) as one,
        open_world(database_url, clock, CITY, HARBOUR) as two,
    ):
        readers = Readers(one)
        await readers.admit()
        await readers.admit(newsletter=HARBOUR)
        await readers.move()
        token = await readers.token()
        await asyncio.gather(
            readers.confirm(), prefer.leave_all(two, token, door="web"), return_exceptions=False
        )
        old = await readers.all_of()
        assert {each.state for each in old.values()} == {GONE}
        # nobody is left behind in between: each newsletter was left, or moved
        for newsletter in (CITY, HARBOUR):
            last = (await readers.kinds(newsletter=newsletter))[-1]
            assert last in {"unsubscribed", "moved"}
            if newsletter is HARBOUR:
                assert (HARBOUR.slug in await readers.all_of(NEW)) == (last == "moved")


def test_the_module_says_what_the_ledger_calls_the_notice() -> None:
    assert move.MOVED == written.MOVED
    assert set(NOTICES) >= {written.CONFIRM, written.MOVED, written.CORRECTION}
