"""Readers at several domains, and what can be asked of a world in which things go wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from jobs_world import Act, Row, Script, ledger, publish, reply, scripted
from sqlalchemy import insert, select, update

from digest.jobs.balance import Balance, balance
from digest.jobs.send import deliver
from digest.jobs.world import World
from digest.model.delivery import Bounced, Deferred
from digest.model.pause import Kind, Pause, Scope
from digest.model.report import Cause
from digest.model.subscriber import SubscriptionState
from digest.store import pauses, suppressions
from digest.store.queue import Scope as Work
from digest.store.tables import deliveries, subscriptions
from digest.store.tables import subscribers as people
from digest.store.troubles import bounces

BLOCKED = Bounced(reply=reply("550 5.7.1 blocked"), cause=Cause.BLOCKED)
GONE = Bounced(reply=reply("550 5.1.1 no such user"), cause=Cause.GONE)
BARE = Bounced(reply=reply("550 5.0.0 no"), cause=Cause.REFUSED)
TOO_LARGE = Bounced(reply=reply("552 5.3.4 too large"), cause=Cause.MESSAGE)
SYNTAX = Bounced(reply=reply("500 5.5.2 what?"), cause=Cause.PROTOCOL)
SLOWER = Deferred(reply=reply("450 4.7.1 not so fast"), cause=Cause.PACE)
LATER = Deferred(reply=reply("450 4.2.1 later"), cause=Cause.PASSING)


def times(count: int, prefix: str, domain: str) -> list[str]:
    return [f"{prefix}{number:03d}@{domain}" for number in range(count)]


async def settle_people(world: World, addresses: Iterable[str]) -> None:
    """Active readers of the only newsletter, all at once."""
    wanted, now = list(addresses), world.clock()
    async with world.store.write() as connection:
        await connection.execute(
            insert(people),
            [
                {
                    "address": each,
                    "address_key": each,
                    "address_hash": world.signer.suppression_hash(each),
                    "domain": each.rpartition("@")[2],
                    "language": "de",
                    "created_at": now,
                }
                for each in wanted
            ],
        )
        found = await connection.execute(select(people.c.id, people.c.address))
        ids = {row.address: row.id for row in found}
        await connection.execute(
            insert(subscriptions),
            [
                {
                    "ref": ids[each].to_bytes(12),
                    "subscriber_id": ids[each],
                    "newsletter": world.newsletters[0].slug,
                    "state": SubscriptionState.ACTIVE.value,
                    "frequency": "daily",
                    "topics": [],
                    "requested_at": now,
                    "request_nonce": b"n" * 16,
                }
                for each in wanted
            ],
        )


async def prepared(world: World, *addresses: str) -> int:
    """These readers and an edition for them; its id."""
    await settle_people(world, addresses)
    return (await publish(world, "Eins")).edition.id


def acting(world: World, **acts: Act | list[Act]) -> tuple[World, Script]:
    """The same world with a transport that is told, by the name before the @."""
    each = {name: act if isinstance(act, list) else [act] * 99 for name, act in acts.items()}
    return scripted(world, each)


async def run(world: World) -> None:
    await deliver(world, Work())


async def how(world: World) -> dict[str, int]:
    """How many deliveries stand where; and the books balance."""
    for each in await balance(world, None):
        assert each.balanced, each
    return dict(Counter(row.state.value for row in await ledger(world)))


async def stands(world: World) -> list[tuple[Scope, str, Kind]]:
    return [(each.scope, each.name, each.kind) for each in await standing(world)]


async def standing(world: World) -> list[Pause]:
    async with world.store.read() as connection:
        return await pauses.standing(connection, now=world.clock())


async def suppressed(world: World) -> dict[str, int]:
    async with world.store.read() as connection:
        return await suppressions.count_suppressed(connection)


async def noted(world: World) -> dict[str, int]:
    """The record of bounces, by cause."""
    async with world.store.read() as connection:
        return dict(Counter((await connection.execute(select(bounces.c.cause))).scalars()))


async def rows_of(world: World, name: str) -> list[Row]:
    return [row for row in await ledger(world) if row.name == name]


async def set_rows(world: World, **values: object) -> None:
    async with world.store.write() as connection:
        await connection.execute(update(deliveries).values(values))


def columns(found: Balance) -> dict[str, int]:
    return {name: count for name, count in found.columns.items() if count}
