"""A gap between two polls is seen, and filled by whatever way the site has; or we say that not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from gap_site import Desk, a_desk, ago, document, found, link, post
from jobs_world import NOW, sqlite
from loopback import Page, Site

from digest.jobs.fill import Filled, fill, joins
from digest.store import gaps
from digest.store.gaps import GapRow

#: what the last poll but one showed
BEFORE = (20, 21, 22, 23)
AFTER = (1, 2, 3, 4)
BETWEEN = [5, 6, 7, 8, 9, 10, 11, 12]


@pytest.fixture
async def desk(tmp_path: Path, site: Site) -> AsyncIterator[Desk]:
    async with a_desk(sqlite(tmp_path), site) as one:
        yield one


async def rows(desk: Desk) -> list[GapRow]:
    async with desk.world.store.read() as connection:
        return list((await gaps.latest_gaps(connection)).values())


# --------------------------------------------------------------- is there one?


@pytest.mark.parametrize(
    ("shown", "held", "joined"),
    [
        ([None, 9, 8, 7], [9, 8, 7, 6], True),
        ([9, 8], [9, 8], True),
        ([None, None], [9, 8], False),
        ([None, None], [], False),
        # an old post on top
        ([3, None, None, None], [9, 8, 7, 3], False),
        # the newest that we hold is on top, and the new ones below it
        ([9, None, None, None], [9, 8, 7], False),
        ([9, None, 8, 7], [9, 8, 7], True),
        # an old post at the end
        ([None, None, None, 3], [9, 8, 7, 3], False),
        # the newest that we hold was taken back
        ([None, 8, 7, 6], [9, 8, 7, 6], True),
        # a new one that is dated back
        ([None, 9, None, 8, 7], [9, 8, 7], True),
        ([None, 9, 8, None], [9, 8, 7], False),
    ],
)
def test_a_document_joins_what_we_hold_where_its_older_end_is_known(
    shown: list[int | None], held: list[int], *, joined: bool
) -> None:
    assert joins(shown, held) is joined


async def test_a_poll_that_joins_the_one_before_leaves_no_gap(
    database_url: str, site: Site
) -> None:
    async with a_desk(database_url, site) as desk:
        await desk.hold(*BEFORE)
        assert await desk.gap(19, 20, 21, 22) is None
        assert await desk.gap(*BEFORE) is None
        gap = await desk.gap(*AFTER)
        assert gap is not None
        assert (gap.since, gap.first) == (ago(20), False)
        assert len(gap.known) >= 4


async def test_an_old_post_that_stays_on_top_hides_no_gap(desk: Desk) -> None:
    await desk.hold(500, *BEFORE)
    assert await desk.gap(500, 19, 20, 21, 22) is None
    gap = await desk.gap(500, *AFTER)
    assert gap is not None
    assert gap.since == ago(20)


async def test_a_first_read_wants_all_of_its_window(desk: Desk) -> None:
    gap = await desk.gap(*AFTER, first=True)
    assert gap is not None
    assert (gap.since, gap.first) == (ago(24), True)
    assert await desk.gap(*AFTER, 25, first=True) is None
    assert await desk.gap(first=True) is None


async def test_an_empty_document_and_the_first_posts_of_a_blog_are_no_gap(desk: Desk) -> None:
    await desk.hold()
    assert await desk.gap() is None
    assert await desk.gap(1, 2) is None
    await desk.hold(*BEFORE)
    assert await desk.gap() is None


# --------------------------------------------------------------- the ways


def serve_pages(desk: Desk) -> None:
    every = [*AFTER, *BETWEEN, *BEFORE]
    for number in range(2, 5):
        part = every[(number - 1) * 4 : number * 4]
        desk.site.pages[f"/feed/?paged={number}"] = Page(document(desk.site, part))


async def test_the_pages_of_the_feed_are_read_until_what_is_held(desk: Desk) -> None:
    await desk.hold(*BEFORE)
    serve_pages(desk)
    filled = await desk.fill(*AFTER)
    assert (found(filled), filled.how, filled.whole) == (BETWEEN, "paged feed", True)
    assert [path for path in desk.site.asked if "paged" in path] == [
        f"/feed/?paged={number}" for number in (2, 3, 4)
    ]
    assert await rows(desk) == [
        GapRow(feed_id=1, since=ago(20), seen_at=NOW, found=8, how="paged feed", whole=True)
    ]


async def test_where_nothing_was_missing_nothing_is_written_down(desk: Desk) -> None:
    await desk.hold(*BEFORE)
    desk.site.pages["/feed/?paged=2"] = Page(document(desk.site, BEFORE))
    filled = await desk.fill(16, 17, 18, 19)
    assert filled == Filled(how="paged feed", whole=True)
    assert await rows(desk) == []


async def test_a_site_that_ignores_the_page_is_asked_once(desk: Desk) -> None:
    await desk.hold(*BEFORE)
    desk.site.pages["/feed/?paged=2"] = Page(document(desk.site, AFTER))
    filled = await desk.fill(*AFTER)
    assert filled == Filled()
    assert [path for path in desk.site.asked if "paged" in path] == ["/feed/?paged=2"]
    [row] = await rows(desk)
    assert (row.how, row.whole, row.found) == ("", False, 0)


async def test_behind_its_last_page_a_feed_has_no_more(desk: Desk) -> None:
    await desk.hold(*BEFORE)
    desk.site.pages["/feed/?paged=2"] = Page(document(desk.site, (5, 6, 7, 8)))
    filled = await desk.fill(*AFTER)
    assert (found(filled), filled.whole) == ([5, 6, 7, 8], True)


async def test_a_small_site_that_we_just_met_has_no_more_than_its_feed_shows(desk: Desk) -> None:
    gap = await desk.gap(*AFTER, first=True)
    assert gap is not None
    parsed, _ = desk.read(*AFTER)
    assert await fill(desk.world, await desk.feed(), parsed, gap) == Filled(
        how="paged feed", whole=True
    )


@pytest.mark.parametrize("relation", ["next", "prev-archive"])
async def test_archives_are_read_one_after_the_other(desk: Desk, relation: str) -> None:
    await desk.hold(*BEFORE)

    def older(number: int) -> str:
        return f'<atom:link rel="{relation}" href="{desk.site.url}/archive/{number}"/>'

    desk.site.pages["/archive/2"] = Page(document(desk.site, BETWEEN[:4], more=older(1)))
    desk.site.pages["/archive/1"] = Page(
        document(desk.site, [*BETWEEN[4:], *BEFORE], more=older(0))
    )
    filled = await desk.fill(*AFTER, more=older(2))
    assert (found(filled), filled.how, filled.whole) == (BETWEEN, "archive", True)
    assert "/archive/0" not in desk.site.asked


async def test_archives_that_lead_in_a_circle_or_elsewhere_are_left(desk: Desk) -> None:
    await desk.hold(*BEFORE)
    more = f'<atom:link rel="next" href="{desk.site.url}/archive/2"/>'
    desk.site.pages["/archive/2"] = Page(document(desk.site, (5, 6), more=more))
    filled = await desk.fill(*AFTER, more=more)
    assert (found(filled), filled.how, filled.whole) == ([5, 6], "archive", False)
    elsewhere = desk.site.url.replace("127.0.0.1", "127.0.0.2")
    desk.site.asked.clear()
    desk.clock.forward(days=1)
    filled = await desk.fill(*AFTER, more=f'<atom:link rel="next" href="{elsewhere}/archive/2"/>')
    assert "/archive/2" not in desk.site.asked
    assert not filled.whole


def serve_api(desk: Desk, *hours: float, root: str = "/wp-json/", home: bool = True) -> None:
    """Posts at the address that is asked for, whatever it asks in detail."""
    body = json.dumps([post(desk.site, each) for each in hours]).encode()
    page = Page(body, headers={"X-WP-Total": str(len(hours)), "X-WP-TotalPages": "1"})
    link_ = {"Link": f'<{desk.site.url}{root}>; rel="https://api.w.org/"'}
    desk.site.pages["/"] = Page(b"<html>", headers=link_) if home else Page(b"<html>")

    def answer(path: str) -> None:
        if "wp/v2/posts" in path or "wp%2Fv2%2Fposts" in path:
            desk.site.pages[path] = page

    desk.site.on_asked = answer


async def test_the_api_is_asked_where_the_feed_has_no_pages(desk: Desk) -> None:
    await desk.hold(*BEFORE)
    serve_api(desk, *AFTER, *BETWEEN, *BEFORE)
    filled = await desk.fill(*AFTER)
    assert (found(filled), filled.how, filled.whole) == (BETWEEN, "wordpress", True)
    [asked] = [path for path in desk.site.asked if "wp/v2" in path]
    query = parse_qs(asked.partition("?")[2])
    assert (query["per_page"], query["after"]) == (["100"], ["2026-11-21T21:00:00Z"])


@pytest.mark.parametrize("root", ["/?rest_route=/", "/blog/wp-json/"])
async def test_the_api_is_where_the_header_says(desk: Desk, root: str) -> None:
    await desk.hold(*BEFORE)
    serve_api(desk, *AFTER, *BETWEEN, *BEFORE, root=root)
    assert (await desk.fill(*AFTER)).how == "wordpress"


async def test_a_site_that_hides_its_api_is_asked_where_it_usually_is(desk: Desk) -> None:
    await desk.hold(*BEFORE)
    serve_api(desk, *AFTER, *BETWEEN, *BEFORE, home=False)
    assert (await desk.fill(*AFTER)).how == "wordpress"


async def test_a_feed_that_shows_a_part_of_the_site_is_not_filled_with_all_of_it(
    desk: Desk,
) -> None:
    await desk.hold(*BEFORE)
    others = [each + 0.5 for each in AFTER]
    serve_api(desk, *sorted([*AFTER, *others, *BETWEEN, *BEFORE]))
    assert await desk.fill(*AFTER) == Filled()


async def test_a_category_is_asked_for_by_its_number(tmp_path: Path, site: Site) -> None:
    async with a_desk(sqlite(tmp_path), site, path="/category/stadt/feed/") as desk:
        await desk.hold(*BEFORE)
        serve_api(desk, *AFTER, *BETWEEN, *BEFORE)
        site.pages["/wp-json/wp/v2/categories?slug=stadt&_fields=id,slug"] = Page(b'[{"id": 7}]')
        assert found(await desk.fill(*AFTER)) == BETWEEN
        [asked] = [path for path in site.asked if "wp/v2/posts" in path]
        query = parse_qs(asked.partition("?")[2])
        assert query["categories[terms]"] == ["7"]
        assert query["categories[include_children]"] == ["true"]


async def test_an_unknown_category_is_not_the_whole_site(tmp_path: Path, site: Site) -> None:
    async with a_desk(sqlite(tmp_path), site, path="/category/stadt/feed/") as desk:
        await desk.hold(*BEFORE)
        serve_api(desk, *AFTER, *BETWEEN, *BEFORE)
        assert await desk.fill(*AFTER) == Filled()


def news(desk: Desk, *hours: float) -> bytes:
    urls = "".join(
        f"<url><loc>{link(desk.site, each)}</loc><news:news><news:publication_date>"
        f"{ago(each).isoformat()}</news:publication_date><news:title>Vor {each:g} Stunden geschehen"
        "</news:title></news:news></url>"
        for each in hours
    )
    return f"<urlset>{urls}</urlset>".encode()


async def test_the_news_sitemap_is_the_last_way(desk: Desk) -> None:
    await desk.hold(*BEFORE)
    site = desk.site
    site.pages["/robots.txt"] = Page(f"Sitemap: {site.url}/sitemap.xml".encode())
    index = f"<sitemapindex><sitemap><loc>{site.url}/x/news.xml</loc></sitemap></sitemapindex>"
    site.pages["/sitemap.xml"] = Page(index.encode())
    site.pages["/x/news.xml"] = Page(news(desk, *BETWEEN, *AFTER, *BEFORE))
    filled = await desk.fill(*AFTER)
    assert (found(filled), filled.how, filled.whole) == (BETWEEN, "news sitemap", True)


async def test_a_sitemap_that_does_not_reach_back_leaves_the_gap_open(desk: Desk) -> None:
    await desk.hold(*BEFORE)
    desk.site.pages["/news-sitemap.xml"] = Page(news(desk, *AFTER, *BETWEEN))
    filled = await desk.fill(*AFTER)
    assert (found(filled), filled.how, filled.whole) == (BETWEEN, "news sitemap", False)
    [row] = await rows(desk)
    assert (row.found, row.whole) == (8, False)


# --------------------------------------------------------------- its bounds


async def test_what_was_found_outlives_what_fails_later(desk: Desk) -> None:
    await desk.hold(*BEFORE)
    desk.site.pages["/feed/?paged=2"] = Page(document(desk.site, BETWEEN[:4]))
    desk.site.pages["/feed/?paged=3"] = Page(status=500)
    filled = await desk.fill(*AFTER)
    assert (found(filled), filled.how, filled.whole) == (BETWEEN[:4], "paged feed", False)


async def test_a_way_that_breaks_hands_over_to_the_next(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.hold(*BEFORE)
    serve_api(desk, *AFTER, *BETWEEN, *BEFORE)

    def broken(_: str, __: int) -> str:
        raise RuntimeError("a bug")

    monkeypatch.setattr("digest.feeds.backfill.paged", broken)
    assert (await desk.fill(*AFTER)).how == "wordpress"


async def test_time_is_bounded_and_what_was_found_in_it_is_kept(desk: Desk) -> None:
    await desk.hold(*BEFORE)
    serve_pages(desk)
    desk.site.pages["/feed/?paged=3"].delay = 2
    filled = await desk.fill(*AFTER, seconds=1)
    assert (found(filled), filled.whole) == (BETWEEN[:4], False)


async def test_questions_are_bounded(desk: Desk) -> None:
    await desk.hold(*(each * 100 for each in BEFORE))
    for number in range(2, 60):
        part = [number * 4 + each / 4 for each in range(4)]
        desk.site.pages[f"/feed/?paged={number}"] = Page(document(desk.site, part))
    filled = await desk.fill(*AFTER)
    assert len(filled.found) == 30 * 4
    assert not filled.whole


async def test_a_site_without_a_way_is_left_in_peace_for_a_while(desk: Desk) -> None:
    await desk.hold(*BEFORE)
    assert await desk.fill(*AFTER) == Filled()
    await desk.hold(*AFTER)
    asked = len(desk.site.asked)
    desk.clock.forward(minutes=30)
    assert await desk.fill(0.1, 0.2, 0.3) == Filled()
    assert len(desk.site.asked) == asked


async def test_a_feed_that_calls_itself_complete_has_no_gap(desk: Desk) -> None:
    await desk.hold(*BEFORE)
    filled = await desk.fill(*AFTER, more="<fh:complete/>")
    assert filled == Filled(whole=True)
    assert desk.site.asked == []
    assert await rows(desk) == []


async def test_what_robots_may_not_read_is_not_read(desk: Desk) -> None:
    await desk.hold(*BEFORE)
    serve_pages(desk)
    desk.site.pages["/robots.txt"] = Page(b"User-agent: *\nDisallow: /feed/?paged\n")
    assert await desk.fill(*AFTER) == Filled()
    assert [path for path in desk.site.asked if "paged" in path] == []
