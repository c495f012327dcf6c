"""Turns what the store knows of feeds into their troubles, and those into what is to be told.

Decides; tells nobody, and writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from digest.model.feed import Feed
from digest.store import alerts
from digest.store import floods as stored_floods
from digest.store.alerts import Alert
from digest.store.engine import Connection

#: a feed that fails for so long and so often needs a person; what is shorter heals by itself
FAILING_FOR = timedelta(hours=6)
FAILING_POLLS = 3

#: how long a gap that could not be filled is a trouble: without another one it is forgotten
GAP_FOR = timedelta(days=7)

#: between two mails: what comes meanwhile goes into one
HUSH = timedelta(hours=1)

#: feeds of one host are polled hours apart: that they are well again is told of all together,
#: but not later than this
TOGETHER = timedelta(hours=6)


class Kind(StrEnum):
    """What can be wrong with a feed so that a person should know."""

    FAILING = "failing"
    RETIRED = "retired"
    HELD = "held"
    GAP = "gap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A feed, what is wrong with it, and since when."""

    kind: Kind
    feed: Feed
    since: datetime
    reason: str
    #: long enough to tell
    ripe: bool = True
    articles: int = 0
    before: datetime | None = None

    @property
    def key(self) -> str:
        """What it is remembered by."""
        return f"{self.kind}:{self.feed.id}"

    @property
    def cause(self) -> tuple[Kind, str, str]:
        """What troubles of one cause share: a dead host is one trouble, however many its feeds."""
        return self.kind, host_of(self.feed), self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What is to be told now, and what of the alerts changes without a word."""

    new: tuple[Trouble, ...] = ()
    over: tuple[Alert, ...] = ()
    #: more of what was told already: noted as told
    joined: tuple[Trouble, ...] = ()
    ended: tuple[str, ...] = ()
    back: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


async def find_troubles(
    connection: Connection, known: Sequence[Feed], *, now: datetime
) -> tuple[Trouble, ...]:
    """Everything that is wrong with these feeds at this moment, ripe or not."""
    ids = [each.id for each in known]
    floods = {each.url: each for each in await stored_floods.standing(connection)}
    holes = await alerts.holes(connection, ids, seen_since=now - GAP_FOR)
    found = []
    for each in known:
        if each.retired_at:
            reason = each.error or "HTTP 410"
            found.append(
                Trouble(kind=Kind.RETIRED, feed=each, since=each.retired_at, reason=reason)
            )
        elif each.failing_since:
            ripe = each.failures >= FAILING_POLLS and now - each.failing_since >= FAILING_FOR
            reason = each.error or "for no reason that it names"
            found.append(
                Trouble(
                    kind=Kind.FAILING, feed=each, since=each.failing_since, reason=reason, ripe=ripe
                )
            )
        if flood := floods.get(each.url):
            count = flood.articles
            reason = f"{count} articles at once"
            found.append(
                Trouble(
                    kind=Kind.HELD, feed=each, since=flood.began_at, reason=reason, articles=count
                )
            )
        if hole := holes.get(each.id):
            found.append(
                Trouble(
                    kind=Kind.GAP,
                    feed=each,
                    since=hole.seen_at,
                    before=hole.since,
                    reason="articles may be missing",
                )
            )
    return tuple(found)


def decide(
    troubles: Sequence[Trouble], known: Sequence[Alert], read: dict[int, Feed], *, now: datetime
) -> Turn:
    """What of these troubles is new, what of the alerts is over; `read` are the feeds by id."""
    written = {each.key: each for each in known}
    standing = {each.key: each for each in troubles}
    told = {key for key, each in written.items() if each.told_at}
    causes = {each.cause for key, each in standing.items() if key in told}
    untold = [each for each in troubles if each.key not in told]
    joined = [each for each in untold if each.ripe and _spreads(each) and each.cause in causes]
    # one that is known to be of a cause that is told now is told with it, ripe or not
    ripe = {each.cause for each in untold if each.ripe} - {each.cause for each in joined}
    new = [each for each in untold if each.cause in ripe and (each.ripe or _spreads(each))]
    gone = [each for key, each in written.items() if key not in standing]
    healed = [
        replace(each, ended_at=each.ended_at or now)
        for each in gone
        if each.told_at and _is_worth_an_end(each, read)
    ]
    waiting = {host_of(each.feed) for each in troubles if each.key in told and _spreads(each)}
    over = [each for each in healed if _is_due(each, waiting, read, now)]
    if _is_hushed(known, now):
        new, over = [], []
    return Turn(
        new=tuple(new),
        over=tuple(over),
        joined=tuple(joined),
        ended=tuple(each.key for each in healed if written[each.key].ended_at is None),
        back=tuple(key for key in standing if key in written and written[key].ended_at),
        dropped=tuple(
            each.key for each in gone if each.key not in {healthy.key for healthy in healed}
        ),
    )


def _spreads(trouble: Trouble) -> bool:
    """Whether feeds share such a trouble, for it is their host's."""
    return trouble.kind is Kind.FAILING


def _is_worth_an_end(alert: Alert, read: dict[int, Feed]) -> bool:
    """Held articles end by the operator's own word; feeds that he took out, too."""
    kind, _, feed = alert.key.partition(":")
    return kind in {Kind.FAILING, Kind.RETIRED} and int(feed) in read


def _is_due(alert: Alert, waiting: set[str], read: dict[int, Feed], now: datetime) -> bool:
    host = host_of(read[feed_id_of(alert)])
    return host not in waiting or (alert.ended_at or now) <= now - TOGETHER


def _is_hushed(known: Iterable[Alert], now: datetime) -> bool:
    return any(each.told_at and each.told_at > now - HUSH for each in known)


def feed_id_of(alert: Alert) -> int:
    """Whose alert it is."""
    return int(alert.key.partition(":")[2])


def host_of(feed: Feed) -> str:
    """Which machine a feed is asked of."""
    return urlsplit(feed.address).hostname or feed.address
