"""Takes stock: how newsletters, queue and feeds stand, for people and for scripts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from digest.editions.calendar import next_times
from digest.jobs.admission import is_braked
from digest.jobs.exhibit import utc
from digest.jobs.survey import look_at_feeds
from digest.jobs.world import World
from digest.model.delivery import DeliveryState
from digest.model.newsletter import Newsletter
from digest.model.pause import Pause
from digest.model.report import Cause
from digest.store import (
    books,
    bounces,
    paces,
    past,
    pauses,
    subscribers,
    suppressions,
    workers,
)
from digest.store.engine import Connection

#: what the present rate is measured over
PACE_OVER = timedelta(minutes=1)

#: how far back bounces are counted
BOUNCES_OVER = timedelta(days=7)


async def take_stock(world: World) -> dict[str, Any]:
    """Everything at one moment, ready for JSON."""
    now = world.clock()
    async with world.store.read() as connection:
        people = await subscribers.count_by_state(connection)
        queue = await books.count_all(connection)
        pace = await _pace(connection, world, queue, now)
        return {
            "now_utc": utc(now),
            "newsletters": [
                await _newsletter(connection, each, people, now) for each in world.newsletters
            ],
            "queue": {state.value: queue.get(state, 0) for state in DeliveryState},
            **pace,
            **await _troubles(connection, now),
            "brake": await is_braked(connection, now),
            "feeds": await look_at_feeds(connection, world),
        }


async def _pace(
    connection: Connection, world: World, queue: dict[DeliveryState, int], now: datetime
) -> dict[str, Any]:
    """Messages a second over the last minute, and how many seconds what is due will take."""
    under_way = [
        edition
        for each in world.newsletters
        for edition in await books.unfinished(connection, each.slug, with_uncertain=False)
    ]
    sent = await books.sent_since(connection, under_way, now - PACE_OVER) if under_way else 0
    later = await books.count_later(connection, now)
    due = (
        sum(queue.get(state, 0) for state in (DeliveryState.QUEUED, DeliveryState.CLAIMED)) - later
    )
    rate = sent / PACE_OVER.total_seconds()
    return {
        "rate_per_second": round(rate, 2),
        "seconds_left": round(due / rate) if due and rate else None,
        "queued_for_later": later,
    }


async def _troubles(connection: Connection, now: datetime) -> dict[str, Any]:
    """What is paused, slowed down or away, each with its cause; and what came back of late."""
    away = await workers.troubles(connection)
    came_back = await bounces.count_since(connection, now - BOUNCES_OVER)
    return {
        "pauses": [_pause(each) for each in await pauses.standing(connection, now=now)],
        "slow_domains": [
            {"domain": name, "seconds_between": round(each.gap, 1)}
            for name, each in sorted((await paces.slow(connection)).items())
        ],
        "relay_error": away[0][0] if away else None,
        "relay_error_since_utc": utc(away[0][1]) if away else None,
        "workers": len(await workers.roll_call(connection)),
        "bounces_last_7_days": {cause.value: came_back.get(cause, 0) for cause in Cause},
        "suppressed": await suppressions.count_suppressed(connection),
    }


def _pause(each: Pause) -> dict[str, Any]:
    return {
        "scope": each.scope.value,
        "name": each.name,
        "kind": each.kind.value,
        "cause": each.cause,
        "since_utc": utc(each.began_at),
        "until_utc": utc(each.until) if each.until else None,
    }


async def _newsletter(
    connection: Connection,
    newsletter: Newsletter,
    people: dict[tuple[str, str, str], int],
    now: datetime,
) -> dict[str, Any]:
    def count(state: str) -> int:
        return sum(
            n for (slug, _, at), n in people.items() if (slug, at) == (newsletter.slug, state)
        )

    latest = await past.past(connection, newsletter=newsletter.slug, limit=1)
    coming = [
        at
        for each in newsletter.schedules
        for at in next_times(each.cron, timezone=newsletter.timezone, after=now, count=1)
    ]
    return {
        "slug": newsletter.slug,
        "title": newsletter.title,
        "active": count("active"),
        "pending": count("pending"),
        "unsubscribed": count("unsubscribed"),
        "last_edition": latest[0].id if latest else None,
        "last_edition_utc": utc(latest[0].made_at) if latest else None,
        "next_edition": min(coming).isoformat() if coming else None,
    }
