"""Setting up, looking at schedules and feeds, and refusing what cannot be: the real command."""

from __future__ import annotations

import os
import pty
import re
import stat
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from loopback import Item, Page, Site, recent
from shell import Desk, newsletters

PUBLISHED = datetime(2026, 11, 20, 8, 30, 15, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def secret(env: Path) -> str:
    (line,) = (each for each in env.read_text().splitlines() if "SECRET_KEY=" in each)
    return line.partition("=")[2]


# --------------------------------------------------------------- init


def test_init_writes_both_files_and_overwrites_nothing(desk: Desk, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    first = desk.run(
        "init",
        "--feed=https://a.example/feed",
        "--feed=https://b.example/feed",
        '--title=Größte "News" am Morgen',
        "--sender=Die Redaktion <post@a.example>",
        "--language=en",
        "--timezone=Europe/London",
        "--schedule=30 6 * * mon-fri",
    )
    assert (first.code, first.out) == (0, "")
    env, toml = tmp_path / ".env", tmp_path / "newsletters.toml"
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    (made,) = tomllib.loads(toml.read_text(encoding="utf-8"))["newsletter"]
    assert made["title"] == 'Größte "News" am Morgen'
    assert made["slug"] == "groesste-news-am-morgen"
    assert made["sender"] == "Die Redaktion <post@a.example>"
    assert made["feeds"] == ["https://a.example/feed", "https://b.example/feed"]
    assert (made["language"], made["timezone"]) == ("en", "Europe/London")
    assert made["schedules"] == {"daily": "30 6 * * mon-fri"}
    before = env.read_bytes(), toml.read_bytes()
    second = desk.run("init", "--title=Anders")
    assert second.code == 0
    assert (env.read_bytes(), toml.read_bytes()) == before
    assert desk.run("init", cwd=other).code == 0
    keys = {secret(env), secret(other / ".env")}
    assert len(keys) == 2
    assert min(map(len, keys)) >= 43
    # what it wrote can be used as it is
    assert desk.call("status", "--json").json["newsletters"][0]["slug"] == made["slug"]


def test_init_refuses_what_the_service_would_refuse_and_writes_nothing(
    desk: Desk, tmp_path: Path
) -> None:
    done = desk.call("init", "--schedule=every morning")
    assert (done.code, done.out) == (2, "")
    assert "every morning" in done.complaint
    odd = desk.call("init", "--title=\udcff")
    assert odd.code in (1, 2)
    assert odd.complaint
    assert list(tmp_path.iterdir()) == []


# --------------------------------------------------------------- schedule next


def test_the_next_times_of_a_schedule_over_a_clock_change(desk: Desk) -> None:
    done = desk.run(
        "schedule",
        "next",
        "30 2 * * *",
        "--timezone=Europe/Berlin",
        "--start=2027-03-27T00:00:00+01:00",
        "--count=3",
        "--json",
    )
    assert (done.code, done.err) == (0, "")
    assert done.json == [
        "2027-03-27T02:30:00+01:00",
        "2027-03-28T03:00:00+02:00",
        "2027-03-29T02:30:00+02:00",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ("7 o'clock", "--timezone=Europe/Berlin"),
        ("0 7 * * *", "--timezone=Middle/Earth"),
        ("0 7 * * *", "--timezone=Europe/Berlin", "--start=tomorrow"),
        ("0 7 * * *", "--timezone=Asia/Tokyo", "--start=0001-01-01T00:00:00"),
    ],
)
def test_a_schedule_that_cannot_be_is_one_line(desk: Desk, arguments: tuple[str, ...]) -> None:
    done = desk.call("schedule", "next", *arguments, "--json")
    assert (done.code, done.out) == (2, "")
    assert done.complaint.startswith("digest: ")


# --------------------------------------------------------------- feeds


def test_feed_check_tells_of_addresses_and_files(desk: Desk, site: Site, tmp_path: Path) -> None:
    url = site.feed("/feed", Item("Eins & Zwei", PUBLISHED), Item("Drei", None))
    (tmp_path / "saved.xml").write_bytes(site.pages["/feed"].body)
    done = desk.run("feed", "check", url, "saved.xml", "--json", DIGEST_FEED_ALLOW_PRIVATE="true")
    assert (done.code, done.err) == (0, "")
    expected = {
        "entries": 2,
        "first_title": "Eins & Zwei",
        "first_link": "https://stadtblatt.example/eins-zwei",
        "first_published_utc": "2026-11-20T08:30:15Z",
        "first_image": None,
        "error": None,
    }
    assert done.json == [{"source": url, **expected}, {"source": "saved.xml", **expected}]
    assert not (tmp_path / "digest.db").exists()


def test_feed_check_of_what_is_no_feed_says_so(desk: Desk, site: Site, tmp_path: Path) -> None:
    (tmp_path / "[").mkdir()
    (tmp_path / "[" / "b].xml").write_bytes(b"\x00\xff<html>no feed")
    done = desk.call("feed", "check", "[/b].xml", "none.xml", site.url + "/feed", "--json")
    assert done.code == 1
    assert [each["entries"] for each in done.json] == [0, 0, 0]
    assert all(each["error"] for each in done.json)
    assert "DIGEST_FEED_ALLOW_PRIVATE" in done.json[2]["error"]
    spoken = desk.call("feed", "check", "[/b].xml", "none.xml")
    assert spoken.code == 1
    assert "[/b].xml: " in spoken.err


def test_feed_check_shows_names_with_brackets(desk: Desk, site: Site, tmp_path: Path) -> None:
    site.feed("/feed", Item("Eins [/b] [bold]", PUBLISHED))
    (tmp_path / "[").mkdir()
    (tmp_path / "[" / "a].xml").write_bytes(site.pages["/feed"].body)
    done = desk.call("feed", "check", "[/a].xml")
    assert done.code == 0
    assert "[/a].xml" in done.out
    assert "Eins [/b] [bold]" in done.out


def test_gather_tells_what_each_feed_brought(desk: Desk, site: Site, tmp_path: Path) -> None:
    good = site.feed("/feed", *recent("Eins", "Zwei"), ETag='"v1"')
    site.pages["/odd"] = Page(status=500, reason="[/bold] oh [red]")
    desk.set_up(good, site.url + "/odd")
    first = desk.run("gather", "--json")
    assert (first.code, first.err) == (0, "")
    assert first.json == {
        "feeds": [
            {"url": good, "status": "ok", "new": 2, "error": None},
            {
                "url": site.url + "/odd",
                "status": "error",
                "new": 0,
                "error": "HTTP 500 [/bold] oh [red]",
            },
        ]
    }
    assert desk.call("gather", "--json").json == {"feeds": []}
    again = desk.run("-C", str(tmp_path), "gather", "--all", "--json", cwd=Path("/")).json["feeds"]
    assert [each["status"] for each in again] == ["unchanged", "error"]
    # a stranger's words are shown as they are, brackets and all
    spoken = desk.call("status")
    assert (spoken.code, "HTTP 500 [/bold] oh [red]" in spoken.out) == (0, True)


# --------------------------------------------------------------- what cannot be


@pytest.mark.parametrize(
    ("arguments", "environment", "toml", "said"),
    [
        (("status",), {"DIGEST_SMTP_RATE": "0"}, "", "DIGEST_SMTP_RATE"),
        (("status",), {"DIGEST_SMTP_CONNECTIONS": "many"}, "", "DIGEST_SMTP_CONNECTIONS"),
        (("status",), {"DIGEST_SECRET_KEY": "short"}, "", "DIGEST_SECRET_KEY"),
        (("status",), {}, 'colour = "red"', "colour"),
        (("gather",), {}, "limit = 0", "limit"),
        (("send",), {"DIGEST_DATABASE_URL": "mysql://x/y"}, "", "mysql"),
        (("send",), {"DIGEST_DATABASE_URL": "sqlite:////no/such/folder/x.db"}, "", "/no/such"),
        (("send",), {"DIGEST_DATABASE_URL": "sqlite:///newsletters.toml"}, "", "database"),
        (("send",), {"DIGEST_DATABASE_URL": "postgresql://127.0.0.1:1/x"}, "", "database"),
    ],
)
def test_settings_that_cannot_be_used_are_one_line(  # noqa: PLR0917 -- a table of cases
    desk: Desk,
    tmp_path: Path,
    arguments: tuple[str, ...],
    environment: dict[str, str],
    toml: str,
    said: str,
) -> None:
    desk.set_up("https://a.example/feed")
    (tmp_path / "newsletters.toml").write_text(newsletters("https://a.example/feed", more=toml))
    done = desk.call(*arguments, "--json", **environment)
    assert (done.code, done.out) == (1, "")
    assert said in done.complaint


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonesuch",),
        ("send", "--nonesuch"),
        ("feed", "check"),
        ("schedule", "next", "0 7 * * *"),
        ("serve", "--port", "a"),
        ("send", "--directory"),
    ],
)
def test_wrong_usage_is_exit_code_2(desk: Desk, arguments: tuple[str, ...]) -> None:
    done = desk.call(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "Try " in done.err


def test_a_newsletter_rhythm_or_address_that_is_not_there_is_one_line(desk: Desk) -> None:
    desk.set_up("https://a.example/feed")
    for arguments in (
        ("send", "--newsletter", "other"),
        ("send", "--frequency", "hourly"),
    ):
        done = desk.call(*arguments)
        assert (done.code, done.complaint[:8]) == (2, "digest: ")
    for address in (("subscribe", "no address"), ("send", "--to", "a@b@c")):
        done = desk.call(*address)
        assert (done.code, done.complaint[:8]) == (1, "digest: ")


def test_a_folder_without_files_says_what_to_do(desk: Desk) -> None:
    done = desk.call("status")
    assert (done.code, "digest init" in done.complaint) == (1, True)
    done = desk.call("status", "--directory", "/no/such/folder")
    assert (done.code, "/no/such/folder" in done.complaint) == (1, True)


def test_the_version_and_the_help_need_no_files(desk: Desk) -> None:
    version = desk.run("--version")
    assert (version.code, version.out.split()[0]) == (0, "digest")
    assert desk.call("send", "-h").code == 0


@pytest.mark.parametrize(("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_are_for_terminals_whose_owner_wants_them(
    desk: Desk, environment: dict[str, str], *, coloured: bool
) -> None:
    """The complaint of `status` in an empty folder, on a terminal and in a pipe."""
    ours, theirs = pty.openpty()
    try:
        subprocess.run(
            [sys.executable, "-m", "digest", "status"],
            cwd=desk.folder,
            env={"PATH": os.environ["PATH"], "TERM": "xterm-256color", **environment},
            stdin=subprocess.DEVNULL,
            stderr=theirs,
            check=False,
        )
        seen = os.read(ours, 10_000).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert "DIGEST_SECRET_KEY" in seen
    assert ("\x1b[1;31m" in seen) is coloured
    assert not re.search(r"\x1b\[[\d;]*3\d", seen) or coloured
    assert "\x1b" not in desk.call("status").err
