from datetime import timedelta
from pathlib import Path

import pytest

from digest.errors import SettingsError
from digest.model.look import Colours
from digest.model.newsletter import FeedSource, Schedule, Sender
from digest.model.policy import Ranking, SectionRule
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


CHOOSING = """
limit = 20
minutes = 5
leftovers = "36h"
only_topics = true

[newsletter.ranking]
half_life = "12h"
source = 0.5

[newsletter.sections."Stellenangebote"]
limit = 3
order = "newest"

[newsletter.sections."Bücher"]
weight = -0.5

[newsletter.topics.ki]
title = "KI"
words = ["KI", { name = "Modell", weight = 0.5 }]
feeds = ["https://www.example.org/feed"]
without = ["Automodell"]
weight = 2
"""


def test_all_that_can_be_said_about_choosing_is_read(tmp_path: Path) -> None:
    path = tmp_path / "newsletters.toml"
    head, schedules = WHOLE.split("[newsletter.schedules]")
    path.write_text(f"{head}{CHOOSING}\n[newsletter.schedules]{schedules}")
    (found,) = read_newsletters(path)
    assert (found.limit, found.minutes, found.leftovers) == (20, 5, timedelta(hours=36))
    # a feed with a section of its own is not the newsletter's subject
    assert [each.only_topics for each in found.feeds] == [True, False]
    assert found.ranking == Ranking(half_life=timedelta(hours=12), source=0.5)
    assert [each.title for each in found.sections] == ["Stellenangebote", "Bücher"]
    assert found.section_rule("Stellenangebote") == SectionRule(
        title="Stellenangebote", limit=3, order="newest"
    )
    [topic] = found.topics
    assert (topic.words, topic.weights) == (("KI", "Modell"), {"Modell": 0.5})
    assert (topic.feeds, topic.without) == (("https://www.example.org/feed",), ("Automodell",))


def test_editors_are_read_with_what_their_silence_means(tmp_path: Path) -> None:
    head, schedules = WHOLE.split("[newsletter.schedules]")
    lines = 'approval = "45m"\neditors = ["chef@example.org", "vize@example.org"]\n'
    for silence in ("send", "hold"):
        path = tmp_path / "newsletters.toml"
        said = f'{lines}silence = "{silence}"\n' if silence == "hold" else lines
        path.write_text(f"{head}{said}[newsletter.schedules]{schedules}")
        (found,) = read_newsletters(path)
        assert found.approval is not None
        assert found.approval.before == timedelta(minutes=45)
        assert found.approval.editors == ("chef@example.org", "vize@example.org")
        assert found.approval.silence == silence


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('approval = "45m"', "editors"),
        ('approval = "45m"\neditors = ["chef"]', "chef"),
        ('approval = "1m"\neditors = ["chef@example.org"]', "between"),
        ('approval = "45m"\neditors = ["chef@example.org"]\nsilence = "maybe"', "silence"),
        ('editors = ["chef@example.org"]', "approval"),
        ('leftovers = "bald"', "length of time"),
        ("only_topics = true", "only_topics needs"),
        ("minutes = 0", "minutes"),
        ('[newsletter.ranking]\nhalf_life = "0h"', "length of time"),
        ('[newsletter.sections."X"]\nlimits = 3', "unknown key"),
        # what does nothing yet is not taken in silence
        ('search = ["gugel"]', "we know google, google-news, bing"),
        ('search = [{ name = "X", url = "https://example.org/?q=" }]', "{query}"),
        ("sponsor_limit = 9", "sponsor_limit"),
        ('[newsletter.support]\ntext = "x"\nurl = "javascript:alert(1)"', "support"),
        ('[newsletter.sections."X"]\nurl = "file:///etc/passwd"', "url"),
        ('[[newsletter.sponsors]]\ntitle = "x"\ntext = "y"\nurl = "ftp://x"', "sponsors"),
    ],
)
def test_what_is_wrong_about_choosing_is_told(tmp_path: Path, line: str, says: str) -> None:
    head, schedules = WHOLE.split("[newsletter.schedules]")
    with pytest.raises(SettingsError) as problem:
        _read(tmp_path, f"{head}{line}\n[newsletter.schedules]{schedules}")
    assert says in str(problem.value)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize(("line", "follow"), [("", True), ("follow = false", False)])
def test_stories_can_be_followed_unless_that_is_taken_away(
    tmp_path: Path, line: str, *, follow: bool
) -> None:
    head, schedules = WHOLE.split("[newsletter.schedules]")
    path = tmp_path / "newsletters.toml"
    path.write_text(f"{head}{line}\n[newsletter.schedules]{schedules}")
    assert [each.follow for each in read_newsletters(path)] == [follow]


def test_a_look_is_read_with_what_is_wrong_about_it(tmp_path: Path) -> None:
    look = """
[newsletter.look]
accent = "#0B57D0"
dark = { accent = "#a8c7fa" }
density = "compact"
"""
    path = tmp_path / "newsletters.toml"
    path.write_text(WHOLE + look)
    (found,) = read_newsletters(path)
    assert (found.look.light, found.look.dark, found.look.density) == (
        Colours(accent="#0b57d0"),
        Colours(accent="#a8c7fa"),
        "compact",
    )
    for wrong, says in (
        ('accent = "blue"', "look: accent: write a colour"),
        ('akzent = "#000000"', "look: akzent: unknown"),
    ):
        path.write_text(f"{WHOLE}[newsletter.look]\n{wrong}\n")
        with pytest.raises(SettingsError, match=says) as told:
            read_newsletters(path)
        assert "\n" not in str(told.value)
    path.write_text(WHOLE.replace('theme = "plain"', 'look = "red"'))
    with pytest.raises(SettingsError, match="look: write a table"):
        read_newsletters(path)


def test_a_newsletter_says_where_its_pictures_come_from(tmp_path: Path) -> None:
    path = tmp_path / "newsletters.toml"
    for said, meant in (("", "linked"), ('pictures = "served"', "served")):
        path.write_text(WHOLE.replace('theme = "plain"', f'theme = "plain"\n{said}'))
        assert read_newsletters(path)[0].pictures == meant
    path.write_text(WHOLE.replace('theme = "plain"', 'pictures = "cid"'))
    with pytest.raises(SettingsError, match="pictures: Input should be 'linked', 'served' or"):
        read_newsletters(path)
