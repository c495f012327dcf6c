"""Betters new articles by their pages and pictures where their feed says too little; loses nothing.

It runs after a poll's write and outside of its turn. Whatever fails here costs a picture or a
reading time, and no article. What it finds is no edit: no version is counted.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from digest.articles import page
from digest.articles.boilerplate import tidy
from digest.articles.excerpt import excerpt, is_cut
from digest.articles.images import fits
from digest.articles.links import web_url
from digest.articles.make import SHORT_SUMMARY
from digest.articles.page import Page
from digest.articles.reading import count_words
from digest.feeds.sizes import FIRST, size_of
from digest.jobs.world import World
from digest.model.article import Image
from digest.model.feed import FeedFailure, Fetched
from digest.model.newsletter import FeedSource
from digest.model.text import plain_text
from digest.store import lacks, texts
from digest.store.lacks import Lacking

log = logging.getLogger("digest.enrich")
# its complaints are about strangers' pages, and nobody can do anything about them
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

#: how many pages and how many pictures one poll may cost, and how long all of it, seconds
PAGES = 20
PICTURES = 40
SECONDS = 80.0
#: pages of one site come one a second anyway; pictures of several articles may come at once
AT_ONCE = 4
#: there is no picture at its address, whoever asks
_GONE = frozenset({404, 410})


@dataclass(slots=True)
class _Budget:
    """How many requests are left."""

    pages: int
    pictures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What an article has now, and its text where that is to be kept."""

    article: Lacking
    html: str = ""
    page_read_at: datetime | None = None


async def enrich(world: World, source: FeedSource, ids: Sequence[int]) -> int:
    """Better these new articles of a feed; say how many have more than they had. Never raises.

    With `source.full_text` each page is read for its text. Without it, the page of an article
    that has no picture, for the one that it wants to be shared with. A picture of unknown size is
    measured by its first bytes, and refused if it is none to look at.
    """
    if not ids:
        return 0
    try:
        async with world.store.read() as connection:
            lacking = await lacks.find(connection, ids)
        async with asyncio.timeout(SECONDS):
            return await _better_all(world, source, lacking)
    except TimeoutError:
        log.info("feed=%s status=late", source.url)
    except Exception as problem:
        log.warning("feed=%s status=failed error=%r", source.url, problem)
        log.debug("feed=%s", source.url, exc_info=problem)
    return 0


async def _better_all(world: World, source: FeedSource, lacking: Sequence[Lacking]) -> int:
    budget, turns = _Budget(pages=PAGES, pictures=PICTURES), asyncio.Semaphore(AT_ONCE)

    async def take(article: Lacking) -> bool:
        async with turns:
            try:
                found = await _look(world, source, article, budget)
            except Exception as problem:
                log.debug("article=%d", article.id, exc_info=problem)
                return False
            return await _keep(world, article, found)

    # in their order, so that the budget goes to the newest
    return sum(await asyncio.gather(*(take(each) for each in lacking)))


async def _look(world: World, source: FeedSource, was: Lacking, budget: _Budget) -> _Found:
    """What the article's picture and page give; no transaction is open."""
    image = await _measured(world, was.image, budget)
    found = _Found(article=replace(was, image=image))
    wanted = source.full_text or image is None
    if not wanted or not web_url(was.url) or budget.pages < 1:
        return found
    budget.pages -= 1
    answer = await world.fetcher.fetch_page(was.url, robots=source.robots)
    found = replace(found, page_read_at=world.clock())
    if isinstance(answer, FeedFailure):
        # a text that the operator asked for, and a picture that would have been nice
        level = logging.WARNING if source.full_text else logging.DEBUG
        log.log(level, "article=%d page=%s error=%s", was.id, was.url, answer.reason)
        return found
    told = await asyncio.to_thread(_read, answer)
    if image is None:
        image = await _measured(world, told.image, budget)
    article = replace(found.article, image=image, language=was.language or told.language)
    if not source.full_text or not told.text_html:
        return replace(found, article=article)
    return replace(found, article=_with_text(article, told), html=told.text_html)


def _read(answer: Fetched) -> Page:
    return page.read(page.decode(answer.body, answer.content_type), answer.url)


def _with_text(was: Lacking, told: Page) -> Lacking:
    text = tidy(plain_text(told.text_html), title=was.title)
    poor = len(was.excerpt) < SHORT_SUMMARY or is_cut(was.excerpt) or was.excerpt == was.title
    return replace(
        was,
        words=max(was.words, count_words(text)),
        excerpt=excerpt(text) if poor and len(text) > len(was.excerpt) else was.excerpt,
    )


async def _measured(world: World, image: Image | None, budget: _Budget) -> Image | None:
    """The picture with its size; None where it is none to look at."""
    known = image is not None and image.width is not None and image.height is not None
    if image is None or known or budget.pictures < 1:
        return image
    budget.pictures -= 1
    answer = await world.fetcher.fetch_picture(image.url)
    if isinstance(answer, FeedFailure):
        # a server that shuts us out may well let readers in
        return None if answer.status in _GONE else image
    size = size_of(answer.body[:FIRST]) if isinstance(answer, Fetched) else None
    if size is None:
        is_page = isinstance(answer, Fetched) and "html" in (answer.content_type or "")
        return None if is_page else image
    return replace(image, width=size[0], height=size[1]) if fits(*size) else None


async def _keep(world: World, was: Lacking, found: _Found) -> bool:
    article = found.article
    if article == was and not found.html and found.page_read_at is None:
        return False
    async with world.store.write() as connection:
        if found.html and not await texts.keep(connection, was.id, found.html, origin="page"):
            # the feed's own text is longer, and so are its words
            article = replace(article, excerpt=was.excerpt, words=was.words)
        await lacks.better(connection, was, article, page_read_at=found.page_read_at)
    return article != was or bool(found.html)
