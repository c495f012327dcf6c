"""A form becomes a choice that we offer, or nothing of it is taken."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from choosing import CITY
from jobs_world import NOW

from digest.jobs.decide import (
    Choice,
    Form,
    Refusal,
    chosen,
    decide,
    may_return,
    read_pause,
    without,
    zones,
)
from digest.model.newsletter import OTHER
from digest.model.subscriber import ConsentEvent, Subscriber, Subscription, SubscriptionState
from digest.words import format_day_time, languages

READER = Subscription(
    id=1,
    ref=bytes(12),
    newsletter="stadtblatt",
    subscriber=Subscriber(
        id=1, address="anna@example.org", language="de", timezone=None, created_at=NOW
    ),
    state=SubscriptionState.ACTIVE,
    frequency="daily",
    topics=(),
    hour=None,
    paused_until=None,
    requested_at=NOW - timedelta(days=2),
    confirmed_at=NOW - timedelta(days=1),
    unsubscribed_at=None,
    request_nonce=bytes(16),
)


def take(form: Form, found: Subscription = READER) -> Choice | Refusal:
    return decide(found, CITY, form, now=NOW)


def test_what_is_not_on_the_form_stays() -> None:
    found = replace(READER, topics=("chips",), hour=7, frequency="weekly")
    assert take(Form(), found) == chosen(found)
    assert take(Form(frequency="daily"), found) == replace(chosen(found), frequency="daily")
    assert take(Form(language="en"), found) == replace(chosen(found), language="en")


def test_all_that_is_on_the_form_is_taken() -> None:
    form = Form(
        frequency="weekly",
        topics=("robots", "chips"),
        hour="18",
        language="en",
        timezone="america/new york",
    )
    assert take(form) == Choice(
        frequency="weekly",
        topics=("chips", "robots"),
        hour=18,
        language="en",
        timezone="America/New_York",
    )


def test_no_topic_means_all_and_all_mean_all() -> None:
    found = replace(READER, topics=("chips",))
    for topics in ((), ("chips", "robots", OTHER)):
        choice = take(Form(topics=topics), found)
        assert isinstance(choice, Choice)
        assert choice.topics == ()


def test_an_hour_and_a_zone_can_be_taken_back() -> None:
    found = replace(READER, hour=7, subscriber=replace(READER.subscriber, timezone="Asia/Tokyo"))
    choice = take(Form(hour="", timezone=""), found)
    assert isinstance(choice, Choice)
    assert (choice.hour, choice.timezone) == (None, None)


def test_what_comes_several_times_a_day_has_no_hour() -> None:
    choice = take(Form(frequency="hourly", hour="7"))
    assert isinstance(choice, Choice)
    assert choice.hour is None


@pytest.mark.parametrize(
    ("form", "refusal"),
    [
        (Form(frequency="never"), Refusal.FREQUENCY),
        (Form(frequency="\0"), Refusal.FREQUENCY),
        (Form(topics=("chips", "cheese")), Refusal.TOPIC),
        (Form(topics=("\0",)), Refusal.TOPIC),
        (Form(hour="24"), Refusal.HOUR),
        (Form(hour="-1"), Refusal.HOUR),
        (Form(hour="07"), Refusal.HOUR),
        (Form(language="tlh"), Refusal.LANGUAGE),
        (Form(timezone="Mars/Base"), Refusal.TIMEZONE),
        (Form(timezone="../../etc/passwd"), Refusal.TIMEZONE),
        (Form(timezone="localtime"), Refusal.TIMEZONE),
        (Form(timezone="right/Europe/Berlin"), Refusal.TIMEZONE),
        (Form(timezone="Europe/Berlin\0"), Refusal.TIMEZONE),
        (Form(timezone="x" * 4000), Refusal.TIMEZONE),
        (Form(frequency="weekly", hour="x"), Refusal.HOUR),
    ],
)
def test_one_bad_word_and_nothing_is_taken(form: Form, refusal: Refusal) -> None:
    assert take(form) is refusal


def test_whose_newsletter_was_given_up_still_has_a_language() -> None:
    choice = decide(READER, None, Form(language="en"), now=NOW)
    assert choice == replace(chosen(READER), language="en")
    assert decide(READER, None, Form(frequency="daily"), now=NOW) is Refusal.FREQUENCY
    assert decide(READER, None, Form(topics=("chips",)), now=NOW) is Refusal.TOPIC


def test_every_zone_that_one_may_name_can_be_said() -> None:
    assert len(zones()) > 300
    for zone in zones().values():
        for language in languages():
            assert format_day_time(NOW, language, zone)


def test_less_of_a_topic_leaves_the_others() -> None:
    assert without(CITY, (), "chips") == (OTHER, "robots")
    assert without(CITY, ("chips", "robots"), "chips") == ("robots",)
    assert without(CITY, ("robots",), "chips") == ("robots",)
    # a topic that was given up since is no topic
    assert without(CITY, ("cheese",), "chips") == (OTHER, "robots")


def test_less_never_becomes_everything() -> None:
    assert without(CITY, ("chips",), "chips") is Refusal.LAST_TOPIC
    assert without(CITY, (), "cheese") is Refusal.TOPIC
    assert without(replace(CITY, topics=()), (), OTHER) is Refusal.TOPIC
    assert without(None, (), "chips") is Refusal.TOPIC


BERLIN = "Europe/Berlin"


def pause(weeks: str | None = None, until: str | None = None) -> datetime | Refusal:
    return read_pause(weeks, until, timezone=BERLIN, now=NOW)


def test_a_pause_lasts_some_weeks_or_until_a_day_begins() -> None:
    assert pause("2") == NOW + timedelta(weeks=2)
    assert pause(None, "2026-12-24") == datetime(2026, 12, 23, 23, 0, tzinfo=UTC)
    assert pause("2", "2026-11-24") == datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
    assert pause(None, "2027-11-24") == datetime(2027, 11, 23, 23, 0, tzinfo=UTC)


@pytest.mark.parametrize("weeks", [None, "", "0", "3", "-1", "2.0", "\0", "9" * 5000])
def test_other_weeks_are_none(weeks: str | None) -> None:
    assert pause(weeks) is Refusal.PAUSE


@pytest.mark.parametrize(
    "until",
    ["2026-11-23", "2026-11-22", "2027-11-25", "9999-12-31", "0001-01-01", "soon", "\0", "2" * 99],
)
def test_no_other_day_is_one(until: str) -> None:
    assert pause("2", until) is Refusal.PAUSE


# --------------------------------------------------------------- coming back

LEFT = replace(READER, state=SubscriptionState.UNSUBSCRIBED, unsubscribed_at=NOW)


def said(kind: str, door: str = "web") -> list[ConsentEvent]:
    return [ConsentEvent(kind=kind, at=NOW, door=door, detail="")]


@pytest.mark.parametrize("door", ["web", "mail"])
def test_who_left_himself_may_come_back_for_a_day(door: str) -> None:
    record = said("unsubscribed", door)
    assert may_return(LEFT, record, now=NOW)
    assert may_return(LEFT, record, now=NOW + timedelta(hours=24))
    assert not may_return(LEFT, record, now=NOW + timedelta(hours=24, seconds=1))


def test_nobody_else_comes_back() -> None:
    gone = said("unsubscribed")
    for door in ("cli", "journal", "complaint"):
        assert not may_return(LEFT, said("unsubscribed", door), now=NOW)
    for kind in ("moved", "erased", "lapsed"):
        assert not may_return(LEFT, said(kind), now=NOW)
    assert not may_return(LEFT, [], now=NOW)
    assert not may_return(READER, gone, now=NOW)
    assert not may_return(replace(LEFT, confirmed_at=None), gone, now=NOW)
    # a reader of once, for whom somebody asked anew, and who withdrew that
    asked = replace(LEFT, requested_at=NOW, confirmed_at=NOW - timedelta(days=9))
    assert not may_return(asked, gone, now=NOW)
