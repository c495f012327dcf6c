"""Following an article: asked for, confirmed by mail, told in time and once, and stopped."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from following import (
    AGAIN,
    AGAIN_TEXT,
    LIKE,
    LIKE_TEXT,
    OTHER,
    OTHER_TEXT,
    SEED,
    Mailbox,
    article,
    ask,
    count_follows,
    follow_it,
    found,
    mine,
    say_yes,
    send_all,
    start,
    stop_token,
)
from jobs_world import DAILY, STADTBLATT, Clock, admit, bring, ledger, open_world, scripted

from digest.errors import LinkRefused
from digest.jobs import choose, follow, forget, join, leave, move, prefer, similar, unfollow
from digest.jobs.join import Asked
from digest.jobs.publish import publish_now
from digest.jobs.send import deliver
from digest.jobs.world import World
from digest.jobs.write_following import confirm_path
from digest.model.follow import FOLLOWS_ONLY, FollowMode, FollowState
from digest.model.newsletter import FeedSource
from digest.model.subscriber import Subscription, SubscriptionState
from digest.store import findings, follows, subscribers, suppressions
from digest.store import similar as telling
from digest.store.queue import Scope
from digest.subscribers.address import address_key

#: what no database does in a way of its own
ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
async def world(database_url: str, clock: Clock, mailbox: Mailbox) -> AsyncIterator[World]:
    async with open_world(database_url, clock) as opened:
        yield replace(opened, transport=mailbox)


async def reader(world: World, name: str) -> Subscription:
    async with world.store.read() as connection:
        (one,) = await subscribers.by_address(connection, f"{name}@example.org")
    return one


async def kinds(world: World, name: str) -> list[tuple[str | None, str]]:
    return [(row.notice, row.state.value) for row in await ledger(world) if row.name == name]


async def news(world: World, clock: Clock) -> None:
    """A minute later, one article that resembles what is followed and one that does not."""
    clock.forward(minutes=1)
    await bring(world, LIKE, excerpt=LIKE_TEXT)
    await bring(world, OTHER, excerpt=OTHER_TEXT)


# --------------------------------------------------------------- asking


async def test_a_stranger_is_asked_by_one_mail_and_gets_only_what_he_follows(
    world: World, clock: Clock, mailbox: Mailbox
) -> None:
    await start(world)
    assert await ask(world, "anna") is Asked.ASKED
    assert (await reader(world, "anna")).state is SubscriptionState.PENDING
    await send_all(world)
    (asked,) = mailbox.to("anna")
    assert b"/follow/confirm/" in asked.data
    await news(world, clock)
    await similar.tell_similar(world)
    assert await found(world) == []  # nothing is looked for before he confirmed
    await say_yes(world, "anna")
    one = await reader(world, "anna")
    assert (one.state, one.frequency) == (SubscriptionState.ACTIVE, FOLLOWS_ONLY)
    await publish_now(world, STADTBLATT, DAILY)
    clock.forward(minutes=1)
    await bring(world, AGAIN, excerpt=AGAIN_TEXT)
    assert await similar.tell_similar(world) == 1
    await send_all(world)
    assert await kinds(world, "anna") == [("follow", "sent"), ("similar", "sent")]
    told = mailbox.to("anna")[-1].data
    assert b"/follow/stop/" in told
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in told
    assert await similar.tell_similar(world) == 0


@ONE
async def test_a_reader_confirms_too_and_goes_on_reading(world: World, clock: Clock) -> None:
    await start(world, "ben")
    await ask(world, "ben")
    await send_all(world)
    await news(world, clock)
    assert await similar.tell_similar(world) == 0
    await say_yes(world, "ben")
    one = await reader(world, "ben")
    assert (one.state, one.frequency) == (SubscriptionState.ACTIVE, "daily")
    assert await ask(world, "ben") is Asked.ACTIVE


@ONE
async def test_who_is_closed_to_us_is_not_asked(world: World) -> None:
    await start(world)
    async with world.store.write() as connection:
        known_as = world.signer.suppression_hash(address_key("carl@example.org"))
        await suppressions.suppress(connection, known_as, reason="complaint", now=world.clock())
    assert await ask(world, "carl") is Asked.SUPPRESSED
    assert await ledger(world) == []


@ONE
async def test_one_article_is_asked_about_once_a_day_and_an_address_three_times(
    world: World, clock: Clock
) -> None:
    await start(world)
    await bring(world, "A", "B", "C")
    assert [await ask(world, "dora") for _ in range(2)] == [Asked.ASKED, Asked.WAITING]
    more = [await ask(world, "dora", title=each) for each in "ABC"]
    assert more == [Asked.ASKED, Asked.ASKED, Asked.WAITING]
    clock.forward(hours=25)
    assert await ask(world, "dora") is Asked.ASKED


@ONE
async def test_a_link_serves_one_purpose_and_the_newest_request(world: World, clock: Clock) -> None:
    await start(world)
    await ask(world, "emil")
    (first,) = await mine(world, "emil")
    old = confirm_path(world, first).rpartition("/")[2]
    clock.forward(hours=25)
    await ask(world, "emil")
    for token in (old, world.signer.stop_token(first.ref), old[:-1] + "A", ""):
        with pytest.raises(LinkRefused):
            await follow.confirm(world, token, door="web")
    with pytest.raises(LinkRefused):
        await unfollow.stop(world, old, door="web")
    clock.forward(days=7, minutes=1)
    with pytest.raises(LinkRefused):
        await say_yes(world, "emil")


async def test_what_nobody_confirms_is_forgotten_after_seven_days(
    world: World, clock: Clock
) -> None:
    await start(world, "ben")
    await ask(world, "ben")
    await ask(world, "fritz")
    await send_all(world)
    clock.forward(days=7, minutes=1)
    await forget.forget_pending(world)
    assert await count_follows(world) == 0
    async with world.store.read() as connection:
        assert await subscribers.by_address(connection, "fritz@example.org") == []
    assert (await reader(world, "ben")).state is SubscriptionState.ACTIVE


@ONE
async def test_a_second_press_of_the_button_changes_nothing(world: World) -> None:
    await start(world)
    await follow_it(world, "gerd")
    before = await mine(world, "gerd")
    await say_yes(world, "gerd")
    assert await mine(world, "gerd") == before


@ONE
async def test_a_follow_confirms_the_newsletter_that_was_asked_for_as_well(world: World) -> None:
    await start(world)
    await join.request(
        world, address="hanna@example.org", newsletter=STADTBLATT, frequency="weekly", door="web"
    )
    asked = await reader(world, "hanna")
    await ask(world, "hanna")
    assert (await reader(world, "hanna")).request_nonce == asked.request_nonce
    await say_yes(world, "hanna")
    one = await reader(world, "hanna")
    assert (one.state, one.frequency) == (SubscriptionState.ACTIVE, "weekly")


@ONE
async def test_who_only_follows_can_ask_for_the_newsletter_as_well(
    world: World, clock: Clock
) -> None:
    await start(world)
    await follow_it(world, "ida")
    asked = await join.request(
        world, address="ida@example.org", newsletter=STADTBLATT, door="web", frequency="daily"
    )
    assert asked is Asked.ASKED
    one = await reader(world, "ida")
    assert (one.state, one.frequency) == (SubscriptionState.ACTIVE, FOLLOWS_ONLY)
    await send_all(world)
    assert ("confirm", "sent") in await kinds(world, "ida")
    token = world.signer.confirm_token(one.ref, one.request_nonce)
    await choose.confirm(world, token, door="web")
    assert (await reader(world, "ida")).frequency == "daily"
    await news(world, clock)
    assert await similar.tell_similar(world) == 1  # and goes on following


# --------------------------------------------------------------- finding


@ONE
async def test_only_what_resembles_is_found_and_never_the_article_itself(
    world: World, clock: Clock
) -> None:
    await start(world)
    await follow_it(world, "anna", "ben")
    await news(world, clock)
    await similar.match_new(world)
    like = await article(world, LIKE)
    assert {each[1] for each in await found(world)} == {like}
    assert len(await found(world)) == 2


@ONE
async def test_what_was_there_before_he_confirmed_is_not_told(world: World, clock: Clock) -> None:
    await start(world)
    await ask(world, "anna")
    await news(world, clock)
    clock.forward(minutes=1)
    await say_yes(world, "anna")
    await similar.match_new(world)
    assert await found(world) == []


@ONE
async def test_an_article_is_compared_once_and_only_for_newsletters_that_take_its_feed(
    database_url: str, clock: Clock
) -> None:
    other = replace(STADTBLATT, slug="anderes", feeds=(FeedSource(url="https://x.example/f"),))
    async with open_world(database_url, clock, STADTBLATT, other) as world:
        await start(world)
        await follow_it(world, "anna")
        await bring(world, AGAIN, excerpt=AGAIN_TEXT, feed="https://x.example/f")
        clock.forward(minutes=1)
        await bring(world, LIKE, excerpt=LIKE_TEXT, feed="https://x.example/f")
        assert await similar.match_new(world) == 3
        assert await found(world) == []
        assert await similar.match_new(world) == 0


@ONE
async def test_a_newsletter_that_offers_no_following_finds_and_tells_nothing(
    world: World, clock: Clock
) -> None:
    await start(world)
    await follow_it(world, "anna")
    await news(world, clock)
    closed = replace(world, newsletters=(replace(STADTBLATT, follow=False),))
    assert await similar.tell_similar(closed) == 0
    assert await found(world) == []
    async with world.store.read() as connection:
        none = await follow.find_article(connection, closed.newsletters[0], str(1))
    assert none is None


async def test_one_event_is_told_once(world: World, clock: Clock) -> None:
    await start(world)
    await follow_it(world, "anna")
    clock.forward(minutes=1)
    await bring(world, LIKE, excerpt=LIKE_TEXT)
    await bring(world, f"{LIKE} jetzt", excerpt=LIKE_TEXT)
    await similar.match_new(world)
    assert len(await found(world)) == 1


# --------------------------------------------------------------- telling


async def test_what_is_open_comes_in_one_mail_and_not_more_than_one_in_ten_minutes(
    world: World, clock: Clock, mailbox: Mailbox
) -> None:
    await start(world)
    await follow_it(world, "anna")
    await news(world, clock)
    await bring(world, AGAIN, excerpt=AGAIN_TEXT)
    assert await similar.tell_similar(world) == 1
    clock.forward(minutes=2)
    await bring(world, "Kaltwerk Orka Greifarm: Preis steht fest", excerpt="Kaltwerk Orka kostet.")
    assert await similar.tell_similar(world) == 0
    clock.forward(minutes=9)
    assert await similar.tell_similar(world) == 1
    await send_all(world)
    told = [each for each in mailbox.to("anna") if b"/follow/stop/" in each.data]
    assert len(told) == 2
    assert all(each[2] for each in await found(world))


async def test_who_chose_his_edition_gets_it_there_and_a_mail_only_after_36_hours(
    world: World, clock: Clock
) -> None:
    await start(world, "ben")
    await follow_it(world, "ben", mode=FollowMode.DIGEST)
    await news(world, clock)
    assert await similar.tell_similar(world) == 0
    one = await reader(world, "ben")
    async with world.store.read() as connection:
        waits = await telling.waiting(connection, STADTBLATT.slug)
        assert waits == await telling.waiting(connection, STADTBLATT.slug, [one.id])
        assert await telling.waiting(connection, STADTBLATT.slug, [one.id + 1]) == {}
    (finding,) = waits[one.id]
    assert (finding.title, finding.article_id) == (SEED, await article(world, LIKE))
    clock.forward(hours=36, minutes=1)
    assert await similar.tell_similar(world) == 1
    assert await similar.tell_similar(world) == 0


async def test_what_an_edition_took_or_told_anyway_is_told_by_nothing_else(
    world: World, clock: Clock
) -> None:
    await start(world, "ben", "cora")
    await follow_it(world, "ben", "cora", mode=FollowMode.DIGEST)
    await news(world, clock)
    await similar.match_new(world)
    made = await publish_now(world, STADTBLATT, DAILY)
    assert made is not None
    async with world.store.write() as connection:
        assert await telling.waiting(connection, STADTBLATT.slug) == {}
        assert await telling.settle(connection, STADTBLATT.slug, now=clock()) == 0
    clock.forward(hours=37)
    assert await similar.tell_similar(world) == 0


@ONE
async def test_what_an_edition_told_before_it_was_compared_is_not_found(
    world: World, clock: Clock
) -> None:
    await start(world, "ben")
    await follow_it(world, "ben")
    await news(world, clock)
    await publish_now(world, STADTBLATT, DAILY)
    assert await similar.tell_similar(world) == 0


async def test_a_pause_and_a_withdrawn_article_are_respected(
    world: World, clock: Clock, mailbox: Mailbox
) -> None:
    await start(world, "ben")
    await follow_it(world, "ben")
    one = await reader(world, "ben")
    token = world.signer.preferences_token(one.ref)
    await prefer.pause(world, token, until=clock() + timedelta(days=3), door="web")
    await news(world, clock)
    assert await similar.tell_similar(world) == 0
    await prefer.pause(world, token, until=None, door="web")
    clock.forward(minutes=1)
    await bring(world, AGAIN, excerpt=AGAIN_TEXT)
    assert await similar.tell_similar(world) == 1
    from digest.store import articles  # noqa: PLC0415

    async with world.store.write() as connection:
        await articles.withdraw(connection, [await article(world, AGAIN)], clock())
    await send_all(world)
    assert not any(b"/follow/stop/" in each.data for each in mailbox.to("ben"))


# --------------------------------------------------------------- stopping, at every moment


@ONE
async def test_who_stopped_between_queue_and_send_is_not_written_to(
    world: World, clock: Clock
) -> None:
    await start(world, "ben")
    await follow_it(world, "ben")
    await news(world, clock)
    assert await similar.tell_similar(world) == 1
    await unfollow.stop(world, await stop_token(world, "ben"), door="web")
    await send_all(world)
    assert ("similar", "excluded") in await kinds(world, "ben")
    assert (await reader(world, "ben")).state is SubscriptionState.ACTIVE


@pytest.mark.parametrize("how", ["stop", "leave"])
async def test_who_stops_just_before_the_fence_is_not_written_to(
    world: World, clock: Clock, how: str
) -> None:
    await start(world, "ben")
    await follow_it(world, "ben")
    await news(world, clock)
    await similar.tell_similar(world)
    one, token = await reader(world, "ben"), await stop_token(world, "ben")

    async def go() -> None:
        if how == "stop":
            await unfollow.stop(world, token, door="web")
        else:
            await leave.leave(world, world.signer.unsubscribe_token(one.ref), door="mail")

    hurried, script = scripted(world, {"ben": [go]})
    await deliver(hurried, Scope())
    assert script.taken == []
    assert ("similar", "excluded") in await kinds(world, "ben")


async def test_a_mail_of_two_follows_is_written_anew_without_the_one_that_was_stopped(
    world: World, clock: Clock
) -> None:
    await start(world, "ben")
    await bring(world, OTHER, excerpt=OTHER_TEXT)
    await follow_it(world, "ben")
    await follow_it(world, "ben", title=OTHER)
    token = await stop_token(world, "ben")
    clock.forward(minutes=1)
    await bring(world, LIKE, excerpt=LIKE_TEXT)
    await bring(world, "Schwimmbäder: Bundestag senkt Gebühren", excerpt=OTHER_TEXT)
    assert await similar.tell_similar(world) == 1

    async def go() -> None:
        await unfollow.stop(world, token, door="web")

    hurried, script = scripted(world, {"ben": [go]})
    await deliver(hurried, Scope())
    assert len(script.taken) == 1  # the second attempt, without what was stopped
    async with world.store.read() as connection:
        (row,) = [each for each in await ledger(world) if each.notice == "similar"]
        told = await findings.told_by(connection, row.id)
    assert [each.title for each in told] == [LIKE]


@ONE
async def test_the_last_follow_ends_a_subscription_to_nothing_else(world: World) -> None:
    await start(world)
    await follow_it(world, "anna")
    await unfollow.stop(world, await stop_token(world, "anna"), door="web")
    assert (await reader(world, "anna")).state is SubscriptionState.UNSUBSCRIBED
    again = await unfollow.stop(world, await stop_token(world, "anna"), door="web")
    assert again.follow.state is FollowState.ENDED


@ONE
async def test_who_left_and_came_anew_follows_nothing(world: World, clock: Clock) -> None:
    await start(world, "ben")
    await follow_it(world, "ben")
    one = await reader(world, "ben")
    await leave.leave(world, world.signer.unsubscribe_token(one.ref), door="mail")
    clock.forward(minutes=1)
    await admit(world, "ben")
    await news(world, clock)
    assert await similar.tell_similar(world) == 0


# --------------------------------------------------------------- moving, export, erasing


async def test_a_change_of_address_keeps_what_is_followed_and_what_waits(
    world: World, clock: Clock, mailbox: Mailbox
) -> None:
    await start(world, "ben")
    await follow_it(world, "ben")
    await news(world, clock)
    assert await similar.tell_similar(world) == 1  # queued for the old address
    one = await reader(world, "ben")
    clock.forward(minutes=1)
    await move.ask(
        world,
        world.signer.preferences_token(one.ref),
        address="neu@example.org",
        words="",
        language="de",
        door="web",
    )
    new = await reader(world, "neu")
    clock.forward(minutes=1)
    await choose.confirm(world, world.signer.confirm_token(new.ref, new.request_nonce), door="web")
    assert [each.title for each in await mine(world, "neu")] == [SEED]
    assert await mine(world, "ben") == []
    clock.forward(minutes=10)
    assert await similar.tell_similar(world) == 1
    await send_all(world)
    assert [each for each in mailbox.to("ben") if b"/follow/stop/" in each.data] == []
    assert len([each for each in mailbox.to("neu") if b"/follow/stop/" in each.data]) == 1


async def test_export_tells_it_and_erasing_forgets_it(world: World, clock: Clock) -> None:
    await start(world, "ben")
    await follow_it(world, "ben")
    await news(world, clock)
    await similar.tell_similar(world)
    one = await reader(world, "ben")
    held = await forget.export_person(world, subscriber_id=one.subscriber.id)
    document = json.loads(json.dumps(held))
    (about,) = document["subscriptions"]
    (followed,) = about["follows"]
    assert (followed["title"], followed["mode"], followed["state"]) == (SEED, "prompt", "active")
    assert [each["title"] for each in followed["found"]] == [LIKE]
    await forget.erase_person(world, subscriber_id=one.subscriber.id, door="web")
    assert await count_follows(world) == 0
    assert await found(world) == []


@ONE
async def test_findings_are_forgotten_in_time(world: World, clock: Clock) -> None:
    await start(world, "ben")
    await follow_it(world, "ben")
    await news(world, clock)
    await similar.tell_similar(world)
    clock.forward(days=15)
    await similar.forget_found(world)
    assert await found(world) == []
    async with world.store.read() as connection:
        assert await follows.count_open(connection, (await reader(world, "ben")).id) == 1
