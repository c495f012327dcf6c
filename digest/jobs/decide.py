"""Turns a form that a reader filled in into a choice that we offer, or says what is wrong with it.

It stores nothing and asks no clock.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from typing import Final

from digest.editions.calendar import is_daily_or_rarer
from digest.model.follow import FOLLOWS_ONLY
from digest.model.newsletter import OTHER, Newsletter
from digest.model.subscriber import ConsentEvent, Subscription, SubscriptionState
from digest.words import languages

#: for how many weeks one may pause with one click
WEEKS: Final = (1, 2, 4, 8)

#: and until when at most
LONGEST_PAUSE: Final = timedelta(days=366)

#: so long after leaving one may come back without a mail that asks whether it was really him
REGRET: Final = timedelta(hours=24)

#: doors through which a person leaves himself: one who was put out does not come back by a link
_OWN_DOORS: Final = frozenset({"web", "mail"})

_HOURS: Final = {"": None} | {str(hour): hour for hour in range(24)}

#: what the zone database has that is no place
_NO_ZONES: Final = frozenset({"Factory", "localtime", "posixrules"})


class Refusal(StrEnum):
    """Why a choice was not taken."""

    FREQUENCY = "frequency"
    TOPIC = "topic"
    #: without it nothing would be left
    LAST_TOPIC = "last topic"
    HOUR = "hour"
    LANGUAGE = "language"
    TIMEZONE = "timezone"
    PAUSE = "pause"
    #: there is nothing to set any more, or it is too late to come back
    GONE = "gone"
    #: nobody here knows what that is
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What was filled in, word for word; None: it was not on the form."""

    frequency: str | None = None
    #: empty: the boxes were there, and none was ticked
    topics: tuple[str, ...] | None = None
    #: "0" to "23"; empty: as soon as it is made
    hour: str | None = None
    language: str | None = None
    #: empty: as each newsletter has it
    timezone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """All that a reader has chosen."""

    frequency: str
    topics: tuple[str, ...]
    hour: int | None
    language: str
    timezone: str | None

    def __str__(self) -> str:
        """As the record has it."""
        return (
            f"frequency={self.frequency} topics={','.join(self.topics) or '-'}"
            f" hour={'-' if self.hour is None else self.hour}"
            f" language={self.language} timezone={self.timezone or '-'}"
        )


def chosen(found: Subscription) -> Choice:
    """What a reader has chosen so far."""
    return Choice(
        frequency=found.frequency,
        topics=found.topics,
        hour=found.hour,
        language=found.subscriber.language,
        timezone=found.subscriber.timezone,
    )


def decide(
    found: Subscription, newsletter: Newsletter | None, form: Form, *, now: datetime
) -> Choice | Refusal:
    """What stands after a form; what was not on it stays. All of it is taken, or nothing.

    `newsletter` is None where it was given up: then only the person has anything to choose.
    """
    frequency = found.frequency if form.frequency is None else form.frequency
    schedule = newsletter.schedule(frequency) if newsletter else None
    if form.frequency is not None and schedule is None and not _is_none(form, found, newsletter):
        return Refusal.FREQUENCY
    topics = found.topics if form.topics is None else _topics(newsletter, form.topics)
    if isinstance(topics, Refusal):
        return topics
    hour = found.hour
    if form.hour is not None:
        if form.hour not in _HOURS:
            return Refusal.HOUR
        hour = _HOURS[form.hour]
    if newsletter and schedule and not is_daily_or_rarer(schedule, newsletter, now=now):
        hour = None  # several a day have no one hour
    language = found.subscriber.language if form.language is None else form.language
    if form.language is not None and language not in languages():
        return Refusal.LANGUAGE
    timezone = found.subscriber.timezone if form.timezone is None else _zone(form.timezone)
    if isinstance(timezone, Refusal):
        return timezone
    return Choice(
        frequency=frequency, topics=topics, hour=hour, language=language, timezone=timezone
    )


def _is_none(form: Form, found: Subscription, newsletter: Newsletter | None) -> bool:
    """True for the wish to get no editions, only what is followed."""
    may = found.frequency == FOLLOWS_ONLY or (newsletter is not None and newsletter.follow)
    return form.frequency == FOLLOWS_ONLY and may


def _topics(newsletter: Newsletter | None, names: Collection[str]) -> tuple[str, ...] | Refusal:
    if newsletter is None or not set(names) <= offered(newsletter):
        return Refusal.TOPIC
    return newsletter.choose(names)


def offered(newsletter: Newsletter) -> set[str]:
    """What may stand in a choice of topics."""
    return {each.name for each in newsletter.topics} | {OTHER} if newsletter.topics else set()


def without(
    newsletter: Newsletter | None, topics: Collection[str], name: str
) -> tuple[str, ...] | Refusal:
    """A choice of topics with less in it: from everything, or from what was chosen."""
    known = offered(newsletter) if newsletter else set()
    if newsletter is None or name not in known:
        return Refusal.TOPIC
    rest = (known & set(topics) or known) - {name}
    # an empty choice would mean everything
    return newsletter.choose(rest) if rest else Refusal.LAST_TOPIC


def _zone(text: str) -> str | Refusal | None:
    if not text:
        return None
    return zones().get(text.replace(" ", "_").casefold(), Refusal.TIMEZONE)


@cache
def zones() -> dict[str, str]:
    """Every time zone that a reader may name, by its name without regard to case."""
    return {each.casefold(): each for each in zoneinfo.available_timezones() - _NO_ZONES}


def read_pause(
    weeks: str | None, until: str | None, *, timezone: str, now: datetime
) -> datetime | Refusal:
    """The end of a pause: so many weeks from now, or the beginning of a day in `timezone`."""
    if not until:
        known = {str(each): each for each in WEEKS}
        return now + timedelta(weeks=known[weeks]) if weeks in known else Refusal.PAUSE
    try:
        day = date.fromisoformat(until)
        end = datetime.combine(day, time(), zoneinfo.ZoneInfo(timezone))
        return end if now < end <= now + LONGEST_PAUSE else Refusal.PAUSE
    except (ValueError, OverflowError):
        return Refusal.PAUSE


def may_return(found: Subscription, record: list[ConsentEvent], *, now: datetime) -> bool:
    """True for somebody who read this newsletter until he left it himself, a short while ago."""
    return (
        found.state is SubscriptionState.UNSUBSCRIBED
        and found.unsubscribed_at is not None
        and now - found.unsubscribed_at <= REGRET
        # he had confirmed what he left; whoever withdrew a request has nothing to come back to
        and found.confirmed_at is not None
        and found.confirmed_at >= found.requested_at
        and bool(record)
        and record[-1].kind == "unsubscribed"
        and record[-1].door in _OWN_DOORS
    )
