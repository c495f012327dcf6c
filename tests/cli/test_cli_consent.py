"""What is held on a person is shown as evidence, handed out, and taken away."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from hashlib import sha256

import pytest
from loopback import Relay
from shell import Desk

ANNA = "anna@example.org"
KEYS = {
    "kind",
    "at_utc",
    "door",
    "detail",
    "language",
    "network",
    "message_id",
    "message_hash",
    "text_version",
    "hash",
    "at",
}


@pytest.fixture
def desk(tmp_path: object, relay: Relay) -> Desk:
    one = Desk(tmp_path)  # type: ignore[arg-type] # pytest's own path
    one.set_up("https://stadtblatt.example/feed", smtp_port=relay.port)
    return one


@pytest.fixture
def asked(desk: Desk) -> Desk:
    """Somebody was asked, and has not answered."""
    assert "on its way" in desk.call("subscribe", ANNA).err
    return desk


def tamper(desk: Desk, statement: str) -> None:
    with closing(sqlite3.connect(desk.folder / "digest.db")) as database:
        database.execute(statement)
        database.commit()


# --------------------------------------------------------------- shown


def test_anybody_can_check_the_chain_with_what_is_printed(asked: Desk) -> None:
    """As docs/decisions/0016 tells it, with nothing of ours."""
    [reads] = asked.call("subscribers", "show", ANNA, "--json").json["subscriptions"]
    behind = ""
    for event in reads["consent"]:
        names = (
            "at",
            "detail",
            "door",
            "kind",
            "language",
            "message_hash",
            "message_id",
            "network",
        )
        facts = {"behind": behind, **{name: event[name] for name in names}}
        line = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        behind = sha256(line.encode()).hexdigest()
        assert behind == event["hash"]
        assert behind in asked.call("subscribers", "show", ANNA).out
    assert len(reads["consent"]) == 2


def test_the_record_is_shown_so_that_it_can_be_laid_on_a_table(asked: Desk) -> None:
    lines = asked.call("subscribers", "show", ANNA).out.splitlines()
    assert lines[0] == f"{ANNA} · stadtblatt"
    assert "  state             pending" in lines
    text = "\n".join(lines)
    assert re.search(r"(?m)^  1\. \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  requested by cli$", text)
    assert re.search(r"(?m)^  2\. \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  asked by smtp$", text)
    assert re.search(r"(?m)^    Message-ID  <[0-9a-f]{32}@stadtblatt\.example>$", text)
    assert re.search(r"(?m)^    SHA-256     [0-9a-f]{64}$", text)
    assert len(re.findall(r"(?m)^    hash        [0-9a-f]{64}$", text)) == 2
    assert re.search(r"(?m)^    version     [0-9a-f]{12} \(SHA-256 of the words\)$", text)
    assert lines[-2] == "record: unbroken"
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("columns", ["40", "80", "300"])
def test_what_is_shown_does_not_depend_on_the_width_of_anything(asked: Desk, columns: str) -> None:
    wide = asked.call("subscribers", "show", ANNA, COLUMNS=columns)
    assert wide.out == asked.call("subscribers", "show", ANNA).out


def test_long_words_stay_whole_and_are_not_taken_for_pictures(asked: Desk) -> None:
    words = "Ja, ich will :smile: [bold]" + " jeden Morgen eine Mail" * 12
    tamper(asked, f"UPDATE consent_events SET detail = '{words}' WHERE kind = 'requested'")  # noqa: S608 -- our own words
    out = asked.call("subscribers", "show", ANNA).out
    assert words in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80


def test_a_record_that_somebody_changed_is_broken_where_he_did(asked: Desk) -> None:
    tamper(asked, "UPDATE consent_events SET door = 'web' WHERE kind = 'asked'")
    assert "record: BROKEN at event 2" in asked.call("subscribers", "show", ANNA).out
    shown = asked.call("subscribers", "show", ANNA, "--json").json
    assert (shown["record_unbroken"], shown["subscriptions"][0]["record_unbroken"]) == (
        False,
        False,
    )


def test_the_document_has_every_field_of_the_record(asked: Desk) -> None:
    shown = asked.call("subscribers", "show", ANNA, "--json").json
    (reads,) = shown["subscriptions"]
    assert shown["record_unbroken"] is reads["record_unbroken"] is True
    assert [event["kind"] for event in reads["consent"]] == ["requested", "asked"]
    assert all(set(event) == KEYS for event in reads["consent"])
    assert reads["consent"][1]["text_version"] is None
    assert {"hour", "paused_until_utc", "topics", "timezone"} <= set(reads)


# --------------------------------------------------------------- handed out


def test_everybody_is_handed_out_as_a_table_that_no_spreadsheet_runs(desk: Desk) -> None:
    desk.admit("anna", "+49", "=sum", "-x", frequency="weekly")
    desk.call("subscribers", "erase", ANNA)
    out = desk.call("subscribers", "export").out
    assert out.count("\r\n") == out.count("\n") == 4
    rows = list(csv.DictReader(io.StringIO(out, newline="")))
    assert [row["address"] for row in rows] == [
        "'+49@example.org",
        "'=sum@example.org",
        "'-x@example.org",
    ]
    assert ",".join(rows[0]) == (
        "address,newsletter,state,frequency,topics,language,timezone,"
        "requested_utc,confirmed_utc,unsubscribed_utc,suppressed"
    )
    assert {(row["newsletter"], row["state"], row["frequency"]) for row in rows} == {
        ("stadtblatt", "active", "weekly")
    }


def test_everybody_is_handed_out_as_one_document(desk: Desk) -> None:
    assert desk.call("subscribers", "export", "--json").json == []
    desk.admit("anna", "+49")
    found = desk.call("subscribers", "export", "--json", "--newsletter", "stadtblatt").json
    assert [each["address"] for each in found] == [ANNA, "+49@example.org"]
    assert found[0]["suppressed"] is None


def test_one_person_is_handed_out_whole(asked: Desk) -> None:
    found = asked.call("subscribers", "export", ANNA).json
    assert found == asked.call("subscribers", "export", ANNA, "--json").json
    assert [each["notice"] for each in found["deliveries"]] == ["confirm"]
    assert found["deliveries"][0]["state"] == "sent"
    unknown = asked.call("subscribers", "export", "nobody@example.org")
    assert (unknown.code, "nobody that we know" in unknown.complaint) == (1, True)
    both = asked.call("subscribers", "export", ANNA, "--newsletter", "stadtblatt")
    assert both.code == 2


#: more than fits into a pipe that nobody reads
_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
_PEOPLE = """
INSERT INTO subscribers (id, address, address_key, address_hash, language, created_at)
SELECT i, 'r' || i || '@example.org', i, i, 'de', created_at FROM n, subscribers WHERE id = 1
"""
_SUBSCRIPTIONS = """
INSERT INTO subscriptions
(ref, subscriber_id, newsletter, state, frequency, requested_at, request_nonce)
SELECT randomblob(12), i, newsletter, state, frequency, requested_at, request_nonce
FROM n, subscriptions WHERE id = 1
"""


def test_a_reader_of_the_table_who_goes_away_is_no_fault_of_ours(desk: Desk) -> None:
    desk.admit("anna")
    for statement in (_PEOPLE, _SUBSCRIPTIONS):
        tamper(desk, _NUMBERS + statement)
    done = subprocess.run(  # noqa: S602 -- our own program
        f"{sys.executable} -m digest subscribers export | head -n 1",
        shell=True,
        cwd=desk.folder,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.stdout.startswith("address,newsletter,")
    assert "Traceback" not in done.stderr
    assert "our own fault" not in done.stderr


# --------------------------------------------------------------- taken away


def test_erasing_asks_nothing_says_what_it_did_and_does_it_once(asked: Desk) -> None:
    done = asked.call("subscribers", "erase", ANNA, "--json")
    assert (done.code, done.json) == (
        0,
        {
            "address": ANNA,
            "erased": True,
            "already": False,
            "subscriptions": 1,
            "deliveries": 1,
            "consent_events": 2,
            "bounces": 0,
            "suppressed": "erased",
        },
    )
    again = asked.call("subscribers", "erase", ANNA, "--json")
    assert (again.code, again.json["already"]) == (0, True)
    assert "forgotten before" in asked.call("subscribers", "erase", ANNA).err
    shown = asked.call("subscribers", "show", ANNA)
    assert (shown.code, "closed to us: erased" in shown.complaint) == (1, True)
    assert asked.call("subscribers", "list", "--json").json == []
    assert "closed to us" in asked.call("subscribe", ANNA).err
    assert b"anna@" not in b"".join(
        path.read_bytes() for path in asked.folder.iterdir() if path.is_file()
    )
    assert asked.call("verify").code == 0


def test_erasing_says_in_words_what_it_did(asked: Desk) -> None:
    said = asked.call("subscribers", "erase", ANNA).err
    assert "1 subscription ended, 1 message in the books without a name, 2 lines" in said


def test_nobody_can_be_erased_who_is_not_known(desk: Desk) -> None:
    for address in ("nobody@example.org", "no address"):
        done = desk.call("subscribers", "erase", address)
        assert done.code != 0
        assert address in done.complaint


# --------------------------------------------------------------- opened again


def test_a_closed_address_is_opened_only_for_a_reason(asked: Desk) -> None:
    asked.call("subscribers", "erase", ANNA)
    assert asked.call("subscribers", "reopen", ANNA).code == 2
    assert asked.call("subscribers", "reopen", ANNA, "--because", " ").code == 2
    opened = asked.call("subscribers", "reopen", ANNA, "--because", "her letter of 3 May")
    assert (opened.code, "it was closed: erased" in opened.err) == (0, True)
    again = asked.call("subscribers", "reopen", ANNA, "--because", "x")
    assert (again.code, "not closed to us" in again.complaint) == (1, True)
    assert "on its way" in asked.call("subscribe", ANNA).err
