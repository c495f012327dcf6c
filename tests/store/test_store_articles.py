"""Articles in both databases: kept once, told when they may be, changed with their publishers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, select

from digest.model.article import Image, NewArticle
from digest.model.edition import Card, Draft, LeftOut, Section, Slot, Written
from digest.model.journal import Considered, Made
from digest.model.newsletter import FeedSource
from digest.store import articles, editions, feeds, floods, held, lost, signs
from digest.store.engine import Connection, Store
from digest.store.sources import article_versions
from digest.store.tables import articles as rows

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
NEWS, TOPIC = "https://site.example/feed", "https://site.example/ki/feed"

STORY = NewArticle(
    key="k1",
    link_key="l1",
    url="https://site.example/a.html",
    title="Ein Roboter lernt laufen",
    excerpt="Er fiel siebenmal.",
    image=Image(url="https://site.example/a.jpg", alt="Ein Roboter", width=1200, height=675),
    author="Mara Lindt",
    categories=("Robotik",),
    published_at=NOW - timedelta(hours=1),
    words=400,
)


async def _feed(connection: Connection, url: str) -> int:
    await feeds.know(connection, [url], now=NOW)
    return (await feeds.find(connection, [url]))[0].id


async def _titles(connection: Connection, *urls: str) -> list[tuple[str, str | None]]:
    found = await articles.candidates(
        connection,
        newsletter="news",
        schedule="daily",
        sources=[FeedSource(url=url, section=url if url == TOPIC else None) for url in urls],
        seen_since=None,
    )
    return [(each.title, each.section) for each in found]


async def test_an_article_is_kept_once_and_comes_back_as_it_was(store: Store) -> None:
    async with store.write() as connection:
        feed = await _feed(connection, NEWS)
        counts = [
            await articles.keep(connection, feed, [STORY], now=NOW),
            await articles.keep(connection, feed, [STORY], now=NOW),
        ]
        (found,) = await articles.candidates(
            connection,
            newsletter="news",
            schedule="daily",
            sources=[FeedSource(url=NEWS)],
            seen_since=None,
        )
    assert counts == [1, 0]
    assert (found.title, found.image, found.published_at, found.categories) == (
        STORY.title,
        STORY.image,
        STORY.published_at,
        STORY.categories,
    )


async def test_a_page_in_two_feeds_is_one_article_of_the_first_named(store: Store) -> None:
    async with store.write() as connection:
        news, topic = await _feed(connection, NEWS), await _feed(connection, TOPIC)
        await articles.keep(connection, topic, [STORY], now=NOW)
        new = await articles.keep(connection, news, [replace(STORY, key="other")], now=NOW)
        assert new == 0
        assert await _titles(connection, NEWS, TOPIC) == [(STORY.title, None)]
        assert await _titles(connection, TOPIC, NEWS) == [(STORY.title, TOPIC)]


async def test_items_of_one_feed_that_share_a_page_stay_apart(store: Store) -> None:
    both = [STORY, replace(STORY, key="k2", title="Ein zweiter Roboter")]
    async with store.write() as connection:
        feed = await _feed(connection, NEWS)
        assert await articles.keep(connection, feed, both, now=NOW) == 2


async def test_the_first_read_of_a_feed_is_no_flood(store: Store) -> None:
    old = replace(STORY, key="old", link_key="old", published_at=NOW - timedelta(days=3))
    undated = replace(STORY, key="undated", link_key="undated", published_at=None)
    async with store.write() as connection:
        feed = await _feed(connection, NEWS)
        since = NOW - timedelta(hours=24)
        found = [STORY, old, undated]
        first = await articles.keep(
            connection, feed, found, now=NOW, fresh_since=since, all_fresh=False
        )
        later = await articles.keep(connection, feed, found, now=NOW)
        assert (first, later) == (1, 0)
        assert await _titles(connection, NEWS) == [(STORY.title, None)]


async def test_an_edit_is_followed(store: Store) -> None:
    async with store.write() as connection:
        feed = await _feed(connection, NEWS)
        await articles.keep(connection, feed, [STORY], now=NOW)
        await articles.keep(connection, feed, [replace(STORY, title="Korrigiert")], now=NOW)
        assert await _titles(connection, NEWS) == [("Korrigiert", None)]


async def test_a_failing_feed_remembers_since_when_and_recovers(store: Store) -> None:
    later = NOW + timedelta(hours=1)
    async with store.write() as connection:
        await _feed(connection, NEWS)
        for at in (NOW, later):
            (feed,) = await feeds.find(connection, [NEWS])
            await feeds.record_failure(
                connection, feed, now=at, next_poll_at=later, error="HTTP 500"
            )
        (failing,) = await feeds.find(connection, [NEWS])
        await feeds.record_unchanged(connection, failing.id, now=later, next_poll_at=later)
        (well,) = await feeds.find(connection, [NEWS])
    assert (failing.failures, failing.failing_since, failing.error) == (2, NOW, "HTTP 500")
    assert (well.failures, well.failing_since, well.error) == (0, None, None)


async def test_only_due_feeds_are_due(store: Store) -> None:
    async with store.write() as connection:
        await feeds.know(connection, [NEWS, TOPIC, NEWS], now=NOW)
        (first, _) = await feeds.find(connection, [NEWS, TOPIC])
        await feeds.record_unchanged(
            connection, first.id, now=NOW, next_poll_at=NOW + timedelta(minutes=15)
        )
        due = await feeds.find(connection, [NEWS, TOPIC], due_at=NOW)
    assert [each.url for each in due] == [TOPIC]


# --------------------------------------------------------------- held back, taken back, changed


async def test_what_is_withdrawn_is_not_told_until_it_is_seen_again(store: Store) -> None:
    async with store.write() as connection:
        feed = await _feed(connection, NEWS)
        [one] = await articles.add(connection, [(STORY, True, None)], now=NOW)
        await articles.appear(connection, [one], feed, now=NOW)
        await articles.withdraw(connection, [one], NOW)
        assert await _titles(connection, NEWS) == []
        await articles.withdraw(connection, [one], NOW + timedelta(hours=1))
        [held_one] = (await held.look(connection, [one], now=NOW)).values()
        assert held_one.withdrawn
        await articles.bring_back(connection, [one], now=NOW)
        assert await _titles(connection, NEWS) == [(STORY.title, None)]


async def test_what_came_with_a_flood_is_told_once_it_is_released(store: Store) -> None:
    later = NOW + timedelta(days=5)
    stories = [replace(STORY, key=f"k{n}", link_key=None, title=f"Nr. {n}") for n in range(7)]
    async with store.write() as connection:
        news, topic = await _feed(connection, NEWS), await _feed(connection, TOPIC)
        for feed, some in ((news, stories[:6]), (topic, stories[6:])):
            flood = await floods.begin(connection, feed, count=len(some), usual=1.5, now=NOW)
            ids = await articles.add(connection, [(each, True, flood) for each in some], now=NOW)
            await articles.appear(connection, ids, feed, now=NOW)
        assert await _titles(connection, NEWS, TOPIC) == []
        one, two = await floods.standing(connection)
        assert (one.url, one.articles, one.usual, len(one.titles)) == (NEWS, 6, 1.5, 5)
        assert [each.url for each in await floods.standing(connection, topic)] == [TOPIC]
        # an edition that looks back to the one before it still meets them
        assert await floods.end(connection, one.id, "released", now=later) == 6
        assert await floods.end(connection, two.id, "dropped", now=later) == 1
        assert await floods.standing(connection) == []
        found = await articles.candidates(
            connection,
            newsletter="news",
            schedule="daily",
            sources=[FeedSource(url=NEWS), FeedSource(url=TOPIC)],
            seen_since=later - timedelta(days=1),
        )
    assert {each.title for each in found} == {each.title for each in stories[:6]}


async def test_an_article_knows_its_language_its_version_and_its_comments(store: Store) -> None:
    async with store.write() as connection:
        feed = await _feed(connection, NEWS)
        said = replace(STORY, language="de", comments=3)
        await articles.keep(connection, feed, [said], now=NOW)
        await articles.keep(connection, feed, [replace(said, title="Korrigiert")], now=NOW)
        (found,) = await articles.candidates(
            connection,
            newsletter="news",
            schedule="daily",
            sources=[FeedSource(url=NEWS)],
            seen_since=None,
        )
    assert (found.language, found.version, found.comments) == ("de", 2, 3)


async def test_what_changed_since_it_was_told_can_be_asked(store: Store) -> None:
    stories = [replace(STORY, key=f"k{n}", link_key=None, title=f"Nr. {n}") for n in range(4)]
    async with store.write() as connection:
        feed = await _feed(connection, NEWS)
        await articles.keep(connection, feed, stories, now=NOW)
        await articles.keep(connection, feed, [replace(stories[0], title="Neu")], now=NOW)
        edition = await _tell(connection)
        assert await articles.changed_since_told(connection, edition) == []
        for number in (2, 0, 3):  # the last one was left out
            edited = replace(stories[number], excerpt="Korrigiert.")
            await articles.keep(connection, feed, [edited], now=NOW)
        ids = {each.title: each.id for each in await _known(connection)}
        changed = await articles.changed_since_told(connection, edition)
        versions = (await connection.execute(select(article_versions))).all()
    assert changed == [(ids["Nr. 0"], 2, 3), (ids["Nr. 2"], 1, 2)]
    assert sorted((row.version, row.title, row.excerpt) for row in versions) == [
        (1, "Nr. 0", STORY.excerpt),
        (1, "Nr. 2", STORY.excerpt),
        (1, "Nr. 3", STORY.excerpt),
        (2, "Neu", STORY.excerpt),
    ]


async def _known(connection: Connection) -> Sequence[Row[Any]]:
    return (await connection.execute(select(rows))).all()


async def _tell(connection: Connection) -> int:
    """An edition of all but the last, as `prepare` would make it; the order is of `candidates`."""
    found = await articles.candidates(
        connection,
        newsletter="news",
        schedule="daily",
        sources=[FeedSource(url=NEWS)],
        seen_since=None,
    )
    *chosen, left = sorted(found, key=lambda each: each.key)
    draft = Draft(
        subject="S",
        preheader="",
        sections=(Section(title=None, articles=tuple(chosen)),),
        left_out=(LeftOut(article=left, reason="no room"),),
    )
    cards = tuple(Card(article_id=each.id, html="", text="") for each in chosen)
    written = Written(subject="S", preheader="", html="", text="", cards=cards)
    slot = Slot(newsletter="news", schedule="daily", at=NOW)
    await editions.take(connection, slot, outcome="edition", now=NOW)
    made = await editions.add(
        connection, slot, draft=draft, written=written, number=1, language="de", nonce="n", now=NOW
    )
    return made.id


async def test_an_article_of_a_lost_edition_is_known_by_its_signs(store: Store) -> None:
    considered = Considered(
        key="k1",
        link_key="l1",
        url=STORY.url,
        title=STORY.title,
        seen_at=NOW,
        position=1,
        section=None,
        reason=None,
    )
    made = Made(
        id=7,
        newsletter="news",
        schedule="daily",
        number=1,
        nonce="n",
        made_at=NOW,
        language="de",
        subject="S",
        slot_at=NOW,
        manual=False,
        articles=(considered,),
    )
    async with store.write() as connection:
        feed = await _feed(connection, NEWS)
        await lost.put_back(connection, made, html="")
        assert set(await signs.lead(connection, ["k1", "l1", "other"])) == {"k1", "l1"}
        # another feed brings the page under another key
        assert await articles.keep(connection, feed, [replace(STORY, key="x")], now=NOW) == 0
        assert await articles.changed_since_told(connection, 7) == []


async def test_a_sign_stays_with_the_article_that_it_led_to_first(store: Store) -> None:
    many = [(replace(STORY, key=f"k{n}", link_key=None), True, None) for n in range(1001)]
    async with store.write() as connection:
        ids = await articles.add(connection, many, now=NOW)
        await signs.add(connection, [("s", ids[0]), ("s", ids[1]), ("k0", ids[2])])
        assert await signs.lead(connection, ["s", "k0"]) == {"s": ids[0], "k0": ids[0]}
        every = await signs.lead(connection, [each.key for each, *_ in many])
    assert [every[each.key] for each, *_ in many] == ids


async def test_what_comes_late_to_a_feed_of_the_newsletter_is_told(store: Store) -> None:
    later = NOW + timedelta(days=3)
    async with store.write() as connection:
        news, topic = await _feed(connection, NEWS), await _feed(connection, TOPIC)
        await articles.keep(connection, news, [STORY], now=NOW)
        await articles.keep(connection, topic, [STORY], now=later)
        for url, told in ((TOPIC, [STORY.title]), (NEWS, [])):
            found = await articles.candidates(
                connection,
                newsletter="topic",
                schedule="daily",
                sources=[FeedSource(url=url)],
                seen_since=later - timedelta(days=1),
            )
            assert [each.title for each in found] == told


async def test_what_is_brought_back_is_news_once_more(store: Store) -> None:
    later = NOW + timedelta(days=3)
    async with store.write() as connection:
        feed = await _feed(connection, NEWS)
        await articles.keep(connection, feed, [STORY], now=NOW)
        known = (await connection.execute(select(rows.c.id))).scalar_one()
        await articles.withdraw(connection, [known], now=NOW)
        await articles.bring_back(connection, [known], now=later)
        found = await articles.candidates(
            connection,
            newsletter="news",
            schedule="daily",
            sources=[FeedSource(url=NEWS)],
            seen_since=later - timedelta(days=1),
        )
    assert [each.title for each in found] == [STORY.title]
