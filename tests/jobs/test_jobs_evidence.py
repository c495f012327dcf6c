"""A confirm mail that the relay took stands in the record of consent, word for word, and once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from hashlib import sha256
from typing import Any

import pytest
from jobs_world import SENT, Clock, open_world, publish, reply, scripted
from troubled_world import LATER

from digest.errors import StoreError
from digest.jobs import choose, forget, join, record
from digest.jobs.send import deliver
from digest.jobs.world import World
from digest.model.delivery import Bounced, DeliveryState
from digest.model.message import Message
from digest.model.report import Cause
from digest.model.subscriber import ConsentEvent, Subscription, is_unbroken
from digest.store import consents, subscribers
from digest.store.engine import Connection, Store
from digest.store.queue import Scope

ANNA = "anna@example.org"
#: what is decided before any database is asked needs no second one
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def world(database_url: str, clock: Clock) -> AsyncIterator[World]:
    async with open_world(database_url, clock) as one:
        yield one


async def ask(world: World) -> None:
    await join.request(
        world,
        address=ANNA,
        newsletter=world.newsletters[0],
        language="en",
        door="web",
        detail="Yes, please.",
        shown_in="en",
    )


async def find(world: World) -> Subscription:
    async with world.store.read() as connection:
        (found,) = await subscribers.by_address(connection, ANNA)
    return found


async def written(world: World) -> list[ConsentEvent]:
    found = await find(world)
    async with world.store.read() as connection:
        return await consents.consent_record(connection, found.id)


async def send(world: World, *acts: Any) -> list[Message]:
    """Deliver what is due; the messages as they were handed over."""
    ours, script = scripted(world, {"anna": list(acts)})
    handed, whole = [], script.send

    async def keeping(message: Message, intend: Any) -> Any:
        handed.append(message)
        return await whole(message, intend)

    script.send = keeping  # type: ignore[method-assign]
    await deliver(ours, Scope())
    return handed


async def test_the_mail_that_was_taken_is_proved_by_its_id_and_its_bytes(world: World) -> None:
    await ask(world)
    (message,) = await send(world)
    asked = (await written(world))[-1]
    assert (asked.kind, asked.door, asked.language, asked.detail) == (
        "asked",
        "smtp",
        "en",
        str(SENT.reply),
    )
    assert asked.message_id == message_from_bytes(message.data)["Message-ID"]
    assert asked.message_hash == sha256(message.data).hexdigest()
    found = await find(world)
    token = world.signer.confirm_token(found.ref, found.request_nonce)
    await choose.confirm(world, token, door="web")
    whole = await written(world)
    assert [each.kind for each in whole] == ["requested", "asked", "confirmed"]
    assert is_unbroken(whole)


@on_sqlite
async def test_a_mail_that_was_not_taken_proves_nothing(world: World, clock: Clock) -> None:
    await ask(world)
    await send(world, LATER)
    assert [each.kind for each in await written(world)] == ["requested"]
    clock.forward(hours=1)
    await send(world, Bounced(reply=reply("550 5.1.1 nobody"), cause=Cause.GONE))
    assert [each.kind for each in await written(world)] == ["requested"]


@on_sqlite
async def test_an_edition_is_no_question(world: World) -> None:
    await join.admit(
        world, address=ANNA, newsletter=world.newsletters[0], door="cli", detail="a test"
    )
    await publish(world, "Eins")
    assert len(await send(world)) == 1
    assert [each.kind for each in await written(world)] == ["operator"]


@on_sqlite
async def test_each_question_is_proved_for_itself(world: World, clock: Clock) -> None:
    await ask(world)
    await send(world)
    clock.forward(days=2)
    await ask(world)
    await send(world)
    events = [each for each in await written(world) if each.kind == "asked"]
    assert len({each.message_id for each in events}) == 2


async def test_a_commit_whose_answer_was_lost_is_proved_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "PATIENCE", 0.01)
    await ask(world)
    whole, mute = Store.write, 0

    @asynccontextmanager
    async def write(self: Store) -> AsyncIterator[Connection]:
        nonlocal mute
        async with whole(self) as connection:
            yield connection
        if mute:
            mute -= 1
            raise StoreError("the database cannot be used: the line broke")

    ours, script = scripted(world)
    handing = script.send

    async def then_mute(message: Message, intend: Any) -> Any:
        nonlocal mute
        outcome = await handing(message, intend)
        mute = 2
        return outcome

    script.send = then_mute  # type: ignore[method-assign]
    monkeypatch.setattr(Store, "write", write)
    tally = await deliver(ours, Scope())
    assert (tally.sent, mute) == (1, 0)
    events = await written(world)
    assert [each.kind for each in events] == ["requested", "asked"]
    assert is_unbroken(events)


@on_sqlite
async def test_who_is_erased_while_the_relay_thinks_has_no_record(world: World) -> None:
    await ask(world)
    number = (await find(world)).subscriber.id

    ours, script = scripted(world)
    handing = script.send

    async def then_erased(message: Message, intend: Any) -> Any:
        outcome = await handing(message, intend)
        await forget.erase_person(world, subscriber_id=number, door="web")
        return outcome

    script.send = then_erased  # type: ignore[method-assign]
    counted: list[DeliveryState] = []
    await deliver(ours, Scope(), told=counted.append)
    await asyncio.sleep(0)
    assert counted == []
    async with world.store.read() as connection:
        (found,) = await subscribers.every(connection)
        assert await consents.consent_record(connection, found.id) == []
