"""Being a worker: in the list, showing a sign, taking back what the dead left behind."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from digest.errors import DigestError
from digest.jobs import remember, restore
from digest.jobs.worker import SHOWN_EVERY, Worker, gone, this_worker
from digest.jobs.world import World
from digest.store import workers
from digest.store.engine import Connection

log = logging.getLogger("digest.send")


@asynccontextmanager
async def enlisted(world: World) -> AsyncIterator[Worker]:
    """Be in the list of workers for a while, take back what the dead ones held, and show a sign."""
    worker = this_worker(world.secret_bytes(6))
    await restore.check(world)
    async with world.store.write() as connection:
        await _enlist(connection, world, worker)
        await _bury_the_dead(connection, world, worker)
    sign = asyncio.create_task(_show_sign(world, worker))
    try:
        yield worker
    finally:
        sign.cancel()
        with suppress(asyncio.CancelledError):
            await sign
        async with world.store.write() as connection:
            await workers.bury(connection, [worker.id], now=world.clock())


async def _enlist(connection: Connection, world: World, worker: Worker) -> None:
    await workers.enlist(
        connection,
        owner=worker.id,
        machine=worker.machine,
        process=worker.process,
        now=world.clock(),
    )


async def _bury_the_dead(connection: Connection, world: World, worker: Worker) -> None:
    now = world.clock()
    others = await workers.roll_call(connection)
    dead = gone(others, machine=worker.machine, now=now)
    left = await workers.bury(connection, dead, now=now)
    if dead or left.requeued or left.uncertain:
        log.warning(
            "workers gone=%d requeued=%d uncertain=%d", len(dead), left.requeued, left.uncertain
        )


async def _show_sign(world: World, worker: Worker) -> None:
    """Renew the lease, and look after the dead, as long as this worker lives.

    A lease that was taken away (this process slept) is begun anew under the same name: the rows it
    held are no longer its own, so the fence lets no old dot through.
    """
    while True:
        await asyncio.sleep(SHOWN_EVERY)
        try:
            await restore.look(world)
            await remember.settle(world)
            async with world.store.write() as connection:
                here = await workers.still_here(connection, owner=worker.id, now=world.clock())
                if not here:
                    log.warning("worker=%s status=lease-lost", worker.id)
                    await _enlist(connection, world, worker)
                await _bury_the_dead(connection, world, worker)
            if not here:  # a database without our row may be a restored one
                await restore.check(world)
        except DigestError as problem:
            log.warning("worker=%s status=unseen reason=%r", worker.id, str(problem))
