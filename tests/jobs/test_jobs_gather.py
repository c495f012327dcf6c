"""Polling against a real site: what is kept, what is new, and whose trouble stays whose."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jobs_world import DAILY, NOW, STADTBLATT, Clock, open_world, sqlite
from loopback import Item, Page, Site, rss
from sqlalchemy import select, text

from digest.jobs.gather import Poll, gather
from digest.jobs.keep import take_in
from digest.jobs.publish import publish_now
from digest.jobs.reading import read_aside
from digest.jobs.world import World
from digest.model.feed import Feed
from digest.model.newsletter import FeedSource, Newsletter
from digest.store import feeds
from digest.store.tables import articles as rows

HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def world(tmp_path: Path, clock: Clock) -> AsyncIterator[World]:
    async with open_world(sqlite(tmp_path), clock) as one:
        yield one


def of(*urls: str) -> Newsletter:
    return replace(STADTBLATT, feeds=tuple(FeedSource(url=url) for url in urls))


async def poll(world: World, *urls: str, only_due: bool = False) -> list[Poll]:
    return await gather(world, [of(*urls)], only_due=only_due)


async def known(world: World, url: str) -> Feed:
    async with world.store.read() as connection:
        return (await feeds.find(connection, [url]))[0]


async def told(world: World, *urls: str) -> list[str]:
    """The titles that an edition would tell now."""
    made = await publish_now(world, of(*urls), DAILY)
    return [each.title for each in made.draft.articles] if made else []


async def test_a_poll_keeps_what_is_new_and_the_next_one_finds_nothing(
    world: World, site: Site
) -> None:
    url = site.feed("/feed", Item("Eins", NOW - HOUR), Item("Zwei", NOW - 2 * HOUR))
    assert await poll(world, url) == [Poll(url=url, status="ok", new=2)]
    url = site.feed("/feed", Item("Eins", NOW - HOUR), Item("Zwei", NOW - 2 * HOUR), ETag='"2"')
    site.pages["/feed"].body += b"<!-- made a moment later -->"
    assert await poll(world, url) == [Poll(url=url, status="ok", new=0)]
    assert await told(world, url) == ["Eins", "Zwei"]


async def test_bad_feeds_never_stop_the_others(world: World, site: Site) -> None:
    good = site.feed("/good", Item("Gut", NOW - HOUR))
    site.pages["/gone"] = Page(status=410)
    site.pages["/broken"] = Page(status=500, reason="Oh [/no]")
    site.pages["/page"] = Page(b"<html><body>no feed</body></html>")
    bad = [site.url + path for path in ("/gone", "/broken", "/page", "/missing")]
    polls = await poll(world, *bad[:2], good, *bad[2:], "http://127.0.0.1:1/feed")
    assert [each.status for each in polls] == ["error", "error", "ok", "error", "error", "error"]
    assert [each.new for each in polls] == [0, 0, 1, 0, 0, 0]
    assert all(each.error and "\n" not in each.error for each in polls if each.status == "error")


@pytest.mark.parametrize(
    "page",
    [
        Page(rss(Item("A\x00B", NOW)), headers={"ETag": '"\xe4\xff"'}),
        Page(rss(Item("Titel", NOW), title="T" * 100_000)),
        Page(
            b'{"version": "https://jsonfeed.org/version/1.1", "title": "\\ud800", "items": '
            b'[{"id": "\\u0000\\udfff", "title": "\\ud800 x\\u0000", "content_text": "\\udc00",'
            b' "url": "https://x.example/\\ud800", "tags": ["\\ud801\\u0000"],'
            b' "authors": [{"name": "\\ud800\\u0000"}], "image": "https://x.example/\\u0000"}]}'
        ),
    ],
    ids=["validator", "title", "surrogates"],
)
async def test_no_bytes_of_a_stranger_stop_the_other_feeds(
    database_url: str, clock: Clock, site: Site, page: Page
) -> None:
    good = site.feed("/good", Item("Gut", NOW - HOUR))
    site.pages["/odd"] = page
    async with open_world(database_url, clock) as world:
        polls = await poll(world, site.url + "/odd", good)
        assert polls[1] == Poll(url=good, status="ok", new=1)
        assert "Gut" in await told(world, site.url + "/odd", good)


async def test_a_fault_of_ours_in_one_feed_stays_its_own(
    world: World, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def break_on_poison(answer: Any, now: Any) -> Any:
        if b"Gift" in answer.body:
            raise RuntimeError("a bug")
        return await read_aside(answer, now)

    monkeypatch.setattr("digest.jobs.asking.read_aside", break_on_poison)
    good = site.feed("/good", Item("Gut", NOW - HOUR))
    site.pages["/poison"] = Page(rss(Item("x", NOW), title="Gift"))
    polls = await poll(world, site.url + "/poison", good)
    assert [each.status for each in polls] == ["error", "ok"]
    assert polls[0].error == "our own fault: RuntimeError: a bug"


async def test_a_fault_of_ours_in_keeping_one_feed_stays_its_own(
    database_url: str, clock: Clock, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def break_on_poison(
        connection: Any, world: Any, feed: Any, found: Any, **more: Any
    ) -> Any:
        taken = await take_in(connection, world, feed, found, **more)
        if found[0].title == "Gift":
            # the database's own word, in the middle of the transaction
            await connection.execute(text("SELECT nonsense"))
        return taken

    monkeypatch.setattr("digest.jobs.gather.take_in", break_on_poison)
    good = site.feed("/good", Item("Gut", NOW - HOUR))
    poison = site.feed("/poison", Item("Gift", NOW - HOUR))
    async with open_world(database_url, clock) as world:
        polls = await poll(world, poison, good)
        assert [each.status for each in polls] == ["error", "ok"]
        assert (await known(world, poison)).failures == 1
        assert await told(world, poison, good) == ["Gut"]


async def test_an_unchanged_feed_is_asked_with_its_validator_and_is_well(
    world: World, site: Site, clock: Clock
) -> None:
    url = site.feed("/feed", Item("Eins", NOW - HOUR), ETag='"v1"')
    await poll(world, url)
    clock.forward(hours=1)
    assert await poll(world, url) == [Poll(url=url, status="unchanged")]
    feed = await known(world, url)
    assert (feed.last_polled_at, feed.failures, feed.etag) == (clock.at, 0, '"v1"')


async def test_only_feeds_whose_time_has_come_are_polled(
    world: World, site: Site, clock: Clock
) -> None:
    url = site.feed("/feed", Item("Eins", NOW - HOUR))
    assert len(await poll(world, url, only_due=True)) == 1
    assert await poll(world, url, only_due=True) == []
    assert len(await poll(world, url)) == 1
    clock.forward(hours=7)
    assert len(await poll(world, url, only_due=True)) == 1
    assert site.asked.count("/feed") == 3


async def test_a_failing_feed_waits_longer_each_time_and_is_forgiven(
    world: World, site: Site, clock: Clock
) -> None:
    url = site.url + "/feed"
    waits = []
    for _ in range(3):
        await poll(world, url)
        feed = await known(world, url)
        waits.append(feed.next_poll_at - clock.at)
        clock.forward(hours=12)
    assert waits == sorted(waits)
    assert waits[0] < waits[2]
    assert (feed.failures, feed.failing_since) == (3, NOW)
    assert feed.error is not None
    assert re.match("HTTP 404", feed.error)
    site.feed("/feed", Item("Eins", clock.at))
    await poll(world, url)
    feed = await known(world, url)
    assert (feed.failures, feed.failing_since, feed.error) == (0, None, None)


async def test_a_first_read_takes_only_what_is_younger_than_a_day(world: World, site: Site) -> None:
    day = timedelta(days=1)
    items = [Item("Frisch", NOW - day + HOUR), Item("Alt", NOW - day - HOUR), Item("Ohne", None)]
    url = site.feed("/feed", *items)
    assert (await poll(world, url))[0].new == 1
    assert await told(world, url) == ["Frisch"]


async def test_after_the_first_read_everything_unknown_is_new(
    world: World, site: Site, clock: Clock
) -> None:
    url = site.feed("/feed", Item("Alt", NOW - timedelta(days=9)))
    await poll(world, url)
    clock.forward(hours=1)
    late = Item("Nachgereicht", NOW - timedelta(days=3))
    site.feed("/feed", late, Item("Undatiert", None), Item("Alt", NOW - timedelta(days=9)))
    assert (await poll(world, url))[0].new == 2
    assert sorted(await told(world, url)) == ["Nachgereicht", "Undatiert"]


async def test_a_feed_that_failed_at_first_still_has_its_first_read_before_it(
    world: World, site: Site
) -> None:
    url = site.url + "/feed"
    await poll(world, url)
    site.feed("/feed", Item("Frisch", NOW - HOUR), Item("Alt", NOW - timedelta(days=2)))
    assert (await poll(world, url))[0].new == 1


@pytest.mark.parametrize(("window", "new"), [("all", 3), (48, 2), (0, 0)])
async def test_the_first_window_is_a_setting(
    tmp_path: Path, clock: Clock, site: Site, window: str | int, new: int
) -> None:
    ages = (1, 30, 24 * 365)
    url = site.feed("/feed", *(Item(f"vor {age} Stunden", NOW - age * HOUR) for age in ages))
    async with open_world(sqlite(tmp_path), clock, feed_first_window=window) as world:
        assert (await poll(world, url))[0].new == new
        assert len(await told(world, url)) == new


async def test_undated_articles_come_where_everything_is_wanted(
    tmp_path: Path, clock: Clock, site: Site
) -> None:
    url = site.feed("/feed", Item("Ohne Datum", None))
    async with open_world(sqlite(tmp_path), clock, feed_first_window="all") as world:
        await poll(world, url)
        assert await told(world, url) == ["Ohne Datum"]


async def test_an_article_in_two_feeds_is_one(database_url: str, clock: Clock, site: Site) -> None:
    """The feeds are polled at once, and both transactions want to write the same articles."""
    items = [Item(f"Artikel {n}", NOW - HOUR) for n in range(30)]
    urls = [site.feed(f"/{n}", *items[n:], *items[:n]) for n in range(6)]
    async with open_world(database_url, clock, feed_first_window="all") as world:
        polls = await poll(world, *urls)
        assert [each.status for each in polls] == ["ok"] * 6
        assert sum(each.new for each in polls) == 30
        async with world.store.read() as connection:
            assert len((await connection.execute(select(rows.c.id))).all()) == 30


async def test_two_processes_may_poll_the_same_feeds_at_once(
    database_url: str, clock: Clock, site: Site
) -> None:
    items = [Item(f"Artikel {n}", NOW - HOUR) for n in range(20)]
    urls = [site.feed(f"/{n}", *items) for n in range(3)]
    async with (
        open_world(database_url, clock) as one,
        open_world(database_url, clock) as two,
        open_world(database_url, clock) as three,
    ):
        runs = await asyncio.gather(*(poll(world, *urls) for world in (one, two, three)))
        # whoever comes late finds the same bytes already read
        assert {each.status for polls in runs for each in polls} <= {"ok", "unchanged"}
        assert sum(each.new for polls in runs for each in polls) == 20


async def test_each_poll_is_told(world: World, site: Site) -> None:
    url = site.feed("/feed", Item("Eins", NOW))
    heard: list[Poll] = []
    polls = await gather(world, [of(url)], only_due=False, told=heard.append)
    assert heard == polls == [Poll(url=url, status="ok", new=1)]


async def test_an_empty_first_document_says_nothing_of_what_is_old(
    world: World, site: Site
) -> None:
    url = site.feed("/feed")
    await poll(world, url)
    site.feed("/feed", *(Item(f"Von gestern {n}", NOW - 300 * 24 * HOUR) for n in range(9)))
    await poll(world, url)
    assert await told(world, url) == []


async def test_two_feeds_of_a_host_may_count_alike(world: World, site: Site) -> None:
    def show(name: str, at: int) -> bytes:
        return (
            f"<rss version='2.0'><channel><title>{name}</title><item><guid>17</guid>"
            f"<title>Folge 17 von {name}</title><link>https://sender.example/{name}/17</link>"
            f"<pubDate>Mon, 23 Nov 2026 0{at}:00:00 GMT</pubDate></item></channel></rss>"
        ).encode()

    site.pages["/hafen"] = Page(show("hafen", 5))
    site.pages["/werft"] = Page(show("werft", 6))
    urls = [site.url + path for path in ("/hafen", "/werft")]
    assert sum(each.new for each in await poll(world, *urls)) == 2
