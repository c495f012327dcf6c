"""Pausing, resuming and giving up, because a person says so."""

from __future__ import annotations

import logging

from digest.errors import UsageError
from digest.jobs import remember, restore
from digest.jobs.world import World
from digest.model.pause import Kind, Pause, Scope
from digest.store import books, editions, pauses
from digest.store.engine import Connection

log = logging.getLogger("digest.trouble")


async def pause(world: World, name: str, *, reason: str) -> Pause:
    """Deliver nothing of an edition, or to a domain, until it is resumed. Raises UsageError."""
    await restore.look(world)
    async with world.store.write() as connection:
        scope = await _scope(connection, name)
        begun = Pause(
            scope=scope,
            name=_plain(name),
            kind=Kind.OPERATOR,
            cause=reason,
            began_at=world.clock(),
            until=None,
        )
        await pauses.begin(connection, begun)
        mark = await remember.count(connection, world)
    await remember.note(world, mark)
    log.info("%s=%s status=paused reason=%r", scope, begun.name, reason)
    return begun


async def resume(world: World, name: str) -> tuple[str, ...]:
    """Go on with an edition or a domain; return what goes on, nothing if it was not paused.

    An edition that stands because domains refused us goes on at these domains too: whoever resumes
    it says that the trouble is mended. Raises UsageError.
    """
    await restore.look(world)
    now = world.clock()
    async with world.store.write() as connection:
        scope = await _scope(connection, name)
        paused = await pauses.last(connection, scope, _plain(name))
        gone_on = (
            [_plain(name)] if await pauses.end(connection, scope, _plain(name), now=now) else []
        )
        if gone_on and paused and (scope, paused.kind) == (Scope.EDITION, Kind.BLOCKED):
            for each in await pauses.standing(connection, now=now):
                if each.kind is Kind.BLOCKED and each.scope is Scope.DOMAIN:
                    await pauses.end(connection, Scope.DOMAIN, each.name, now=now)
                    gone_on.append(each.name)
    for each_name in gone_on:
        log.info("%s status=resumed", each_name)
    return tuple(gone_on)


async def abandon(world: World, edition_id: int) -> int:
    """Give up what is left of an edition; return how many deliveries expired. Raises UsageError."""
    await restore.look(world)
    async with world.store.write() as connection:
        await _scope(connection, str(edition_id))
        gone = await pauses.give_up(connection, edition_id, now=world.clock())
        # a backup made before this would send it after all
        mark = await remember.count(connection, world)
    await remember.note(world, mark)
    log.info("edition=%d status=abandoned expired=%d", edition_id, gone)
    return gone


async def _scope(connection: Connection, name: str) -> Scope:
    """A number is an edition's, anything with a dot a domain."""
    if name.isdecimal():
        if int(name) > books.LAST or await editions.get(connection, int(name)) is None:
            raise UsageError(f"there is no edition {name}; `digest status` names the last one")
        return Scope.EDITION
    if "." in name and "@" not in name:
        return Scope.DOMAIN
    raise UsageError(f"{name!r} is neither the number of an edition nor a domain")


def _plain(name: str) -> str:
    return str(int(name)) if name.isdecimal() else name.lower()
