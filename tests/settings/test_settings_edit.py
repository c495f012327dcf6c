"""Feeds are added to newsletters.toml, and nothing else of it changes."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from digest.errors import SettingsError
from digest.model.newsletter import FeedSource
from digest.settings import edit, read_newsletters
from digest.settings.edit import add_feeds

HEAD = """\
# ours
[[newsletter]]   # the first
slug = "ki-news"
title = "KI # News"
sender = "Redaktion <news@example.org>"
address = "Beispiel GmbH, Musterstr. 1, 10115 Berlin"
"""
TAIL = """
limit = 7 # no more

[newsletter.schedules] # rhythms
daily   = '0 7 * * *'  # oddly spaced

[[newsletter]]
slug = "jobs"
title = "Jobs"
sender = "Redaktion <news@example.org>"
address = "Beispiel GmbH, Musterstr. 1, 10115 Berlin"
feeds = ["https://jobs.example.org/feed"] # theirs
"""
#: each feed under a line of its own
BELOW = """\
[[newsletter.feeds]] # below
url = "https://a.example/feed" # one

# between
[[newsletter.feeds]]
url = "https://b.example/feed"
section = "X" # two
[newsletter.topics.x]
title = "X"
words = ["x"] # topic
#"""
NEW = (
    FeedSource(url="https://eins.example/feed"),
    FeedSource(url="https://zwei.example/feed", section='Mehr "Neues" # hier \\ ä'),
    FeedSource(url="https://drei.example/feed", full_text=True, robots=False),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "newsletters.toml"


def write(path: Path, feeds: str) -> str:
    text = HEAD + feeds + TAIL
    path.write_bytes(text.encode())
    return text


@pytest.mark.parametrize(
    "feeds",
    [
        'feeds = ["https://a.example/feed"] # one',
        'feeds = [\n  "https://a.example/feed", # one\n  "https://b.example/feed" # two\n] # end',
        'feeds = [\n  "https://a.example/feed", # one\n  "https://b.example/feed", # two\n]',
        'feeds = [\n\t"https://a.example/feed",\n\t# the last word\n]',
        'feeds = ["https://a.example/feed", # one\n "https://b.example/feed"]',
        'feeds = [{url="https://a.example/feed", section="J"}, "https://b.example/feed",]',
        'feeds = [\r\n  "https://a.example/feed", # one\r\n  "https://b.example/feed" # two\r\n]\r',
        'feeds = [\'\'\'https://a.example/feed\'\'\', """https://b.example/#frag"""] # it\'s "so"',
        BELOW,
    ],
)
def test_feeds_stand_behind_the_old_ones_and_all_else_stays(path: Path, feeds: str) -> None:
    if "[[" in feeds:
        path.write_text(HEAD + feeds + TAIL.replace("limit = 7", "# limit = 7"), encoding="utf-8")
    else:
        write(path, feeds)
    before, old = read_newsletters(path), path.read_bytes().decode()
    add_feeds(path, "ki-news", NEW)
    add_feeds(path, "jobs", NEW[:1])
    first, second = read_newsletters(path)
    assert first.feeds == (*before[0].feeds, *NEW)
    assert second.feeds == (*before[1].feeds, NEW[0])
    text = path.read_bytes().decode()
    # every line but those of the lists is there as it was
    lists = {'feeds = ["https://jobs.example.org/feed"] # theirs'}
    for line in set((HEAD + TAIL).splitlines()) - lists - {"limit = 7 # no more"}:
        assert line in text
    assert text.count("#") == old.count("#") + NEW[1].section.count("#")  # type: ignore[union-attr]


def test_many_feeds_are_added_in_a_moment_and_stand_one_below_the_other(path: Path) -> None:
    write(path, 'feeds = ["https://a.example/feed"] # one')
    many = [FeedSource(url=f"https://{n}.example/feed", section="S") for n in range(500)]
    add_feeds(path, "ki-news", many)
    assert len(read_newsletters(path)[0].feeds) == 501
    assert max(map(len, path.read_text(encoding="utf-8").splitlines())) < 120


def test_owner_mode_and_links_stay(path: Path, tmp_path: Path) -> None:
    write(path, 'feeds = ["https://a.example/feed"]')
    path.chmod(0o640)
    link = tmp_path / "link.toml"
    link.symlink_to(path)
    add_feeds(link, "ki-news", NEW)
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert len(read_newsletters(path)[0].feeds) == 4
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link.toml", "newsletters.toml"]


def refused(path: Path, *added: FeedSource) -> str:
    """The complaint; nothing is changed, and nothing left behind."""
    old, inode = path.read_bytes(), path.stat().st_ino
    with pytest.raises(SettingsError) as problem:
        add_feeds(path, "ki-news", added or NEW)
    assert (path.read_bytes(), path.stat().st_ino) == (old, inode)
    assert list(path.parent.iterdir()) == [path]
    assert "\n" not in str(problem.value)
    return str(problem.value)


def test_what_would_lose_a_comment_or_a_feed_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = write(path, 'feeds = ["https://a.example/feed"] # one')
    for other in (
        text.replace(" # one", ""),
        text.replace("limit = 7", "limit = 8"),
        text.replace("https://jobs.example.org/feed", "https://other.example/feed"),
        text,
    ):
        monkeypatch.setattr(edit, "_with_feeds", lambda *_, other=other: other)
        assert "by hand" in refused(path)
    monkeypatch.setattr(edit, "_with_feeds", lambda *_: text + "[")
    assert "nothing was changed" in refused(path)


def test_a_feed_that_cannot_be_one_is_refused(path: Path) -> None:
    write(path, 'feeds = ["https://a.example/feed"] # one')
    assert "whole address" in refused(path, FeedSource(url="file:///etc/passwd"))


def test_what_another_wrote_meanwhile_is_not_overwritten(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path, 'feeds = ["https://a.example/feed"]')
    write_beside = edit._write_beside

    def slowly(where: Path, content: bytes) -> Path:
        trial = write_beside(where, content)
        with where.open("a", encoding="utf-8") as file:
            file.write("# by hand\n")
        return trial

    monkeypatch.setattr(edit, "_write_beside", slowly)
    with pytest.raises(SettingsError, match="changed meanwhile"):
        add_feeds(path, "ki-news", NEW)
    assert path.read_text(encoding="utf-8").endswith("# by hand\n")
    assert len(read_newsletters(path)[0].feeds) == 1


def test_a_file_that_is_not_there_is_named(path: Path) -> None:
    with pytest.raises(SettingsError, match="not here"):
        add_feeds(path, "ki-news", NEW)
