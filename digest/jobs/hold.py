"""Pausing, resuming and giving up, because a person says so."""

from __future__ import annotations

import logging

from digest.errors import UsageError
from digest.jobs.world import World
from digest.model.pause import Kind, Pause, Scope
from digest.store import books, editions, pauses
from digest.store.engine import Connection

log = logging.getLogger("digest.trouble")


async def pause(world: World, name: str, *, reason: str) -> Pause:
    """Deliver nothing of an edition, or to a domain, until it is resumed. Raises UsageError."""
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
    log.info("%s=%s status=paused reason=%r", scope, begun.name, reason)
    return begun


async def resume(world: World, name: str) -> bool:
    """Go on with an edition or a domain; False when it was not paused. Raises UsageError."""
    async with world.store.write() as connection:
        scope = await _scope(connection, name)
        ended = await pauses.end(connection, scope, _plain(name), now=world.clock())
    if ended:
        log.info("%s=%s status=resumed", scope, _plain(name))
    return ended


async def abandon(world: World, edition_id: int) -> int:
    """Give up what is left of an edition; return how many deliveries expired. Raises UsageError."""
    async with world.store.write() as connection:
        await _scope(connection, str(edition_id))
        gone = await pauses.give_up(connection, edition_id, now=world.clock())
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
