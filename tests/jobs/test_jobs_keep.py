"""Each story is taken in once, whoever carries it and whatever its site calls it; edits follow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from feed_house import (
    LOCAL,
    NEWS,
    TOPIC,
    count,
    document,
    held,
    renamed,
    story,
    take,
    tellable,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jobs_world import NOW, Clock, open_world, sqlite
from sqlalchemy import delete, select, update

from digest.jobs.keep import Taken, take_in
from digest.jobs.world import World
from digest.model.article import Image, NewArticle
from digest.model.feed import Entry, Feed
from digest.store import feeds
from digest.store.articles import withdraw
from digest.store.engine import Connection
from digest.store.sources import article_signs, article_texts, article_versions
from digest.store.tables import articles as rows

PICTURE = Image(url="https://stadtblatt.example/a.jpg", alt="", width=800, height=600)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def both(database_url: str, clock: Clock) -> AsyncIterator[World]:
    """A world on each database, where that may differ."""
    async with open_world(database_url, clock) as one:
        yield one


@pytest.fixture
async def world(tmp_path: Path, clock: Clock) -> AsyncIterator[World]:
    async with open_world(sqlite(tmp_path), clock) as one:
        yield one


async def versions(world: World) -> list[tuple[int, str, str]]:
    async with world.store.read() as connection:
        query = select(article_versions).order_by(article_versions.c.version)
        found = await connection.execute(query)
        return [(row.version, row.title, row.excerpt) for row in found]


def one(found: list[NewArticle]) -> NewArticle:
    (article,) = found
    return article


# --------------------------------------------------------------- each once


async def test_what_is_new_is_counted_once_and_named(both: World) -> None:
    found = document(*(story(n) for n in range(3)))
    taken = await take(both, found)
    assert taken == Taken(new=3, held=0, ids=tuple(row.id for row in await held(both)))
    assert await take(both, found) == Taken(new=0, held=0, ids=())


async def test_99_items_with_one_link_and_no_guid_stay_99(world: World) -> None:
    entries = [story(n, guid=None, link="https://stadtblatt.example/") for n in range(99)]
    assert (await take(world, document(*entries), first=True)).held == 0
    assert await count(world) == 99
    assert (await take(world, document(*entries[::-1]))).ids == ()
    assert await count(world) == 99


async def test_items_that_are_repeated_exactly_are_one(world: World) -> None:
    for entry in (story(1), story(2, guid=None), story(3, guid=None, link=None)):
        found = document(entry, entry)
        # older pages may repeat them once more
        assert (await take(world, found, filled=found)).new == 1
    assert await count(world) == 3


async def test_one_story_in_three_feeds_of_a_site_is_one(world: World) -> None:
    taken = [
        await take(world, document(story(1)), NEWS),
        await take(world, document(story(1, guid="7", text="Kürzer."), url=TOPIC), TOPIC),
        await take(world, document(story(1, guid=None, dated=False), url=LOCAL), LOCAL),
    ]
    assert [each.new for each in taken] == [1, 0, 0]
    assert await tellable(world, TOPIC) == await tellable(world, LOCAL) == {story(1).title}


async def test_a_site_that_moves_sends_nothing_again(world: World, clock: Clock) -> None:
    old = [story(n) for n in range(30)]
    await take(world, document(*old), first=True)
    clock.forward(hours=1)
    https = [replace(each, guid=each.guid and each.guid.replace("?p=", "?post=")) for each in old]
    for new in (https, renamed(old, host="stadtblatt.example"), renamed(old)):
        assert await take(world, document(*new)) == Taken(new=0, held=0, ids=())
    # the operator names the new address of the feed, too
    elsewhere = "https://neu.example/feed"
    found = document(*renamed(old), story(77, at=clock.at), url=elsewhere)
    assert (await take(world, found, elsewhere, first=True)).new == 1
    assert await count(world) == 31
    assert await versions(world) != []  # their addresses changed, and the old ones are kept


async def test_two_processes_at_once_keep_each_story_once(
    database_url: str, clock: Clock, both: World
) -> None:
    found = [document(*(story(n) for n in range(20)), url=url) for url in (NEWS, TOPIC)]
    async with open_world(database_url, clock) as other:
        taken = await asyncio.gather(
            take(both, found[0], NEWS, first=True), take(other, found[1], TOPIC, first=True)
        )
    assert sorted(each.new for each in taken) == [0, 20]
    assert await count(both) == 20


async def test_one_process_waits_while_another_is_not_done(
    database_url: str, clock: Clock, both: World
) -> None:
    found = document(*(story(n) for n in range(5)))
    await take(both, [], NEWS)
    async with open_world(database_url, clock) as other:
        async with both.store.write() as connection:
            feed = await known_in(connection)
            await take_in(connection, both, feed, found, first=False)
            waiting = asyncio.create_task(take(other, found, TOPIC))
            await asyncio.sleep(0.2)
            assert not waiting.done()
        assert await waiting == Taken(new=0, held=0, ids=())
    assert await count(both) == 5


async def known_in(connection: Connection) -> Feed:
    (feed,) = await feeds.find(connection, [NEWS])
    return feed


async def test_what_was_kept_before_there_were_signs_is_known(both: World) -> None:
    found = document(story(1))
    await take(both, found)
    async with both.store.write() as connection:
        for sign in ("key", "link_key", "none"):
            keep = [each for each in (getattr(found[0], sign, None),) if each]
            await connection.execute(delete(article_signs).where(article_signs.c.sign.not_in(keep)))
            feed = await known_in(connection)
            assert (await take_in(connection, both, feed, found, first=False)).ids == ()


# --------------------------------------------------------------- the first read


async def test_on_a_first_read_only_what_is_fresh_may_be_told(world: World, clock: Clock) -> None:
    entries = [story(1), story(30), story(2, dated=False)]
    taken = await take(world, document(*entries), first=True)
    assert (taken.new, len(taken.ids), await count(world)) == (1, 1, 3)
    clock.forward(days=1)
    edited = document(story(30, text="Neu."), story(2, dated=True))
    assert await take(world, edited) == Taken(new=0, held=0, ids=())
    assert await tellable(world) == {story(1).title}


# --------------------------------------------------------------- edits


async def test_an_edited_article_is_updated_and_what_it_said_is_kept(
    both: World, clock: Clock
) -> None:
    await take(both, document(story(1)))
    for at, (title, text) in enumerate([("Korrigiert zum ersten", "A"), ("Korrigiert", "B")]):
        clock.forward(minutes=10 + at)
        await take(both, document(story(1, title=title, text=text)))
    (row,) = await held(both)
    assert (row.title, row.excerpt, row.version, row.updated_at) == ("Korrigiert", "B", 3, clock.at)
    assert await versions(both) == [
        (1, story(1).title, "Mehr davon."),
        (2, "Korrigiert zum ersten", "A"),
    ]


async def test_what_is_no_edit_counts_no_version(both: World) -> None:
    entry = story(1, dated=False, link="http://stadtblatt.example/a?utm_source=rss")
    before = one(document(entry))
    after = replace(
        one(document(replace(entry, link="https://stadtblatt.example/a?utm_medium=feed"))),
        image=PICTURE,
        author="Mara Lindt",
        categories=("KI",),
        words=900,
        comments=4,
        language="de",
        published_at=NOW,
    )
    await take(both, [before])
    await take(both, [after])
    (row,) = await held(both)
    assert (row.author, row.categories, row.words, row.comments, row.language) == (
        "Mara Lindt",
        ["KI"],
        900,
        4,
        "de",
    )
    assert (row.image["width"], row.published_at, row.version) == (800, NOW, 1)
    assert row.updated_at is None
    # a date that is known stays; what one feed alone says goes when it does
    await take(both, [replace(after, published_at=NOW + timedelta(hours=1), author=None)])
    (row,) = await held(both)
    assert (row.published_at, row.author, row.version) == (NOW, None, 1)


async def test_feeds_of_other_excerpts_do_not_edit_each_other(world: World, clock: Clock) -> None:
    texts = {LOCAL: "Lang und breit.", NEWS: "Kurz.", TOPIC: "Mittel."}
    for poll in range(4):
        for url, text in texts.items():
            article = one(document(story(1, text=text), url=url))
            image = PICTURE if url == TOPIC else None
            await take(world, [replace(article, image=image)], url)
        clock.forward(hours=poll + 1)
    (row,) = await held(world)
    assert (row.excerpt, row.version, row.image is not None) == ("Lang und breit.", 1, True)
    # the one that brought it first is heard
    await take(world, document(story(1, text="Berichtigt."), url=LOCAL), LOCAL)
    (row,) = await held(world)
    assert (row.excerpt, row.version) == ("Berichtigt.", 2)


async def test_a_feed_that_is_not_asked_any_more_leaves_its_say_to_the_next(
    world: World, clock: Clock
) -> None:
    await take(world, document(story(1)), NEWS)
    await take(world, document(story(1), url=TOPIC), TOPIC)
    clock.forward(days=8)
    await take(world, document(story(1, text="Berichtigt."), url=TOPIC), TOPIC)
    (row,) = await held(world)
    assert (row.excerpt, row.version) == ("Berichtigt.", 2)


async def test_two_caches_of_a_site_do_not_count_versions_for_ever(
    world: World, clock: Clock
) -> None:
    for poll in range(40):
        await take(world, document(story(1, text="Alt." if poll % 2 else "Neu.")))
        clock.forward(minutes=30)
    (row,) = await held(world)
    assert row.version <= 6
    # an edit that is taken back once is followed at once
    await take(world, document(story(2, text="Richtig.")))
    await take(world, document(story(2, text="Falsch.")))
    await take(world, document(story(2, text="Richtig.")))
    assert [each.excerpt for each in await held(world)][1] == "Richtig."


async def test_what_was_read_on_the_page_stands_above_the_feed(both: World) -> None:
    await take(both, document(story(1, text="Angerissen.")))
    async with both.store.write() as connection:
        await connection.execute(
            update(rows).values(
                excerpt="Ganz gelesen.",
                words=700,
                page_read_at=NOW,
                image={"url": PICTURE.url, "alt": "", "width": 800, "height": 600},
            )
        )
        (row,) = (await connection.execute(select(rows.c.id))).all()
        values = {"article_id": row.id, "html": "<p>Ganz gelesen.</p>", "origin": "page"}
        await connection.execute(article_texts.insert().values(values))
    await take(both, document(story(1, text="Angerissen.")))
    (row,) = await held(both)
    assert (row.excerpt, row.words, row.version) == ("Ganz gelesen.", 700, 1)
    assert row.image["url"] == PICTURE.url
    await take(both, document(story(1, text="Angerissen.", title="Ein neuer Titel")))
    (row,) = await held(both)
    assert (row.title, row.excerpt, row.version) == ("Ein neuer Titel", "Ganz gelesen.", 2)


async def test_older_pages_add_and_edit_nothing(world: World) -> None:
    await take(world, document(story(1), story(2, dated=False)))
    page = document(story(1, text="Anders geschnitten."), story(2, text="Auch."), story(3))
    taken = await take(world, document(story(1)), filled=page)
    assert taken.new == 1
    assert [(row.excerpt, row.version, row.published_at) for row in await held(world)][:2] == [
        ("Mehr davon.", 1, story(1).published_at),
        ("Mehr davon.", 1, story(2).published_at),
    ]


async def test_the_text_of_what_may_be_told_is_kept(world: World) -> None:
    fresh, old = (replace(one(document(story(n))), html=f"<p>{n}</p>") for n in (1, 50))
    await take(world, [fresh, old], first=True)
    await take(world, [replace(fresh, excerpt="Neu.", html="<p>neu</p>")])
    async with world.store.read() as connection:
        kept = (await connection.execute(select(article_texts))).all()
    assert [(row.html, row.origin) for row in kept] == [("<p>neu</p>", "feed")]


async def test_what_was_withdrawn_comes_back_when_it_is_seen_again(world: World) -> None:
    found = document(story(1))
    (id_,) = (await take(world, found)).ids
    async with world.store.write() as connection:
        await withdraw(connection, [id_], NOW)
    assert await tellable(world) == set()
    await take(world, found)
    assert await tellable(world) == {story(1).title}


async def test_a_shell_of_a_lost_edition_is_filled_in_and_is_no_edit(world: World) -> None:
    article = one(document(story(1)))
    async with world.store.write() as connection:
        shell = {"key": article.key, "url": article.url, "title": "?", "excerpt": "", "words": 0}
        await connection.execute(
            rows.insert().values(**shell, categories=[], first_seen_at=NOW, candidate=True)
        )
    assert (await take(world, [article])).new == 0
    (row,) = await held(world)
    assert (row.title, row.excerpt, row.version) == (article.title, article.excerpt, 1)


# --------------------------------------------------------------- whatever the order


WAYS = st.sampled_from(["plain", "guid", "bare", "http", "no link"])


def in_a_way(number: int, way: str) -> Entry:
    entry = story(number)
    match way:
        case "guid":
            return replace(entry, guid=f"anders-{number}")
        case "bare":
            return replace(entry, guid=None)
        case "http":
            return replace(entry, link=entry.link and entry.link.replace("https", "http"))
        case "no link":
            return replace(entry, link=None)
        case _:
            return entry


POLLS = st.lists(
    st.tuples(
        st.sampled_from([NEWS, TOPIC, LOCAL]),
        st.lists(st.integers(0, 5), min_size=1, max_size=6, unique=True),
    ),
    min_size=1,
    max_size=6,
)


@given(polls=POLLS, ways=st.fixed_dictionaries(dict.fromkeys((NEWS, TOPIC, LOCAL), WAYS)))
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_neither_the_order_of_polls_nor_repeating_them_changes_how_many_there_are(
    both: World, clock: Clock, polls: list[tuple[str, list[int]]], ways: dict[str, str]
) -> None:
    stories = {n for _, numbers in polls for n in numbers}
    for order in (polls, polls[::-1]):
        before = await count(both)  # each time the stories are others
        for url, numbers in order:
            clock.forward(seconds=1)
            found = document(*(in_a_way(before * 10 + n, ways[url]) for n in numbers), url=url)
            await take(both, found, url)
            once = await held(both)
            assert (await take(both, found, url)).ids == ()
            assert await held(both) == once
        assert await count(both) == before + len(stories)
