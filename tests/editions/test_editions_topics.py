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


@pytest.mark.parametrize(
    ("word", "text", "stands"),
    [
        # German and English inflections meet
        ("Sprachmodell", "Zwei Sprachmodelle im Vergleich", True),
        ("robot", "The robots are here", True),
        # an abbreviation is compared as it stands
        ("KI", "Die KI lernt", True),
        ("KI", "Das Kino schliesst", False),
        ("IT", "Let it be", False),
        ("KI", "Ein KI-Modell lernt", True),
        # phrases in their order, next to each other
        ("künstliche Intelligenz", "Wie künstlicher Intelligenz geholfen wird", True),
        ("künstliche Intelligenz", "Intelligenz ist künstliche Mühe", False),
        ("Robot*", "Das Robotikzentrum", True),
    ],
)
def test_words_are_compared_by_their_stems(word: str, text: str, stands: bool) -> None:  # noqa: FBT001 -- a table of cases
    paper = replace(NEWS, topics=(Topic(name="x", title="X", words=(word,)),))
    assert bool(topics_of(article(text), paper)) is stands


def test_an_excluded_word_speaks_against_a_topic() -> None:
    paper = replace(NEWS, topics=(replace(CHIPS, without=("Kartoffel",)),))
    assert topics_of(article("Chip aus Silizium"), paper) == ("chips",)
    assert topics_of(article("Chip aus Kartoffeln"), paper) == ()
    assert topics_of(article("Chip", excerpt="Aus der Kartoffel"), paper) == ()


def test_what_weighs_little_needs_company() -> None:
    topic = replace(CHIPS, words=("Chip", "Werk"), weights={"Werk": 0.5, "Chip": 0.5})
    paper = replace(NEWS, topics=(topic,))
    assert topics_of(article("Ein Werk"), paper) == ()
    assert topics_of(article("Ein Werk für jeden Chip"), paper) == ("chips",)


def test_a_feed_may_be_a_topic() -> None:
    topic = Topic(name="x", title="X", feeds=("https://example.org/feed",))
    paper = replace(NEWS, topics=(topic,))
    assert topics_of(replace(article("Egal"), feed="https://example.org/feed"), paper) == ("x",)
    assert topics_of(replace(article("Egal"), feed="https://example.org/other"), paper) == ()
