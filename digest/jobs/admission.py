"""Turns a crowd at the door into those who may sign up, those who are asked for work, and the rest.

It decides before anybody looks at an address, so its answers tell nothing about one. A form that
was only looked at, and an answer that asked for work, count nothing: whoever was let in does.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from digest.jobs.world import World
from digest.store import crowds
from digest.store.crowds import Want
from digest.store.engine import Connection
from digest.subscribers import crowd, work
from digest.subscribers.crowd import ALL, NETWORK, Limits, Verdict

log = logging.getLogger("digest.admission")

#: the name under which everybody is counted
_ALL: Final = "all"
#: how long an answer about the brake is good: it is asked with each request
_LOOK_AGAIN: Final = timedelta(minutes=1)
#: how long it is believed that a network is over its soft limit and not over its hard one
_FRESH: Final = timedelta(seconds=5)
#: networks that a process remembers: two megabytes
_REMEMBERED: Final = 10_000

#: by name: how many were counted, and since when
Counts = dict[str, tuple[int, datetime]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Somebody who wants to sign up, as he stands at the door."""

    #: what he wrote where an address belongs, whatever it is
    typed: str
    newsletter: str
    #: where he comes from; None where nobody can tell
    address: crowd.Address | None
    #: a good stamp came back with the form
    stamped: bool
    #: the challenge and the answer that came back, if any
    challenge: str | None = None
    nonce: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """He may sign up, and is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """He was let in with this very answer before, as by a button that was pressed twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkWanted:
    """He may, if he works for it or waits."""

    challenge: work.Challenge
    #: how long, for somebody who does not work
    wait: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Too many came; nothing was counted."""

    #: when the window ends in which they came
    until: datetime
    #: they are of his own network
    network: bool


Answer = Admitted | Repeated | WorkWanted | Refused


@dataclass(slots=True)
class Brake:
    """Whether everybody has to work now, for too few confirm; as it was a minute ago or less."""

    on: bool = False
    looked_at: datetime | None = None

    async def look(self, world: World) -> bool:
        """Ask the database, if that is long ago; a line in the log when the answer changes."""
        now = world.clock()
        if self.looked_at is None or not timedelta() <= now - self.looked_at < _LOOK_AGAIN:
            self.looked_at = now  # first, so that of many at once only one asks
            async with world.store.read() as connection:
                unconfirmed, confirmed = await count_requests(connection, now)
            was, self.on = self.on, crowd.is_braked(unconfirmed=unconfirmed, confirmed=confirmed)
            if was != self.on:
                state = "on" if self.on else "off"
                counts = f"unconfirmed={unconfirmed} confirmed={confirmed}"
                log.warning("sign-ups brake=%s %s of the last day", state, counts)
        return self.on


@dataclass(slots=True)
class Gate:
    """What one process remembers of the crowd, so that a flood does not reach the database.

    It knows less than the database and never more: who is over a limit stays so until his window
    ends, and whoever may come in is looked up.
    """

    brake: Brake = field(default_factory=Brake)
    #: how many were counted, since when, and when the database said so
    _crowded: dict[str, tuple[int, datetime, datetime]] = field(default_factory=dict)

    def remember(self, used: Counts, limits: Mapping[str, Limits], now: datetime) -> None:
        """Keep what is over a limit."""
        if len(self._crowded) > _REMEMBERED:
            self._crowded.clear()
        for name, (count, began_at) in used.items():
            if count >= limits[name].soft:
                self._crowded[name] = (count, began_at, now)

    def recall(self, limits: Mapping[str, Limits], now: datetime) -> Counts:
        """What is known of these without asking; what is not full may soon be, so not for long."""
        found = {}
        for name, each in limits.items():
            count, began_at, said_at = self._crowded.get(name, (0, now, now))
            fresh = count >= each.hard or timedelta() <= now - said_at < _FRESH
            if count and fresh and now - began_at < crowd.WINDOW:
                found[name] = (count, began_at)
        return found


async def is_braked(connection: Connection, now: datetime) -> bool:
    """Whether every request has to do work, for too few of the last day were confirmed."""
    unconfirmed, confirmed = await count_requests(connection, now)
    return crowd.is_braked(unconfirmed=unconfirmed, confirmed=confirmed)


async def count_requests(connection: Connection, now: datetime) -> tuple[int, int]:
    """How many requests of the last day are unconfirmed and how many are not, as brakes count."""
    return await crowds.count_requests(
        connection, since=now - crowd.BRAKE_OVER, until=now - crowd.BRAKE_AFTER
    )


async def admit(world: World, attempt: Attempt, gate: Gate) -> Answer:
    """Let somebody in and count him, or say what he can do."""
    braked, now = await gate.brake.look(world), world.clock()
    limits = _limits(world, attempt.address)
    shown = work.read_challenge(
        world.signer, attempt.challenge, typed=attempt.typed, newsletter=attempt.newsletter, now=now
    )
    weight = 1 if attempt.stamped or shown else crowd.UNSTAMPED

    def judge(used: Counts) -> Verdict:
        counts = [(used.get(name, (0, now))[0], each) for name, each in limits.items()]
        return crowd.judge(counts, weight=weight, braked=braked)

    used = gate.recall(limits, now)
    verdict = judge(used)
    if verdict is Verdict.FREE or (verdict is Verdict.WORK and shown is not None):
        async with world.store.read() as connection:
            used = await crowds.used(connection, limits, since=now - crowd.WINDOW)
        gate.remember(used, limits, now)
        verdict = judge(used)
    match verdict:
        case Verdict.FULL:
            return _refuse(limits, used, now)
        case Verdict.WORK:
            return await _let_work(world, attempt, shown, limits, braked=braked, now=now)
        case Verdict.FREE:
            wants = [Want(name=n, count=weight, limit=each.soft) for n, each in limits.items()]
            if await _count(world, wants, now) is None:
                return Admitted()
            return _ask_for_work(world, attempt, braked=braked, now=now)  # others came first


async def _let_work(
    world: World,
    attempt: Attempt,
    shown: work.Challenge | None,
    limits: Mapping[str, Limits],
    *,
    braked: bool,
    now: datetime,
) -> Answer:
    """Let in who worked or waited, once for each challenge; ask the others to."""
    if shown is None:
        return _ask_for_work(world, attempt, braked=braked, now=now)
    wait = shown.rest(now)
    if wait and not shown.is_solved_by(attempt.nonce):
        return WorkWanted(challenge=shown, wait=wait)
    once = f"work/{world.signer.mark('work', shown.text.encode()).hex()}"
    wants = [Want(name=once, count=1, limit=1)]
    if not shown.is_solved_by(attempt.nonce):
        # to wait costs a machine nothing: of those who only wait there are fewer
        wants += [
            Want(name=f"{name}/waited", count=1, limit=each.soft) for name, each in limits.items()
        ]
    wants += [Want(name=name, count=1, limit=each.hard) for name, each in limits.items()]
    full = await _count(world, wants, now)
    if full is None:
        return Admitted()
    if full == once:
        return Repeated()
    return Refused(until=now + crowd.WINDOW, network=not full.startswith(_ALL))  # others came first


def _ask_for_work(world: World, attempt: Attempt, *, braked: bool, now: datetime) -> WorkWanted:
    asked = work.challenge(
        world.signer,
        typed=attempt.typed,
        newsletter=attempt.newsletter,
        bits=work.BRAKE_BITS if braked else work.BITS,
        now=now,
    )
    return WorkWanted(challenge=asked, wait=asked.rest(now))


def _refuse(limits: Mapping[str, Limits], used: Counts, now: datetime) -> Refused:
    """The latest of what is full: before that there is no use in coming back."""
    full = {
        name: used[name][1] + crowd.WINDOW
        for name, each in limits.items()
        if used.get(name, (0, now))[0] >= each.hard
    }
    last = max(full, key=lambda name: full[name])
    return Refused(until=full[last], network=last != _ALL)


async def _count(world: World, wants: list[Want], now: datetime) -> str | None:
    async with world.store.write() as connection:
        return await crowds.take(connection, wants, now=now, window=crowd.WINDOW)


def _limits(world: World, address: crowd.Address | None) -> dict[str, Limits]:
    """What holds for somebody from this address, by the names under which it is counted.

    Nobody is a neighbour who comes from this machine itself: a proxy of ours speaks for all
    visitors, and nobody has told us of it (DIGEST_PROXIES). Whoever reads the names in the table
    learns nothing about a network.
    """
    if address is None or address.is_loopback:
        return {_ALL: ALL}
    around = zip(crowd.networks_of(address), (NETWORK, crowd.SITE), strict=False)
    return {
        f"network/{world.signer.mark('network', name.encode()).hex()}": limits
        for name, limits in around
    } | {_ALL: ALL}
