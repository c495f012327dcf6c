"""When and where a feed is asked again, what becomes of one that moves or goes, and who waits."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jobs_world import NOW, STADTBLATT, Clock, open_world, sqlite
from loopback import Item, Page, Site, rss
from sqlalchemy import select

from digest.errors import StoreBusy
from digest.feeds.cadence import LONGEST
from digest.jobs import asking
from digest.jobs.gather import CLAIM, Poll, gather
from digest.jobs.world import World
from digest.model.feed import Feed
from digest.model.newsletter import FeedSource
from digest.store import feeds
from digest.store.engine import Connection, Store
from digest.store.tables import articles

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
#: some hours' worth: the document reaches back as far as a first read wants
ITEMS = tuple(Item(f"Nr. {n}", NOW - n * 2 * HOUR) for n in range(1, 14))
SPREAD = 1.1


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def world(tmp_path: Path, clock: Clock) -> AsyncIterator[World]:
    async with open_world(sqlite(tmp_path), clock) as one:
        yield one


async def poll(
    world: World, *urls: str, only_due: bool = False, retired: bool = False
) -> list[Poll]:
    newsletter = replace(STADTBLATT, feeds=tuple(FeedSource(url=url) for url in urls))
    return await gather(world, [newsletter], only_due=only_due, retired=retired)


async def known(world: World, url: str) -> Feed:
    async with world.store.read() as connection:
        return (await feeds.find(connection, [url]))[0]


async def wait_of(world: World, url: str) -> timedelta:
    """How long the feed is left alone, without the tenth that chance adds."""
    feed = await known(world, url)
    assert feed.last_polled_at is not None
    return feed.next_poll_at - feed.last_polled_at


def about(wait: timedelta, expected: timedelta) -> bool:
    return expected <= wait <= expected * SPREAD


def moved(site: Site, path: str, to: str, *, status: int = 301) -> None:
    site.pages[path] = Page(status=status, headers={"Location": to})


def changed(site: Site, path: str, *more: Item, **headers: str) -> None:
    """The feed, with something new in it."""
    site.feed(path, *more, *ITEMS, **headers)


# --------------------------------------------------------------- the rhythm


async def test_the_rhythm_of_a_feed_is_learned_and_kept(
    world: World, site: Site, clock: Clock
) -> None:
    url = site.feed("/feed", *ITEMS, ETag='"v1"')
    await poll(world, url)
    assert (await known(world, url)).interval == HOUR
    assert about(await wait_of(world, url), HOUR)
    clock.forward(hours=2)
    assert (await poll(world, url))[0].status == "unchanged"
    assert (await known(world, url)).interval == HOUR
    assert about(await wait_of(world, url), HOUR)


async def test_a_publishers_wish_lengthens_the_wait_and_loses_no_story(
    world: World, site: Site
) -> None:
    asked = site.feed("/asked", *ITEMS, **{"Cache-Control": "max-age=7200"})
    greedy = site.feed("/greedy", *ITEMS[:4], **{"Cache-Control": "max-age=999999"})
    await poll(world, asked, greedy)
    assert about(await wait_of(world, asked), 2 * HOUR)
    assert about(await wait_of(world, greedy), 4 * HOUR)  # it reaches back eight


async def test_a_feed_that_did_not_change_for_long_is_asked_less_often(
    world: World, site: Site
) -> None:
    long_ago = "Mon, 05 Oct 2026 08:30:15 GMT"
    url = site.feed("/feed", *ITEMS, **{"ETag": '"v1"', "Last-Modified": long_ago})
    await poll(world, url)
    await poll(world, url)
    assert about(await wait_of(world, url), LONGEST)


@pytest.mark.parametrize("status", [429, 503])
async def test_a_server_that_asks_for_time_gets_it(world: World, site: Site, status: int) -> None:
    for seconds, path in (("36000", "/long"), ("9999999", "/greedy")):
        site.pages[path] = Page(status=status, headers={"Retry-After": seconds})
    urls = [site.url + "/long", site.url + "/greedy"]
    await poll(world, *urls)
    assert about(await wait_of(world, urls[0]), 10 * HOUR)
    assert about(await wait_of(world, urls[1]), 24 * HOUR)


async def test_failures_double_what_was_learned(world: World, site: Site) -> None:
    url = site.feed("/feed", *ITEMS)
    await poll(world, url)
    site.pages["/feed"] = Page(status=500)
    waits = []
    for _ in range(4):
        await poll(world, url)
        waits.append(await wait_of(world, url))
    expected = (2 * HOUR, 4 * HOUR, LONGEST, LONGEST)
    assert all(about(*each) for each in zip(waits, expected, strict=True))


async def test_a_push_makes_a_feed_due_and_nothing_later(
    world: World, site: Site, clock: Clock
) -> None:
    url = site.feed("/feed", *ITEMS)
    await poll(world, url)
    assert await poll(world, url, only_due=True) == []
    feed = await known(world, url)
    async with world.store.write() as connection:
        await feeds.make_due(connection, feed.id, now=clock.at)
    assert len(await poll(world, url, only_due=True)) == 1
    async with world.store.write() as connection:
        await feeds.put_off(connection, [feed.id], until=clock.at - HOUR)
        await feeds.make_due(connection, feed.id, now=clock.at)
    assert (await known(world, url)).next_poll_at == clock.at - HOUR


# --------------------------------------------------------------- the same bytes


async def test_the_same_bytes_are_not_read_again(
    world: World, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = site.feed("/feed", *ITEMS)
    await poll(world, url)
    monkeypatch.setattr("digest.jobs.asking.read_aside", None)
    assert await poll(world, url) == [Poll(url=url, status="unchanged")]
    site.pages["/feed"].headers["Last-Modified"] = "Mon, 23 Nov 2026 06:00:00 GMT"
    await poll(world, url)
    feed = await known(world, url)
    assert (feed.last_modified, feed.failures) == ("Mon, 23 Nov 2026 06:00:00 GMT", 0)
    assert feed.interval == HOUR


# --------------------------------------------------------------- moving and going


@pytest.mark.parametrize("status", [301, 308])
async def test_a_feed_that_moved_for_good_is_asked_at_its_new_address(
    world: World, site: Site, status: int
) -> None:
    url = site.feed("/old", *ITEMS, ETag='"old"')
    await poll(world, url)
    moved(site, "/old", "/new", status=status)
    changed(site, "/new", Item("Umzug", NOW), ETag='"new"')
    await poll(world, url)
    feed = await known(world, url)
    assert (feed.url, feed.moved_to, feed.etag) == (url, site.url + "/new", '"new"')
    site.asked.clear()
    assert (await poll(world, url))[0].status == "unchanged"
    assert site.asked == ["/new"]
    assert (await known(world, url)).moved_to == site.url + "/new"


async def test_a_new_address_that_says_304_is_read_once_without_the_old_validators(
    world: World, site: Site
) -> None:
    """Its 304 speaks of a date of the old document: what it published before would be missed."""
    url = site.feed("/old", *ITEMS, ETag='"same"')
    await poll(world, url)
    moved(site, "/old", "/new")
    changed(site, "/new", Item("Umzug", NOW), ETag='"same"')
    assert (await poll(world, url))[0].status == "unchanged"
    feed = await known(world, url)
    assert (feed.moved_to, feed.etag) == (site.url + "/new", None)
    assert (await poll(world, url))[0].new == 1


async def test_a_temporary_redirect_moves_nothing(world: World, site: Site) -> None:
    moved(site, "/old", "/hop")
    moved(site, "/hop", "/new", status=302)
    changed(site, "/new")
    await poll(world, site.url + "/old")
    assert (await known(world, site.url + "/old")).moved_to is None


async def test_a_redirect_to_what_is_no_feed_is_not_remembered(world: World, site: Site) -> None:
    moved(site, "/old", "/")
    site.pages["/"] = Page(b"<html><body>Neue Seite</body></html>")
    assert (await poll(world, site.url + "/old"))[0].status == "error"
    feed = await known(world, site.url + "/old")
    assert (feed.moved_to, feed.failures) == (None, 1)


async def test_while_a_new_address_fails_the_old_one_is_tried_every_other_time(
    world: World, site: Site
) -> None:
    url = site.url + "/old"
    moved(site, "/old", "/new")
    changed(site, "/new")
    await poll(world, url)
    site.pages["/new"] = site.pages["/old"] = Page(status=500)
    site.asked.clear()
    for _ in range(4):
        await poll(world, url)
    # one bad hour of the new server forgets nothing: the old one may be gone for ever
    assert site.asked == ["/new", "/old", "/new", "/old"]
    assert (await known(world, url)).moved_to == site.url + "/new"
    changed(site, "/new", Item("Neu", NOW))
    assert (await poll(world, url))[0].new == 1


async def test_a_feed_that_moved_back_is_where_the_operator_says(world: World, site: Site) -> None:
    url = site.url + "/old"
    moved(site, "/old", "/new")
    changed(site, "/new", ETag='"new"')
    await poll(world, url)
    site.pages["/new"] = Page(status=410)
    changed(site, "/old", Item("Zurück", NOW), ETag='"old"')
    assert [each.status for _ in range(2) for each in await poll(world, url)] == ["error", "ok"]
    feed = await known(world, url)
    assert (feed.moved_to, feed.etag, feed.retired_at) == (None, '"old"', None)


async def test_a_feed_that_is_gone_is_retired_once_and_revived_by_a_document(
    world: World, site: Site, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    url = site.url + "/feed"
    site.pages["/feed"] = Page(status=410)
    with caplog.at_level(logging.WARNING, "digest.gather"):
        for _ in range(3):
            await poll(world, url, retired=True)
    retirements = [each for each in caplog.messages if "status=retired" in each]
    assert retirements == [f"feed={url} status=retired reason='HTTP 410 Gone'"]
    assert (await known(world, url)).retired_at == clock.at
    clock.forward(days=400)
    assert await poll(world, url, only_due=True) == []
    assert await poll(world, url) == []  # nor before an edition
    changed(site, "/feed")
    assert (await poll(world, url, retired=True))[0].status == "ok"
    assert (await known(world, url)).retired_at is None


async def test_gone_behind_a_redirect_is_only_a_failure(world: World, site: Site) -> None:
    moved(site, "/feed", "/gone")
    site.pages["/gone"] = Page(status=410)
    await poll(world, site.url + "/feed")
    feed = await known(world, site.url + "/feed")
    assert (feed.retired_at, feed.failures) == (None, 1)


# --------------------------------------------------------------- nobody waits for somebody else


async def test_twenty_servers_that_hang_delay_nobody(
    world: World, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.fetcher, "_timeout", 4)
    hanging, hung = [], asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hung.wait()
        writer.close()

    servers = [await asyncio.start_server(hang, f"127.0.1.{n}", 0) for n in range(1, 21)]
    for server in servers:
        host, port = server.sockets[0].getsockname()
        hanging += [f"http://{host}:{port}/{n}" for n in range(3)]
    well = [site.feed(f"/{n}", *ITEMS) for n in range(10)]
    at: dict[str, float] = {}
    began = time.monotonic()

    def told(one: Poll) -> None:
        at[one.url] = time.monotonic() - began
        if set(well) <= set(at):
            hung.set()

    sources = tuple(FeedSource(url=url) for url in (*hanging, *well))
    polls = await gather(world, [replace(STADTBLATT, feeds=sources)], only_due=False, told=told)
    for server in servers:
        server.close()
    assert {each.status for each in polls if each.url in well} == {"ok"}
    assert {each.status for each in polls if each.url in hanging} == {"error"}
    assert set(list(at)[:10]) == set(well)


async def test_a_host_that_wastes_our_time_has_its_other_feeds_put_off(
    world: World, site: Site, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.fetcher, "_timeout", 0.2)
    monkeypatch.setattr(asking, "PATIENCE", 0.3)
    urls = [site.url + f"/{n}" for n in range(8)]
    for n in range(8):
        site.pages[f"/{n}"] = Page(rss(*ITEMS), delay=0.5)
    polls = await poll(world, *urls)
    put_off = [each.url for each in polls if each.error == asking.PUT_OFF]
    assert 4 <= len(put_off) <= 6
    for url in put_off:  # which is nobody's failure
        feed = await known(world, url)
        assert (feed.failures, feed.next_poll_at) == (0, clock.at + CLAIM)


async def test_what_somebody_asks_now_is_due_for_nobody_else(world: World, site: Site) -> None:
    url = site.feed("/feed", *ITEMS)
    site.pages["/feed"].delay = 0.4
    first = asyncio.create_task(poll(world, url, only_due=True))
    await asyncio.sleep(0.2)
    assert await poll(world, url, only_due=True) == []
    assert (await first)[0].status == "ok"


async def test_a_poll_that_was_broken_off_is_made_again(
    world: World, site: Site, clock: Clock
) -> None:
    url = site.feed("/feed", *ITEMS)
    site.pages["/feed"].delay = 0.4
    first = asyncio.create_task(poll(world, url, only_due=True))
    await asyncio.sleep(0.2)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    clock.forward(minutes=6)
    site.pages["/feed"].delay = 0
    assert (await poll(world, url, only_due=True))[0].new > 0


# --------------------------------------------------------------- one hand writes for all


async def test_many_unchanged_feeds_are_few_commits(
    database_url: str, clock: Clock, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = [site.feed(f"/{n}", *ITEMS, ETag='"v1"') for n in range(40)]
    async with open_world(database_url, clock) as world:
        await poll(world, *urls)
        commits = 0
        write = Store.write

        @asynccontextmanager
        async def slow(self: Store) -> AsyncIterator[Connection]:
            nonlocal commits
            commits += 1
            async with write(self) as connection:
                await asyncio.sleep(0.1)  # a disk
                yield connection

        monkeypatch.setattr(Store, "write", slow)
        clock.forward(hours=2)
        polls = await poll(world, *urls, only_due=True)
        assert [each.status for each in polls] == ["unchanged"] * 40
        assert commits <= 8
        assert await poll(world, *urls, only_due=True) == []


async def test_a_commit_that_fails_loses_nothing(
    world: World, site: Site, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = [site.feed(f"/{n}", Item(f"Nr. {n}", NOW - HOUR)) for n in range(5)]
    with monkeypatch.context() as patch:

        async def broken(*_args: Any, **_more: Any) -> None:
            raise StoreBusy("the disk is full")

        patch.setattr("digest.jobs.gather.keep", broken)
        with pytest.raises(StoreBusy):
            await poll(world, *urls, only_due=True)
    clock.forward(minutes=6)
    assert [each.new for each in await poll(world, *urls, only_due=True)] == [1] * 5
    async with world.store.read() as connection:
        assert len((await connection.execute(select(articles.c.id))).all()) == 5


async def test_what_is_wrong_with_the_pages_of_new_articles_costs_no_article(
    world: World, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_args: Any) -> int:
        raise RuntimeError("a bug")

    monkeypatch.setattr("digest.jobs.gather.enrich", broken)
    monkeypatch.setattr("digest.jobs.gather.find_gap", broken)
    url = site.feed("/feed", *ITEMS)
    assert (await poll(world, url))[0].new > 0
