"""From a feed's hub to a poll in time, against a hub on loopback and both databases."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jobs_world import NOW, STADTBLATT, Clock, bring, open_world, sqlite
from loopback import Item, Site
from sqlalchemy import text, update
from websub_hub import Hub, serving_hub

from digest.feeds.fetch import Fetcher
from digest.jobs.gather import gather
from digest.jobs.push import note_hub, subscribe_due
from digest.jobs.world import World
from digest.model.feed import Feed, Fetched, ParsedFeed
from digest.model.newsletter import FeedSource, Newsletter
from digest.service import open_door, serving
from digest.store import feeds, pushes
from digest.store.pushes import Push
from digest.store.tables import articles
from digest.web.app import make_web

BODY = b"<rss>whatever the hub likes to say</rss>"


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving_hub() as one:
        yield one


def of(*urls: str) -> Newsletter:
    return replace(STADTBLATT, feeds=tuple(FeedSource(url=url) for url in urls))


def says(hub: str | None, topic: str | None = None) -> ParsedFeed:
    """What a document says of itself."""
    return ParsedFeed(
        title=None, site_url=None, language=None, entries=(), hub_url=hub, self_url=topic
    )


@dataclass
class House:
    """A service that a hub can call, and a feed with a hub."""

    world: World
    site: Site
    hub: Hub
    clock: Clock
    url: str

    async def read(self, hub: str | None = "", topic: str | None = None) -> None:
        """A poll that finds this hub (None: none) in the feed's document."""
        document = says(self.hub.url if hub == "" else hub, topic or self.url)
        async with self.world.store.write() as connection:
            await note_hub(connection, self.world, await self.feed(), document)

    def publish(self, *items: Item) -> None:
        """The site shows these, and names its hub."""
        self.site.feed("/feed", *items, Link=f'<{self.hub.url}>; rel="hub", </feed>; rel="self"')

    async def poll(self) -> int:
        """A tick of the scheduler; how many new articles it brought."""
        return sum(each.new for each in await gather(self.world, self.world.newsletters))

    async def ask(self) -> int:
        """A tick that asks hubs; each calls back before this ends."""
        asked = await subscribe_due(self.world)
        await asyncio.to_thread(self.hub.settle)
        return asked

    async def tell(self, body: bytes = BODY, **more: Any) -> list[int]:
        return await asyncio.to_thread(lambda: self.hub.push(body, **more))

    async def feed(self) -> Feed:
        async with self.world.store.read() as connection:
            return (await feeds.find(connection, [self.url]))[0]

    async def push(self) -> Push | None:
        async with self.world.store.read() as connection:
            return await pushes.of_feed(connection, (await self.feed()).id)

    async def state(self) -> str:
        push = await self.push()
        return push.state if push else "none"

    async def is_due(self) -> bool:
        return (await self.feed()).next_poll_at <= self.clock()

    async def subscribe(self) -> None:
        """First poll, then the hub takes us on."""
        await self.poll()
        assert await self.ask() == 1
        assert await self.state() == "active"


@pytest.fixture
async def house(database_url: str, site: Site, hub: Hub) -> AsyncIterator[House]:
    clock = Clock()
    url = f"{site.url}/feed"
    door = open_door("127.0.0.1", 0)
    home = f"http://127.0.0.1:{door.getsockname()[1]}"
    async with (
        open_world(database_url, clock, of(url), public_url=home) as world,
        serving(make_web(world), door),
    ):
        one = House(world, site, hub, clock, url)
        one.publish(Item("Eins", NOW))
        yield one


#: for what does not depend on the database
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


# --------------------------------------------------------------- from the feed to the poll


async def test_a_push_lets_the_feed_be_polled_at_the_next_tick_and_not_later(house: House) -> None:
    await house.subscribe()
    (form,) = house.hub.asks
    assert (form["hub.topic"], form["hub.mode"]) == (house.url, "subscribe")
    assert re.fullmatch(
        rf"{house.world.public_url}/websub/[A-Za-z0-9_-]{{43}}", form["hub.callback"]
    )
    assert len(form["hub.secret"]) == 43
    assert house.hub.answers == [(200, "wahr-und-wahrhaftig-0123456789")]

    house.clock.forward(minutes=2)
    house.publish(Item("Zwei", house.clock()), Item("Eins", NOW))
    assert await house.poll() == 0  # its time has not come
    assert await house.tell() == [202]
    assert await house.poll() == 1
    push = await house.push()
    assert push is not None
    assert push.heard_at == house.clock()
    assert await house.poll() == 0


@SQLITE
async def test_what_a_push_brings_is_thrown_away(house: House) -> None:
    await house.subscribe()
    house.clock.forward(minutes=2)
    lie = b'<rss version="2.0"><channel><item><title>Nie geschehen</title></item></channel></rss>'
    assert await house.tell(lie) == [202]
    assert await house.poll() == 0
    async with house.world.store.read() as connection:
        kept = (await connection.execute(text("SELECT title FROM articles"))).scalars().all()
    assert kept == ["Eins"]


async def test_pushes_make_a_feed_due_once_a_minute_and_what_came_behind_is_looked_for(
    house: House,
) -> None:
    await house.subscribe()
    house.clock.forward(minutes=2)
    assert await house.tell() == [202]
    await house.poll()
    house.clock.forward(seconds=30)
    house.publish(Item("Zwei", house.clock()), Item("Eins", NOW))
    assert await house.tell() == [202]  # a replay looks the same
    assert not await house.is_due()
    house.clock.forward(minutes=4, seconds=20)
    assert await house.ask() == 0
    assert not await house.is_due()
    house.clock.forward(seconds=20)
    await house.ask()
    assert await house.poll() == 1
    for _ in range(6):
        house.clock.forward(seconds=20)
        await house.ask()
        assert not await house.is_due()  # two looks are enough


@SQLITE
async def test_whoever_has_no_secret_is_answered_alike_and_not_heard(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    await house.subscribe()
    house.clock.forward(minutes=2)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert await house.tell(secret="geraten") == [202]
            assert await house.tell(method="md5") == [202]
    assert not await house.is_due()
    lines = [each.getMessage() for each in caplog.records]
    assert lines == [f"push feed={house.url} status=ignored reason=not signed by its hub"]
    assert await house.tell() == [202]
    assert await house.is_due()


@SQLITE
async def test_a_feed_in_trouble_keeps_its_own_time(house: House) -> None:
    await house.subscribe()
    house.site.pages.clear()
    house.clock.forward(hours=7)
    await house.poll()
    assert (await house.feed()).failures == 1
    house.clock.forward(minutes=1)
    assert await house.tell() == [202]
    assert not await house.is_due()


# --------------------------------------------------------------- asking hubs


async def test_a_hub_is_asked_once_and_by_one_process(house: House) -> None:
    house.hub.mode = "silent"
    await house.poll()
    await house.read()
    await house.read()
    asked = await asyncio.gather(*(subscribe_due(house.world) for _ in range(4)))
    assert sum(asked) == 1
    assert len(house.hub.asks) == 1
    assert await house.state() == "asked"


@SQLITE
async def test_a_hub_that_never_calls_back_is_asked_after_1_2_4_hours_and_then_once_a_day(
    house: House,
) -> None:
    house.hub.mode = "silent"
    await house.poll()
    await house.read()
    began, asked = house.clock(), []
    while house.clock() < began + timedelta(days=4):
        if await subscribe_due(house.world):
            asked.append((house.clock() - began) / HOUR)
        house.clock.forward(minutes=30)
    assert asked == [0, 1, 3, 7, 15, 31, 55, 79]


async def test_a_hub_that_answers_with_an_error_is_refused_with_its_reason_and_asked_again(
    house: House,
) -> None:
    house.hub.status = 500
    await house.poll()
    await house.read()
    assert await house.ask() == 1
    push = await house.push()
    assert push is not None
    assert (push.state, push.again_at) == ("refused", NOW + HOUR)
    assert "HTTP 500" in (push.error or "")
    await house.read()  # polls find the same hub, and that is no reason to ask again
    assert await house.ask() == 0
    house.hub.status = 202
    house.clock.forward(minutes=61)
    assert await house.ask() == 1
    push = await house.push()
    assert push is not None
    assert (push.state, push.error) == ("active", None)


@SQLITE
async def test_a_hub_that_says_when_to_come_back_is_heard(house: House) -> None:
    house.hub.status = 429
    await house.poll()
    await house.read()
    await house.ask()
    push = await house.push()
    assert push is not None
    assert push.again_at == NOW + 2 * HOUR


async def test_a_hub_that_denies_is_refused_for_a_day(house: House) -> None:
    house.hub.mode = "deny"
    await house.poll()
    await house.read()
    await house.ask()
    push = await house.push()
    assert push is not None
    assert (push.state, push.again_at) == ("refused", NOW + DAY)
    assert push.error == "the hub refused: nicht hier"
    assert house.hub.answers == [(200, "")]
    assert await house.ask() == 0


@SQLITE
async def test_a_lease_is_renewed_before_it_ends_with_the_same_callback(house: House) -> None:
    house.hub.lease = str(4 * 86_400)
    await house.subscribe()
    house.clock.forward(days=2, hours=23)
    assert await house.ask() == 0
    house.clock.forward(hours=1)
    assert await house.ask() == 1
    first, second = house.hub.asks
    assert first == second
    push = await house.push()
    assert push is not None
    assert (push.state, push.lease_until) == ("active", NOW + timedelta(days=7))


async def test_a_lease_that_is_not_renewed_lasts_to_its_end_and_then_we_ask_anew(
    house: House,
) -> None:
    await house.subscribe()
    house.hub.status = 503
    asked = []
    while house.clock() < NOW + timedelta(days=10):
        if await house.ask():
            asked.append(NOW + timedelta(days=10) - house.clock())
            push = await house.push()
            assert push is not None
            assert (push.state, push.lease_until) == ("active", NOW + timedelta(days=10))
            assert "HTTP 503" in (push.error or "")
        house.clock.forward(minutes=30)
    assert asked == [DAY, 6 * HOUR, 1.5 * HOUR]
    assert await house.ask() == 1
    assert await house.state() == "refused"
    assert await house.tell() == [202]  # it may tell us all the same
    assert await house.is_due()


async def test_a_hub_that_was_mute_for_a_week_of_news_is_not_renewed(house: House) -> None:
    await house.subscribe()
    house.clock.forward(days=3)
    await bring(house.world, "Zwei", feed=house.url)  # a poll found it
    house.clock.forward(days=6)
    assert await house.ask() == 0
    push = await house.push()
    assert push is not None
    assert push.state == "refused"
    assert push.error == "it said nothing for 7 days while polls found news"
    house.clock.forward(days=29)
    assert await house.ask() == 0
    house.clock.forward(days=1)
    assert await house.ask() == 1
    assert await house.state() == "active"


@SQLITE
async def test_renewals_do_not_hide_that_a_hub_is_mute(house: House) -> None:
    house.hub.lease = "86400"
    await house.subscribe()
    news_at = NOW + timedelta(days=3)
    while await house.state() == "active" and house.clock() < NOW + timedelta(days=10):
        house.clock.forward(hours=6)
        await house.ask()
        if house.clock() == news_at:
            await bring(house.world, "Zwei", feed=house.url)
    assert timedelta(days=7) <= house.clock() - NOW <= timedelta(days=8)


@SQLITE
async def test_old_articles_that_are_found_late_are_no_news(house: House) -> None:
    await house.subscribe()
    house.clock.forward(days=3)
    await bring(house.world, "Zwei", feed=house.url)
    async with house.world.store.write() as connection:
        await connection.execute(update(articles).values(published_at=NOW - DAY))
    house.clock.forward(days=6)
    assert await house.ask() == 1
    assert await house.state() == "active"


@SQLITE
async def test_a_hub_that_was_mute_because_nothing_was_new_is_renewed(house: House) -> None:
    await house.subscribe()
    house.clock.forward(days=9)
    assert await house.ask() == 1
    house.clock.forward(hours=1)
    await bring(house.world, "Zwei", feed=house.url)
    assert await house.tell() == [202]
    house.clock.forward(days=9)
    assert await house.ask() == 1
    assert await house.state() == "active"


@SQLITE
async def test_an_unbelievable_lease_is_cut(house: House) -> None:
    house.hub.lease = "999999999"
    await house.subscribe()
    push = await house.push()
    assert push is not None
    assert push.lease_until == NOW + timedelta(days=10)


# --------------------------------------------------------------- the end of it


async def test_a_feed_that_we_read_no_more_is_unsubscribed(house: House) -> None:
    await house.subscribe()
    house.world = replace(house.world, newsletters=(of("https://other.example/feed"),))
    assert await house.ask() == 1
    assert house.hub.asks[-1]["hub.mode"] == "unsubscribe"
    assert house.hub.subscribers == {}
    assert await house.state() == "leaving"
    assert await house.ask() == 0
    house.clock.forward(days=1)
    assert await house.ask() == 0
    assert await house.state() == "none"


async def test_a_hub_that_will_not_hear_it_is_told_at_the_next_push(house: House) -> None:
    await house.subscribe()
    house.hub.status = 500
    await house.read(hub=None)
    assert await house.ask() == 1
    assert await house.tell() == [410]
    assert house.hub.subscribers == {}
    house.clock.forward(days=1)
    assert await house.ask() == 0
    assert await house.state() == "none"


@SQLITE
@pytest.mark.parametrize(("mode", "most", "goodbyes"), [("verify", 2, 2), ("silent", 49, 0)])
async def test_a_hub_that_comes_and_goes_with_each_poll_is_not_asked_with_each_poll(
    house: House, mode: str, most: int, goodbyes: int
) -> None:
    house.hub.mode = mode
    await house.poll()
    began = house.clock()
    while house.clock() < began + timedelta(days=2):
        for hub in ("", None):
            await house.read(hub=hub)
            await house.ask()
            house.clock.forward(minutes=15)
    modes = [form["hub.mode"] for form in house.hub.asks]
    assert 2 <= modes.count("subscribe") <= most
    assert modes.count("unsubscribe") == goodbyes


@SQLITE
async def test_a_feed_that_names_another_hub_each_time_moves_us_once_an_hour(house: House) -> None:
    await house.subscribe()
    old = dict(house.hub.subscribers)
    for number in range(40):
        house.clock.forward(minutes=5)
        await house.read(hub=f"{house.hub.url}?{number}")
        await house.ask()
    assert len(house.hub.asks) <= 5
    house.hub.subscribers = old
    assert await house.tell() == [410]  # the first hub hears that it is none any more


@SQLITE
async def test_a_hub_that_was_never_asked_is_forgotten_without_a_word(house: House) -> None:
    await house.poll()
    assert await house.state() == "asked"
    await house.read(hub=None)
    assert await house.state() == "none"
    assert await house.ask() == 0


@SQLITE
async def test_a_topic_of_somebody_else_is_not_asked_for(house: House) -> None:
    house.site.feed("/feed", Item("Eins", NOW))
    await house.poll()
    await house.read(topic="https://andere.example/feed")
    await house.ask()
    assert [form["hub.topic"] for form in house.hub.asks] == [house.url]


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://hub.example/", "nonsense"])
@SQLITE
async def test_a_hub_that_is_not_of_the_web_is_none(house: House, address: str) -> None:
    house.site.feed("/feed", Item("Eins", NOW))
    await house.poll()
    await house.read(hub=address)
    assert await house.state() == "none"


async def test_states_tells_how_each_stands_and_shows_no_secret(house: House) -> None:
    await house.subscribe()
    async with house.world.store.read() as connection:
        ((feed_id, push),) = (await pushes.states(connection)).items()
    assert (feed_id, push.url, push.state) == ((await house.feed()).id, house.url, "active")
    assert push.token not in repr(push)
    assert push.secret not in repr(push)


# --------------------------------------------------------------- where no hub can call us


class Shut(Fetcher):
    """Guards as in the wild, and fails whoever asks."""

    def __init__(self) -> None:
        super().__init__(allow_private=False, user_agent="test")

    async def post_form(self, *_: object, **__: object) -> Fetched:
        raise AssertionError("nobody was to be asked")


@pytest.mark.parametrize("home", ["http://127.0.0.1:8000", "http://newsserver", "http://10.1.2.3"])
async def test_at_home_nothing_is_asked_and_it_is_said_once(
    tmp_path: Path, home: str, caplog: pytest.LogCaptureFixture
) -> None:
    clock, url = Clock(), "https://stadtblatt.example/feed"
    async with open_world(sqlite(tmp_path), clock, of(url), public_url=home) as opened:
        world = replace(opened, fetcher=Shut())
        async with world.store.write() as connection:
            await feeds.know(connection, [url], now=NOW)
            feed = (await feeds.find(connection, [url]))[0]
            await note_hub(connection, world, feed, says("https://hub.example/"))
            assert await pushes.states(connection) == {}
        with caplog.at_level(logging.DEBUG, "digest.push"):
            for _ in range(3):
                assert await subscribe_due(world) == 0
    said = [each for each in caplog.records if each.name == "digest.push"]
    assert [each.levelname for each in said] == ["DEBUG"]


async def test_a_hub_inside_is_not_called_from_outside(tmp_path: Path, hub: Hub) -> None:
    clock, url = Clock(), "https://stadtblatt.example/feed"
    async with open_world(sqlite(tmp_path), clock, of(url), feed_allow_private=False) as world:
        async with world.store.write() as connection:
            await feeds.know(connection, [url], now=NOW)
            feed = (await feeds.find(connection, [url]))[0]
            await note_hub(connection, world, feed, says(hub.url))
        assert await subscribe_due(world) == 1
        async with world.store.read() as connection:
            push = await pushes.of_feed(connection, feed.id)
    assert hub.asks == []
    assert push is not None
    assert push.state == "refused"
