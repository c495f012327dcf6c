from dataclasses import replace
from datetime import UTC, datetime, timedelta

from digest.model.article import Image, NewArticle
from digest.model.newsletter import FeedSource
from digest.store import articles, feeds
from digest.store.engine import Connection, Store

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
