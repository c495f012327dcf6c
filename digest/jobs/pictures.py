"""Fetches the pictures that the next editions may show, and keeps ours of each.

It begins when articles come, so that an edition finds nearly all of them made; what is still
lacking then is waited for a little, and no edition waits longer for a site.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from digest.feeds.guard import short
from digest.jobs.making import Maker
from digest.jobs.prepare import find_candidates
from digest.jobs.world import World
from digest.model.feed import FeedFailure, Fetched, Unchanged
from digest.model.newsletter import Newsletter
from digest.model.picture import NoPicture, Redrawn
from digest.store import pictures

log = logging.getLogger("digest.pictures")

#: the longest that an edition waits for its pictures, seconds
PATIENCE = 20.0
#: pictures that are fetched at once
AT_ONCE = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """How many pictures were made, and how many there are none of."""

    made: int = 0
    none: int = 0


async def bring_pictures(
    world: World, newsletter: Newsletter, *, seconds: float | None = None
) -> Brought:
    """Make the pictures of all that the next editions may tell, those of the newest first.

    Each is kept as soon as it is made. Does nothing where we serve none.
    """
    if newsletter.pictures != "served":
        return Brought()
    urls = await _lacking(world, newsletter)
    if not urls:
        return Brought()
    results: list[bool] = []
    turns = asyncio.Semaphore(AT_ONCE)
    async with Maker() as maker:

        async def bring(url: str) -> None:
            async with turns:
                results.append(await _bring(world, maker, url))

        tasks = [asyncio.create_task(bring(url)) for url in urls]
        try:
            done, waiting = await asyncio.wait(
                tasks, timeout=PATIENCE if seconds is None else seconds
            )
        finally:
            for each in tasks:
                each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    for each in done:
        each.result()
    brought = Brought(made=sum(results), none=len(results) - sum(results))
    log.info(
        "newsletter=%s pictures=%d none=%d waiting=%d",
        *(newsletter.slug, brought.made, brought.none, len(waiting)),
    )
    return brought


async def forget_pictures(world: World) -> int:
    """Delete the pictures that no edition showed; return how many."""
    async with world.store.write() as connection:
        return await pictures.forget_untold(connection, now=world.clock())


async def _lacking(world: World, newsletter: Newsletter) -> list[str]:
    """The addresses to ask now; those of what we hold are marked as wanted."""
    now = world.clock()
    async with world.store.read() as connection:
        found = [
            each
            for schedule in newsletter.schedules
            for each in await find_candidates(connection, newsletter, schedule, now=now)
        ]
        found.sort(key=lambda each: each.published_at, reverse=True)
        urls = list(dict.fromkeys(each.image.url for each in found if each.image))
        lacking = await pictures.lacking(connection, urls, now=now)
        old = await pictures.fading(connection, urls, now=now)
    if old:
        async with world.store.write() as connection:
            await pictures.want(connection, old, now=now)
    return lacking


async def _bring(world: World, maker: Maker, url: str) -> bool:
    """Whether there is a picture of ours now."""
    answer = await world.fetcher.fetch_picture(url, original=True)
    made: Redrawn | NoPicture
    match answer:
        case Fetched():
            made = await maker.make(answer.body)
        case FeedFailure():
            made = NoPicture(reason=answer.reason)
        case Unchanged():
            made = NoPicture(reason="HTTP 304 Not Modified, which nobody asked for")
    async with world.store.write() as connection:
        await pictures.keep(connection, url, made, now=world.clock())
    if isinstance(made, NoPicture):
        log.warning("picture=%s status=none reason=%r", short(url), made.reason)
        return False
    return True
