"""A backup is made, much happens, the backup is put back: with the real command and real files."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from backups import Backup, back_up
from loopback import Relay, Site, recent
from shell import Desk


@pytest.fixture
def desk(tmp_path: Path, site: Site, relay: Relay) -> Desk:
    desk = Desk(tmp_path)
    desk.set_up(
        site.feed("/feed", *recent("Eins")), smtp_port=relay.port, smtp_connections=1, **_PLACES
    )
    return desk


_PLACES = {"database_url": "sqlite:///digest.db", "journal": "digest.journal"}


def copied(desk: Desk) -> Backup:
    return asyncio.run(back_up(f"sqlite:///{desk.folder}/digest.db"))


def put_back(backup: Backup, relay: Relay) -> None:
    asyncio.run(backup.restore())
    relay.mails.clear()


def pauses(desk: Desk) -> list[tuple[str, str]]:
    found = desk.call("status", "--json").json["pauses"]
    return [(each["kind"], each["name"]) for each in found]


def state(desk: Desk, name: str) -> str:
    shown: Any = desk.call("subscribers", "show", f"{name}@example.org", "--json").json
    return str(shown["subscriptions"][0]["state"])


def send(desk: Desk) -> int:
    done = desk.call("send", "--frequency=daily", "--json")
    return int(done.json["sent"])


def test_a_backup_that_is_put_back_sends_nothing_unasked_and_lets_nobody_in_who_left(
    desk: Desk, site: Site, relay: Relay
) -> None:
    desk.admit("anna", "ben", "clara", "dora")
    relay.at_rcpt["clara@example.org"] = "421 4.3.2 closing down"
    desk.call("send", "--frequency=daily")
    assert relay.got == ["anna@example.org", "ben@example.org"]
    backup = copied(desk)

    relay.at_rcpt.clear()
    site.feed("/feed", *recent("Zwei", "Eins"))
    assert send(desk) == 6  # the rest of the first, and the second
    assert desk.call("unsubscribe", "ben@example.org").code == 0
    put_back(backup, relay)

    assert send(desk) == 0
    assert relay.got == []
    assert pauses(desk) == [("restored", "1")]
    assert state(desk, "ben") == "unsubscribed"

    site.feed("/feed", *recent("Drei", "Zwei", "Eins"))
    assert send(desk) == 3
    assert relay.got == ["anna@example.org", "clara@example.org", "dora@example.org"]
    assert {"Drei" in mail.text and "Zwei" not in mail.text for mail in relay.mails} == {True}

    relay.mails.clear()
    assert desk.call("resume", "1").code == 0
    assert send(desk) == 2
    assert relay.got == ["clara@example.org", "dora@example.org"]
    assert pauses(desk) == []


def test_a_journal_that_cannot_be_used_is_one_line(desk: Desk) -> None:
    (desk.folder / "digest.journal").mkdir()
    done = desk.call("send")
    assert done.code == 1
    assert "DIGEST_JOURNAL" in done.complaint


def test_another_database_is_not_sent_from_with_this_journal(desk: Desk, relay: Relay) -> None:
    desk.admit("anna")
    assert send(desk) == 1
    (desk.folder / "digest.db").unlink()
    done = desk.call("send")
    assert (done.code, "another database" in done.complaint) == (1, True)
    assert relay.got == ["anna@example.org"]


def test_an_empty_setting_keeps_none(desk: Desk) -> None:
    desk.admit("anna")
    (desk.folder / "digest.journal").unlink()
    done = desk.call("send", "--frequency=daily", DIGEST_JOURNAL="")
    assert done.code == 0
    assert not (desk.folder / "digest.journal").exists()
