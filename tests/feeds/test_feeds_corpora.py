"""Feeds of real sites come out as several independent parsers read them, where we have them."""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from digest.feeds.dates import parse_date
from digest.feeds.parse import parse
from digest.model.feed import FeedFailure, ParsedFeed


def expected_feeds(corpora: Path, name: str) -> list[dict[str, Any]]:
    feeds: list[dict[str, Any]] = json.loads((corpora / "feeds" / name).read_text())["feeds"]
    return feeds


def read(path: Path) -> ParsedFeed | FeedFailure:
    return parse(path.read_bytes(), url=str(path), content_type=None)


def normal(title: str | None) -> str | None:
    text = html.unescape(html.unescape(title or ""))
    return " ".join(re.sub(r"</?[a-zA-Z][^>]*>", "", text).split()) or None


def stamp(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def first(parsed: ParsedFeed) -> tuple[str | None, str | None, str | None]:
    entry = parsed.entries[0]
    return normal(entry.title), entry.link, stamp(entry.published_at)


@pytest.mark.parametrize("name", ["expected.json", "edge_expected.json"])
def test_the_number_of_entries_is_right(corpora: Path, name: str) -> None:
    wrong = []
    for each in expected_feeds(corpora, name):
        parsed = read(corpora / each["file"])
        found = len(parsed.entries) if isinstance(parsed, ParsedFeed) else 0
        if found not in (each.get("accept") or [each["entries"]]):
            wrong.append((each["file"], each["entries"], found))
    assert wrong == []


def test_what_is_no_feed_is_an_error(corpora: Path) -> None:
    bad = [
        e["file"] for e in expected_feeds(corpora, "edge_expected.json") if e.get("must_be_error")
    ]
    assert bad
    assert [each for each in bad if not isinstance(read(corpora / each), FeedFailure)] == []


def test_title_link_and_date_of_the_first_entry_are_right(corpora: Path) -> None:
    wrong = []
    for each in expected_feeds(corpora, "expected.json"):
        parsed = read(corpora / each["file"])
        assert isinstance(parsed, ParsedFeed)
        wanted = each["first_title"], each["first_link"], each["first_published_utc"]
        if first(parsed) != wanted:
            wrong.append((each["file"], wanted, first(parsed)))
    assert wrong == []


def test_no_date_is_wrong_and_none_of_the_usual_is_missed(corpora: Path) -> None:
    wrong = []
    for each in json.loads((corpora / "feeds" / "dates.json").read_text())["dates"]:
        found = stamp(parse_date(each["raw"]))
        if found != each["utc"] and (found or each["level"] in {"must", "should"}):
            wrong.append((each["raw"], each["utc"], found))
    assert wrong == []
    assert parse_date("2026-10-05") == datetime(2026, 10, 5, tzinfo=UTC)
