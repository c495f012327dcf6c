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
from digest.jobs.alerts import tell_operator
from digest.jobs.audit import audit_due
from digest.jobs.correct import correct_late
from digest.jobs.forget import forget_pending, tidy_files
from digest.jobs.gather import gather
from digest.jobs.hand_out import hand_out
from digest.jobs.mailbox import forget_old_reports, process_mailbox
from digest.jobs.pictures import bring_pictures, forget_pictures
from digest.jobs.proof import draw, wants_news
from digest.jobs.publish import has_due, publish_due
from digest.jobs.push import subscribe_due
from digest.jobs.similar import forget_found, tell_similar
from digest.jobs.world import World

log = logging.getLogger("digest.scheduler")

#: how often the database is asked what is due, seconds
TICK = 20

#: how often the bounce mailbox is read: what comes back is in no hurry, and logs in each time
BOUNCES = 180

#: how often editors may get a draft; a mail that the relay did not take is tried again so often
PROOFS = 60

#: how often the pictures of new articles are made
PICTURES = 60

#: how often the operator may be told of feeds in trouble
ALERTS = 300

#: how often what nobody needs any more is forgotten, and what nobody confirmed
DAY = 86_400
HOUR = 3600

#: jobs that may begin again while they are at work, and how many of them at most
AT_ONCE = {"gather": 8}

Job = Callable[[World, asyncio.Event], Awaitable[None]]


class Ticker:
    """Begins each job at every tick, unless it is still at work from an earlier one.

    But for gathering, which takes only feeds that nobody else is asking: a server that does not
    answer for a while must not keep the feeds that have come due since then.
    """

    def __init__(self, world: World, *, wake: asyncio.Event) -> None:
        self._world = world
        self._wake = wake
        self._clock = AsyncIOScheduler(timezone="UTC")
        self._at_work: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Tick now, and from now on."""
        for name, job, seconds in self._jobs():
            self._clock.add_job(
                self._tick,
                "interval",
                args=(name, job),
                seconds=seconds,
                id=name,
                next_run_time=self._world.clock(),
                coalesce=True,
                misfire_grace_time=None,
            )
        self._clock.start()

    def _jobs(self) -> Iterator[tuple[str, Job, int]]:
        """Each job, and after how many seconds it begins again."""
        yield "gather", gather_due, TICK
        yield "publish", publish_all_due, TICK
        yield "pictures", make_pictures, PICTURES
        yield "similar", tell_followers, TICK
        yield "proofs", show_drafts, PROOFS
        yield "alerts", tell_of_troubles, ALERTS
        yield "audit", audit_feeds, HOUR
        yield "hubs", subscribe_at_hubs, TICK
        yield "corrections", correct_those_late, HOUR
        yield "forget", forget_old, DAY
        yield "requests", forget_requests, HOUR
        if self._world.bounce_mailbox is not None:
            yield "bounces", read_bounces, BOUNCES

    async def stop(self) -> None:
        """Tick no more, and break off what is at work: the database takes it back whole."""
        self._clock.shutdown(wait=False)
        for task in self._at_work:
            task.cancel()
        await asyncio.gather(*self._at_work, return_exceptions=True)

    async def _tick(self, name: str, job: Job) -> None:
        # a task of our own: APScheduler would log the trace of a job that it breaks off
        busy = sum(task.get_name() == name for task in self._at_work)
        if busy < AT_ONCE.get(name, 1):
            task = asyncio.create_task(self._work(name, job), name=name)
            self._at_work.add(task)
            task.add_done_callback(self._at_work.discard)

    async def _work(self, name: str, job: Job) -> None:
        with _told(name):
            await job(self._world, self._wake)


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
                await draw(world, newsletter)
                if await publish_due(world, newsletter):
                    wake.set()


async def make_pictures(world: World, wake: asyncio.Event) -> None:  # noqa: ARG001 -- every job has this shape
    """Make the pictures of what came, long before an edition wants them."""
    for newsletter in world.newsletters:
        with _told(f"pictures {newsletter.slug}"):
            await bring_pictures(world, newsletter)


async def tell_followers(world: World, wake: asyncio.Event) -> None:
    """Look for what resembles what readers follow, and tell those who want to know at once."""
    if await tell_similar(world):
        wake.set()


async def show_drafts(world: World, wake: asyncio.Event) -> None:  # noqa: ARG001 -- every job has this shape
    """Make the drafts that editors should see by now, each from feeds polled for it, and mail them.

    A newsletter whose draft cannot be shown keeps no other from its editors.
    """
    for newsletter in world.newsletters:
        if newsletter.approval is not None:
            with _told(f"proof {newsletter.slug}"):
                if await wants_news(world, newsletter):
                    await gather(world, [newsletter], only_due=False)
                await draw(world, newsletter)
                await hand_out(world, newsletter)


async def tell_of_troubles(world: World, wake: asyncio.Event) -> None:  # noqa: ARG001 -- every job has this shape
    """Tell the operator which feeds got into trouble, and which are out of it."""
    await tell_operator(world)


async def audit_feeds(world: World, wake: asyncio.Event) -> None:  # noqa: ARG001 -- every job has this shape
    """Compare what we hold with what sites say that they published."""
    await audit_due(world)


async def correct_those_late(world: World, wake: asyncio.Event) -> None:
    """Correct what editions told, for those who got them after they were corrected."""
    if await correct_late(world):
        wake.set()


async def subscribe_at_hubs(world: World, wake: asyncio.Event) -> None:  # noqa: ARG001 -- every job has this shape
    """Ask the hubs of feeds to tell us what changes."""
    await subscribe_due(world)


async def read_bounces(world: World, wake: asyncio.Event) -> None:  # noqa: ARG001 -- every job has this shape
    """Apply what came back to the bounce mailbox."""
    await process_mailbox(world, stop=asyncio.Event())


async def forget_old(world: World, wake: asyncio.Event) -> None:  # noqa: ARG001 -- every job has this shape
    """Forget what nobody needs any more."""
    await forget_old_reports(world)
    await forget_found(world)
    await forget_pictures(world)


async def forget_requests(world: World, wake: asyncio.Event) -> None:  # noqa: ARG001 -- every job has this shape
    """Forget the requests that nobody confirmed, and what is deleted and not yet written over."""
    await forget_pending(world)
    await tidy_files(world)
