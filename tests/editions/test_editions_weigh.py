"""What counts for an article's place, computed by hand; and what is no news here."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from digest.editions.compose import compose
from digest.editions.weigh import Event, score, weigh
from digest.model.article import Article
from digest.model.newsletter import FeedSource, Newsletter, Schedule, Sender, Topic
from digest.model.policy import Ranking, SectionRule, Verdict

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
MAIN, JOBS = "https://example.org/feed", "https://example.org/jobs"
AI = Topic(name="ai", title="KI", words=("KI", "Sprachmodell"), weight=2.0)
PAPER = Newsletter(
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
    feeds=(FeedSource(url=MAIN), FeedSource(url=JOBS, section="Stellen")),
    schedules=(Schedule(name="daily", cron="0 7 * * *"),),
    limit=10,
    topics=(AI,),
)


def article(number: int, title: str = "Meldung", **changes: object) -> Article:
    plain = Article(
        id=number,
        key=f"key-{number}",
        url=f"https://example.org/{number}",
        title=title,
        excerpt="",
        image=None,
        author=None,
        categories=(),
        published_at=NOW - timedelta(hours=number),
        first_seen_at=NOW,
        words=100,
        source="Blatt",
        section=None,
        feed=MAIN,
    )
    return replace(plain, **changes)  # type: ignore[arg-type] # a test names what it changes


def parts(one: Article, paper: Newsletter = PAPER, **more: int) -> dict[str, float]:
    return dict(score(one, paper, now=NOW, **more).parts)


def test_freshness_halves_with_each_half_life_and_nothing_is_fresher_than_new() -> None:
    assert parts(article(24)) == {"freshness": 0.5}
    assert parts(article(48)) == {"freshness": 0.25}
    assert parts(article(0)) == {"freshness": 1.0}
    assert parts(replace(article(1), published_at=NOW + timedelta(days=9))) == {"freshness": 1.0}
    quick = replace(PAPER, ranking=Ranking(half_life=timedelta(hours=6), freshness=2.0))
    assert parts(article(12), quick) == {"freshness": 0.5}


def test_a_topic_counts_by_its_weight_and_half_where_only_the_text_names_it() -> None:
    titled = article(24, "Neues Sprachmodell", topics=("ai",))
    assert parts(titled) == {"freshness": 0.5, "topic": 1.0}
    mentioned = article(24, "Neues", excerpt="Ein Sprachmodell half.", topics=("ai",))
    assert parts(mentioned) == {"freshness": 0.5, "topic": 0.5}
    usual = replace(PAPER, topics=(replace(AI, weight=1.0),))
    assert parts(titled, usual) == {"freshness": 0.5}
    unloved = replace(PAPER, topics=(replace(AI, weight=0.5),))
    assert parts(titled, unloved) == {"freshness": 0.5, "topic": -0.5}


def test_an_event_counts_for_each_doubling_of_the_articles_about_it() -> None:
    assert parts(article(24), event_size=2) == {"freshness": 0.5, "thread": 0.25}
    assert parts(article(24), event_size=4) == {"freshness": 0.5, "thread": 0.5}
    assert parts(article(24), event_size=1) == {"freshness": 0.5}


def test_feeds_and_sections_count_by_what_they_weigh_more_or_less_than_usual() -> None:
    loved = replace(PAPER, feeds=(FeedSource(url=MAIN, weight=1.5),))
    assert parts(article(24), loved) == {"freshness": 0.5, "source": 0.5}
    least = replace(PAPER, feeds=(FeedSource(url=MAIN, weight=0.0),))
    assert parts(article(24), least) == {"freshness": 0.5, "source": -1.0}
    ruled = replace(PAPER, sections=(SectionRule(title="Stellen", weight=-0.25),))
    assert parts(article(24, section="Stellen", feed=JOBS), ruled) == {
        "freshness": 0.5,
        "section": -0.25,
    }


def test_the_sum_decides_and_the_subject_is_the_strongest_story() -> None:
    found = [article(1, "Wetter"), article(30, "Ein Sprachmodell rechnet", topics=("ai",))]
    kept, ranks = weigh(found, PAPER, now=NOW)
    draft = compose(kept, PAPER, ranks=ranks)
    assert draft is not None
    assert [each.id for each in draft.articles] == [30, 1]
    assert draft.subject.startswith("Ein Sprachmodell rechnet")
    assert draft.scores[30].total > draft.scores[1].total


def test_what_a_topics_only_feed_says_about_none_is_off_topic() -> None:
    only = replace(PAPER, feeds=(FeedSource(url=MAIN, only_topics=True), PAPER.feeds[1]))
    found = [
        article(1, "Wahl im Kreis"),
        article(2, "KI im Kreis", topics=("ai",)),
        article(3, "Stelle frei", section="Stellen", feed=JOBS),
    ]
    kept, ranks = weigh(found, only, now=NOW)
    assert [each.id for each in kept] == [2, 3]
    assert [(each.article.id, each.reason) for each in ranks.left_out] == [(1, "off topic")]


def test_of_a_great_event_a_few_others_are_named_and_all_are_left_out() -> None:
    found = [article(n, f"Bericht {n}") for n in range(1, 30)]
    kept, ranks = weigh(found, PAPER, now=NOW, events=[Event(ids=tuple(range(1, 30)))])
    draft = compose(kept, PAPER, ranks=ranks)
    assert draft is not None
    assert [each.id for each in draft.articles] == [1]
    assert [each.id for each in draft.also[1]] == [2, 3, 4, 5]
    assert len([each for each in draft.left_out if each.reason == "thread"]) == 28


def test_of_one_event_the_best_is_told_and_names_the_others() -> None:
    found = [article(1, "A"), article(2, "B"), article(3, "C")]
    kept, ranks = weigh(found, PAPER, now=NOW, events=[Event(ids=(3, 2))])
    draft = compose(kept, PAPER, ranks=ranks)
    assert draft is not None
    # two that tell it outweigh one hour of freshness
    assert [each.id for each in draft.articles] == [2, 1]
    assert [each.id for each in draft.also[2]] == [3]
    assert [(each.article.id, each.reason, each.instead) for each in draft.left_out] == [
        (3, "thread", 2)
    ]


def test_what_was_told_comes_again_only_where_it_goes_on() -> None:
    before = article(90, "Erst so")
    same, more = article(1, "Noch einmal so"), article(2, "Nun auch das")
    events = [Event(ids=(1, 2), told=(before,), goes_on=frozenset({2}))]
    kept, ranks = weigh([same, more], PAPER, now=NOW, events=events)
    assert [each.id for each in kept] == [2]
    assert [(each.article.id, each.reason, each.instead) for each in ranks.left_out] == [
        (1, "told", 90)
    ]
    draft = compose(kept, PAPER, ranks=ranks)
    assert draft is not None
    assert draft.earlier == {2: before}


@pytest.mark.parametrize("place", [1, 5])
def test_the_editors_word_goes_before_all_numbers(place: int) -> None:
    only = replace(PAPER, feeds=(FeedSource(url=MAIN, only_topics=True),))
    said = [
        Verdict(article_id=1, refused=True),
        Verdict(article_id=3, pinned=place),
        Verdict(article_id=2, title="Anders gesagt"),
    ]
    found = [article(1, "KI", topics=("ai",)), article(2, "KI", topics=("ai",)), article(3, "Wahl")]
    kept, ranks = weigh(found, only, now=NOW, verdicts=said)
    draft = compose(kept, only, ranks=ranks)
    assert draft is not None
    assert [each.title for each in draft.articles] == ["Wahl", "Anders gesagt"]
    assert [(each.article.id, each.reason) for each in draft.left_out] == [(1, "refused")]


def test_a_section_has_its_own_limit_order_and_place() -> None:
    rules = (
        SectionRule(title="Bücher"),
        SectionRule(title="Stellen", limit=2, order="newest"),
    )
    paper = replace(PAPER, sections=rules, topics=(replace(AI, weight=9.0),))
    found = [
        article(1, section="Stellen", feed=JOBS),
        article(2, section="Stellen", feed=JOBS),
        article(9, "KI", section="Stellen", feed=JOBS, topics=("ai",)),
        article(4, section="Bücher"),
        article(5),
    ]
    kept, ranks = weigh(found, paper, now=NOW)
    draft = compose(kept, paper, ranks=ranks)
    assert draft is not None
    assert [(each.title, [a.id for a in each.articles]) for each in draft.sections] == [
        (None, [5]),
        ("Bücher", [4]),
        ("Stellen", [1, 2]),
    ]
    assert [(each.article.id, each.reason) for each in draft.left_out] == [(9, "section limit")]
