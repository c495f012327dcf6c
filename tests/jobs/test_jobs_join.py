"""Consent: asked for, given, withdrawn; each step once, and written down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from jobs_world import NOW, STADTBLATT, Clock, admit, ledger, open_world, scripted, sqlite
from sqlalchemy import update

from digest.errors import AddressRefused, LinkRefused, UsageError
from digest.jobs import choose, join
from digest.jobs.join import Asked
from digest.jobs.send import deliver
from digest.jobs.world import World
from digest.model.subscriber import Subscription, SubscriptionState
from digest.store import consents, subscribers, suppressions
from digest.store.queue import Scope
from digest.store.tables import subscriptions
from digest.subscribers.address import address_key

HOUR = timedelta(hours=1)
ANNA = "anna@example.org"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def world(tmp_path: Path, clock: Clock) -> AsyncIterator[World]:
    async with open_world(sqlite(tmp_path), clock) as one:
        yield one


async def ask(world: World, address: str = ANNA, **more: str) -> Asked:
    return await join.request(world, address=address, newsletter=STADTBLATT, door="web", **more)  # type: ignore[arg-type] # texts only


async def known(world: World, address: str = ANNA) -> Subscription:
    async with world.store.read() as connection:
        (found,) = await subscribers.by_address(connection, address_key(address))
    return found


async def record(world: World, address: str = ANNA) -> list[str]:
    found = await known(world, address)
    async with world.store.read() as connection:
        return [each.kind for each in await consents.consent_record(connection, found.id)]


async def confirm_token(world: World, address: str = ANNA) -> str:
    found = await known(world, address)
    return world.signer.confirm_token(found.ref, found.request_nonce)


async def leave_token(world: World, address: str = ANNA) -> str:
    return world.signer.unsubscribe_token((await known(world, address)).ref)


async def confirm_mails(world: World) -> int:
    return [row.notice for row in await ledger(world)].count("confirm")


async def test_a_request_is_pending_and_brings_one_confirm_mail(world: World) -> None:
    assert await ask(world) is Asked.ASKED
    found = await known(world)
    assert (found.state, found.frequency, found.requested_at) == ("pending", "daily", NOW)
    assert await record(world) == ["requested"]
    ours, script = scripted(world)
    await deliver(ours, Scope())
    assert script.taken == ["anna"]


async def test_confirming_makes_active_once(world: World, clock: Clock) -> None:
    await ask(world)
    token = await confirm_token(world)
    clock.forward(hours=1)
    first = await choose.confirm(world, token, door="web")
    clock.forward(hours=1)
    second = await choose.confirm(world, token, door="web")
    assert first == second
    assert (first.state, first.confirmed_at) == (SubscriptionState.ACTIVE, clock.at - 1 * HOUR)
    assert await record(world) == ["requested", "confirmed"]
    assert await ask(world) is Asked.ACTIVE
    assert await confirm_mails(world) == 1


async def test_looking_at_a_link_changes_nothing(world: World) -> None:
    await ask(world)
    before = await known(world)
    found = await choose.look(world, "confirm", await confirm_token(world))
    left = await choose.look(world, "unsubscribe", await leave_token(world))
    assert before == found == left == await known(world)
    assert await record(world) == ["requested"]


async def test_leaving_takes_effect_at_once_and_once(world: World, clock: Clock) -> None:
    await admit(world, "anna")
    token = await leave_token(world)
    first = await choose.leave(world, token, door="mail")
    clock.forward(hours=1)
    second = await choose.leave(world, token, door="mail")
    assert first == second
    assert (first.state, first.unsubscribed_at) == (SubscriptionState.UNSUBSCRIBED, NOW)
    assert await record(world) == ["operator", "unsubscribed"]


async def test_one_confirm_mail_in_a_day_and_three_in_all(world: World, clock: Clock) -> None:
    answers = []
    for _ in range(10):
        answers.append(await ask(world))
        clock.forward(hours=12)
    asked, waiting = Asked.ASKED, Asked.WAITING
    assert answers == [asked, waiting] * 3 + [waiting] * 4
    clock.forward(days=365)
    assert await ask(world) is waiting
    assert await confirm_mails(world) == 3
    assert await record(world) == ["requested"] * 3


async def test_whoever_was_a_reader_and_left_may_come_back(world: World, clock: Clock) -> None:
    for _ in range(4):
        assert await ask(world) is Asked.ASKED
        clock.forward(minutes=1)
        await choose.confirm(world, await confirm_token(world), door="web")
        clock.forward(minutes=1)
        await choose.leave(world, await leave_token(world), door="web")
        clock.forward(minutes=1)


async def test_a_new_request_makes_the_old_link_void(world: World, clock: Clock) -> None:
    await ask(world)
    old = await confirm_token(world)
    clock.forward(hours=25)
    await ask(world)
    with pytest.raises(LinkRefused):
        await choose.confirm(world, old, door="web")
    with pytest.raises(LinkRefused):
        await choose.look(world, "confirm", old)
    assert (await known(world)).state == "pending"
    await choose.confirm(world, await confirm_token(world), door="web")
    assert (await known(world)).state == "active"


async def test_a_request_that_nobody_confirmed_in_seven_days_is_void(
    world: World, clock: Clock
) -> None:
    await ask(world)
    token = await confirm_token(world)
    clock.forward(days=7, seconds=1)
    with pytest.raises(LinkRefused):
        await choose.confirm(world, token, door="web")
    assert (await known(world)).state == "pending"
    clock.forward(seconds=-1)
    assert (await choose.confirm(world, token, door="web")).state == "active"


async def test_a_link_of_before_does_not_bring_back_whoever_left(world: World) -> None:
    await ask(world)
    token = await confirm_token(world)
    await choose.leave(world, await leave_token(world), door="mail")
    with pytest.raises(LinkRefused):
        await choose.confirm(world, token, door="web")
    assert (await known(world)).state == "unsubscribed"


async def test_a_link_is_good_for_its_own_purpose_alone(world: World) -> None:
    await ask(world)
    with pytest.raises(LinkRefused):
        await choose.leave(world, await confirm_token(world), door="web")
    with pytest.raises(LinkRefused):
        await choose.confirm(world, await leave_token(world), door="web")
    stranger = world.signer.unsubscribe_token(b"nobody......")
    with pytest.raises(LinkRefused):
        await choose.leave(world, stranger, door="web")
    assert (await known(world)).state == "pending"


async def test_a_suppressed_address_gets_no_mail_and_no_row(world: World) -> None:
    known_as = world.signer.suppression_hash(address_key(ANNA))
    async with world.store.write() as connection:
        await suppressions.suppress(connection, known_as, reason="asked", now=NOW)
    assert await ask(world) is Asked.SUPPRESSED
    with pytest.raises(AddressRefused, match="closed to us"):
        await admit(world, "anna")
    async with world.store.read() as connection:
        assert await subscribers.by_address(connection, address_key(ANNA)) == []
    assert await ledger(world) == []


async def test_admitting_makes_active_and_notes_the_proof_once(world: World) -> None:
    await admit(world, "anna")
    await admit(world, "anna")
    assert (await known(world)).state == "active"
    assert await record(world) == ["operator"]
    assert await ledger(world) == []


async def test_admitting_somebody_who_was_asked_ends_the_asking(world: World) -> None:
    await ask(world)
    token = await confirm_token(world)
    await admit(world, "anna", frequency="weekly")
    assert (await known(world)).frequency == "weekly"
    ours, script = scripted(world)
    await deliver(ours, Scope())
    assert script.taken == []
    with pytest.raises(LinkRefused):
        await choose.confirm(world, token, door="web")


async def test_an_active_reader_may_be_admitted_to_another_rhythm(world: World) -> None:
    await admit(world, "anna")
    await admit(world, "anna", frequency="weekly")
    assert (await known(world)).frequency == "weekly"
    await admit(world, "anna")
    assert (await known(world)).frequency == "weekly"


async def test_a_choice_is_noted_and_one_that_we_do_not_offer_is_refused(world: World) -> None:
    await admit(world, "anna")
    token = world.signer.preferences_token((await known(world)).ref)
    await choose.change(world, token, frequency="weekly", language="en", door="web")
    found = await known(world)
    assert (found.frequency, found.subscriber.language) == ("weekly", "en")
    with pytest.raises(UsageError, match="hourly"):
        await choose.change(world, token, frequency="hourly", language=None, door="web")
    assert await record(world) == ["operator", "changed"]


@pytest.mark.parametrize("address", ["", "anna", "anna@", "a b@example.org", "a@b@example.org"])
async def test_what_is_no_address_is_refused(world: World, address: str) -> None:
    with pytest.raises(AddressRefused):
        await ask(world, address)


async def test_an_unknown_rhythm_is_refused(world: World) -> None:
    with pytest.raises(UsageError, match="daily, weekly"):
        await ask(world, frequency="hourly")


async def test_one_person_in_two_spellings_is_one(world: World) -> None:
    assert await ask(world, "Anna@EXAMPLE.org") is Asked.ASKED
    assert await ask(world, "anna@example.org") is Asked.WAITING


async def test_the_operator_ends_one_subscription_or_all(world: World) -> None:
    await admit(world, "anna")
    left = await choose.leave_address(world, ANNA, newsletter=None, door="cli")
    assert [each.state for each in left] == ["unsubscribed"]
    assert await choose.leave_address(world, "x@example.org", newsletter=None, door="cli") == []


# --------------------------------------------------------------- two doors at once


async def test_a_form_sent_twice_at_once_is_one_request(database_url: str, clock: Clock) -> None:
    async with open_world(database_url, clock) as one, open_world(database_url, clock) as two:
        answers = await asyncio.gather(*(ask(each) for each in (one, two) * 3))
        assert sorted(answers) == [Asked.ASKED] + [Asked.WAITING] * 5
        assert await confirm_mails(one) == 1


async def test_a_person_that_we_know_sends_the_form_twice_at_once(
    database_url: str, clock: Clock
) -> None:
    """Known from another newsletter: there is a person, and no subscription yet."""
    async with open_world(database_url, clock) as one, open_world(database_url, clock) as two:
        await admit(one, "anna")
        async with one.store.write() as connection:
            await connection.execute(update(subscriptions).values(newsletter="another"))
        answers = await asyncio.gather(*(ask(each) for each in (one, two) * 3))
        assert sorted(answers) == [Asked.ASKED] + [Asked.WAITING] * 5
        assert await confirm_mails(one) == 1


async def test_a_button_pressed_twice_at_once_is_noted_once(
    database_url: str, clock: Clock
) -> None:
    async with open_world(database_url, clock) as one, open_world(database_url, clock) as two:
        await ask(one)
        token = await confirm_token(one)
        await asyncio.gather(*(choose.confirm(each, token, door="web") for each in (one, two) * 3))
        token = await leave_token(one)
        await asyncio.gather(*(choose.leave(each, token, door="mail") for each in (one, two) * 3))
        assert await record(one) == ["requested", "confirmed", "unsubscribed"]
