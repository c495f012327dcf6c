"""Wakes jobs by the clock. It decides nothing and remembers nothing: the database does.

APScheduler only ticks. Its own cron parser runs a job twice when clocks go back, and its grace of
one second drops a run when the loop is busy (docs/decisions/0003); so it is given intervals, and
each tick asks the database what is due.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from digest.errors import DigestError
from digest.jobs.gather import gather
from digest.jobs.publish import has_due, publish_due
from digest.jobs.world import World

log = logging.getLogger("digest.scheduler")

#: how often the database is asked what is due, seconds
TICK = 20


def start_ticking(world: World, *, wake: asyncio.Event) -> AsyncIOScheduler:
    """Begin to poll and publish; `wake` is set whenever there is something to deliver."""
    ticker = AsyncIOScheduler(timezone="UTC")
    for name, job in (("gather", gather_due), ("publish", publish_all_due)):
        ticker.add_job(
            _guarded(name, job, world, wake),
            "interval",
            seconds=TICK,
            id=name,
            next_run_time=world.clock(),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
    ticker.start()
    return ticker


def _guarded(
    name: str,
    job: Callable[[World, asyncio.Event], Awaitable[None]],
    world: World,
    wake: asyncio.Event,
) -> Callable[[], Awaitable[None]]:
    """A tick that fails is told and tried again at the next one."""

    async def tick() -> None:
        with _told(name):
            await job(world, wake)

    return tick


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Let a failure cost nothing but what it happened to."""
    try:
        yield
    except DigestError as problem:
        log.error("job=%s status=error reason=%r", what, str(problem))  # noqa: TRY400 -- one line is what the operator needs
    except Exception:
        log.exception("job=%s status=error", what)


async def gather_due(world: World, wake: asyncio.Event) -> None:  # noqa: ARG001 -- every job has this shape
    """Poll the feeds whose time has come."""
    await gather(world, world.newsletters)


async def publish_all_due(world: World, wake: asyncio.Event) -> None:
    """Make the editions whose slots have come, each from feeds polled just now.

    A newsletter that cannot be published, for its theme is broken, keeps no other from its slot.
    """
    for newsletter in world.newsletters:
        with _told(f"publish {newsletter.slug}"):
            if await has_due(world, newsletter):
                await gather(world, [newsletter], only_due=False)
                if await publish_due(world, newsletter):
                    wake.set()
