"""Articles about one event are one thread, and different stories stay apart."""

from __future__ import annotations

import importlib.util
import random
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.editions.threads import NEW_ENOUGH, Thread, group, news_in
from digest.model.article import Article

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
BENCH = Path(__file__).parents[2] / "bench"


def article(
    number: int,
    title: str,
    excerpt: str = "",
    *,
    hours: float = 0,
    source: str | None = None,
    language: str | None = "de",
) -> Article:
    return Article(
        id=number,
        key=f"key-{number}",
        url=f"https://site.example/{number}",
        title=title,
        excerpt=excerpt,
        image=None,
        author=None,
        categories=(),
        published_at=START + timedelta(hours=hours),
        first_seen_at=START,
        words=100,
        source=f"Blatt {number}" if source is None else source,
        section=None,
        language=language,
    )


FERRY = article(
    1,
    "Fähre Seestern läuft vor Kalmhaven auf Grund",
    "140 Fahrgäste der Seestern wurden am Morgen mit Booten an Land gebracht.",
)
FERRY_TOO = article(
    2,
    "140 Fahrgäste von gestrandeter Fähre gerettet",
    "Die Seestern sitzt vor Kalmhaven auf einer Sandbank fest.",
    hours=3,
)
FERRY_ABROAD = article(
    3,
    "Ferry Seestern runs aground off Kalmhaven, 140 rescued",
    "Boats brought all 140 passengers of the Seestern ashore in the morning.",
    hours=5,
    language="en",
)
ORCHARD = article(
    4, "Apfelernte fällt kleiner aus", "Späte Fröste kosteten die Bauern ein Drittel.", hours=4
)
STORY = (FERRY, FERRY_TOO, FERRY_ABROAD, ORCHARD)


def ids(threads: tuple[Thread, ...]) -> list[tuple[int, ...]]:
    return [each.ids for each in threads]


def test_reports_of_one_event_are_a_thread_across_feeds_and_languages() -> None:
    assert ids(group(STORY)) == [(1, 2, 3), (4,)]


def test_the_order_makes_no_difference() -> None:
    for seed in range(5):
        shuffled = random.Random(seed).sample(STORY, len(STORY))  # noqa: S311 -- a shuffle
        assert group(shuffled) == group(STORY)


def test_what_was_told_before_is_named_and_makes_no_thread_of_its_own() -> None:
    told = (FERRY, article(9, "Rathaus wird gestrichen", "In Gelb."))
    assert group((FERRY_TOO, ORCHARD), known=told) == (
        Thread(ids=(2,), known=(1,)),
        Thread(ids=(4,)),
    )
    assert group((), known=told) == ()


def test_years_later_it_is_another_event() -> None:
    late = replace(FERRY_TOO, published_at=START + timedelta(days=40))
    assert ids(group((FERRY, late))) == [(1,), (2,)]


RESULTS = (
    article(
        1,
        "Tannhof steigert Umsatz im dritten Quartal um acht Prozent",
        "Der Konzern Tannhof hat im dritten Quartal mehr verdient als erwartet.",
        source="Börsendienst",
    ),
    article(
        2,
        "Quendel steigert Umsatz im dritten Quartal um zwölf Prozent",
        "Der Konzern Quendel hat im dritten Quartal mehr verdient als erwartet.",
        source="Börsendienst",
        hours=2,
    ),
)
RESULTS_OF_TWO_FEEDS = (RESULTS[0], replace(RESULTS[1], source="Handelsbote"))
RESULTS_IN_ENGLISH = (
    article(
        1,
        "Tannhof posts higher third-quarter profit, raises outlook",
        "Tannhof said sales rose eight percent in the third quarter, beating expectations.",
        language="en",
    ),
    article(
        2,
        "Quendel posts higher third-quarter profit, keeps outlook",
        "Quendel said sales rose five percent in the third quarter, beating expectations.",
        language="en",
        hours=1,
    ),
)
VACANCIES = (
    article(
        1,
        "Softwareentwickler (m/w/d) bei Tannhof gesucht",
        "Sie entwickeln in Python und arbeiten gern im Team. Teilzeit möglich.",
    ),
    article(
        2,
        "Softwareentwicklerin (m/w/d) bei Quendel gesucht",
        "Sie entwickeln in Python und arbeiten gern im Team. Homeoffice möglich.",
    ),
)
COLUMNS = (
    article(
        1,
        "Briefe aus der Werkstatt, Woche 14",
        "Jede Woche beantworten wir Fragen unserer Leser zu Holz, Leim und Hobel.",
        source="Blatt",
    ),
    article(
        2,
        "Briefe aus der Werkstatt, Woche 15",
        "Jede Woche beantworten wir Fragen unserer Leser zu Holz, Leim und Säge.",
        source="Blatt",
        hours=168,
    ),
)
TICKERS = (
    article(1, "Liveticker: Der Abend im Stadtrat", "Alles zur Sitzung.", source="Blatt"),
    article(2, "Liveticker: Der Abend im Stadion", "Alles zum Spiel.", source="Blatt", hours=1),
)
EMPTY_TITLES = (
    article(1, "Weekly review", language="en"),
    article(2, "Weekly review", language="en", hours=2),
)


@pytest.mark.parametrize(
    "two",
    [
        RESULTS,
        RESULTS_OF_TWO_FEEDS,
        RESULTS_IN_ENGLISH,
        VACANCIES,
        COLUMNS,
        TICKERS,
        EMPTY_TITLES,
    ],
)
def test_what_only_looks_alike_is_not_one_event(two: tuple[Article, Article]) -> None:
    assert ids(group(two)) == [(1,), (2,)]
    assert ids(group((*two, *(replace(each, id=each.id + 10) for each in STORY))))[:1] != [(1, 2)]


def test_two_stories_about_one_firm_on_one_day_stay_apart() -> None:
    firm = (
        article(
            1,
            "Quendel streicht 300 Stellen im Vertrieb",
            "Der Betriebsrat von Quendel kündigt Widerstand gegen die Kündigungen an.",
        ),
        article(
            2,
            "Quendel zeigt faltbare Tastatur",
            "Auf der Messe in Kalmhaven stellte der Hersteller ein Gerät zum Einstecken vor.",
            hours=2,
        ),
    )
    assert ids(group((*firm, ORCHARD))) == [(1,), (2,), (4,)]


def test_one_article_between_two_stories_does_not_chain_them() -> None:
    harvest = article(
        5,
        "Bauern zählen ihre Apfelernte",
        "Die Apfelernte fällt kleiner aus, späte Fröste kosteten ein Drittel.",
        hours=5,
    )
    both = article(
        6,
        "Kurz gemeldet: Fähre Seestern und Apfelernte",
        "Die Seestern liegt vor Kalmhaven auf Grund, und die Apfelernte fällt kleiner aus.",
        hours=6,
    )
    threads = ids(group((*STORY, harvest, both)))
    assert (1, 2, 3) in threads
    assert (4, 5) in threads


def test_only_what_is_new_counts_as_news() -> None:
    again = replace(FERRY, id=7, title=FERRY.title.upper())
    outcome = article(
        8,
        "Kapitän der Seestern war betrunken",
        "Die Staatsanwaltschaft klagt ihn an, Blutproben ergaben 1,8 Promille.",
        hours=30,
    )
    assert news_in(FERRY, [FERRY]) == 0
    assert news_in(again, [FERRY]) < 0.3
    assert news_in(FERRY_ABROAD, [FERRY, FERRY_TOO]) < NEW_ENOUGH
    assert news_in(outcome, [FERRY, FERRY_TOO]) >= NEW_ENOUGH
    assert news_in(outcome, []) == pytest.approx(1)
    assert news_in(article(9, ""), [FERRY]) == 0


WORD = st.sampled_from(
    ["Fähre", "Grund", "Kalmhaven", "Apfel", "Ernte", "140", "KI", "Rathaus", "der", "机器人", "ہے"]
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.lists(WORD, max_size=8), st.integers(0, 400), st.sampled_from(["A", "B", ""])),
        max_size=14,
    ),
    st.randoms(use_true_random=False),
)
def test_every_article_is_in_one_thread_and_the_oldest_stands_first(
    drawn: list[tuple[list[str], int, str]], chance: random.Random
) -> None:
    articles = [
        article(at, " ".join(words[:4]), " ".join(words[4:]), hours=hours, source=source)
        for at, (words, hours, source) in enumerate(drawn)
    ]
    threads = group(articles)
    moments = {each.id: (each.published_at, each.id) for each in articles}
    assert sorted(number for each in threads for number in each.ids) == sorted(moments)
    for each in threads:
        assert list(each.ids) == sorted(each.ids, key=moments.__getitem__)
    assert group(chance.sample(articles, len(articles))) == threads


def news_of(count: int, *, seed: int, days: int) -> list[Article]:
    """Made-up articles of sixty words each, common and rare as in a language."""
    chance = random.Random(seed)  # noqa: S311 -- the same each time
    sounds = ("ka", "ro", "mi", "ten", "lu", "sor", "bel", "fin", "ga", "dra", "pol", "wer", "ung")
    words = ["".join(chance.choices(sounds, k=chance.randint(2, 5))) for _ in range(6000)]
    chances = [1 / (place + 10) for place in range(len(words))]
    found = []
    for number in range(count):
        text = chance.choices(words, chances, k=60)
        title, body = " ".join(text[:10]).title(), " ".join(text[10:])
        at = chance.random() * 24 * days
        found.append(article(seed * 10**6 + number, title, body, hours=at, source=f"{number % 40}"))
    return found


def test_a_great_many_articles_take_seconds() -> None:
    articles, known = news_of(300, seed=1, days=2), news_of(1000, seed=2, days=10)
    group(articles[:50], known=known)
    begun = time.process_time()
    group(articles, known=known)
    # measured below one second on a machine of its own; here others are at work
    assert time.process_time() - begun < 5


def test_hostile_articles_do_no_harm() -> None:
    hostile = [
        article(1, "a" * 10**7, "b" * 10**7),
        article(2, "a " * 10**6, "1," * 10**6),
        article(3, "", ""),
        article(4, "\x00\u202e🤖", "机器人" * 1000, language=None),
        *(article(10 + n, "Weekly review", hours=n, source="") for n in range(500)),
    ]
    begun = time.process_time()
    assert sum(len(each.ids) for each in group(hostile)) == len(hostile)
    assert time.process_time() - begun < 5


def bench(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"bench_{name}", BENCH / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


#: precision and F1 at least; decision 0019 has what was measured
FLOORS = {
    "pairs": (0.98, 0.95),
    "pairs, German": (0.98, 0.98),
    "pairs, English": (0.98, 0.91),
    "pairs, across": (0.98, 0.93),
    "B-cubed": (0.98, 0.97),
}


@pytest.mark.parametrize("part", ["dev", "test"])
def test_the_labelled_articles_are_grouped_as_well_as_when_it_was_measured(part: str) -> None:
    measured = bench("threads")
    scores = measured.measure(part)
    assert scores["pairs"].size > 300
    assert {
        name: (scores[name].precision, scores[name].f1)
        for name, (precision, f1) in FLOORS.items()
        if scores[name].precision < precision or scores[name].f1 < f1
    } == {}
