"""Measures how well a newsletter's topic takes what belongs in it from a mixed site.

    python bench/topics.py [--show]

Reads the newsletter of bench/labelled/topics-newsletters.toml as the program reads the operator's,
asks of each article of bench/labelled/topics.toml whether it is about a topic of it, and prints
precision, recall and F1 for all articles and for those of each language. `--show` names what was
decided wrongly, and by which words.
"""

# ruff: noqa: INP001, T201 -- a script that prints

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from digest.editions.topics import signs_of, with_topics
from digest.model.article import Article
from digest.model.newsletter import Newsletter
from digest.settings.publications import read_newsletters

LABELLED = Path(__file__).parent / "labelled"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Judged:
    """An article: what a person said of it, and what we do."""

    title: str
    language: str
    belongs: bool
    taken: bool
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """Precision and recall of what was taken, of so many articles."""

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


def newsletter() -> Newsletter:
    """The newsletter whose topic is measured."""
    (found,) = read_newsletters(LABELLED / "topics-newsletters.toml")
    return found


def load() -> list[dict[str, Any]]:
    """The labelled articles."""
    text = (LABELLED / "topics.toml").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = tomllib.loads(text)["article"]
    return found


def article(each: dict[str, Any]) -> Article:
    """A labelled article as the program keeps one."""
    return Article(
        id=each["id"],
        key=str(each["id"]),
        url=f"https://www.example.org/{each['id']}",
        title=each["title"],
        excerpt=each["excerpt"],
        image=None,
        author=None,
        categories=tuple(each["categories"]),
        published_at=NOON,
        first_seen_at=NOON,
        words=len(each["excerpt"].split()),
        source="",
        section=None,
        language=each["language"],
    )


def judge() -> list[Judged]:
    """Each article, and whether it was taken."""
    asked = newsletter()
    labelled = load()
    found = with_topics([article(each) for each in labelled], asked)
    return [
        Judged(
            title=said.title,
            language=each["language"],
            belongs=each["belongs"],
            taken=bool(said.topics),
            words=tuple(sign.name for topic in asked.topics for sign in signs_of(said, topic)),
        )
        for each, said in zip(labelled, found, strict=True)
    ]


def score(judged: Sequence[Judged]) -> Score:
    """Precision and recall of what was taken."""
    taken = sum(each.taken for each in judged)
    due = sum(each.belongs for each in judged)
    right = sum(each.taken and each.belongs for each in judged)
    return Score(len(judged), right / taken if taken else 1.0, right / due if due else 1.0)


def by_language() -> dict[str, list[Judged]]:
    """All articles, and those of each language."""
    judged = judge()
    return {
        "all": judged,
        "German": [each for each in judged if each.language == "de"],
        "English": [each for each in judged if each.language == "en"],
    }


def main() -> None:
    """Print the scores."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--show", action="store_true", help="name what was decided wrongly")
    asked = parser.parse_args()
    parts = by_language()
    judged = parts["all"]
    print(f"{len(judged)} articles, {sum(each.belongs for each in judged)} of them belong")
    for name, taken in parts.items():
        print(f"{name:8} {score(taken)}  (of {len(taken)})")
    if asked.show:
        for each in judged:
            if each.belongs != each.taken:
                kind = "missed" if each.belongs else "wrong "
                print(f"{kind} {each.language} {each.title[:76]} {each.words}")


if __name__ == "__main__":
    main()
