"""Takes stock of feeds: how each one stands, what it lacks, and how that is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from shlex import quote
from typing import Any

from digest.jobs.exhibit import utc
from digest.jobs.health import GAP_FOR
from digest.jobs.world import World
from digest.model.feed import Feed
from digest.store import alerts, feeds, floods, gaps, pushes
from digest.store.engine import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What the store knows of all feeds, by their ids, or addresses."""

    missing: Mapping[int, alerts.Hole]
    held: Mapping[str, floods.Flood]
    last_new: Mapping[int, datetime]
    last_gaps: Mapping[int, gaps.GapRow]
    counts: Mapping[int, gaps.Tally]
    hubs: Mapping[int, pushes.Push]


async def look_at_feeds(connection: Connection, world: World) -> list[dict[str, Any]]:
    """Every feed of the newsletters, in the operator's order, ready for JSON."""
    urls = list(dict.fromkeys(each.url for one in world.newsletters for each in one.feeds))
    known = {feed.url: feed for feed in await feeds.find(connection, urls)}
    ids = [each.id for each in known.values()]
    facts = _Facts(
        held={each.url: each for each in await floods.standing(connection)},
        missing=await alerts.holes(connection, ids, seen_since=world.clock() - GAP_FOR),
        last_new=await alerts.latest_articles(connection, ids),
        last_gaps=await gaps.latest_gaps(connection),
        counts=await gaps.tallies(connection),
        hubs=await pushes.states(connection),
    )
    return [_feed(url, known.get(url), facts) for url in urls]


def _feed(url: str, feed: Feed | None, facts: _Facts) -> dict[str, Any]:
    """One feed; of one that was never met only its address is known."""
    identity = feed.id if feed else 0
    return {
        "url": url,
        "title": feed.title if feed else None,
        "state": _state(feed, facts) if feed else "new",
        "last_polled_utc": _utc(feed.last_polled_at) if feed else None,
        "next_poll_utc": utc(feed.next_poll_at) if feed and not feed.retired_at else None,
        "interval_seconds": round(feed.interval.total_seconds())
        if feed and feed.interval
        else None,
        "failing_since_utc": _utc(feed.failing_since) if feed else None,
        "failures": feed.failures if feed else 0,
        "error": feed.error if feed else None,
        "retired_utc": _utc(feed.retired_at) if feed else None,
        "moved_to": feed.moved_to if feed else None,
        "last_new_utc": _utc(facts.last_new.get(identity)),
        "held": _held(url, facts.held.get(url)),
        "tally": _tally(facts.counts.get(identity)),
        "missing": _missing(facts.missing.get(identity)),
        "last_gap": _gap(facts.last_gaps.get(identity)),
        "push": _push(facts.hubs.get(identity)),
    }


def _state(feed: Feed, facts: _Facts) -> str:
    """The worst of what is true of it."""
    if feed.retired_at:
        return "retired"
    if feed.failing_since:
        return "failing"
    if feed.url in facts.held:
        return "held"
    return "moved" if feed.moved_to else "well"


def _held(url: str, flood: floods.Flood | None) -> dict[str, Any] | None:
    if flood is None:
        return None
    return {
        "articles": flood.articles,
        "since_utc": utc(flood.began_at),
        "to_do": f"digest feed release {quote(url)}",
    }


def _tally(tally: gaps.Tally | None) -> dict[str, Any] | None:
    if tally is None:
        return None
    return {
        "since_utc": utc(tally.since),
        "at_utc": utc(tally.at),
        # what we hold ourselves says nothing of what there was
        "published": tally.published if tally.how else None,
        "held": tally.held,
        "known_by": tally.how or None,
    }


def _gap(gap: gaps.GapRow | None) -> dict[str, Any] | None:
    if gap is None:
        return None
    return {
        "since_utc": _utc(gap.since),
        "seen_utc": utc(gap.seen_at),
        "found": gap.found,
        "known_by": gap.how or None,
        "whole": gap.whole,
    }


def _missing(hole: alerts.Hole | None) -> dict[str, Any] | None:
    """Between which moments articles may be missing, as of late."""
    if hole is None:
        return None
    return {"since_utc": _utc(hole.since), "until_utc": utc(hole.seen_at)}


def _push(push: pushes.Push | None) -> dict[str, Any] | None:
    if push is None:
        return None
    return {
        "hub": push.hub,
        "state": push.state,
        "until_utc": _utc(push.lease_until),
        "heard_utc": _utc(push.heard_at),
        "error": push.error,
    }


def _utc(at: datetime | None) -> str | None:
    return utc(at) if at else None
