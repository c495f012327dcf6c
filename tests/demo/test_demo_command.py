"""The demo as a stranger starts it: `digest demo`, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from email import message_from_bytes, policy
from pathlib import Path

import pytest

FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Blatt</title>
<link>https://blatt.example/</link>
<item><title>Eins</title><link>https://blatt.example/1</link><guid>1</guid>
<pubDate>Mon, 05 Jan 2015 10:00:00 +0100</pubDate><description>Alt, aber hier.</description></item>
<item><title>Zwei</title><guid isPermaLink="false">2</guid>
<pubDate>Tue, 06 Jan 2015 10:00:00 +0100</pubDate></item>
</channel></rss>"""


def _start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DIGEST_")}
    return subprocess.Popen(  # noqa: S603 -- our own command
        [sys.executable, "-m", "digest", "demo", *arguments],
        cwd=folder,
        env=clean,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _run(folder: Path, *arguments: str) -> tuple[int, str]:
    process = _start(folder, "--once", *arguments)
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    assert out == ""
    return process.returncode, err


def _articles(folder: Path) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads((folder / "edition.json").read_text())["articles"]
    return found


def test_the_sample_site_reaches_three_readers(tmp_path: Path) -> None:
    code, _ = _run(tmp_path, "--out", "o")
    mails = sorted((tmp_path / "o/mail").glob("*.eml"))
    assert (code, len(mails)) == (0, 3)
    assert len(_articles(tmp_path / "o")) > 25
    for mail in mails:
        raw = mail.read_bytes()
        assert raw.count(b"\n") == raw.count(b"\r\n")
        message = message_from_bytes(raw, policy=policy.default)
        assert message["List-Unsubscribe"].startswith("<https://")
        assert message.get_body(("html",)) is not None
    # the working directory's own database is left alone
    assert sorted(each.name for each in tmp_path.iterdir()) == ["o"]


def test_a_given_feed_is_shown_whatever_its_age_and_two_demos_do_not_meet(tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_text(FEED)
    both = [
        _start(tmp_path, "--once", "--feed", "feed.xml", "--subscribers", "1", "--out", name)
        for name in ("one", "two")
    ]
    assert [each.wait(timeout=60) for each in both] == [0, 0]
    for process in both:
        process.communicate()
    for name in ("one", "two"):
        assert [
            (each["title"], each["link"], each["published_utc"])
            for each in _articles(tmp_path / name)
        ] == [
            ("Zwei", "https://blatt.example/", "2015-01-06T09:00:00Z"),
            ("Eins", "https://blatt.example/1", "2015-01-05T09:00:00Z"),
        ]
        (mail,) = (tmp_path / name / "mail").glob("*.eml")
        assert b"127.0.0.1" not in mail.read_bytes()


def test_any_theme_can_be_looked_at(tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_text(FEED)
    code, err = _run(tmp_path, "--feed", "feed.xml", "--out", "o", "--theme", "brief")
    assert (code, err.count("Traceback")) == (0, 0)
    assert 'class="count"' in (tmp_path / "o" / "edition.html").read_text("utf-8")


def test_what_an_earlier_demo_left_is_never_taken_for_this_one(tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_text(FEED)
    assert _run(tmp_path, "--feed", "feed.xml", "--out", "o")[0] == 0
    (tmp_path / "page.html").write_text("<!doctype html><html><body>no feed</body></html>")
    code, err = _run(tmp_path, "--feed", "page.html", "--out", "o")
    assert (code, "none of the feeds could be read" in err) == (1, True)
    assert [each.name for each in (tmp_path / "o").iterdir()] == ["mail"]
    assert list((tmp_path / "o/mail").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--language", "fr"), 2, "we speak"),
        (("--theme", "nowhere"), 1, "editions/nowhere/subject.txt is in none of"),
        (("--feed", "nowhere.xml"), 1, "nowhere.xml"),
        (("--subscribers", "0"), 2, "--subscribers"),
    ],
)
def test_what_cannot_be_is_told(
    tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    got, err = _run(tmp_path, *arguments)
    assert (got, said in err) == (code, True)


def test_a_demo_that_stays_up_ends_in_order(tmp_path: Path) -> None:
    process = _start(tmp_path, "--port", "0")
    assert process.stderr is not None
    for line in process.stderr:
        if "The inbox" in line:
            break
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, "Traceback" in err) == (0, False)
