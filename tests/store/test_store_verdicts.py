"""What editors say about articles in both databases, and how an article is found by its name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from digest.articles.identify import identify, page_signs
from digest.model.article import NewArticle
from digest.model.feed import Entry
from digest.model.policy import Verdict
from digest.store import articles, feeds, signs, verdicts
from digest.store.engine import Connection, Store
from digest.store.lookup import find_article

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
FEED = "https://site.example/feed"


async def _keep(connection: Connection, *names: str) -> list[int]:
    """Articles at these paths of the site; their ids."""
    await feeds.know(connection, [FEED], now=NOW)
    [feed] = await feeds.find(connection, [FEED])
    made = []
    for name in names:
        entry = Entry(
            guid=None,
            link=f"https://site.example/{name}",
            title=name,
            summary_html="",
            content_html="",
            author=None,
            categories=(),
            published_at=NOW,
            updated_at=None,
            images=(),
        )
        [identity] = identify([entry], feed_url=FEED)
        article = NewArticle(
            key=identity.key,
            link_key=identity.link_key,
            url=f"https://site.example/{name}",
            title=name,
            excerpt="",
            image=None,
            author=None,
            categories=(),
            published_at=NOW,
            words=10,
        )
        [known] = await articles.add(connection, [(article, True, None)], now=NOW)
        await signs.add(connection, [(each, known) for each in identity.signs])
        await articles.appear(connection, [known], feed.id, now=NOW)
        made.append(known)
    return made


async def test_what_is_said_stands_until_it_is_taken_back(store: Store) -> None:
    async with store.write() as connection:
        one, two = await _keep(connection, "eins", "zwei")
        await verdicts.pin(connection, "news", one, place=2, now=NOW)
        await verdicts.retitle(connection, "news", one, title="Eins!", now=NOW)
        await verdicts.refuse(connection, "news", two, refused=True, now=NOW)
        await verdicts.refuse(connection, "other", one, refused=True, now=NOW)
        assert await verdicts.of(connection, "news") == [
            Verdict(article_id=one, pinned=2, title="Eins!"),
            Verdict(article_id=two, refused=True),
        ]
        await verdicts.pin(connection, "news", one, place=None, now=NOW)
        assert await verdicts.of(connection, "news") == [
            Verdict(article_id=one, title="Eins!"),
            Verdict(article_id=two, refused=True),
        ]


async def test_what_says_nothing_any_more_is_gone(store: Store) -> None:
    async with store.write() as connection:
        [one] = await _keep(connection, "eins")
        await verdicts.pin(connection, "news", one, place=1, now=NOW)
        await verdicts.pin(connection, "news", one, place=None, now=NOW)
        await verdicts.refuse(connection, "news", one, refused=False, now=NOW)
        await verdicts.retitle(connection, "news", one, title=None, now=NOW)
        assert await verdicts.of(connection, "news") == []


async def test_the_later_word_counts(store: Store) -> None:
    async with store.write() as connection:
        [one] = await _keep(connection, "eins")
        await verdicts.pin(connection, "news", one, place=1, now=NOW)
        await verdicts.refuse(connection, "news", one, refused=True, now=NOW)
        assert await verdicts.of(connection, "news") == [Verdict(article_id=one, refused=True)]
        await verdicts.pin(connection, "news", one, place=4, now=NOW)
        assert await verdicts.of(connection, "news") == [Verdict(article_id=one, pinned=4)]


async def test_only_what_was_said_of_late_may_be_asked_for(store: Store) -> None:
    later = NOW + timedelta(hours=1)
    async with store.write() as connection:
        one, two = await _keep(connection, "eins", "zwei")
        await verdicts.pin(connection, "news", one, place=1, now=NOW)
        await verdicts.pin(connection, "news", two, place=2, now=later)
        found = await verdicts.of(connection, "news", since=later)
    assert [each.article_id for each in found] == [two]


@pytest.mark.parametrize(
    "name",
    [
        "https://site.example/eins",
        "https://site.example/eins/",
        "http://SITE.example/eins?utm_source=mail",
        "https://site.example/eins#absatz-2",
    ],
)
async def test_an_article_is_found_by_its_address_in_many_spellings(
    store: Store, name: str
) -> None:
    async with store.write() as connection:
        one, two = await _keep(connection, "eins", "zwei")
        assert await find_article(connection, name, page_signs(name)) == one
        assert await find_article(connection, str(two)) == two


@pytest.mark.parametrize("name", ["999", "9" * 30, "", "eins", "https://site.example/"])
async def test_what_names_no_article_finds_none(store: Store, name: str) -> None:
    async with store.write() as connection:
        await _keep(connection, "eins")
        assert await find_article(connection, name, page_signs(name)) is None
