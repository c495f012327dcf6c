"""Turns a reader and what we offer into the parts of the page on which he chooses.

It stores nothing and decides nothing: what stands here is what holds now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from digest.editions.arrival import arrival
from digest.editions.calendar import check_timezone, is_daily_or_rarer, next_times
from digest.jobs import prefer
from digest.jobs.decide import LONGEST_PAUSE
from digest.jobs.write_following import stop_path
from digest.messages.plain import link_to, tame
from digest.model.follow import FOLLOWS_ONLY, FollowMode
from digest.model.newsletter import OTHER
from digest.model.subscriber import SubscriptionState

if TYPE_CHECKING:
    from datetime import date, datetime

    from digest.jobs.prefer import Reader
    from digest.jobs.world import World
    from digest.model.newsletter import Newsletter, Schedule
    from digest.model.subscriber import Subscription

#: proposed for the time zone; every other one may be typed in
ZONES: Final = (
    *("Europe/Lisbon", "Europe/London", "Europe/Dublin", "Europe/Madrid", "Europe/Paris"),
    *("Europe/Brussels", "Europe/Amsterdam", "Europe/Berlin", "Europe/Zurich", "Europe/Vienna"),
    *("Europe/Rome", "Europe/Copenhagen", "Europe/Oslo", "Europe/Stockholm", "Europe/Warsaw"),
    *("Europe/Prague", "Europe/Budapest", "Europe/Athens", "Europe/Bucharest", "Europe/Helsinki"),
    *("Europe/Kyiv", "Europe/Istanbul", "Africa/Casablanca", "Africa/Cairo", "Africa/Lagos"),
    *("Africa/Nairobi", "Africa/Johannesburg", "Asia/Jerusalem", "Asia/Dubai", "Asia/Karachi"),
    *("Asia/Kolkata", "Asia/Dhaka", "Asia/Bangkok", "Asia/Singapore", "Asia/Shanghai"),
    *("Asia/Tokyo", "Asia/Seoul", "Australia/Perth", "Australia/Sydney", "Pacific/Auckland"),
    *("Atlantic/Reykjavik", "America/Halifax", "America/New_York", "America/Chicago"),
    *("America/Denver", "America/Los_Angeles", "America/Anchorage", "Pacific/Honolulu"),
    *("America/Mexico_City", "America/Bogota", "America/Sao_Paulo", "UTC"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """A rhythm that may be chosen, and when it would come next."""

    name: str
    next_at: datetime | None
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A topic that may be ticked; one without a title is what no topic is about."""

    name: str
    title: str
    ticked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A story that a reader follows, and the path that stops it."""

    title: str
    url: str | None
    #: told by mails of its own
    prompt: bool
    stop: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One newsletter of a reader."""

    subscription: Subscription
    #: None where it was given up
    newsletter: Newsletter | None
    title: str
    #: paths of its own signed links
    preferences: str
    unsubscribe: str
    #: the zone in which times are said
    zone: str
    #: the chosen rhythm, the default one where the chosen one was given up
    frequency: str
    next_at: datetime | None
    paused: bool
    rhythms: tuple[Rhythm, ...]
    boxes: tuple[Box, ...]
    #: whether editions come rarely enough for an hour
    by_hour: bool
    #: days between which a pause may end
    first_day: date
    last_day: date
    #: it was left a short while ago and may be taken up again
    returning: bool
    #: no editions come, only what is followed
    only_follows: bool
    follows: tuple[Followed, ...]


def sections(world: World, reader: Reader) -> list[Section]:
    """What this person reads, or may take up again, in the order in which we offer it."""
    order = {each.slug: place for place, each in enumerate(world.newsletters)}
    shown = [
        each
        for each in reader.all
        if each.state is SubscriptionState.ACTIVE or each.id in reader.returning
    ]
    shown.sort(key=lambda each: (order.get(each.newsletter, len(order)), each.id))
    return [section(world, reader, each) for each in shown]


def section(world: World, reader: Reader, found: Subscription) -> Section:
    """One newsletter of a reader."""
    newsletter, now = prefer.offer(world, found), world.clock()
    zone = zone_of(found, newsletter)
    schedule, next_at = None, None
    followed = _follows(world, reader, found)
    only_follows = found.frequency == FOLLOWS_ONLY
    if newsletter is not None and not only_follows:
        schedule = newsletter.schedule(found.frequency) or newsletter.default_schedule
        next_at = next_edition(newsletter, schedule, found, now=now)
    waits = None if found.is_paused(now) else reader.waiting.get(found.id)
    today = now.astimezone(ZoneInfo(zone)).date()
    return Section(
        subscription=found,
        newsletter=newsletter,
        title=newsletter.title if newsletter else found.newsletter,
        preferences=f"/preferences/{world.signer.preferences_token(found.ref)}",
        unsubscribe=f"/unsubscribe/{world.signer.unsubscribe_token(found.ref)}",
        zone=zone,
        frequency=schedule.name if schedule else found.frequency,
        next_at=max(waits, now) if waits and next_at else next_at,
        paused=found.is_paused(now),
        rhythms=_rhythms(newsletter, schedule, found, follows=bool(followed), now=now)
        if newsletter
        else (),
        boxes=_boxes(newsletter, found) if newsletter else (),
        by_hour=newsletter is not None
        and any(is_daily_or_rarer(each, newsletter, now=now) for each in newsletter.schedules),
        first_day=today + timedelta(days=1),
        last_day=today + LONGEST_PAUSE - timedelta(days=1),
        returning=found.id in reader.returning,
        only_follows=only_follows,
        follows=followed,
    )


def _follows(world: World, reader: Reader, found: Subscription) -> tuple[Followed, ...]:
    return tuple(
        Followed(
            title=tame(each.title) or each.url,
            url=link_to(each.url),
            prompt=each.mode is FollowMode.PROMPT,
            stop=stop_path(world, each.ref),
        )
        for each in reader.follows.get(found.id, ())
    )


def zone_of(found: Subscription, newsletter: Newsletter | None) -> str:
    """The time zone in which this person thinks, as far as we know."""
    zone = found.subscriber.timezone
    if zone is not None and check_timezone(zone) is None:  # else this machine does not know it
        return zone
    return newsletter.timezone if newsletter else "UTC"


def next_edition(
    newsletter: Newsletter, schedule: Schedule, found: Subscription, *, now: datetime
) -> datetime | None:
    """When the next edition of a rhythm comes to this person, in UTC; None where nobody can say."""
    start = found.paused_until if found.paused_until and found.is_paused(now) else now
    slots = next_times(schedule.cron, timezone=newsletter.timezone, after=start, count=1)
    if not slots or not is_daily_or_rarer(schedule, newsletter, now=now):
        return next(iter(slots), None)
    zone = zone_of(found, newsletter)
    return arrival(slots[0], schedule, newsletter, hour=found.hour, timezone=zone)


def _rhythms(
    newsletter: Newsletter,
    chosen: Schedule | None,
    found: Subscription,
    *,
    follows: bool,
    now: datetime,
) -> tuple[Rhythm, ...]:
    offered = tuple(
        Rhythm(
            name=each.name,
            next_at=next_edition(newsletter, each, found, now=now),
            chosen=each == chosen,
        )
        for each in newsletter.schedules
    )
    none = Rhythm(name=FOLLOWS_ONLY, next_at=None, chosen=chosen is None)
    return (*offered, none) if follows or chosen is None else offered


def _boxes(newsletter: Newsletter, found: Subscription) -> tuple[Box, ...]:
    wanted = newsletter.choose(found.topics)
    known = [(each.name, each.title) for each in newsletter.topics]
    known += [(OTHER, "")] if known else []
    return tuple(
        Box(name=name, title=title, ticked=not wanted or name in wanted) for name, title in known
    )
