"""What stands around the news: jobs, books, a sponsor, support, comments, where to look further."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from jobs_world import DAILY, NOW, STADTBLATT, Clock, bring, open_world
from sqlalchemy import update

from digest.jobs.rehearse import as_edition, rehearse, show
from digest.jobs.world import World
from digest.model.edition import Written
from digest.model.newsletter import FeedSource, Newsletter
from digest.model.policy import SearchEngine, SectionRule, Sponsor, Support
from digest.settings.choosing import ENGINES
from digest.store.tables import articles

MAIN = STADTBLATT.feeds[0].url
JOBS = "https://stadtblatt.example/stellen.xml"
BARE = replace(STADTBLATT, feeds=(FeedSource(url=MAIN), FeedSource(url=JOBS, section="Jobs")))
AROUND = replace(
    BARE,
    sections=(
        SectionRule(title="Jobs", limit=1),
        SectionRule(
            title="Bücher", text="Was wir lesen: <b>Maschinen</b>", url="https://buch.example/1"
        ),
    ),
    sponsors=tuple(
        Sponsor(title=f"Werbung {n}", text="Kauft mehr.", url=f"https://ad.example/{n}")
        for n in (1, 2, 3)
    ),
    sponsor_limit=2,
    support=Support(text="Unterstützen Sie uns", url="https://stadtblatt.example/abo"),
    search=(ENGINES["google-news"], SearchEngine(name="Ours", url="https://s.example/?q={query}")),
)


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with open_world(database_url, Clock(), AROUND, BARE) as one:
        yield one


async def shown(world: World, newsletter: Newsletter) -> Written:
    found = await rehearse(world, newsletter, DAILY, gathering=False)
    assert found.prepared is not None
    return show(world, as_edition(found.prepared, newsletter, DAILY), newsletter, None)


async def bring_all(world: World) -> None:
    await bring(world, "Greifarm & Kran", excerpt="Die Stadt baut.")
    await bring(world, "Setzerin gesucht", "Lotse gesucht", feed=JOBS)
    async with world.store.write() as connection:
        where = articles.c.title == "Greifarm & Kran"
        facts = {"comments": 12, "comments_url": "https://stadtblatt.example/greifarm#respond"}
        await connection.execute(update(articles).where(where).values(**facts))


async def test_all_that_stands_around_the_news_is_in_both_parts_of_the_mail(world: World) -> None:
    await bring_all(world)
    mail = await shown(world, AROUND)
    for part in (mail.html, mail.text):
        assert part.count("gesucht") - part.count("(+") >= 1
        assert "Bücher" in part
        assert "https://buch.example/1" in part
        assert "Anzeige" in part
        assert "Unterstützen Sie uns" in part
        assert "https://stadtblatt.example/abo" in part
        assert "https://stadtblatt.example/greifarm#respond" in part
        assert "12" in part
        assert "https://s.example/?q=Greifarm" in part
    # an operator's words are words, and an address in the page has no bare ampersand
    assert "&lt;b&gt;Maschinen" in mail.html
    assert "<b>Maschinen" in mail.text
    # the section of vacancies holds one of two
    assert ("Setzerin" in mail.text) + ("Lotse" in mail.text) == 1


async def test_there_are_never_more_sponsors_than_configured_and_each_has_its_turn(
    world: World,
) -> None:
    await bring_all(world)
    mail = await shown(world, AROUND)
    assert sum(f"https://ad.example/{n}" in mail.text for n in (1, 2, 3)) == 2
    assert sum(f"https://ad.example/{n}" in mail.html for n in (1, 2, 3)) == 2
    none = replace(AROUND, sponsor_limit=0)
    assert "ad.example" not in (await shown(world, none)).html
    over = replace(AROUND.sponsors[0], until=NOW)
    later = replace(AROUND.sponsors[1], since=NOW + timedelta(days=1))
    assert "Anzeige" not in (await shown(world, replace(AROUND, sponsors=(over, later)))).html


async def test_nothing_of_it_is_there_unless_it_was_asked_for(world: World) -> None:
    await bring_all(world)
    mail = await shown(world, BARE)
    for word in ("Anzeige", "google", "Unterstützen", "Bücher"):
        assert word not in mail.html
        assert word not in mail.text
