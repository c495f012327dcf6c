"""A busy WordPress is polled for a month, by gather and at the times that the program chooses.

Every post that stood there when we looked is held once, none is missed and none is held twice,
whatever of the site is switched off; and where nothing leads to what was missed, we say so.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from simulated_wordpress import DAY, SHOWN, WordPress, running, write_posts
from sqlalchemy import Row, select

from digest.app import open_app
from digest.feeds.fetch import Fetcher
from digest.jobs.audit import EVERY, audit_due
from digest.jobs.gather import gather
from digest.jobs.world import World
from digest.model.feed import Feed
from digest.model.newsletter import FeedSource, Newsletter, Schedule, Sender
from digest.settings import Settings
from digest.store import articles as article_store
from digest.store import feeds, gaps
from digest.store.gaps import Tally
from digest.store.sources import gaps as gap_rows
from digest.store.tables import articles

START = datetime(2026, 10, 31, 23, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
#: when an edition would be made
MORNING = 6


def on(day: int, hour: float = 0) -> datetime:
    return START + timedelta(days=day, hours=hour)


@dataclass
class Clock:
    """A clock that is moved by hand."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at


def a_paper(*urls: str) -> Newsletter:
    return Newsletter(
        slug="stadtblatt",
        title="Stadtblatt",
        description="Was Beispielstadt bewegt.",
        sender=Sender(name="Stadtblatt", address="post@stadtblatt.example"),
        reply_to=None,
        language="de",
        timezone="Europe/Berlin",
        theme="plain",
        address="Stadtblatt, Am Markt 1, 12345 Beispielstadt",
        imprint_url=None,
        feeds=tuple(FeedSource(url=each) for each in urls),
        schedules=(Schedule(name="daily", cron="0 7 * * *"),),
        limit=20,
    )


Times = Sequence[tuple[datetime, datetime]]


@dataclass
class Life:
    """What happened while the clock ran."""

    world: World
    site: WordPress
    clock: Clock
    #: the posts that stood there when we looked, and what the feed last said of them
    stood: set[str] = field(default_factory=set)
    titles: dict[str, list[str]] = field(default_factory=dict)
    tallies: list[Tally] = field(default_factory=list)
    #: what its publisher took back while the feed showed older ones, and when we looked first
    noticed: dict[str, datetime] = field(default_factory=dict)
    #: what would have been told each morning, with the time
    told: list[tuple[datetime, str]] = field(default_factory=list)
    polls: int = 0
    sections: Sequence[str] = ()

    async def live(self, until: datetime, *, away: Times = ()) -> None:
        """Poll when the program says so, count once a day, until then; not while we are `away`."""
        audit, morning = self.clock(), self._next_morning()
        while self.clock() < until:
            for poll in await gather(self.world, self.world.newsletters):
                self.polls += 1
                if poll.status != "error":
                    self._look(poll.url)
            if self.clock() >= audit:
                self.tallies += await audit_due(self.world)
                audit = self.clock() + EVERY + timedelta(seconds=1)
            if self.clock() >= morning:
                self.told += [(self.clock(), name) for name in await self._candidates()]
                morning = self._next_morning()
            await self._sleep(away)

    def _next_morning(self) -> datetime:
        today = self.clock().replace(hour=MORNING, minute=0, second=0, microsecond=0)
        return today if today > self.clock() else today + DAY

    def _look(self, url: str) -> None:
        """Note what stood there when this feed answered, and what it showed."""
        now, parts = self.clock(), url.split("/")
        category = parts[parts.index("category") + 1] if "category" in parts else None
        shown = [post for post, _ in zip(self.site.up(category), range(SHOWN), strict=False)]
        for post in self.site.posts:
            if post.gone and post.gone <= now and post.at > shown[-1].at:
                self.noticed.setdefault(post.slug, now)
        for place, post in enumerate(self.site.up(category)):
            if place >= SHOWN and post.at < now - DAY:
                break
            self.stood.add(post.slug)
            said, title = self.titles.setdefault(post.slug, []), post.now(now)[1]
            if place < SHOWN and title not in said[-1:]:
                said.append(title)

    async def _candidates(self) -> list[str]:
        paper = self.world.newsletters[0]
        async with self.world.store.read() as connection:
            found = await article_store.candidates(
                connection,
                newsletter=paper.slug,
                schedule="daily",
                sources=paper.feeds,
                seen_since=self.clock() - DAY,
            )
        return [slug(each.url) for each in found]

    async def _sleep(self, away: Times) -> None:
        urls = [each.url for each in self.world.newsletters[0].feeds]
        async with self.world.store.read() as connection:
            known = await feeds.find(connection, urls)
        self.clock.at = max(self.clock() + timedelta(seconds=20), *(_due(known)))
        for since, until in away:
            if since <= self.clock() < until:
                self.clock.at = until

    # ----------------------------------------------------------- what came of it

    async def held(self) -> list[Row[tuple[object, ...]]]:
        async with self.world.store.read() as connection:
            return list((await connection.execute(select(articles))).all())

    async def gaps(self) -> Counter[tuple[str, bool]]:
        async with self.world.store.read() as connection:
            rows = (await connection.execute(select(gap_rows))).all()
        return Counter((row.how, row.whole) for row in rows)


def _due(known: Sequence[Feed]) -> list[datetime]:
    return [min(each.next_poll_at for each in known)]


def slug(url: object) -> str:
    return str(url).rstrip("/").rpartition("/")[2]


@asynccontextmanager
async def a_life(
    folder: Path,
    *,
    days: int,
    bursts: Sequence[datetime] = (),
    sections: Sequence[str] = (),
    rest: bool = True,
    paged: bool = True,
    sitemap: bool = True,
    down: Times = (),
    moved_at: datetime | None = None,
) -> AsyncIterator[Life]:
    """A site with a past of one day, and a world that meets it."""
    clock = Clock(on(1, 10))
    posts = write_posts(START, days, bursts=bursts)
    for post in posts:
        # whose title, guid and address all change between two polls is another story to anybody
        if moved_at and any(abs(when - moved_at) < 3 * HOUR for when, *_ in post.said[1:]):
            del post.said[1:]
    site = WordPress(
        clock, posts, rest=rest, paged=paged, sitemap=sitemap, down=down, moved_at=moved_at
    )
    async with running(site) as url:
        urls = [url, *(url.replace("/feed/", f"/category/{each}/feed/") for each in sections)]
        settings = Settings.model_validate(
            {
                "database_url": f"sqlite:///{folder}/digest.db",
                "secret_key": "a secret that is long enough for tests",
                "public_url": "http://news.example",
                "templates_dir": folder / "none",
                "smtp_host": "127.0.0.1",
                "journal": None,
                "spool": folder / "digest.spool",
            }
        )
        async with (
            open_app(settings, (a_paper(*urls),), clock=clock) as world,
            Fetcher(allow_private=True, user_agent="digest/test", pause=_at_once) as fetcher,
        ):
            chance = random.Random(1)  # noqa: S311 -- the same polls in every run
            world = replace(world, fetcher=fetcher, chance=chance)  # noqa: PLW2901
            yield Life(world, site, clock, sections=sections)


async def _at_once(_: float) -> None:
    """Politeness takes real seconds, which nobody has who lives a month in one minute."""


async def is_whole(life: Life) -> None:
    """All that stood there is held once; what the feed showed last is what we hold."""
    rows = await life.held()
    names = Counter(slug(row.url) for row in rows)
    assert sorted(life.stood - names.keys()) == []
    assert [name for name, times in names.items() if times > 1] == []
    by_name = {slug(row.url): row for row in rows}
    # of what stands in two feeds, the one that brought it speaks, and the other shows it for longer
    alone = {each.slug for each in life.site.posts if each.category not in life.sections}
    shown = {name: said for name, said in life.titles.items() if said and name in alone}
    assert {name: by_name[name].title for name in shown} == {
        name: said[-1] for name, said in shown.items()
    }
    edited = [name for name, said in shown.items() if len(said) > 1]
    assert len(edited) > 3
    assert [name for name in edited if by_name[name].version < 2] == []


async def test_a_month_of_a_busy_site_is_held_whole_and_nothing_twice(tmp_path: Path) -> None:
    down = [(on(9, 6), on(10, 6))]
    away = [(on(14, 9), on(14, 17)), (on(22, 3), on(23, 20))]
    async with a_life(
        tmp_path,
        days=31,
        bursts=[on(3, 17), on(17, 11)],
        down=down,
        moved_at=on(20, 10),
    ) as life:
        await life.live(on(31), away=away)
        await is_whole(life)
        assert len(life.stood) > 1700
        found = await life.gaps()
        assert set(found) == {("paged feed", True)}
        # the first day, the site down, we away twice, much at once twice
        assert found.total() >= 6
        counted = [each for each in life.tallies if each.how == "wordpress"]
        assert len(counted) > 25
        assert [each for each in counted if each.held != each.published] == []
        assert sum(each.published for each in counted) > 1500
        # by what the site names, and on the day when it was down by nothing at all
        assert {each.how for each in life.tallies} <= {"wordpress", "overlap", ""}


async def test_without_pages_of_the_feed_the_api_fills_each_gap(tmp_path: Path) -> None:
    async with a_life(
        tmp_path, days=6, bursts=[on(2, 11)], sections=["sport"], paged=False, moved_at=on(5)
    ) as life:
        await life.live(on(6), away=[(on(4, 7), on(4, 18))])
        await is_whole(life)
        assert set(await life.gaps()) == {("wordpress", True)}


async def test_without_the_api_the_feeds_pages_fill_each_gap(tmp_path: Path) -> None:
    async with a_life(
        tmp_path, days=6, bursts=[on(2, 11)], sections=["sport"], rest=False, moved_at=on(5)
    ) as life:
        await life.live(on(6), away=[(on(4, 7), on(4, 18))])
        await is_whole(life)
        assert set(await life.gaps()) == {("paged feed", True)}
        assert {each.how for each in life.tallies} == {"news sitemap", "overlap"}
        assert [each for each in life.tallies if each.held != each.published] == []


async def test_without_both_the_news_sitemap_fills_each_gap(tmp_path: Path) -> None:
    async with a_life(tmp_path, days=6, bursts=[on(2, 11)], rest=False, paged=False) as life:
        await life.live(on(6), away=[(on(4, 7), on(4, 18))])
        await is_whole(life)
        assert set(await life.gaps()) == {("news sitemap", True)}


async def test_where_nothing_leads_to_what_was_missed_we_say_so(tmp_path: Path) -> None:
    async with a_life(tmp_path, days=6, rest=False, paged=False, sitemap=False) as life:
        await life.live(on(6), away=[(on(4, 7), on(4, 18))])
        names = Counter(slug(row.url) for row in await life.held())
        missed = life.stood - names.keys()
        assert len(missed) > 20
        assert set(names.values()) == {1}
        assert ("", False) in await life.gaps()
        async with life.world.store.read() as connection:
            last = await gaps.latest_gaps(connection)
        assert [(each.whole, each.how) for each in last.values()] == [(False, "")]
        # no count of a day with a gap says that it is whole
        blind = [each for each in life.tallies if each.since < on(4, 18) and each.at > on(4, 7)]
        assert {each.how for each in blind} == {""}


async def test_what_its_publisher_took_back_is_not_told(tmp_path: Path) -> None:
    async with a_life(tmp_path, days=6) as life:
        await life.live(on(6))
        rows = {slug(row.url): row for row in await life.held()}
        held = life.noticed.keys() & rows.keys()
        assert len(held) > 3
        told = [name for at, name in life.told if name in held and life.noticed[name] < at]
        assert told == []
        # what had left the feed before it went is found when the site is asked for all of the day
        last = life.tallies[-1]
        went = [
            post.slug
            for post in life.site.posts
            if post.gone and post.gone < last.at and post.at > last.since and post.slug in rows
        ]
        assert [name for name in went if rows[name].withdrawn_at is None] == []
        # nothing else is taken back
        gone = {post.slug for post in life.site.posts if post.gone}
        assert {name for name, row in rows.items() if row.withdrawn_at} <= gone
