"""One process that serves pages, keeps the clock and delivers; any of the three can be left out."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext

import uvicorn
from starlette.types import ASGIApp

from digest.errors import DigestError
from digest.jobs.lease import enlisted
from digest.jobs.send import Tally, deliver_due
from digest.jobs.spool import keep_applying
from digest.jobs.worker import Worker
from digest.jobs.world import World
from digest.scheduler import Ticker
from digest.store.queue import Scope
from digest.web.app import make_web

log = logging.getLogger("digest.service")

#: how often the queue is looked at when nobody says that there is something, seconds
LOOK_EVERY = 2.0

#: how long the queue is left alone after the database went away, and, twice as long each time,
#: after the relay did, seconds
REST = 15.0
LONGEST_REST = 240.0


async def serve(
    world: World,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    web: bool = True,
    schedule: bool = True,
    delivery: bool = True,
    stop: asyncio.Event,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Run until `stop` is set; then end in order: replies under way are awaited."""
    wake = asyncio.Event()
    door = open_door(host, port) if web else None
    ticker = Ticker(world, wake=wake) if schedule else None
    if ticker is not None:
        ticker.start()
    postman = (
        asyncio.create_task(keep_delivering(world, wake=wake, stop=stop)) if delivery else None
    )
    if postman is not None:
        # should it ever end by a fault of ours, a service that only looks alive helps nobody
        postman.add_done_callback(lambda _: stop.set())
    spooled = asyncio.create_task(keep_applying(world, stop=stop))
    try:
        async with serving(make_web(world), door) if door else nullcontext():
            ready()
            await stop.wait()
    finally:
        stop.set()
        if ticker is not None:
            await ticker.stop()
        spooled.cancel()  # what it has not applied is applied at the next start
        await asyncio.gather(spooled, return_exceptions=True)
        if postman is not None:
            await postman


async def keep_delivering(world: World, *, wake: asyncio.Event, stop: asyncio.Event) -> None:
    """Deliver what is due, again and again, until `stop` is set."""
    while not stop.is_set():
        try:
            async with enlisted(world) as worker:
                await _deliver_on(world, worker, wake=wake, stop=stop)
        except DigestError as problem:
            log.error("delivery status=error reason=%r", str(problem))  # noqa: TRY400 -- one line is what the operator needs
            await _first_of(stop, seconds=REST)


async def _deliver_on(
    world: World, worker: Worker, *, wake: asyncio.Event, stop: asyncio.Event
) -> None:
    rest, carefully = 0.0, True
    while not stop.is_set():
        wake.clear()
        tally = await deliver_due(world, worker, Scope(), stop=stop, carefully=carefully)
        carefully = tally.away is not None or (carefully and tally == Tally())
        # a relay that went away in the middle of good work comes back soon
        rest = _rest_after(tally, rest)
        if rest > 0:
            await _first_of(stop, seconds=rest)
        else:
            await _first_of(wake, stop, seconds=LOOK_EVERY)


def _rest_after(tally: Tally, rest: float) -> float:
    """How long to leave the relay alone; 0 when it is there."""
    if tally.away is None:
        return 0.0
    return REST if tally.sent or rest == 0 else min(rest * 2, LONGEST_REST)


async def _first_of(*events: asyncio.Event, seconds: float) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()


class _Server(uvicorn.Server):
    """Uvicorn without signal handlers of its own: whoever runs us stops everything in order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the command line."""
        yield


def open_door(host: str, port: int) -> socket.socket:
    """Listen on host and port (0: any free one). Raises DigestError when the address is taken."""
    try:
        door = socket.create_server((host, port), family=_family(host))
    except OSError as problem:
        why = os.strerror(problem.errno) if problem.errno else str(problem)
        raise DigestError(
            f"{host}:{port} cannot be used ({why}); choose another with --port"
        ) from problem
    # an answer of two writes would wait 40 ms for an acknowledgement that is not sent at once: the
    # event loop sets this only on sockets that say they are TCP; accepted ones inherit it
    door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return door


@asynccontextmanager
async def serving(pages: ASGIApp, door: socket.socket) -> AsyncIterator[None]:
    """Serve an ASGI application at an open door, and close the door at the end."""
    config = uvicorn.Config(
        pages,
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        # it would believe X-Forwarded-For from loopback; whom to believe is DIGEST_PROXIES' to say
        proxy_headers=False,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[door]))
    while not (server.started or task.done()):  # noqa: ASYNC110 -- uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await task
        door.close()


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
