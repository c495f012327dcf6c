"""What a reader chooses is in the rows and in the record, once, or nothing is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from choosing import ANNA, CITY, HARBOUR, Readers
from jobs_world import NOW, Clock, admit, ledger, open_world, publish, scripted, sqlite, states

from digest.errors import LinkRefused
from digest.jobs import balance, join, leave, prefer
from digest.jobs.decide import Form, Refusal
from digest.jobs.send import deliver
from digest.jobs.world import World
from digest.model.newsletter import OTHER
from digest.model.subscriber import Subscription, SubscriptionState, is_unbroken
from digest.store import suppressions
from digest.store.queue import Scope

WEEK = timedelta(weeks=1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def world(tmp_path: Path, clock: Clock) -> AsyncIterator[World]:
    async with open_world(sqlite(tmp_path), clock, CITY, HARBOUR) as one:
        yield one


@pytest.fixture
def readers(world: World) -> Readers:
    return Readers(world)


async def go(readers: Readers, *, door: str = "web") -> None:
    token = readers.world.signer.unsubscribe_token((await readers.of()).ref)
    await leave.hear(readers.world, token, door=door)


async def come_back(
    readers: Readers, token: str, frequency: str | None = None, weeks: int = 0
) -> Subscription | Refusal:
    until = readers.world.clock() + weeks * WEEK if weeks else None
    return await prefer.come_back(
        readers.world,
        token,
        frequency=frequency,
        until=until,
        words="You ask for it again.",
        language="en",
        door="web",
    )


# --------------------------------------------------------------- choosing


async def test_a_choice_is_stored_and_stands_in_the_record(readers: Readers) -> None:
    await readers.admit()
    form = Form(frequency="weekly", topics=("chips",), hour="18", language="en", timezone="UTC")
    found = await prefer.save(readers.world, await readers.token(), form, door="web")
    assert found == await readers.of()
    assert (found.frequency, found.topics, found.hour) == ("weekly", ("chips",), 18)
    assert (found.subscriber.language, found.subscriber.timezone) == ("en", "UTC")
    record = await readers.record()
    assert [each.kind for each in record] == ["operator", "changed"]
    assert record[-1].detail == "frequency=weekly topics=chips hour=18 language=en timezone=UTC"
    assert is_unbroken(record)


async def test_what_stands_already_is_no_change(readers: Readers) -> None:
    await readers.admit()
    for form in (Form(), Form(frequency="daily", topics=(), hour="", language="de", timezone="")):
        before = await readers.of()
        assert await prefer.save(readers.world, await readers.token(), form, door="web") == before
    assert await readers.kinds() == ["operator"]


async def test_a_choice_that_is_not_offered_changes_nothing(readers: Readers) -> None:
    before, token = await readers.admit(), await readers.token()
    form = Form(frequency="never", language="en")
    assert await prefer.save(readers.world, token, form, door="web") is Refusal.FREQUENCY
    assert await readers.of() == before
    assert await readers.kinds() == ["operator"]


async def test_less_of_one_topic_after_the_other(readers: Readers) -> None:
    await readers.admit()
    world, token = readers.world, await readers.token()
    await prefer.less(world, token, "chips", door="web")
    assert (await readers.of()).topics == (OTHER, "robots")
    await prefer.less(world, token, OTHER, door="web")
    assert (await readers.of()).topics == ("robots",)
    assert await prefer.less(world, token, "robots", door="web") is Refusal.LAST_TOPIC
    assert await prefer.less(world, token, "cheese", door="web") is Refusal.TOPIC
    assert (await readers.of()).topics == ("robots",)


@pytest.mark.parametrize("state", ["pending", "left"])
async def test_who_does_not_read_has_nothing_to_choose(readers: Readers, state: str) -> None:
    await readers.admit()
    await go(readers)
    if state == "pending":
        readers.world.clock.forward(days=2)  # type: ignore[attr-defined] # it is moved by hand
        await join.request(readers.world, address=ANNA, newsletter=CITY, door="web")
    before, token = await readers.of(), await readers.token()
    world = readers.world
    assert await prefer.save(world, token, Form(frequency="weekly"), door="web") is Refusal.GONE
    assert await prefer.less(world, token, "chips", door="web") is Refusal.GONE
    assert await prefer.pause(world, token, until=NOW + 9 * WEEK, door="web") is Refusal.GONE
    assert await readers.of() == before


async def test_a_link_for_something_else_chooses_nothing(readers: Readers) -> None:
    found = await readers.admit()
    signer = readers.world.signer
    for token in (
        signer.unsubscribe_token(found.ref),
        signer.confirm_token(found.ref, found.request_nonce),
        signer.preferences_token(bytes(12)),
        "x",
        "\0",
    ):
        with pytest.raises(LinkRefused):
            await prefer.save(readers.world, token, Form(frequency="weekly"), door="web")
        with pytest.raises(LinkRefused):
            await prefer.look(readers.world, token)
        with pytest.raises(LinkRefused):
            await prefer.leave_all(readers.world, token, door="web")
        with pytest.raises(LinkRefused):
            await come_back(readers, token)
    assert await readers.of() == found


# --------------------------------------------------------------- pausing


async def test_a_pause_is_stored_and_ended(readers: Readers) -> None:
    await readers.admit()
    world, token = readers.world, await readers.token()
    for _ in range(2):
        paused = await prefer.pause(world, token, until=NOW + WEEK, door="web")
        assert isinstance(paused, Subscription)
        assert paused.paused_until == NOW + WEEK
    for _ in range(2):
        await prefer.pause(world, token, until=None, door="web")
    assert (await readers.of()).paused_until is None
    record = await readers.record()
    assert [each.kind for each in record] == ["operator", "paused", "resumed"]
    assert record[1].detail == "until=2026-11-30T07:00Z"


async def test_nothing_comes_in_a_pause_and_what_comes_after_it_comes_by_itself(
    database_url: str, clock: Clock
) -> None:
    async with open_world(database_url, clock, CITY) as world:
        readers = Readers(world)
        await admit(world, "anna", "bert")
        ours, script = scripted(world)
        await prefer.pause(world, await readers.token(), until=NOW + WEEK, door="web")
        await publish(ours, "one")
        await deliver(ours, Scope())
        assert script.taken == ["bert"]
        clock.forward(days=7)
        await deliver(ours, Scope())
        assert script.taken == ["bert"]  # nothing comes afterwards
        await publish(ours, "two")
        await deliver(ours, Scope())
        assert sorted(script.taken) == ["anna", "bert", "bert"]
        assert [each.balanced for each in await balance.balance(world, None)] == [True, True]


async def test_a_pause_closes_what_was_queued_and_the_books_balance(
    database_url: str, clock: Clock
) -> None:
    async with open_world(database_url, clock, CITY) as world:
        readers = Readers(world)
        await admit(world, "anna", "bert")
        ours, script = scripted(world)
        await publish(ours, "one")
        await prefer.pause(world, await readers.token(), until=NOW + WEEK, door="web")
        await deliver(ours, Scope())
        assert script.taken == ["bert"]
        assert await states(world) == {"anna": "excluded", "bert": "sent"}
        (books,) = await balance.balance(world, None)
        assert books.balanced
        assert books.columns["excluded"] == 1


async def test_a_pause_between_the_claim_and_the_dot_holds(database_url: str, clock: Clock) -> None:
    async with open_world(database_url, clock, CITY) as world:
        readers = Readers(world)
        await admit(world, "anna")
        token = await readers.token()

        async def pause() -> None:
            await prefer.pause(world, token, until=NOW + WEEK, door="web")

        ours, script = scripted(world, {"anna": [pause]})
        await publish(ours, "one")
        await deliver(ours, Scope())
        assert script.taken == []
        assert await states(world) == {"anna": "excluded"}


# --------------------------------------------------------------- leaving, and coming back


async def test_one_leaves_everything_at_once(readers: Readers) -> None:
    await readers.admit()
    await readers.admit(newsletter=HARBOUR)
    await readers.admit("bert@example.org")
    left = await prefer.leave_all(readers.world, await readers.token(), door="web")
    assert [each.state for each in left] == [SubscriptionState.UNSUBSCRIBED] * 2
    assert await prefer.leave_all(readers.world, await readers.token(), door="web") == []
    assert await readers.kinds(newsletter=HARBOUR) == ["operator", "unsubscribed"]
    assert (await readers.of("bert@example.org")).state is SubscriptionState.ACTIVE


async def test_who_left_comes_back_as_he_was(readers: Readers) -> None:
    await readers.admit()
    token = await readers.token()
    await prefer.save(readers.world, token, Form(topics=("chips",), hour="9"), door="web")
    before = await readers.of()
    await go(readers)
    assert (await prefer.look(readers.world, token)).returning == {before.id}
    assert await come_back(readers, token) == before
    assert await come_back(readers, token) == before
    record = await readers.record()
    assert [each.kind for each in record][-2:] == ["unsubscribed", "returned"]
    assert record[-1].language == "en"
    assert record[-1].detail.startswith("You ask for it again. (frequency=daily topics=chips")
    assert is_unbroken(record)


async def test_who_left_comes_back_to_less(readers: Readers) -> None:
    await readers.admit()
    token = await readers.token()
    await go(readers, door="mail")
    back = await come_back(readers, token, "weekly", weeks=4)
    assert isinstance(back, Subscription)
    assert (back.state, back.frequency) == (SubscriptionState.ACTIVE, "weekly")
    assert back.paused_until == NOW + 4 * WEEK
    assert back.unsubscribed_at is None


async def test_a_return_that_cannot_be_changes_nothing(readers: Readers, clock: Clock) -> None:
    await readers.admit()
    token = await readers.token()
    await go(readers)
    gone = await readers.of()
    assert await come_back(readers, token, "never") is Refusal.FREQUENCY
    clock.forward(hours=24, seconds=1)
    assert await come_back(readers, token) is Refusal.GONE
    assert (await prefer.look(readers.world, token)).returning == frozenset()
    assert await readers.of() == gone


async def test_who_was_put_out_or_is_closed_to_us_does_not_come_back(readers: Readers) -> None:
    await readers.admit()
    token = await readers.token()
    await go(readers, door="cli")
    assert await come_back(readers, token) is Refusal.GONE
    await readers.admit("bert@example.org")
    token = await readers.token("bert@example.org")
    await prefer.leave_all(readers.world, token, door="web")
    known_as = readers.world.signer.suppression_hash("bert@example.org")
    async with readers.world.store.write() as connection:
        await suppressions.suppress(connection, known_as, reason="bounced", now=NOW)
    assert await come_back(readers, token) is Refusal.GONE


async def test_who_withdrew_a_request_does_not_come_back(readers: Readers) -> None:
    await join.request(readers.world, address=ANNA, newsletter=CITY, door="web")
    token = await readers.token()
    await go(readers)
    assert await come_back(readers, token) is Refusal.GONE


# --------------------------------------------------------------- twice at once


async def test_a_form_sent_twice_at_once_is_one_change(database_url: str, clock: Clock) -> None:
    async with (
        open_world(database_url, clock, CITY, HARBOUR) as one,
        open_world(database_url, clock, CITY, HARBOUR) as two,
    ):
        readers = Readers(one)
        await readers.admit()
        await readers.admit(newsletter=HARBOUR)
        token, form = await readers.token(), Form(frequency="weekly", topics=("chips",))
        worlds = (one, two) * 3
        await asyncio.gather(*(prefer.save(each, token, form, door="web") for each in worlds))
        assert await readers.kinds() == ["operator", "changed"]
        until = NOW + WEEK
        await asyncio.gather(
            *(prefer.pause(each, token, until=until, door="web") for each in worlds)
        )
        assert await readers.kinds() == ["operator", "changed", "paused"]
        await asyncio.gather(*(prefer.leave_all(each, token, door="web") for each in worlds))
        assert (await readers.kinds())[-2:] == ["paused", "unsubscribed"]
        assert (await readers.kinds(newsletter=HARBOUR))[-2:] == ["operator", "unsubscribed"]
        backs = [come_back(Readers(each), token) for each in worlds]
        await asyncio.gather(*backs)
        assert (await readers.kinds())[-2:] == ["unsubscribed", "returned"]
        assert await ledger(one) == []
