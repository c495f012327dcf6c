"""The labelled sets of bench/ are as docs/labelled.md says, and the program is as good on them."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

BENCH = Path(__file__).parents[2] / "bench"

RELEVANT = {"event", "company", "subject", "wording"}
OTHERS = {"name", "words", "pattern", "field"}

#: precision and recall at least, a little under what docs/labelled.md says was measured
FOLLOW = {
    "dev": {
        "all": (0.72, 0.59),
        "German": (0.67, 0.73),
        "English": (0.69, 0.78),
        "across": (0.86, 0.39),
    },
    "test": {
        "all": (0.66, 0.58),
        "German": (0.50, 0.48),
        "English": (0.61, 0.81),
        "across": (0.93, 0.54),
    },
}
TOPICS = {"all": (0.84, 0.72), "German": (0.90, 0.73), "English": (0.79, 0.71)}


def bench(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"bench_{name}", BENCH / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("part", ["dev", "test"])
def test_a_follower_is_told_as_well_as_when_it_was_measured(part: str) -> None:
    measured = bench("follow")
    judged, strangers = measured.judge(part)
    scores = {name: measured.score(each) for name, each in measured.by_language(judged).items()}
    assert {
        name: (scores[name].precision, scores[name].recall)
        for name, (precision, recall) in FOLLOW[part].items()
        if scores[name].precision < precision or scores[name].recall < recall
    } == {}
    # of what has nothing to do with it, not one in five hundred
    assert sum(each >= measured.FOLLOW_THRESHOLD for each in strangers) <= len(strangers) / 500


def test_the_newsletter_of_a_mixed_site_takes_as_well_as_when_it_was_measured() -> None:
    measured = bench("topics")
    scores = {name: measured.score(each) for name, each in measured.by_language().items()}
    assert {
        name: (scores[name].precision, scores[name].recall)
        for name, (precision, recall) in TOPICS.items()
        if scores[name].precision < precision or scores[name].recall < recall
    } == {}


def test_what_is_followed_is_labelled_for_a_reason_in_halves_that_share_nothing() -> None:
    measured = bench("follow")
    halves = [measured.load(part) for part in ("dev", "test")]
    pairs = [[each for seed in half for each in seed["candidate"]] for half in halves]
    assert all(len(half) >= 150 for half in pairs)
    for each in (*pairs[0], *pairs[1]):
        assert each["kind"] in (RELEVANT if each["relevant"] else OTHERS), each["title"]
    for half in pairs:
        assert 0.4 < sum(each["relevant"] for each in half) / len(half) < 0.6
    titles = Counter(each["title"] for half in halves for each in half)
    titles.update(each["title"] for half in pairs for each in half)
    assert titles.most_common(1)[0][1] == 1


def test_the_articles_of_the_mixed_site_are_of_both_languages_and_labels() -> None:
    articles = bench("topics").load()
    counts = Counter((each["language"], each["belongs"]) for each in articles)
    assert len({each["title"] for each in articles}) == len(articles) >= 120
    assert len(counts) == 4
    assert min(counts.values()) >= 25
