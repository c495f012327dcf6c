"""The circuit breaker: where far too many messages are refused, it is not the readers.

A relay that lost its resolver, a block list, a line out of step: each looks like a thousand dead
mailboxes. So delivery pauses, nobody is blamed, and a person is asked, once.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from digest.jobs import remember
from digest.jobs.world import World
from digest.model.pause import Kind, Pause, Scope
from digest.store import bounces, pauses
from digest.store.engine import Connection
from digest.store.holds import FAR
from digest.store.journal import Journal

log = logging.getLogger("digest.trouble")

#: at least so many refusals, and more than this share of all that was tried
LEAST = 20
SHARE = 0.10

#: the books of a big edition are not counted again before so many times what counting took
RARELY = 20


@dataclass(slots=True)
class Breaker:
    """Counts what this process sees, and asks the books before it trips."""

    world: World
    _seen: dict[tuple[int, str | None], int] = field(default_factory=dict)
    _not_before: dict[tuple[int, str | None], datetime] = field(default_factory=dict)
    #: bounced deliveries that it put back
    put_back: int = 0

    async def refused(self, edition_id: int | None, domain: str) -> bool:
        """A message was refused; True when something was paused for it."""
        if edition_id is None:
            return False
        keys = ((edition_id, None), (edition_id, domain))
        for key in keys:
            self._seen[key] = self._seen.get(key, 0) + 1
        # asked before the first look: others count on meanwhile
        for key in [each for each in keys if self._is_time(each)]:
            if await self._look(*key):
                return True
        return False

    def _is_time(self, key: tuple[int, str | None]) -> bool:
        """Now and then, for others may have seen the rest; and always when we have seen enough."""
        first = self._not_before.get(key)
        return self._seen[key] % LEAST == 0 or first is None or self.world.clock() >= first

    async def _look(self, edition_id: int, domain: str | None) -> bool:
        key, begun = (edition_id, domain), self.world.clock()
        async with self.world.store.read() as connection:
            bad = await is_bad(connection, edition_id, domain)
        took = self.world.clock() - begun
        self._not_before[key] = begun + max(took * RARELY, timedelta(seconds=2))
        if bad is None:
            return False
        async with self.world.store.write() as connection:
            taken = await trip(
                connection,
                edition_id,
                domain,
                bad,
                journal=self.world.journal,
                now=self.world.clock(),
            )
        if taken is None:
            return False
        self.put_back += taken.waiting
        return True


async def is_bad(connection: Connection, edition_id: int, domain: str | None) -> str | None:
    """What is wrong with an edition (to a domain), in one line; None when all is in order."""
    refused = await bounces.refusals(connection, edition_id, domain)
    if refused < LEAST:
        return None
    tried = await bounces.tried(connection, edition_id, domain)
    if refused <= tried * SHARE:
        return None
    where = f" to {domain}" if domain else ""
    return (
        f"{refused} of {tried} messages{where} were refused: the relay, a block list, or ourselves?"
    )


async def stands(
    connection: Connection,
    edition_id: int | None,
    domain: str,
    *,
    alone: bool = False,
    now: datetime,
) -> bool:
    """True while an edition, or a domain, is paused by the breaker: nobody is to blame now.

    It cannot begin to be so before this transaction ends: who trips it waits, and then sees what
    was recorded here. `alone` is for whoever may trip it himself in this very transaction: two
    that share the edition and both want it alone would wait for each other for ever.
    """
    if edition_id is None:
        return False
    await bounces.hold_still(connection, edition_id, alone=alone)
    return await _is_on(connection, edition_id, domain, now=now)


async def _is_on(connection: Connection, edition_id: int, domain: str, *, now: datetime) -> bool:
    named = {(Scope.EDITION, str(edition_id)), (Scope.DOMAIN, domain)}
    standing = await pauses.standing(connection, now=now)
    return any(each.kind is Kind.BREAKER and (each.scope, each.name) in named for each in standing)


async def trip(
    connection: Connection,
    edition_id: int,
    domain: str | None,
    why: str,
    *,
    journal: Journal | None = None,
    now: datetime,
) -> bounces.TakenBack | None:
    """Pause, and take back what readers were blamed for. None when a person was asked before.

    Whoever let an edition go on after the question has answered it for its domains as well.
    """
    scope = Scope.EDITION if domain is None else Scope.DOMAIN
    name = str(edition_id) if domain is None else domain
    await bounces.hold_still(connection, edition_id, alone=True)
    # another worker may have been quicker: what this one had under way is taken back as well
    on = await _is_on(connection, edition_id, domain or "", now=now)
    if not on and (
        await pauses.asked(connection, Scope.EDITION, str(edition_id), Kind.BREAKER)
        or await pauses.asked(connection, scope, name, Kind.BREAKER, since=now - FAR)
    ):
        return None
    taken = await bounces.take_back(connection, edition_id, domain, later=now + FAR)
    await remember.reopened(journal, taken.opened, now=now)
    if on:
        return taken
    await pauses.begin(
        connection,
        Pause(scope=scope, name=name, kind=Kind.BREAKER, cause=why, began_at=now, until=None),
    )
    log.error("%s=%s status=paused reason=%r reopened=%d", scope, name, why, len(taken.opened))
    return taken
