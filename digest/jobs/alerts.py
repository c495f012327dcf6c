"""Tells the operator by mail when feeds get into trouble, once, and once more when it is over.

The table `alerts` remembers what was told. It is noted after the mail's final dot, so a crash in
between repeats a mail (with the same Message-ID) and never loses one.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from digest.errors import AddressRefused, LeaseLost, RelayAway, TemplateFault
from digest.jobs.health import Trouble, Turn, decide, feed_id_of, find_troubles, host_of
from digest.jobs.world import World
from digest.messages.operator import Case, write_operator_mail
from digest.messages.sign import sign
from digest.model.delivery import Bounced, Deferred, Outcome, Sent, Uncertain
from digest.model.feed import Feed
from digest.model.message import Message
from digest.model.newsletter import Newsletter
from digest.store import alerts, feeds
from digest.store.alerts import Alert
from digest.store.engine import Connection

log = logging.getLogger("digest.alerts")


async def tell_operator(world: World) -> int:
    """Tell the operator what is new and what is over, and say how many feeds that is about.

    By mail where an operator is named, else in the log. Where the relay is away or says "later",
    or our template is broken, nothing is noted, and the next call tries again. Raises StoreError.
    """
    now = world.clock()
    urls = list(dict.fromkeys(each.url for one in world.newsletters for each in one.feeds))
    async with world.store.read() as connection:
        read = {each.id: each for each in await feeds.find(connection, urls)}
        troubles = await find_troubles(connection, list(read.values()), now=now)
        turn = decide(troubles, await alerts.known(connection), read, now=now)
    if turn == Turn():
        return 0
    async with world.store.write() as connection:
        await _note(connection, turn, now)
    if not turn.new and not turn.over:
        return 0
    told = await _tell(world, turn, read, now)
    if not told:
        return 0
    async with world.store.write() as connection:
        await alerts.told(connection, [each.key for each in turn.new], at=now)
        await alerts.drop(connection, [each.key for each in turn.over])
    return len(turn.new) + len(turn.over)


async def _note(connection: Connection, turn: Turn, now: datetime) -> None:
    """Everything but that something was told."""
    found = [
        Alert(key=each.key, began_at=each.since, text=each.reason, told_at=told_at)
        for told_at, troubles in ((None, turn.new), (now, turn.joined))
        for each in troubles
    ]
    await alerts.note(connection, found)
    await alerts.told(connection, [each.key for each in turn.joined], at=now)
    await alerts.end(connection, turn.ended, at=now)
    await alerts.end(connection, turn.back, at=None)
    await alerts.drop(connection, turn.dropped)


async def _tell(world: World, turn: Turn, read: dict[int, Feed], now: datetime) -> bool:
    """Say it by mail, or in the log where nobody is named; False where it was not heard."""
    if world.operator is None:
        for trouble in turn.new:
            log.warning(
                "feed=%s trouble=%s since=%s reason=%r",
                *(trouble.feed.url, trouble.kind, trouble.since.isoformat(), trouble.reason),
            )
        for alert in turn.over:
            log.warning("feed=%s trouble=over was=%r", read[feed_id_of(alert)].url, alert.text)
        return True

    async def still_untold() -> bool:
        # two processes may be about to tell the same
        async with world.store.read() as connection:
            written = {each.key: each for each in await alerts.known(connection)}
        new, over = ({each.key for each in told} for told in (turn.new, turn.over))
        return new | over <= set(written) and not any(written[key].told_at for key in new)

    try:
        message = _write(world, turn, read, to=world.operator, now=now)
        outcome = await world.transport.send(message, still_untold)
    except (RelayAway, LeaseLost, AddressRefused, TemplateFault) as problem:
        log.warning("operator=%s status=waiting reason=%r", world.operator, str(problem))
        return False
    return _is_heard(world, turn, outcome)


def _is_heard(world: World, turn: Turn, outcome: Outcome) -> bool:
    match outcome:
        case Sent():
            log.info(
                "operator=%s status=sent new=%d over=%d",
                *(world.operator, len(turn.new), len(turn.over)),
            )
            return True
        case Deferred():
            log.warning("operator=%s status=deferred reply=%r", world.operator, str(outcome.reply))
            return False
        case Uncertain():
            # as with readers: a copy, or perhaps nothing
            log.warning("operator=%s status=uncertain reason=%r", world.operator, outcome.reason)
            return world.uncertain == "hold"
        case Bounced():
            # it would be refused every five minutes, for ever
            log.error(
                "operator=%s status=bounced reply=%r: see `digest status`, and DIGEST_OPERATOR",
                *(world.operator, str(outcome.reply)),
            )
            return True
        case _:
            assert_never(outcome)


def _write(world: World, turn: Turn, read: dict[int, Feed], *, to: str, now: datetime) -> Message:
    concerned = {each.feed.url for each in turn.new} | {read[feed_id_of(e)].url for e in turn.over}
    sender = _sender(world, concerned)
    message = write_operator_mail(
        world.renderer,
        sender,
        to_address=to,
        new=[_case(each) for each in turn.new],
        over=[_ended(each, read[feed_id_of(each)]) for each in turn.over],
        seed="\n".join(
            [
                *(f"{each.key} {each.since.isoformat()}" for each in turn.new),
                *(f"{each.key} {each.began_at.isoformat()} over" for each in turn.over),
            ]
        ),
        date=now,
    )
    if not world.keys:
        return message
    data = sign(message.data, world.keys, domain=sender.sender.domain, at=now)
    return replace(message, data=data)


def _sender(world: World, urls: set[str]) -> Newsletter:
    """The first newsletter that reads one of these feeds."""
    return next(
        each for each in world.newsletters if any(source.url in urls for source in each.feeds)
    )


def _case(trouble: Trouble) -> Case:
    return Case(
        kind=trouble.kind.value,
        title=trouble.feed.title or host_of(trouble.feed),
        url=trouble.feed.url,
        since=trouble.since,
        reason=trouble.reason,
        articles=trouble.articles,
        before=trouble.before,
    )


def _ended(alert: Alert, feed: Feed) -> Case:
    return Case(
        kind="failing",
        title=feed.title or host_of(feed),
        url=feed.url,
        since=alert.began_at,
        reason=alert.text,
    )
