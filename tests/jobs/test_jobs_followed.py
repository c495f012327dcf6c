"""What a reader follows comes in his next edition, with why and how to stop it, and not again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import default

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
    follow_it,
    found,
    mine,
    send_all,
    start,
)
from jobs_world import DAILY, STADTBLATT, Clock, bring, open_world
from sqlalchemy import select

from digest.jobs import forget, similar
from digest.jobs.publish import Published, publish_now
from digest.jobs.world import World
from digest.jobs.write import Writer
from digest.jobs.write_following import stop_path
from digest.model.follow import FollowMode
from digest.store import queue
from digest.store.subscribers import by_ids
from digest.store.tables import deliveries

ELSEWHERE = "https://anderswo.example/feed"
#: two stories are all that an edition tells
PAPER = replace(STADTBLATT, follow=True, limit=1)
WEATHER = "Am Wochenende kommt der erste Schnee"
WEATHER_TEXT = "Die Wetterwarte rechnet auf den Bergen mit zwanzig Zentimetern Neuschnee."


@pytest.fixture(autouse=True)
def _no_two_tell_of_one_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """What resembles a story that was told would be kept from all; threads have their own tests."""
    monkeypatch.setattr("digest.jobs.prepare.events_of", lambda *_, **__: [])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
async def world(database_url: str, clock: Clock, mailbox: Mailbox) -> AsyncIterator[World]:
    async with open_world(database_url, clock, PAPER) as one:
        yield replace(one, transport=mailbox)


async def edition(world: World) -> Published:
    made = await publish_now(world, PAPER, DAILY)
    assert made is not None
    return made


def parts(mailbox: Mailbox, name: str) -> tuple[str, str]:
    """The HTML and the text of the newest mail to this reader."""
    mail = message_from_bytes(mailbox.to(name)[-1].data, policy=default)
    html, text = mail.get_body(("html",)), mail.get_body(("plain",))
    assert html is not None
    assert text is not None
    return html.get_content(), text.get_content()


async def begin(world: World, clock: Clock, mode: FollowMode = FollowMode.DIGEST) -> None:
    """Anna follows the first article, which an edition told; Ben reads and follows nothing."""
    await start(world, "anna", "ben")
    await follow_it(world, "anna", mode=mode)
    await edition(world)
    await send_all(world)
    clock.forward(hours=1)


async def test_what_he_follows_comes_with_his_edition_and_says_why_and_how_to_stop_it(
    world: World, clock: Clock, mailbox: Mailbox
) -> None:
    await begin(world, clock)
    await bring(world, LIKE, excerpt=LIKE_TEXT)
    clock.forward(minutes=5)
    await bring(world, WEATHER, excerpt=WEATHER_TEXT)
    await similar.tell_similar(world)
    made = await edition(world)
    assert [each.title for each in made.draft.articles] == [WEATHER]
    await send_all(world)
    [followed] = await mine(world, "anna")
    for part in parts(mailbox, "anna"):
        flat = " ".join(part.split())
        assert LIKE in flat
        assert WEATHER in flat
        assert SEED in flat
        assert stop_path(world, followed.ref) in part
    for part in parts(mailbox, "ben"):
        assert LIKE not in " ".join(part.split())
        assert "/follow/stop/" not in part
    assert [told for _, _, told in await found(world)] == [True]


async def test_what_came_so_does_not_come_again(
    world: World, clock: Clock, mailbox: Mailbox
) -> None:
    """It is left over for all others, and leads the next edition."""
    await begin(world, clock)
    await bring(world, LIKE, excerpt=LIKE_TEXT)
    clock.forward(minutes=5)
    await bring(world, WEATHER, excerpt=WEATHER_TEXT)
    await similar.tell_similar(world)
    await edition(world)
    await send_all(world)
    clock.forward(hours=20)
    await bring(world, OTHER, excerpt=OTHER_TEXT)
    larger = replace(PAPER, limit=5)
    world = replace(world, newsletters=(larger,))
    made = await publish_now(world, larger, DAILY)
    assert made is not None
    assert {each.title for each in made.draft.articles} == {LIKE, OTHER}
    await send_all(world)
    assert LIKE in " ".join(parts(mailbox, "ben")[1].split())
    hers = " ".join(parts(mailbox, "anna")[1].split())
    assert OTHER in hers
    assert LIKE not in hers
    assert mailbox.to("anna")[-1].data.count(b"Subject: ") == 1


async def test_what_a_mail_of_its_own_told_is_left_out_of_the_edition(
    world: World, clock: Clock, mailbox: Mailbox
) -> None:
    await begin(world, clock, FollowMode.PROMPT)
    await bring(world, LIKE, excerpt=LIKE_TEXT)
    await similar.tell_similar(world)
    await send_all(world)
    assert LIKE in " ".join(parts(mailbox, "anna")[1].split())
    before = len(mailbox.to("anna"))
    made = await edition(world)
    assert [each.title for each in made.draft.articles] == [LIKE]
    await send_all(world)
    # nothing else is in it: she gets none
    assert len(mailbox.to("anna")) == before
    assert LIKE in " ".join(parts(mailbox, "ben")[1].split())


async def test_an_article_that_all_get_says_to_the_follower_why(
    world: World, clock: Clock, mailbox: Mailbox
) -> None:
    await begin(world, clock)
    await bring(world, AGAIN, excerpt=AGAIN_TEXT)
    await similar.tell_similar(world)
    await edition(world)
    await send_all(world)
    assert "/follow/stop/" in parts(mailbox, "anna")[0]
    assert "/follow/stop/" not in parts(mailbox, "ben")[0]
    assert parts(mailbox, "anna")[1].count(AGAIN_TEXT[:20]) == 1


async def test_whoever_is_erased_leaves_nothing_of_what_he_followed(
    world: World, clock: Clock, mailbox: Mailbox
) -> None:
    await begin(world, clock)
    await bring(world, LIKE, excerpt=LIKE_TEXT)
    await similar.tell_similar(world)
    await edition(world)
    await send_all(world)
    assert "/follow/stop/" in parts(mailbox, "anna")[1]
    [followed] = await mine(world, "anna")
    async with world.store.read() as connection:
        people = await by_ids(connection, [followed.subscription_id])
    person = people[followed.subscription_id].subscriber
    await forget.erase_person(world, subscriber_id=person.id, door="web")
    async with world.store.read() as connection:
        query = select(deliveries.c.id).where(deliveries.c.extra.is_not(None))
        assert (await connection.execute(query)).all() == []


async def test_the_same_octets_come_at_every_attempt(world: World, clock: Clock) -> None:
    await begin(world, clock)
    await bring(world, LIKE, excerpt=LIKE_TEXT)
    await bring(world, WEATHER, excerpt=WEATHER_TEXT)
    await similar.tell_similar(world)
    await edition(world)
    async with world.store.write() as connection:
        claims = await queue.claim(
            connection,
            owner="test",
            limit=10,
            scope=queue.Scope(),
            resend_uncertain=False,
            now=clock() + timedelta(seconds=1),
        )
        people = await by_ids(connection, [each.subscription_id for each in claims])
    for each in claims:
        one = await Writer(world, readers=people).write(each)
        two = await Writer(world, readers=people).write(each)
        assert one.data == two.data
    assert any(each.extra is not None for each in claims)
