"""`digest bounces classify`: says what mails are, anywhere, and leaves everything as it was."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from shell import Desk

BOUNCE = """\
From: MAILER-DAEMON@relay.example
To: news@ours.example
Subject: Undelivered Mail

<anna@there.example>: host mx said: 550 5.1.1 user unknown
<bert@there.example>: host mx said: 552 5.2.2 mailbox full
"""
AWAY = "From: carl@there.example\nTo: n@ours.example\nSubject: Out of Office\n\nAway.\n"
LETTER = "From: dora@there.example\nTo: n@ours.example\nSubject: Hello\n\nHello.\n"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A folder without settings: none are needed."""
    (tmp_path / "mails" / "new").mkdir(parents=True)
    (tmp_path / "mails" / "bounce.eml").write_text(BOUNCE)
    (tmp_path / "mails" / "new" / "away.eml").write_text(AWAY)
    (tmp_path / "letter.eml").write_text(LETTER)
    return Desk(tmp_path)


def test_the_contract_is_kept_for_files_and_folders(desk: Desk) -> None:
    done = desk.call("bounces", "classify", "mails", "./letter.eml", "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json == {
        "mails/bounce.eml": {
            "kind": "bounce",
            "recipients": [
                {"address": "anna@there.example", "class": "hard"},
                {"address": "bert@there.example", "class": "soft"},
            ],
        },
        "mails/new/away.eml": {
            "kind": "autoreply",
            "recipients": [{"address": "carl@there.example", "class": None}],
        },
        "./letter.eml": {"kind": "not_bounce", "recipients": []},
    }


def test_people_read_a_table_that_says_why(desk: Desk) -> None:
    done = desk.call("bounces", "classify", "mails/bounce.eml", "letter.eml")
    rows = [line.split() for line in done.out.splitlines()[1:]]
    assert rows == [
        ["mails/bounce.eml", "bounce", "anna@there.example", "hard", "gone"],
        ["bert@there.example", "soft", "full"],
        ["letter.eml", "not_bounce", "-", "-", "-"],
    ]
    assert "\x1b" not in done.out


def test_nothing_is_stored(desk: Desk) -> None:
    before = sorted(desk.folder.rglob("*"))
    assert desk.call("bounces", "classify", "mails", "--json").code == 0
    assert sorted(desk.folder.rglob("*")) == before


def test_standard_input_is_one_mail(desk: Desk) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "digest", "bounces", "classify", "-", "--json"],
        cwd=desk.folder,
        input=BOUNCE.encode(),
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert b'"kind": "bounce"' in ended.stdout
    assert b'"-": {' in ended.stdout


def test_a_file_that_is_not_there_is_one_line(desk: Desk) -> None:
    done = desk.call("bounces", "classify", "letter.eml", "gone.eml", "--json")
    assert (done.code, done.out) == (1, "")
    assert done.complaint == "digest: gone.eml: No such file or directory"


def test_a_name_that_is_no_text_can_be_written_out(desk: Desk) -> None:
    (desk.folder / "mails" / "x\udcff.eml").write_text(LETTER)
    done = desk.call("bounces", "classify", "mails", "--json")
    assert done.code == 0
    assert "mails/x\\udcff.eml" in done.json
