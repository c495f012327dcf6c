from pathlib import Path

import pytest

from digest.errors import SettingsError
from digest.model.newsletter import FeedSource, Schedule, Sender
from digest.settings import read_newsletters

WHOLE = """
[[newsletter]]
slug = "ki-news"
title = "Die besten KI-News"
sender = "IT-Redaktion <news@example.org>"
language = "de"
timezone = "Europe/Berlin"
theme = "plain"
address = "Beispiel GmbH, Musterstr. 1, 10115 Berlin"
feeds = [
  "https://www.example.org/feed",
  { url = "https://www.example.org/jobs/feed", section = "Stellenangebote" },
]

[newsletter.schedules]
daily = "0 7 * * *"
weekly = "0 7 * * mon"
"""


def _read(tmp_path: Path, text: str) -> object:
    path = tmp_path / "newsletters.toml"
    path.write_text(text)
    return read_newsletters(path)


def test_a_newsletter_is_read_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "newsletters.toml"
    path.write_text(WHOLE)
    (found,) = read_newsletters(path)
    assert found.sender == Sender(name="IT-Redaktion", address="news@example.org")
    assert found.feeds == (
        FeedSource(url="https://www.example.org/feed"),
        FeedSource(url="https://www.example.org/jobs/feed", section="Stellenangebote"),
    )
    assert found.schedules == (
        Schedule(name="daily", cron="0 7 * * *"),
        Schedule(name="weekly", cron="0 7 * * mon"),
    )
    assert (found.default_schedule.name, found.list_id) == ("daily", "ki-news.example.org")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('theme = "plain"', 'colour = "red"'), "unknown key 'colour'"),
        (("section =", "sektion ="), "unknown key 'feeds.1.sektion'"),
        (('slug = "ki-news"', 'slug = "KI News"'), "slug"),
        (('slug = "ki-news"', 'slug = "archive"'), "our own paths"),
        (('sender = "IT-Redaktion <news@example.org>"', ""), "key 'sender' is missing"),
        (("<news@example.org>", "<news@>"), "sender"),
        (('language = "de"', 'language = "fr"'), "we speak de, en"),
        (("Europe/Berlin", "Europe/Atlantis"), "is not a time zone"),
        (("0 7 * * mon", "0 25 * * *"), "weekly"),
        (("https://www.example.org/feed", "ftp://x"), "the feed's whole address"),
        (("[[newsletter]]", "[newsletters]"), "unknown key 'newsletters'"),
        (("[[newsletter]]", "[newsletter]"), r"\[\[newsletter\]\]"),
        (('slug = "ki-news"', "slug = "), "newsletters.toml"),
        (('title = "Die besten KI-News"', 'title = "a\\nBcc: x@y.example"'), "one line"),
    ],
)
def test_what_is_wrong_is_told_in_one_line_that_names_it(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    assert change[0] in WHOLE
    with pytest.raises(SettingsError, match=said) as problem:
        _read(tmp_path, WHOLE.replace(*change))
    assert "\n" not in str(problem.value)


def test_two_newsletters_of_one_slug_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="two newsletters have the slug 'ki-news'"):
        _read(tmp_path, WHOLE + WHOLE)


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="digest init"):
        read_newsletters(tmp_path / "newsletters.toml")
