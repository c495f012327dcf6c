"""What an article is about, and what a choice of topics brings."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from digest.editions.topics import topics_of, wanted, with_topics
from digest.model.article import Article
from digest.model.newsletter import OTHER, FeedSource, Newsletter, Schedule, Sender, Topic

ROBOTS = Topic(name="robots", title="Roboter", categories=("Robotik",), words=("Greifarm*",))
CHIPS = Topic(name="chips", title="Chips", words=("Chip", "künstliche Nase"))
JOBS = Topic(name="jobs", title="Stellen", sections=("Stellenangebote",))
NEWS = Newsletter(
    slug="news",
    title="News",
    description="",
    sender=Sender(name="News", address="news@example.org"),
    reply_to=None,
    language="de",
    timezone="Europe/Berlin",
    theme="plain",
    address="Hier",
    imprint_url=None,
    feeds=(FeedSource(url="https://example.org/feed"),),
    schedules=(Schedule(name="daily", cron="0 7 * * *"),),
    limit=10,
    topics=(ROBOTS, CHIPS, JOBS),
)
AT = datetime(2026, 11, 23, tzinfo=UTC)


def article(
    title: str, *, excerpt: str = "", categories: tuple[str, ...] = (), section: str | None = None
) -> Article:
    return Article(
        id=len(title),
        key=title,
        url="https://example.org/a",
        title=title,
        excerpt=excerpt,
        image=None,
        author=None,
        categories=categories,
        published_at=AT,
        first_seen_at=AT,
        words=10,
        source="",
        section=section,
    )


@pytest.mark.parametrize(
    ("given", "topics"),
    [
        (article("Neues aus der Werkstatt", categories=("ROBOTIK",)), ("robots",)),
        (article("Zwei Greifarme lernen winken"), ("robots",)),
        (article("Ein Greifarm mit CHIP"), ("robots", "chips")),
        (article("Chips mit Paprika"), ()),
        (article("Mikrochip"), ()),
        (article("Etwas", excerpt="eine künstliche\n Nase riecht"), ("chips",)),
        (article("Wir suchen", section="Stellenangebote"), ("jobs",)),
        (article("Wetter"), ()),
    ],
)
def test_an_article_is_about_what_its_category_its_words_or_its_section_say(
    given: Article, topics: tuple[str, ...]
) -> None:
    assert topics_of(given, NEWS) == topics


def test_words_are_words_and_no_patterns() -> None:
    odd = replace(NEWS, topics=(Topic(name="c", title="C", words=("C++", ".*", "(")),))
    assert topics_of(article("Nichts davon"), odd) == ()
    assert topics_of(article("Mehr C++ im Kernel"), odd) == ("c",)


def test_an_empty_choice_brings_everything_and_other_what_no_topic_is_about() -> None:
    found = with_topics([article("Greifarm"), article("Chip"), article("Wetterlage")], NEWS)
    assert wanted(found, NEWS, ()) == found
    assert [each.title for each in wanted(found, NEWS, ("chips",))] == ["Chip"]
    assert [each.title for each in wanted(found, NEWS, (OTHER, "robots"))] == [
        "Greifarm",
        "Wetterlage",
    ]


def test_a_choice_of_topics_that_are_gone_is_no_choice() -> None:
    found = with_topics([article("Greifarm"), article("Chip")], NEWS)
    assert wanted(found, NEWS, ("oldtimers",)) == found
    assert wanted(found, replace(NEWS, topics=()), ("chips",)) == found


def test_naming_all_that_is_offered_is_naming_nothing() -> None:
    assert NEWS.choose(["jobs", "robots", "chips", OTHER]) == ()
    assert NEWS.choose(["robots", "chips", "chips", "nonsense"]) == ("chips", "robots")
    assert replace(NEWS, topics=()).choose([OTHER]) == ()
