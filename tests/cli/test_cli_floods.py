"""`digest feed held`, `release` and `drop`: what came in a flood, and the operator's word on it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from loopback import Site, recent
from shell import Desk

TITLES = tuple(f"Nummer {n}" for n in range(7))


@pytest.fixture
def url(site: Site) -> str:
    return site.feed("/feed", *recent("Neu", *TITLES))


@pytest.fixture
def desk(tmp_path: Path, url: str) -> Desk:
    """All but one article of the feed are held, as if they had been too many."""
    one = Desk(tmp_path)
    one.set_up(url)
    one.call("gather")
    with closing(sqlite3.connect(tmp_path / "digest.db")) as connection, connection:
        connection.execute(
            "INSERT INTO floods (id, feed_id, began_at, articles, usual)"
            " SELECT 5, id, '2026-11-23 07:00:00', 7, 0.4 FROM feeds"
        )
        connection.execute("UPDATE articles SET flood_id = 5 WHERE title <> 'Neu'")
    return one


def titles(desk: Desk) -> set[str]:
    """What an edition would tell now."""
    shown = desk.call("preview", "--json")
    return {each["title"] for each in shown.json["articles"]}


def test_what_is_held_is_listed_with_what_to_do(desk: Desk, url: str) -> None:
    spoken = desk.call("feed", "held")
    assert (spoken.code, spoken.err) == (0, "")
    assert "7 articles since 2026-11-23 07:00 UTC, where 1 are usual" in spoken.out
    assert sum(title in spoken.out for title in TITLES) == 5
    assert "and 2 more" in spoken.out
    assert f"digest feed release {url}" in spoken.out
    (listed,) = desk.call("feed", "held", "--json").json
    assert len(listed.pop("titles")) == 5
    assert listed == {
        "url": url,
        "since_utc": "2026-11-23T07:00:00Z",
        "articles": 7,
        "usual": 0.4,
    }


def test_what_is_released_may_be_told(desk: Desk, url: str) -> None:
    assert titles(desk) == {"Neu"}
    done = desk.call("feed", "release", url)
    assert (done.code, done.complaint) == (0, f"{url}: 7 articles may be told now")
    assert titles(desk) == {"Neu", *TITLES}
    nothing = desk.call("feed", "held")
    assert (nothing.out, nothing.complaint) == ("", "Nothing is held.")
    assert desk.call("feed", "held", "--json").json == []


def test_what_is_dropped_is_never_told(desk: Desk, url: str) -> None:
    done = desk.call("feed", "drop", url)
    assert (done.code, done.complaint) == (0, f"{url}: 7 articles will never be told")
    assert titles(desk) == {"Neu"}


def test_a_word_on_a_feed_of_which_nothing_is_held_is_an_error(desk: Desk, url: str) -> None:
    for word in ("release", "drop"):
        done = desk.call("feed", word, f"{url}x")
        assert done.code == 1
        assert (
            done.complaint == f"digest: nothing of {url}x is held; `digest feed held` says what is"
        )
