"""Consent: asked for, given, withdrawn; each step once, and written down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from jobs_world import NOW, STADTBLATT, Clock, admit, ledger, open_world, scripted, sqlite
from sqlalchemy import delete, select, update

from digest.errors import AddressRefused, LinkRefused, UsageError
from digest.jobs import choose, join, leave
from digest.jobs.join import Asked
from digest.jobs.send import deliver
from digest.jobs.world import World
from digest.model.subscriber import Subscription, SubscriptionState, is_unbroken
from digest.store import consents, subscribers, suppressions
from digest.store.queue import Scope
from digest.store.tables import consent_events, deliveries, subscriptions
from digest.store.tables import subscribers as people
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
    first = await leave.leave(world, token, door="mail")
    clock.forward(hours=1)
    second = await leave.leave(world, token, door="mail")
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


async def erase(world: World) -> None:
    """As a request is erased that nobody confirmed in seven days."""
    async with world.store.write() as connection:
        for table in (deliveries, consent_events, subscriptions, people):
            await connection.execute(delete(table))


async def test_three_in_all_outlive_the_request_that_is_erased_after_a_week(
    world: World, clock: Clock
) -> None:
    answers = []
    for _ in range(5):
        answers.append(await ask(world))
        await erase(world)
        clock.forward(days=8)
    assert answers == [Asked.ASKED] * 3 + [Asked.WAITING] * 2
    # and whoever is not written to leaves nothing behind
    async with world.store.read() as connection:
        assert await subscribers.by_address(connection, address_key(ANNA)) == []


async def test_a_confirmation_begins_the_count_anew(world: World, clock: Clock) -> None:
    for _ in range(3):
        assert await ask(world) is Asked.ASKED
        clock.forward(days=2)
    await choose.confirm(world, await confirm_token(world), door="web")
    await leave.leave(world, await leave_token(world), door="web")
    assert await ask(world) is Asked.ASKED
    assert await ask(world) is Asked.WAITING


async def test_so_does_the_operators_word(world: World) -> None:
    assert await ask(world) is Asked.ASKED
    await admit(world, "anna")
    await leave.leave(world, await leave_token(world), door="web")
    assert await ask(world) is Asked.ASKED


MANY = tuple(replace(STADTBLATT, slug=f"blatt{n}") for n in range(6))


async def test_an_address_gets_three_confirm_mails_a_day_whatever_it_is_about(
    database_url: str, clock: Clock
) -> None:
    async with open_world(database_url, clock, *MANY) as world:

        async def ask_all() -> list[Asked]:
            asking = (
                join.request(world, address=ANNA, newsletter=each, door="web") for each in MANY
            )
            return sorted(await asyncio.gather(*asking))  # all at once

        assert await ask_all() == [Asked.ASKED] * 3 + [Asked.WAITING] * 3
        clock.forward(hours=23)
        assert await ask_all() == [Asked.WAITING] * 6
        clock.forward(hours=1)
        assert await ask_all() == [Asked.ASKED] * 3 + [Asked.WAITING] * 3
        assert await confirm_mails(world) == 6


async def test_a_request_and_a_confirmation_at_once_take_nothing_away(
    database_url: str, clock: Clock
) -> None:
    async with open_world(database_url, clock) as one, open_world(database_url, clock) as two:
        await ask(one)
        token = await confirm_token(one)
        clock.forward(hours=25)
        doors = [choose.confirm(one, token, door="web"), ask(two), ask(one)]
        answers = await asyncio.gather(*doors, return_exceptions=True)
        assert (await known(one)).state == "active" or isinstance(answers[0], LinkRefused)
        assert (await record(one)).count("requested") == 1 + answers.count(Asked.ASKED)


@pytest.mark.parametrize("kept", [True, False])
async def test_the_record_holds_what_was_shown_and_the_network_if_it_is_wanted(
    tmp_path: Path, clock: Clock, *, kept: bool
) -> None:
    shown = {"detail": "These words.", "shown_in": "en", "network": "192.0.2.0/24"}
    async with open_world(sqlite(tmp_path), clock, consent_network=kept) as world:
        await ask(world, **shown)
        await choose.confirm(world, await confirm_token(world), door="web", **shown)
        async with world.store.read() as connection:
            events = await consents.consent_record(connection, (await known(world)).id)
    assert [each.kind for each in events] == ["requested", "confirmed"]
    network = "192.0.2.0/24" if kept else None
    assert {(each.detail, each.language, each.network) for each in events} == {
        ("These words.", "en", network)
    }
    assert is_unbroken(events)
    assert all(each.hash for each in events)


async def test_what_a_new_address_replaces_is_noted_with_its_request(world: World) -> None:
    await ask(world)
    old = await known(world)
    await ask(world, "neu@example.org", replaces=old.id)  # type: ignore[arg-type] # not a text
    assert (await known(world, "neu@example.org")).replaces == old.id


async def test_whoever_was_a_reader_and_left_may_come_back(world: World, clock: Clock) -> None:
    for _ in range(4):
        assert await ask(world) is Asked.ASKED
        clock.forward(minutes=1)
        await choose.confirm(world, await confirm_token(world), door="web")
        clock.forward(minutes=1)
        await leave.leave(world, await leave_token(world), door="web")
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
    await leave.leave(world, await leave_token(world), door="mail")
    with pytest.raises(LinkRefused):
        await choose.confirm(world, token, door="web")
    assert (await known(world)).state == "unsubscribed"


async def test_a_link_is_good_for_its_own_purpose_alone(world: World) -> None:
    await ask(world)
    with pytest.raises(LinkRefused):
        await leave.leave(world, await confirm_token(world), door="web")
    with pytest.raises(LinkRefused):
        await choose.confirm(world, await leave_token(world), door="web")
    stranger = world.signer.unsubscribe_token(b"nobody......")
    with pytest.raises(LinkRefused):
        await leave.leave(world, stranger, door="web")
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


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("anna+news@example.org", "anna@example.org"),
        ("anna+1@example.org", "anna+2@example.org"),
        ("an.na@gmail.com", "a.nna+x@gmail.com"),
    ],
)
async def test_one_mailbox_under_several_names_is_bothered_once(
    world: World, one: str, other: str
) -> None:
    assert await ask(world, one) is Asked.ASKED
    assert await ask(world, other) is Asked.WAITING
    await choose.confirm(world, await confirm_token(world, one), door="web")
    assert await ask(world, other) is Asked.ASKED


async def test_a_confirm_mail_that_still_waits_makes_way_for_a_newer_one(
    world: World, clock: Clock
) -> None:
    """The relay was away for a day: its return must not bring two of them."""
    await ask(world)
    clock.forward(hours=25)
    await ask(world)
    async with world.store.read() as connection:
        rows = await connection.execute(select(deliveries.c.state).order_by(deliveries.c.id))
        assert list(rows.scalars()) == ["excluded", "queued"]


async def test_never_again_holds_for_all_that_was_asked_for_one_address(world: World) -> None:
    other = replace(world.newsletters[0], slug="harbour")
    both = replace(world, newsletters=(*world.newsletters, other))
    await ask(world)
    await join.request(both, address=ANNA, newsletter=other, door="web")
    async with world.store.read() as connection:
        found = await subscribers.by_address(connection, ANNA)
    links = [world.signer.confirm_token(each.ref, each.request_nonce) for each in found]
    away = world.signer.unsubscribe_token(found[0].ref)
    await leave.hear(both, away, door="web", never=True)
    for link in links:
        with pytest.raises(LinkRefused):
            await choose.confirm(both, link, door="web")
    async with world.store.read() as connection:
        states = {each.state for each in await subscribers.by_address(connection, ANNA)}
    assert states == {SubscriptionState.UNSUBSCRIBED}


async def test_an_address_that_was_closed_meanwhile_does_not_confirm(world: World) -> None:
    await ask(world)
    link = await confirm_token(world)
    async with world.store.write() as connection:
        known_as = world.signer.suppression_hash(ANNA)
        await suppressions.suppress(connection, known_as, reason="complained", now=NOW)
    with pytest.raises(LinkRefused):
        await choose.confirm(world, link, door="web")
    assert (await known(world)).state is SubscriptionState.PENDING


async def test_the_operator_ends_one_subscription_or_all(world: World) -> None:
    await admit(world, "anna")
    left = await leave.leave_address(world, ANNA, newsletter=None, door="cli")
    assert [each.state for each in left] == ["unsubscribed"]
    assert await leave.leave_address(world, "x@example.org", newsletter=None, door="cli") == []


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
        await asyncio.gather(*(leave.leave(each, token, door="mail") for each in (one, two) * 3))
        assert await record(one) == ["requested", "confirmed", "unsubscribed"]
