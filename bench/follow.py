"""Measures how well a follower is told of what resembles the article that he follows.

    python bench/follow.py [--part dev|test] [--show]

Reads one half of bench/labelled/follow-*.toml, compares each seed with its candidates and prints
precision, recall and F1 of what is at the threshold or above, for all pairs, those within German,
within English and across. The words' rarity is learned from all texts of that half, as the program
learns it from the articles that it keeps. `--show` names what was decided wrongly.
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
from digest.editions.stems import guess_language

LABELLED = Path(__file__).parent / "labelled"


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate of a seed: what a person said of it, and what we do."""

    seed: str
    title: str
    languages: tuple[str, str]
    relevant: bool
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


def load(part: str) -> list[dict[str, Any]]:
    """The labelled seeds of one half."""
    text = (LABELLED / f"follow-{part}.toml").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = tomllib.loads(text)["seed"]
    return found


def judge(part: str) -> list[Judged]:
    """Each candidate with its score."""
    seeds = load(part)
    followed = [
        Text(title=each["title"], body=each["text"], language=each["language"]) for each in seeds
    ]
    offered = [
        [
            Text(title=c["title"], body=c["excerpt"], language=c.get("language"))
            for c in each["candidate"]
        ]
        for each in seeds
    ]
    rarity = learn([*followed, *dict.fromkeys(text for texts in offered for text in texts)])
    judged = []
    for seed, text, texts in zip(seeds, followed, offered, strict=True):
        mine = vector(text, rarity)
        for candidate, other in zip(seed["candidate"], texts, strict=True):
            theirs = vector(other, rarity)
            guessed = other.language or guess_language(f"{other.title} {other.body}") or "?"
            judged.append(
                Judged(
                    seed=seed["title"],
                    title=candidate["title"],
                    languages=(seed["language"], guessed),
                    relevant=candidate["relevant"],
                    score=resembles(mine, theirs, rarity),
                    words=why(mine, theirs),
                )
            )
    return judged


def score(judged: Sequence[Judged], threshold: float = FOLLOW_THRESHOLD) -> Score:
    """Precision and recall of what is at the threshold or above."""
    told = [each for each in judged if each.score >= threshold]
    due = sum(each.relevant for each in judged)
    right = sum(each.relevant for each in told)
    return Score(len(judged), right / len(told) if told else 1.0, right / due if due else 1.0)


def main() -> None:
    """Print the scores of one half."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--part", choices=("dev", "test"), default="dev")
    parser.add_argument("--show", action="store_true", help="name what was decided wrongly")
    asked = parser.parse_args()
    judged = judge(asked.part)
    seeds = len({each.seed for each in judged})
    due = sum(each.relevant for each in judged)
    print(f"{asked.part}: {seeds} seeds, {len(judged)} pairs, {due} of them relevant;", end=" ")
    print(f"threshold {FOLLOW_THRESHOLD}")
    for name, taken in (
        ("all", judged),
        ("German", [each for each in judged if each.languages == ("de", "de")]),
        ("English", [each for each in judged if each.languages == ("en", "en")]),
        ("across", [each for each in judged if each.languages[0] != each.languages[1]]),
    ):
        found = score(taken)
        print(
            f"{name:8} precision {found.precision:.3f}  recall {found.recall:.3f}"
            f"  F1 {found.f1:.3f}  (of {found.size})"
        )
    if asked.show:
        for each in sorted(judged, key=lambda each: each.score):
            if each.relevant != (each.score >= FOLLOW_THRESHOLD):
                kind = "missed" if each.relevant else "wrong "
                print(f"{kind} {each.score:.3f} {each.seed[:50]} | {each.title[:60]} {each.words}")


if __name__ == "__main__":
    main()
