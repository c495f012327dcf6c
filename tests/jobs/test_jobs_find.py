"""The feeds of a real site on loopback: each fetched and read, each told once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from loopback import Item, Page, Site, rss

from digest.app import open_fetcher
from digest.feeds.fetch import Fetcher
from digest.jobs.find import Offered, find_feeds
from digest.model.feed import FeedFailure

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
RSS = 'rel="alternate" type="application/rss+xml"'


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    async with open_fetcher(allow_private=True) as one:
        yield one


def page(site: Site, path: str, html: str, **headers: str) -> None:
    site.pages[path] = Page(
        f"<!doctype html><html><body>{html}</body></html>".encode(),
        headers={"Content-Type": "text/html", **headers},
    )


def feed(site: Site, path: str, *titles: str, title: str = "Blatt") -> str:
    items = [Item(each, NOW - timedelta(hours=n)) for n, each in enumerate(titles, start=1)]
    site.pages[path] = Page(rss(*items, title=title))
    return site.url + path


def atom(*titles: str, own: str) -> bytes:
    entries = "".join(
        f'<entry><id>{each}</id><title>{each}</title><link href="https://blatt.example/{each}"/>'
        "<updated>2026-11-22T07:00:00Z</updated></entry>"
        for each in titles
    )
    return (
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de"><title>Atom</title>'
        f'<link rel="self" href="{own}"/>{entries}</feed>'
    ).encode()


async def found(fetcher: Fetcher, site: Site, path: str = "/") -> tuple[Offered, ...]:
    answer = await find_feeds(fetcher, site.url + path, now=NOW)
    assert not isinstance(answer, FeedFailure), answer
    return answer


def brief(offered: tuple[Offered, ...], site: Site) -> list[tuple[str, str | None, str]]:
    return [(each.url.removeprefix(site.url), each.kind, each.found_by) for each in offered]


async def test_what_a_page_names_is_fetched_read_and_described(
    fetcher: Fetcher, site: Site
) -> None:
    page(site, "/", f'<link {RSS} title="Alles" href="/feed">')
    url = feed(site, "/feed", "Eins", "Zwei")
    assert await found(fetcher, site) == (
        Offered(
            url=url,
            title="Blatt",
            kind="rss",
            entries=2,
            newest_utc="2026-11-23T06:00:00Z",
            language=None,
            found_by="link",
        ),
    )
    assert site.asked == ["/", "/feed"]


async def test_links_anchors_comments_and_failures_come_in_this_order(
    fetcher: Fetcher, site: Site
) -> None:
    page(
        site,
        "/",
        f'<link {RSS} href="/comments/feed/"><link {RSS} title="Weg" href="/gone.xml">'
        f'<link {RSS} href="/feed/"><a href="/jobs.rss">Jobs</a><a href="/nothing.rss">x</a>',
        Link=f'<{site.url}/atom.xml>; rel="alternate"; type="application/atom+xml"',
    )
    feed(site, "/feed/", "Eins")
    feed(site, "/comments/feed/", "Anna zu Eins", title="Kommentare zu Blatt")
    feed(site, "/jobs.rss", "Eine Stelle")
    site.pages["/atom.xml"] = Page(atom("A", "B", own=f"{site.url}/atom.xml"))
    offered = await found(fetcher, site)
    assert brief(offered, site) == [
        ("/atom.xml", "atom", "link"),
        ("/feed/", "rss", "link"),
        ("/jobs.rss", "rss", "anchor"),
        ("/comments/feed/", "rss", "link"),
        ("/gone.xml", None, "link"),
    ]
    assert [each.comments for each in offered] == [False, False, False, True, False]
    assert offered[0].language == "de"
    assert offered[4].error
    assert offered[4].error.startswith("HTTP 404")
    assert (offered[4].title, offered[4].entries) == ("Weg", 0)


async def test_a_site_that_names_none_is_asked_in_the_usual_places(
    fetcher: Fetcher, site: Site
) -> None:
    page(site, "/", "Wir bloggen.")
    page(site, "/rss", "Die Seite gibt es nicht.")  # with 200, as many do
    feed(site, "/index.xml", "Eins")
    assert brief(await found(fetcher, site), site) == [("/index.xml", "rss", "guess")]


async def test_guesses_are_made_too_where_only_comments_are_named(
    fetcher: Fetcher, site: Site
) -> None:
    page(site, "/blog/", f'<link {RSS} href="/comments/feed/">')
    feed(site, "/comments/feed/", "Anna")
    feed(site, "/blog/feed/", "Eins")
    assert brief(await found(fetcher, site, "/blog/"), site) == [
        ("/blog/feed/", "rss", "guess"),
        ("/comments/feed/", "rss", "link"),
    ]


async def test_a_page_that_is_refused_does_not_keep_us_from_asking_for_feeds(
    fetcher: Fetcher, site: Site
) -> None:
    site.pages["/"] = Page(status=403)
    feed(site, "/feed/", "Eins")
    assert brief(await found(fetcher, site), site) == [("/feed/", "rss", "guess")]


async def test_one_feed_under_many_addresses_is_told_once(fetcher: Fetcher, site: Site) -> None:
    page(site, "/", "".join(f'<link {RSS} href="{p}">' for p in ("/feed", "/rss", "/atom", "/old")))
    for path in ("/feed", "/rss"):
        feed(site, path, "Eins", "Zwei")
    # the same entries, a longer list, and the name of another
    site.pages["/atom"] = Page(atom("A", "B", own=f"{site.url}/old"))
    site.pages["/old"] = Page(atom("A", "B", "C", own=f"{site.url}/old"))
    offered = await found(fetcher, site)
    assert brief(offered, site) == [("/feed", "rss", "link"), ("/atom", "atom", "link")]
    assert [each.also for each in offered] == [(f"{site.url}/rss",), (f"{site.url}/old",)]


async def test_feeds_that_all_give_one_name_as_their_own_stay_apart(
    fetcher: Fetcher, site: Site
) -> None:
    page(site, "/", "".join(f'<link {RSS} href="/{n}.xml">' for n in range(3)))
    for n in range(3):
        site.pages[f"/{n}.xml"] = Page(atom(f"A{n}", own=f"{site.url}/0.xml"))
    assert len(await found(fetcher, site)) == 3


async def test_a_move_for_good_is_followed_and_the_new_address_told(
    fetcher: Fetcher, site: Site
) -> None:
    page(site, "/", f'<link {RSS} href="/old"><link {RSS} href="/moved">')
    feed(site, "/new", "Eins")
    feed(site, "/elsewhere", "Zwei")
    site.pages["/old"] = Page(status=301, headers={"Location": "/new"})
    site.pages["/moved"] = Page(status=302, headers={"Location": "/elsewhere"})
    assert [each[0] for each in brief(await found(fetcher, site), site)] == ["/new", "/moved"]


async def test_the_address_itself_may_be_a_feed(fetcher: Fetcher, site: Site) -> None:
    feed(site, "/feed", "Eins")
    assert brief(await found(fetcher, site, "/feed"), site) == [("/feed", "rss", "address")]
    assert site.asked == ["/feed"]


async def test_a_page_that_lists_feeds_is_read_too(fetcher: Fetcher, site: Site) -> None:
    page(site, "/", '<a href="/service/rss">RSS</a>')
    page(site, "/service/rss", '<a href="/rss/politik">Politik</a><a href="/service/rss">x</a>')
    feed(site, "/rss/politik", "Eins", title="Politik")
    assert brief(await found(fetcher, site), site) == [("/rss/politik", "rss", "anchor")]


async def test_a_wordpress_has_a_feed_for_each_category(fetcher: Fetcher, site: Site) -> None:
    page(site, "/", '<img src="/wp-content/x.png"><a href="/category/jobs/">Jobs</a>')
    feed(site, "/feed/", "Eins", "Zwei")
    feed(site, "/category/jobs/feed/", "Zwei", title="Jobs")
    assert brief(await found(fetcher, site), site) == [
        ("/feed/", "rss", "guess"),
        ("/category/jobs/feed/", "rss", "guess"),
    ]


async def test_dates_that_lie_ahead_are_not_the_newest(fetcher: Fetcher, site: Site) -> None:
    ahead = Item("Morgen", NOW + timedelta(days=1))
    site.pages["/feed"] = Page(rss(ahead, Item("Gestern", NOW - timedelta(days=1))))
    (offered,) = await found(fetcher, site, "/feed")
    assert offered.newest_utc == "2026-11-22T07:00:00Z"


async def test_a_site_that_does_not_answer_is_a_failure(fetcher: Fetcher) -> None:
    answer = await find_feeds(fetcher, "http://127.0.0.1:1/", now=NOW)
    assert isinstance(answer, FeedFailure)
    assert "refuses connections" in answer.reason


async def test_a_page_that_names_thousands_is_not_followed_far(
    fetcher: Fetcher, site: Site
) -> None:
    page(site, "/", "".join(f'<link {RSS} href="/{n}.xml"><a href="/{n}.rss">' for n in range(999)))
    assert all(each.error for each in await found(fetcher, site))
    assert len(site.asked) < 70
