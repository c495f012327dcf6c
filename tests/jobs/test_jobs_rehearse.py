"""Rehearsals and stock-taking: they show what is and what would be, and change nothing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from jobs_world import (
    DAILY,
    NOW,
    STADTBLATT,
    WEEKLY,
    Clock,
    admit,
    open_world,
    publish,
    row_counts,
    sqlite,
)
from loopback import Item, Page, Relay, Site, running

from digest.errors import RelayAway, UsageError
from digest.jobs import join, leave
from digest.jobs.check import Checked, check_feeds
from digest.jobs.exhibit import describe, lay_out
from digest.jobs.gather import gather
from digest.jobs.publish import publish_now
from digest.jobs.rehearse import as_edition, latest, rehearse, send_tests, show
from digest.jobs.send import Tally, deliver
from digest.jobs.status import take_stock
from digest.jobs.world import World
from digest.model.newsletter import FeedSource, Newsletter
from digest.store import subscribers
from digest.store.queue import Scope
from digest.subscribers.address import address_key

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


async def test_a_rehearsal_shows_what_would_go_out_and_stores_nothing(
    database_url: str, clock: Clock, site: Site
) -> None:
    async with open_world(database_url, clock) as world:
        await admit(world, "anna", "ben")
        url = site.feed("/feed", Item("Eins", NOW - HOUR), Item("Zwei", NOW - 2 * HOUR))
        before = await row_counts(world)
        found = await rehearse(world, of(url, site.url + "/missing"), DAILY)
        assert await row_counts(world) == before
        assert [(each.status, each.new) for each in found.polls] == [("ok", 2), ("error", 0)]
        assert found.prepared is not None
        assert [each.title for each in found.prepared.draft.articles] == ["Eins", "Zwei"]
        assert found.recipients == 2
        # and the real thing then finds everything still to be done
        assert [each.new for each in await gather(world, [of(url)])] == [2]
        made = await publish_now(world, of(url), DAILY)
        assert made is not None
        assert made.draft.subject == found.prepared.draft.subject
        assert [each.title for each in made.draft.articles] == ["Eins", "Zwei"]


async def test_a_rehearsal_without_news_says_so(world: World, site: Site) -> None:
    url = site.feed("/feed", Item("Alt", NOW - timedelta(days=3)))
    found = await rehearse(world, of(url), DAILY)
    assert (found.prepared, found.recipients) == (None, 0)


async def test_a_rehearsal_without_gathering_asks_nobody(world: World, site: Site) -> None:
    url = site.feed("/feed", Item("Eins", NOW))
    found = await rehearse(world, of(url), DAILY, gathering=False)
    assert (found.polls, found.prepared, site.asked) == ((), None, [])


async def test_a_slow_site_does_not_hold_the_database(world: World, site: Site) -> None:
    site.pages["/slow"] = Page(status=404, delay=0.5)

    async def write_meanwhile() -> None:
        import asyncio  # noqa: PLC0415 -- beside its one use

        task = asyncio.create_task(rehearse(world, of(site.url + "/slow"), DAILY))
        await asyncio.sleep(0.1)
        async with asyncio.timeout(0.3):
            await admit(world, "anna")
        await task

    await write_meanwhile()


async def test_it_is_shown_as_this_reader_gets_it(world: World, site: Site) -> None:
    await admit(world, "anna")
    url = site.feed("/feed", Item("Eins & mehr", NOW - HOUR))
    found = (await rehearse(world, of(url), DAILY)).prepared
    assert found is not None
    edition = as_edition(found, STADTBLATT, DAILY)
    async with world.store.read() as connection:
        (reader,) = await subscribers.by_address(connection, address_key("anna@example.org"))
    shown = show(world, edition, STADTBLATT, reader)
    token = world.signer.unsubscribe_token(reader.ref)
    nobody = show(world, edition, STADTBLATT, None)
    assert f"http://news.example/unsubscribe/{token}" in shown.html
    assert f"http://news.example/unsubscribe/{token}" in shown.text
    assert token not in nobody.html + nobody.text
    assert edition.nonce not in shown.html + shown.text + nobody.html + nobody.text
    assert "Eins &amp; mehr" in shown.html


async def test_an_edition_is_laid_out_as_three_files(
    world: World, site: Site, tmp_path: Path
) -> None:
    url = site.feed("/feed", Item("Eins", NOW - HOUR), Item("Ohne", None))
    async with world.store.read():
        found = (await rehearse(replace(world, first_window=None), of(url), DAILY)).prepared
    assert found is not None
    facts = describe(
        STADTBLATT,
        found.draft,
        schedule="daily",
        number=found.chosen.number,
        made_at=found.chosen.made_at,
    )
    shown = show(world, as_edition(found, STADTBLATT, DAILY), STADTBLATT, None)
    lay_out(tmp_path / "deep" / "out", shown, facts)
    folder = tmp_path / "deep" / "out"
    assert (folder / "edition.html").read_bytes() == shown.html.encode()
    assert (folder / "edition.txt").read_bytes() == shown.text.encode()
    read = json.loads((folder / "edition.json").read_text())
    told = {each["title"]: each for each in read["articles"]}
    assert told["Eins"]["published_utc"] == "2026-11-23T06:00:00Z"
    assert told["Ohne"]["published_utc"] is None
    assert told["Eins"]["link"] == "https://stadtblatt.example/eins"
    assert (read["made_utc"], read["number"]) == ("2026-11-23T07:00:00Z", 1)


async def test_a_test_is_marked_and_leaves_no_trace(
    database_url: str, clock: Clock, site: Site
) -> None:
    relay = Relay()
    url = site.feed("/feed", Item("Eins", NOW - HOUR))
    with running(relay):
        async with open_world(database_url, clock, of(url), smtp_port=relay.port) as world:
            await admit(world, "anna")
            before = await row_counts(world)
            found = (await rehearse(world, of(url), DAILY)).prepared
            assert found is not None
            edition = as_edition(found, of(url), DAILY)
            await send_tests(world, edition, of(url), ["chef@example.org", "anna@example.org"])
            assert await row_counts(world) == before
            assert relay.got == ["anna@example.org", "chef@example.org"]
            for mail in relay.mails:
                assert mail.message["Subject"].startswith("[Test]")
                assert mail.link("unsubscribe").endswith(world.signer.unsubscribe_token(bytes(12)))
            await gather(world, [of(url)])
            made = await publish_now(world, of(url), DAILY)
            assert made is not None
            assert await deliver(world, Scope()) == Tally(sent=1)
            (_, real) = relay.to("anna@example.org")
            assert not real.message["Subject"].startswith("[Test]")


async def test_a_test_that_meets_no_relay_says_so(world: World) -> None:
    edition = (await publish(world, "Eins")).edition
    with pytest.raises(RelayAway):
        await send_tests(replace(world, connections=1), edition, STADTBLATT, ["a@example.org"])


async def test_the_newest_edition_is_shown_where_nothing_is_new(world: World, clock: Clock) -> None:
    with pytest.raises(UsageError, match="nothing to show"):
        await latest(world, STADTBLATT)
    await publish(world, "Eins")
    clock.forward(minutes=1)
    newest = (await publish(world, "Zwei", schedule=WEEKLY)).edition
    assert await latest(world, STADTBLATT) == newest


# --------------------------------------------------------------- taking stock


async def test_stock_is_taken_of_people_queue_and_feeds(world: World, site: Site) -> None:
    await admit(world, "anna", "ben", "left")
    await leave.leave_address(world, "left@example.org", newsletter=None, door="cli")
    await join.request(world, address="new@example.org", newsletter=STADTBLATT, door="web")
    good, bad = site.feed("/feed", Item("Eins", NOW - HOUR)), site.url + "/missing"
    newsletter = of(good, bad)
    await gather(world, [newsletter])
    made = await publish_now(world, newsletter, DAILY)
    assert made is not None
    stock = await take_stock(replace(world, newsletters=(newsletter,)))
    (paper,) = stock["newsletters"]
    assert (paper["active"], paper["pending"], paper["unsubscribed"]) == (2, 1, 1)
    assert (paper["last_edition"], paper["last_edition_utc"]) == (
        made.edition.id,
        "2026-11-23T07:00:00Z",
    )
    assert paper["next_edition"] == "2026-11-24T07:00:00+01:00"
    assert stock["queue"]["queued"] == 3
    assert sum(stock["queue"].values()) == 3
    assert (stock["rate_per_second"], stock["seconds_left"]) == (0, None)
    first, second = stock["feeds"]
    assert (first["url"], first["failures"], first["error"]) == (good, 0, None)
    assert (second["failures"], second["failing_since_utc"]) == (1, "2026-11-23T07:00:00Z")
    assert second["error"].startswith("HTTP 404")
    json.dumps(stock)


async def test_stock_of_an_empty_house(world: World) -> None:
    stock = await take_stock(world)
    assert stock["newsletters"][0]["last_edition"] is None
    assert set(stock["queue"].values()) == {0}
    assert stock["feeds"][0]["last_polled_utc"] is None


# --------------------------------------------------------------- looking at feeds


async def test_feeds_and_files_are_read_as_the_service_would(
    world: World, site: Site, tmp_path: Path
) -> None:
    url = site.feed("/feed", Item("Eins &amp; Zwei", NOW - HOUR), Item("Drei", None))
    saved = tmp_path / "saved.xml"
    saved.write_bytes(site.pages["/feed"].body)
    broken = tmp_path / "broken.xml"
    broken.write_bytes(b"\x00 no feed at all <html>")
    empty = site.feed("/empty")
    before = await row_counts(world)
    found = await check_feeds(
        world.fetcher, [url, str(saved), str(broken), empty, str(tmp_path / "none.xml")]
    )
    assert await row_counts(world) == before
    expected = Checked(
        source=url,
        entries=2,
        first_title="Eins & Zwei",
        first_link="https://stadtblatt.example/eins-amp-zwei",
        first_published_utc="2026-11-23T06:00:00Z",
        first_image=None,
        error=None,
    )
    assert found[:2] == [expected, replace(expected, source=str(saved))]
    assert [(each.entries, each.error is None) for each in found[2:]] == [
        (0, False),
        (0, True),
        (0, False),
    ]
