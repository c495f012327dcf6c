"""Turns a feed's hub into hints: asks to be told of news (W3C WebSub), and polls when told.

A push is a hint and no more: what is new is read from the feed itself, and polls go on as ever
(docs/decisions/0017). So nothing here is lost when a hub, or we, get something wrong.
"""

from __future__ import annotations

import asyncio
import logging
from base64 import urlsafe_b64encode
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from digest.feeds.websub import (
    Denial,
    Intent,
    Mode,
    discover,
    is_reachable,
    is_signed,
    write_form,
)
from digest.jobs.world import World
from digest.model.feed import Feed, FeedFailure, ParsedFeed
from digest.store import feeds, pushes
from digest.store.engine import Connection
from digest.store.pushes import Push

log = logging.getLogger("digest.push")

_DAY: Final = timedelta(days=1)
#: how long a hub is left alone that did not answer; twice as long each time, up to a day
_FIRST_WAIT: Final = timedelta(hours=1)
#: a hub that said nothing for so long while polls found news is not asked for so long
SILENCE: Final = timedelta(days=7)
_DISTRUST: Final = timedelta(days=30)
#: a feed becomes due by pushes at most so often
_AT_MOST: Final = timedelta(minutes=1)
#: so long after a push we look again: caches may have shown us the old feed, and pushes that came
#: right behind the first one were not listened to
_SECOND_LOOK: Final = timedelta(minutes=5)
_TOO_LATE: Final = timedelta(hours=1)
#: hubs asked in one go, and at once
_MOST: Final = 32
_AT_ONCE: Final = 4
_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


# --------------------------------------------------------------- what a poll found


async def note_hub(
    connection: Connection,
    world: World,
    feed: Feed,
    parsed: ParsedFeed,
    *,
    headers: Mapping[str, str] = _NO_HEADERS,
) -> None:
    """Remember the hub that a feed names, in the transaction of its poll.

    `headers` are those of the answer, names in lower case.
    """
    offer = discover(parsed, headers, address=feed.address)
    known = await pushes.of_feed(connection, feed.id)
    now = world.clock()
    if offer is None:
        await _lose(connection, known, now=now)
        return
    if known is not None and (known.hub, known.topic) == (offer.hub, offer.topic):
        if known.state == "leaving":  # it is back
            await pushes.ask(
                connection, known, state="asked", now=known.asked_at, until=known.again_at or now
            )
        return
    if not _can_be_called(world):
        return
    await pushes.add(
        connection,
        feed.id,
        hub=offer.hub,
        topic=offer.topic,
        token=_random(world),
        secret=_random(world),
        now=now,
        # a feed that names another hub at each poll must not send us round the world
        again_at=max(now, known.asked_at + _FIRST_WAIT) if known else now,
    )


async def _lose(connection: Connection, push: Push | None, *, now: datetime) -> None:
    """The feed names no hub any more; it may again tomorrow."""
    if push is None or push.state == "leaving":
        return
    if push.again_at is None:  # only one that took us on need be told
        await pushes.leave(connection, push, asked_at=now, until=now)
    elif push.again_at == push.asked_at:
        await pushes.forget(connection, push)  # it was never asked
    else:
        # should the hub be back before that, it is not asked sooner than it would have been
        await pushes.leave(connection, push, asked_at=push.asked_at, until=push.again_at)


def _random(world: World) -> str:
    """43 characters that nobody can guess (256 bits)."""
    return urlsafe_b64encode(world.secret_bytes(32)).decode().rstrip("=")


def _can_be_called(world: World) -> bool:
    return is_reachable(world.public_url, allow_private=world.fetcher.allow_private)


@lru_cache(maxsize=1)
def _say_once(public_url: str) -> None:
    log.debug("push status=off reason=no hub can call us at %s", public_url)


# --------------------------------------------------------------- asking hubs


async def subscribe_due(world: World) -> int:
    """Ask the hubs whose time has come, once each; how many were asked. Looks twice after pushes.

    New ones, those whose lease ends soon, those that failed some time ago; and says goodbye for
    feeds that we do not read any more.
    """
    if not _can_be_called(world):
        _say_once(world.public_url)
        return 0
    now = world.clock()
    ours = {source.url for each in world.newsletters for source in each.feeds}
    async with world.store.read() as connection:
        known = list((await pushes.states(connection)).values())
    due = [each for each in known if _is_due(each, ours, now)][:_MOST]
    looks = [each for each in known if _wants_second_look(each, now)]
    # one transaction each: whoever polls writes of many feeds at once, in an order of his own
    for each in looks:
        async with world.store.write() as connection:
            await feeds.make_due(connection, each.feed_id, now=now)
    taken = []
    for each in due:
        async with world.store.write() as connection:
            taken.append(await _take(connection, each, ours, now))
    turns = asyncio.Semaphore(_AT_ONCE)

    async def ask(push: Push) -> None:
        async with turns:
            await _ask(world, push)

    asks = [ask(push) for push in taken if push is not None]
    await asyncio.gather(*asks)
    return len(asks)


def _is_due(push: Push, ours: Collection[str], now: datetime) -> bool:
    if push.state == "active":
        if not _is_wanted(push, ours) or push.lease_until is None:
            return True
        # after each attempt a quarter of what is then left: a hub is asked four times or so
        soon = min(_DAY, (push.lease_until - push.asked_at) / 4)
        return push.lease_until - now <= soon
    unwanted = push.state != "leaving" and not _is_wanted(push, ours)
    return unwanted or push.again_at is None or push.again_at <= now


def _is_wanted(push: Push, ours: Collection[str]) -> bool:
    return push.url in ours and not push.retired


def _wants_second_look(push: Push, now: datetime) -> bool:
    heard = push.heard_at
    if heard is None or heard <= push.asked_at or push.failing or push.retired:
        return False
    then = heard + _SECOND_LOOK
    return then <= now < heard + _TOO_LATE and (push.polled_at is None or push.polled_at < then)


async def _take(
    connection: Connection, push: Push, ours: Collection[str], now: datetime
) -> Push | None:
    """The push as its hub is to be asked, by us and nobody else; None where it is not."""
    if push.state == "leaving" or not _is_wanted(push, ours):
        return await _take_leave(connection, push, now)
    if push.state == "active" and await _is_mute(connection, push, now):
        reason = f"it said nothing for {SILENCE.days} days while polls found news"
        await pushes.refuse(connection, push, reason=reason, now=now, again_at=now + _DISTRUST)
        log.info("push feed=%s hub=%s status=refused reason=%r", push.url, push.hub, reason)
        return None
    if push.lease_until is not None and push.lease_until > now:
        return await pushes.ask(connection, push, state="active", now=now, until=push.lease_until)
    return await pushes.ask(connection, push, state="asked", now=now, until=now + _wait(push))


async def _take_leave(connection: Connection, push: Push, now: datetime) -> Push | None:
    told = push.state == "leaving" and push.again_at != push.asked_at
    if told or push.state in {"asked", "refused"}:
        await pushes.forget(connection, push)  # whoever calls from now on hears that we are gone
        return None
    return await pushes.ask(connection, push, state="leaving", now=now, until=now + _DAY)


def _wait(push: Push) -> timedelta:
    """How long until the hub is asked again: twice as long as the last time."""
    last = push.again_at - push.asked_at if push.again_at else timedelta()
    return min(max(_FIRST_WAIT, last * 2), _DAY)


async def _is_mute(connection: Connection, push: Push, now: datetime) -> bool:
    """Whether a hub said nothing for a week while polls found what it should have told."""
    heard = push.heard_at or push.asked_at
    if now - heard < SILENCE:
        return False
    # an hour at both ends: the poll after a push finds news too, and a push may be late
    since, until = heard + _FIRST_WAIT, now - _FIRST_WAIT
    return await pushes.had_news(connection, push.feed_id, since=since, until=until)


async def _ask(world: World, push: Push) -> None:
    mode: Mode = "unsubscribe" if push.state == "leaving" else "subscribe"
    callback = f"{world.public_url}/websub/{push.token}"
    fields = write_form(mode, topic=push.topic, callback=callback, secret=push.secret)
    answer = await world.fetcher.post_form(push.hub, fields)
    if not isinstance(answer, FeedFailure):
        log.info("push feed=%s hub=%s mode=%s status=asked", push.url, push.hub, mode)
        return
    reason = answer.reason
    log.info("push feed=%s hub=%s mode=%s status=error error=%r", push.url, push.hub, mode, reason)
    again_at = push.again_at or push.asked_at
    if answer.retry_after is not None:
        again_at = max(again_at, world.clock() + min(answer.retry_after, _DAY))
    async with world.store.write() as connection:
        await pushes.fail(connection, push, reason=reason, again_at=again_at)


# --------------------------------------------------------------- what hubs say


async def find_push(world: World, token: str) -> Push | None:
    """Whom a callback address belongs to; None where it is nobody's, or not any more."""
    async with world.store.read() as connection:
        return await pushes.by_token(connection, token)


async def answer_intent(world: World, push: Push, said: Intent | Denial) -> str | None:
    """What to answer a hub that calls back: its challenge, nothing (""), or None for "not us"."""
    leaving = push.state == "leaving"
    if said.topic != push.topic:
        return None
    now = world.clock()
    async with world.store.write() as connection:
        match said:
            case Denial(reason=reason):
                if not leaving:
                    why = f"the hub refused: {reason}" if reason else "the hub refused"
                    await pushes.refuse(connection, push, reason=why, now=now, again_at=now + _DAY)
                return ""
            case Intent(mode="subscribe") if not leaving:
                await pushes.grant(connection, push, now=now, until=now + said.lease)
                log.info("push feed=%s hub=%s status=active", push.url, push.hub)
                return said.challenge
            case Intent(mode="unsubscribe") if leaving:
                return said.challenge
            case _:
                return None


async def take_push(world: World, push: Push, body: bytes, *, signature: str | None) -> bool:
    """Let the feed be polled soon; False where the hub did not sign what came.

    What came is not read: the feed itself says what is new. A feed in trouble keeps its own time,
    for its server may have asked for that.
    """
    if not is_signed(body, signature, secret=push.secret):
        return False
    now = world.clock()
    told_before = push.heard_at is not None and push.heard_at > push.asked_at
    if told_before and push.heard_at is not None and now - push.heard_at < _AT_MOST:
        return True  # there is a second look
    async with world.store.write() as connection:
        await pushes.hear(connection, push, now=now)
        if not push.failing and not push.retired:
            await feeds.make_due(connection, push.feed_id, now=now)
    log.info("push feed=%s status=heard", push.url)
    return True
