"""An article has one text, and a longer one is not lost to a shorter one of the other origin."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import pytest

from digest.model.article import NewArticle
from digest.store import articles, texts
from digest.store.engine import Store

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
Origin = Literal["feed", "page"]


def article(key: str) -> NewArticle:
    return NewArticle(
        key=key,
        link_key=None,
        url="https://site.example/a",
        title="Titel",
        excerpt="Mehr.",
        image=None,
        author=None,
        categories=(),
        published_at=NOW,
        words=1,
    )


async def new(store: Store, *keys: str) -> list[int]:
    async with store.write() as connection:
        return await articles.add(connection, [(article(k), True, None) for k in keys], now=NOW)


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        (("feed", "<p>lang und breit</p>"), ("feed", "<p>kurz</p>"), True),
        (("page", "<p>lang und breit</p>"), ("page", "<p>kurz</p>"), True),
        (("page", "<p>lang und breit</p>"), ("feed", "<p>kurz</p>"), False),
        (("feed", "<p>lang und breit</p>"), ("page", "<p>kurz</p>"), False),
        (("feed", "<p>kurz</p>"), ("page", "<p>lang und breit</p>"), True),
        (("page", "<p>kurz</p>"), ("feed", "<p>lang und breit</p>"), True),
        (("feed", "<p>kurz</p>"), ("feed", ""), False),
    ],
)
async def test_the_newer_text_is_kept_unless_it_is_poorer(
    store: Store, before: tuple[Origin, str], after: tuple[Origin, str], *, kept: bool
) -> None:
    [one] = await new(store, "a")
    async with store.write() as connection:
        assert await texts.keep(connection, one, before[1], origin=before[0])
    async with store.write() as connection:
        assert await texts.keep(connection, one, after[1], origin=after[0]) is kept
    async with store.read() as connection:
        assert await texts.read(connection, [one]) == {one: after[1] if kept else before[1]}


async def test_texts_are_read_by_article_and_some_have_none(store: Store) -> None:
    one, two, three = await new(store, "a", "b", "c")
    async with store.write() as connection:
        for each, html in ((one, "<p>eins</p>"), (three, "<p>drei</p>")):
            await texts.keep(connection, each, html, origin="feed")
    async with store.read() as connection:
        assert await texts.read(connection, [three, two, one, 999]) == {
            one: "<p>eins</p>",
            three: "<p>drei</p>",
        }
        assert await texts.read(connection, []) == {}
