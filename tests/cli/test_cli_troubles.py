"""`verify`, `status`, `pause`, `resume`, `abandon`: what went wrong, as an operator sees it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from loopback import Relay, Site, recent
from shell import Desk

#: the contract's
KEYS = (
    "edition",
    "candidates",
    "sent",
    "deferred",
    "bounced",
    "excluded",
    "uncertain",
    "queued",
    "balanced",
)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def sent(desk: Desk, site: Site, relay: Relay) -> Desk:
    """An edition that was sent to anna, refused for gone, and put off for late."""
    desk.set_up(site.feed("/feed", *recent("Eins")), smtp_port=relay.port, smtp_connections=1)
    desk.admit("anna", "gone", "late")
    relay.at_rcpt["gone@example.org"] = "550 5.1.1 no such user"
    relay.at_rcpt["late@example.org"] = "450 4.2.1 try again"
    desk.call("send")
    return desk


def by_hand(desk: Desk, statement: str) -> None:
    with closing(sqlite3.connect(desk.folder / "digest.db")) as connection, connection:
        connection.execute(statement)


def test_the_books_of_an_edition_are_added_up(sent: Desk) -> None:
    one = sent.call("verify", "1", "--json")
    assert (one.code, one.err) == (0, "")
    assert set(KEYS) <= set(one.json)
    assert {key: one.json[key] for key in KEYS} == {
        "edition": 1,
        "candidates": 3,
        "sent": 1,
        "deferred": 1,
        "bounced": 1,
        "excluded": 0,
        "uncertain": 0,
        "queued": 0,
        "balanced": True,
    }
    assert one.json["expired"] == 0
    assert "people" not in one.json
    every = sent.call("verify", "--json")
    assert (every.json["edition"], every.json["candidates"], every.json["balanced"]) == (
        None,
        3,
        True,
    )
    assert [each["edition"] for each in every.json["editions"]] == [1]
    spoken = sent.call("verify")
    assert (spoken.code, " ok " in spoken.out) == (0, True)


def test_each_person_is_named_on_demand(sent: Desk) -> None:
    named = sent.call("verify", "1", "--people", "bounced", "--people", "deferred", "--json")
    assert [(each["address"], each["state"]) for each in named.json["people"]] == [
        ("gone@example.org", "bounced"),
        ("late@example.org", "deferred"),
    ]
    assert named.json["people"][0]["reply"] == "550 5.1.1 no such user"
    assert set(KEYS) <= set(named.json)
    every = sent.call("verify", "1", "--people", "all", "--json")
    assert len(every.json["people"]) == 3
    spoken = sent.call("verify", "1", "--people", "bounced")
    assert ("gone@example.org" in spoken.out, "anna" in spoken.out) == (True, False)


def test_what_verify_cannot_mean_is_said(sent: Desk) -> None:
    for arguments in (("--people", "all"), ("1", "--people", "lost"), ("7",), ("99999999999",)):
        done = sent.call("verify", *arguments)
        assert (done.code, done.out) == (2, ""), arguments
        assert done.complaint.startswith("digest: ")


def test_books_that_do_not_balance_fail(sent: Desk) -> None:
    by_hand(sent, "DELETE FROM deliveries WHERE state = 'sent'")
    done = sent.call("verify", "--json")
    assert (done.code, done.json["balanced"], done.json["editions"][0]["balanced"]) == (
        1,
        False,
        False,
    )
    assert "edition 1" in done.complaint
    spoken = sent.call("verify", "1")
    assert (spoken.code, "WRONG" in spoken.out) == (1, True)


def test_what_is_under_way_is_counted(sent: Desk) -> None:
    by_hand(sent, "UPDATE deliveries SET state = 'claimed', owner = 'w' WHERE state = 'sent'")
    by_hand(sent, "UPDATE deliveries SET state = 'dotted', owner = 'w' WHERE state = 'deferred'")
    done = sent.call("verify", "1", "--json")
    assert [done.json[key] for key in ("sent", "queued", "uncertain", "bounced")] == [0, 1, 1, 1]
    assert done.json["balanced"] is True


def test_an_empty_house_balances(desk: Desk, site: Site) -> None:
    desk.set_up(site.feed("/feed", *recent("Eins")))
    done = desk.call("verify", "--json")
    assert (done.code, done.json["candidates"], done.json["balanced"]) == (0, 0, True)
    assert desk.call("verify").code == 0


def test_status_tells_what_came_back_and_what_is_closed(sent: Desk) -> None:
    stock = sent.call("status", "--json").json
    assert stock["bounces_last_7_days"]["gone"] == 1
    assert stock["suppressed"] == {"bounced": 1}
    assert (stock["pauses"], stock["slow_domains"], stock["relay_error"]) == ([], [], None)
    spoken = sent.call("status").out
    assert "Bounces of 7 days: 1 gone" in spoken
    assert "Addresses closed to us: 1 bounced" in spoken


def test_a_relay_that_refuses_the_sender_pauses_and_says_why(
    desk: Desk, site: Site, relay: Relay
) -> None:
    desk.set_up(site.feed("/feed", *recent("Eins")), smtp_port=relay.port, smtp_connections=1)
    desk.admit("anna", "ben", "carl")
    for name in ("anna", "ben", "carl"):
        relay.at_rcpt[f"{name}@example.org"] = "550 5.7.1 [red]listed[/red]"
    desk.call("send")
    assert len(relay.asked) == 1
    stock = desk.call("status", "--json").json
    (pause,) = stock["pauses"]
    assert (pause["scope"], pause["name"], pause["kind"]) == ("domain", "example.org", "blocked")
    assert "550 5.7.1 [red]listed[/red]" in pause["cause"]
    assert pause["until_utc"] is not None
    assert stock["suppressed"] == {}
    spoken = desk.call("status").out
    assert "[red]listed[/red]" in spoken
    assert "`digest resume example.org`" in spoken
    relay.at_rcpt.clear()
    assert "goes on" in desk.call("resume", "example.org").err
    assert "not paused" in desk.call("resume", "example.org").err
    desk.call("send")
    assert len(relay.mails) == 3
    assert desk.call("verify").code == 0


def test_an_operator_pauses_resumes_and_gives_up(desk: Desk, site: Site, relay: Relay) -> None:
    desk.set_up(site.feed("/feed", *recent("Eins")), smtp_port=relay.port, smtp_connections=1)
    desk.admit("anna", "ben")
    desk.call("pause", "example.org", "--reason", "not [b]today[/b]")
    desk.call("send")
    assert relay.mails == []
    assert "not [b]today[/b]" in desk.call("status").out
    paused = desk.call("pause", "1")
    assert (paused.code, paused.out, "digest resume 1" in paused.err) == (0, "", True)
    kinds = [each["scope"] for each in desk.call("status", "--json").json["pauses"]]
    assert kinds == ["domain", "edition"]
    given_up = desk.call("abandon", "1")
    assert (given_up.code, "2 mails given up" in given_up.err) == (0, True)
    books = desk.call("verify", "1", "--json").json
    assert (books["expired"], books["balanced"]) == (2, True)
    desk.call("resume", "example.org")
    desk.call("send")
    assert relay.mails == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("pause", "7"),
        ("resume", "7"),
        ("abandon", "7"),
        ("pause", "gmx"),
        ("resume", "a@b.example"),
    ],
)
def test_what_cannot_be_paused_is_said(desk: Desk, site: Site, arguments: tuple[str, ...]) -> None:
    desk.set_up(site.feed("/feed", *recent("Eins")))
    done = desk.call(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "edition" in done.complaint
