"""What sites say that they published is counted, taken in and told; only what is gone goes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from gap_site import Desk, a_desk, ago, link, post
from jobs_world import sqlite
from loopback import Page, Site
from sqlalchemy import select, update

from digest.jobs.audit import GONE, audit_due, look_for_gone
from digest.store import gaps
from digest.store.gaps import GapRow
from digest.store.tables import articles, feeds

SHOWN = (1, 2, 3, 4)


@pytest.fixture
async def desk(tmp_path: Path, site: Site) -> AsyncIterator[Desk]:
    async with a_desk(sqlite(tmp_path), site) as one:
        yield one


def serve_api(desk: Desk, *hours: float) -> None:
    body = json.dumps([post(desk.site, each) for each in hours]).encode()
    page = Page(body, headers={"X-WP-Total": str(len(hours)), "X-WP-TotalPages": "1"})
    there = f'<{desk.site.url}/wp-json/>; rel="https://api.w.org/"'
    desk.site.pages["/"] = Page(b"<html>", headers={"Link": there})

    def answer(path: str) -> None:
        if "wp/v2/posts" in path:
            desk.site.pages[path] = page

    desk.site.on_asked = answer


async def withdrawn(desk: Desk) -> list[str]:
    async with desk.world.store.read() as connection:
        query = select(articles.c.url).where(articles.c.withdrawn_at.is_not(None))
        return sorted((await connection.execute(query)).scalars())


async def count(desk: Desk) -> tuple[int, int, str]:
    [tally] = await audit_due(desk.world)
    async with desk.world.store.read() as connection:
        assert await gaps.tallies(connection) == {1: tally}
    return tally.published, tally.held, tally.how


async def test_what_the_api_names_and_we_lack_is_taken_in(database_url: str, site: Site) -> None:
    async with a_desk(database_url, site) as desk:
        await desk.hold(*SHOWN)
        serve_api(desk, *SHOWN, 5, 6, 30)
        assert await count(desk) == (6, 6, "wordpress")
        async with desk.world.store.read() as connection:
            held = await gaps.newest(connection, 1, limit=9)
        assert [each.at for each in held] == [ago(each) for each in (*SHOWN, 5, 6)]


async def test_a_feed_is_counted_once_in_twenty_hours(desk: Desk) -> None:
    assert await audit_due(desk.world) == []  # it was never read
    await desk.hold(*SHOWN)
    serve_api(desk, *SHOWN)
    assert await count(desk) == (4, 4, "wordpress")
    assert await audit_due(desk.world) == []
    desk.clock.forward(hours=19)
    assert await audit_due(desk.world) == []
    desk.clock.forward(hours=2)
    assert await count(desk) == (3, 3, "wordpress")  # 3, 2 and 1 hours old then, 24 and less now


async def test_a_retired_feed_is_not_counted(desk: Desk) -> None:
    await desk.hold(*SHOWN)
    async with desk.world.store.write() as connection:
        await connection.execute(update(feeds).values(retired_at=desk.clock()))
    assert await audit_due(desk.world) == []


async def test_a_part_of_the_site_is_not_counted_by_the_whole_of_it(desk: Desk) -> None:
    await desk.hold(*SHOWN)
    serve_api(desk, *(each / 4 for each in range(4, 25)))
    assert await count(desk) == (4, 4, "overlap")


async def test_without_a_word_of_the_site_polls_that_join_are_the_count(desk: Desk) -> None:
    await desk.hold(*SHOWN, 40)
    assert await count(desk) == (4, 4, "overlap")


async def test_a_gap_that_was_not_filled_leaves_no_count(desk: Desk) -> None:
    await desk.hold(*SHOWN)
    async with desk.world.store.write() as connection:
        row = GapRow(feed_id=1, since=None, seen_at=ago(3), found=0, how="", whole=False)
        await gaps.add(connection, row)
    assert await count(desk) == (4, 4, "")


async def test_a_feed_that_fails_for_long_has_no_count(desk: Desk) -> None:
    await desk.hold(*SHOWN)
    desk.site.pages[desk.path] = Page(status=500)
    async with desk.world.store.write() as connection:
        await connection.execute(update(feeds).values(failing_since=ago(9)))
    assert await count(desk) == (4, 4, "")
    assert await audit_due(desk.world) == []


async def test_what_is_taken_in_never_stands_behind_a_gap_and_hides_it(desk: Desk) -> None:
    await desk.hold(70, 71, 72, 73)
    desk.read(*SHOWN)
    serve_api(desk, *SHOWN, *range(5, 74, 3))
    published, held, how = await count(desk)
    assert (published, how) == (published, "wordpress")
    assert published == held
    async with desk.world.store.read() as connection:
        every = await gaps.newest(connection, 1, limit=99)
    assert len(every) == 4 + 4 + len(range(5, 70, 3))


async def test_one_sites_trouble_is_its_own(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.hold(*SHOWN)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("digest.jobs.audit.wordpress_posts", broken)
    assert await count(desk) == (4, 4, "overlap")


# --------------------------------------------------------------- taken back


async def look(desk: Desk, *hours: float) -> int:
    _, found = desk.read(*hours)
    return await look_for_gone(desk.world, await desk.feed(), found)


@pytest.mark.parametrize("status", [404, 410])
async def test_what_is_gone_from_feed_and_site_is_not_told_any_more(
    desk: Desk, status: int
) -> None:
    await desk.hold(*SHOWN)
    desk.site.pages["/vor-2/"] = Page(status=status)
    assert await look(desk, 1, 3, 4) == 1
    assert await withdrawn(desk) == [link(desk.site, 2)]
    assert desk.site.asked.count("/vor-2/") == 1


@pytest.mark.parametrize("status", [200, 301, 403, 429, 500, 503])
async def test_whatever_else_a_page_answers_nothing_is_lost(desk: Desk, status: int) -> None:
    await desk.hold(*SHOWN)
    desk.site.pages["/vor-2/"] = Page(status=status)
    assert await look(desk, 1, 3, 4) == 0
    assert await withdrawn(desk) == []


async def test_what_only_left_the_feed_is_not_asked_for(desk: Desk) -> None:
    await desk.hold(*SHOWN)
    assert await look(desk, 0.5, 1, 2, 3) == 0
    assert await look(desk) == 0
    assert desk.site.asked == []


async def test_few_pages_are_asked_at_a_time(desk: Desk) -> None:
    await desk.hold(*range(1, 12))
    assert await look(desk, 11) == GONE
    assert len(await withdrawn(desk)) == GONE


async def test_what_had_left_the_feed_is_found_gone_by_what_the_site_lists(desk: Desk) -> None:
    await desk.hold(*SHOWN, 5, 6)
    desk.read(1, 2)
    serve_api(desk, 1, 2, 3, 5, 6)
    desk.site.pages["/vor-4/"] = Page(status=404)
    assert await count(desk) == (5, 5, "wordpress")
    assert await withdrawn(desk) == [link(desk.site, 4)]
