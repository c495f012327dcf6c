"""Measures how well a follower is told of what resembles the article that he follows.

    python bench/follow.py [--part dev|test] [--show] [--thresholds]

Reads one half of bench/labelled/follow-*.toml, compares each seed with its candidates and prints
precision, recall and F1 of what is at the threshold or above, for all pairs, those within German,
within English and across, and of each kind how many are told. The candidates were chosen to be hard
and every other one is relevant: who tells everything has F1 0.667. `strangers` are the candidates
of all other seeds, hardly any of them relevant; they stand for the many that a feed brings. The
words' rarity is learned from all texts of that half, as the program learns it from the articles
that it keeps. `--show` names what was decided wrongly, `--thresholds` compares some.
"""

# ruff: noqa: INP001, T201 -- a script that prints

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digest.editions.likeness import FOLLOW_THRESHOLD, Text, learn, resembles, vector, why

LABELLED = Path(__file__).parent / "labelled"


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate of a seed: what a person said of it, and what we do."""

    seed: str
    title: str
    languages: tuple[str, str]
    relevant: bool
    kind: str
    score: float
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """Precision and recall at a threshold, of so many pairs."""

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
    """The labelled seeds of one half."""
    text = (LABELLED / f"follow-{part}.toml").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = tomllib.loads(text)["seed"]
    return found


def _text(each: dict[str, Any], body: str) -> Text:
    return Text(
        title=each["title"],
        body=each[body],
        language=each["language"],
        categories=tuple(each["categories"]),
    )


def judge(part: str) -> tuple[list[Judged], list[float]]:
    """Each candidate with its score, and the scores of each seed with the candidates of others."""
    seeds = load(part)
    followed = [_text(each, "text") for each in seeds]
    offered = [[_text(c, "excerpt") for c in each["candidate"]] for each in seeds]
    rarity = learn([*followed, *(text for texts in offered for text in texts)])
    theirs = [[vector(text, rarity) for text in texts] for texts in offered]
    judged: list[Judged] = []
    strangers: list[float] = []
    for place, (seed, text) in enumerate(zip(seeds, followed, strict=True)):
        mine = vector(text, rarity)
        for other, vectors in enumerate(theirs):
            if other != place:
                strangers += (resembles(mine, each, rarity) for each in vectors)
        judged += (
            Judged(
                seed=seed["title"],
                title=candidate["title"],
                languages=(seed["language"], candidate["language"]),
                relevant=candidate["relevant"],
                kind=candidate["kind"],
                score=resembles(mine, each, rarity),
                words=why(mine, each),
            )
            for candidate, each in zip(seed["candidate"], theirs[place], strict=True)
        )
    return judged, strangers


def score(judged: Sequence[Judged], threshold: float = FOLLOW_THRESHOLD) -> Score:
    """Precision and recall of what is at the threshold or above."""
    told = [each for each in judged if each.score >= threshold]
    due = sum(each.relevant for each in judged)
    right = sum(each.relevant for each in told)
    return Score(len(judged), right / len(told) if told else 1.0, right / due if due else 1.0)


def by_language(judged: Sequence[Judged]) -> dict[str, list[Judged]]:
    """All, those within one language, and those across."""
    return {
        "all": list(judged),
        "German": [each for each in judged if each.languages == ("de", "de")],
        "English": [each for each in judged if each.languages == ("en", "en")],
        "across": [each for each in judged if each.languages[0] != each.languages[1]],
    }


def main() -> None:
    """Print the scores of one half."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--part", choices=("dev", "test"), default="dev")
    parser.add_argument("--show", action="store_true", help="name what was decided wrongly")
    parser.add_argument("--thresholds", action="store_true", help="compare some thresholds")
    asked = parser.parse_args()
    judged, strangers = judge(asked.part)
    seeds = len({each.seed for each in judged})
    due = sum(each.relevant for each in judged)
    print(f"{asked.part}: {seeds} seeds, {len(judged)} pairs, {due} of them relevant;", end=" ")
    print(f"threshold {FOLLOW_THRESHOLD}")
    for name, taken in by_language(judged).items():
        print(f"{name:9} {score(taken)}  (of {len(taken)})")
    told = sum(each >= FOLLOW_THRESHOLD for each in strangers)
    print(f"strangers told {told} of {len(strangers)}")
    for kind in dict.fromkeys(each.kind for each in sorted(judged, key=lambda j: not j.relevant)):
        scores = [each.score for each in judged if each.kind == kind]
        told = sum(each >= FOLLOW_THRESHOLD for each in scores)
        print(f"  {kind:9} told {told} of {len(scores)}")
    if asked.thresholds:
        for threshold in (each / 100 for each in range(5, 21)):
            told = sum(each >= threshold for each in strangers)
            print(f"{threshold:.2f}  {score(judged, threshold)}  strangers {told}")
    if asked.show:
        _show(judged)


def _show(judged: Sequence[Judged]) -> None:
    for each in sorted(judged, key=lambda each: each.score):
        if each.relevant != (each.score >= FOLLOW_THRESHOLD):
            kind = "missed" if each.relevant else "wrong "
            print(f"{kind} {each.score:.3f} {each.seed[:50]} | {each.title[:60]} {each.words}")


if __name__ == "__main__":
    main()
