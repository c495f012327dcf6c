"""Lets what concerns one address, or the mailbox behind it, come in turn, and be counted."""

from __future__ import annotations

from datetime import datetime

from digest.jobs.world import World
from digest.model.newsletter import Newsletter
from digest.store import crowds, deliveries
from digest.store.engine import Connection
from digest.subscribers.address import mailbox_key


def names_of(world: World, key: str) -> tuple[str, str]:
    """What an address is known by, and what the mailbox is whose owner is bothered; often one."""
    hashed = world.signer.suppression_hash
    return hashed(key), hashed(mailbox_key(key))


async def hold(connection: Connection, known_as: str, bothered: str, *, now: datetime) -> None:
    """Let what concerns this address, or this mailbox, come in turn until the transaction ends."""
    for name in dict.fromkeys((known_as, bothered)):
        await crowds.hold(connection, name, now=now)


async def queue_confirm(
    connection: Connection,
    subscription: int,
    bothered: str,
    newsletter: Newsletter,
    *,
    now: datetime,
) -> None:
    """Let one confirm mail go out, in the place of any that still waits, and count it."""
    await deliveries.drop_notices(
        connection, notice="confirm", subscription_id=subscription, now=now
    )
    await deliveries.queue_notice(
        connection, notice="confirm", subscription_id=subscription, now=now
    )
    await crowds.count_mail(connection, bothered, newsletter.slug, now=now)
