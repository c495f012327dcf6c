"""Measures how well articles are grouped into threads, on articles labelled by hand.

    python bench/threads.py [--part dev|test] [--show]

Groups one half of bench/labelled/threads-*.toml with no other background and prints precision,
recall and F1 of the pairs that were put together and of B-cubed (for each article, how much of its
thread is its event and how much of its event is in its thread), for all articles, those of each
language alone, and the pairs across the languages. `--show` names what was mixed up. The figures of
the program were chosen with the dev half; what they are worth is what the test half says.
"""

# ruff: noqa: INP001, T201 -- a script that prints

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

from digest.editions.threads import Thread, group
from digest.model.article import Article

LABELLED = Path(__file__).parent / "labelled"
START = datetime(2026, 3, 2, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Score:
    """Precision and recall of `size` decisions (pairs, or articles)."""

    size: int
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Their harmonic mean."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    def __str__(self) -> str:
        return f"precision {self.precision:.3f}  recall {self.recall:.3f}  F1 {self.f1:.3f}"


def load(part: str) -> list[dict[str, Any]]:
    """The labelled articles of one half."""
    text = (LABELLED / f"threads-{part}.toml").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = tomllib.loads(text)["article"]
    return found


def article(each: dict[str, Any]) -> Article:
    """A labelled article as the program keeps one."""
    at = START + timedelta(hours=each["hours"])
    return Article(
        id=each["id"],
        key=str(each["id"]),
        url=f"https://site.example/{each['id']}",
        title=each["title"],
        excerpt=each["excerpt"],
        image=None,
        author=None,
        categories=tuple(each["categories"]),
        published_at=at,
        first_seen_at=at,
        words=100,
        source=each["feed"],
        section=None,
        language=each["language"],
    )


def pairs_score(
    labelled: Sequence[dict[str, Any]],
    threads: Sequence[Thread],
    *,
    of: Callable[[str, str], bool] = lambda _a, _b: True,
) -> Score:
    """Whether the pairs whose two languages `of` takes were rightly put together."""
    places = {number: at for at, thread in enumerate(threads) for number in thread.ids}
    right = put = due = size = 0
    for a, b in combinations(labelled, 2):
        if not of(a["language"], b["language"]):
            continue
        together, one = places[a["id"]] == places[b["id"]], a["event"] == b["event"]
        size, right = size + 1, right + (together and one)
        put, due = put + together, due + one
    return Score(size, right / put if put else 1.0, right / due if due else 1.0)


def b_cubed(labelled: Sequence[dict[str, Any]], threads: Sequence[Thread]) -> Score:
    """B-cubed of all articles, each with itself in both."""
    events = {each["id"]: each["event"] for each in labelled}
    threads = [Thread(ids=tuple(n for n in each.ids if n in events)) for each in threads]
    places = {number: thread for thread in threads for number in thread.ids}
    precision = recall = 0.0
    for number, event in events.items():
        thread = places[number].ids
        right = sum(events[each] == event for each in thread)
        precision += right / len(thread)
        recall += right / sum(each == event for each in events.values())
    return Score(len(events), precision / len(events), recall / len(events))


def measure(part: str) -> dict[str, Score]:
    """All scores of one half, by what they are of."""
    labelled = load(part)
    threads = group([article(each) for each in labelled])
    scores = {
        "pairs": pairs_score(labelled, threads),
        "pairs, German": pairs_score(labelled, threads, of=lambda a, b: a == b == "de"),
        "pairs, English": pairs_score(labelled, threads, of=lambda a, b: a == b == "en"),
        "pairs, across": pairs_score(labelled, threads, of=lambda a, b: a != b),
        "B-cubed": b_cubed(labelled, threads),
    }
    for name, language in (("German", "de"), ("English", "en")):
        of_it = [each for each in labelled if each["language"] == language]
        scores[f"B-cubed, {name}"] = b_cubed(of_it, threads)
    return scores


def main() -> None:
    """Print the scores of one half."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--part", choices=("dev", "test"), default="dev")
    parser.add_argument("--show", action="store_true", help="name the threads that mix events")
    asked = parser.parse_args()
    labelled = load(asked.part)
    due = sum(a["event"] == b["event"] for a, b in combinations(labelled, 2))
    print(f"{asked.part}: {len(labelled)} articles, {due} pairs of one event")
    for name, score in measure(asked.part).items():
        print(f"{name:18} {score}  (of {score.size})")
    if asked.show:
        events = {each["id"]: each["event"] for each in labelled}
        for thread in group([article(each) for each in labelled]):
            if len({events[each] for each in thread.ids}) > 1:
                print("mixed:", ", ".join(f"{each} {events[each]}" for each in thread.ids))


if __name__ == "__main__":
    main()
