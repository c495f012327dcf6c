"""What comes back goes the whole way: from the return path of a real message to the books."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP
from dovecot import PASSWORD, Dovecot, dovecot
from loopback import Relay, Site, recent, running
from returned_mails import bounce, complaint, letter, vacation
from shell import Desk

DOMAIN = "bounces.stadtblatt.example"
READERS = ("anna", "bert", "carla", "dora", "emil")


@dataclass
class Sorter(Relay):
    """A relay that notes where each message's bounces are to go."""

    paths: dict[str, str] = field(default_factory=dict)

    async def handle_DATA(  # noqa: N802 -- the library's name
        self, server: SMTP, session: Any, envelope: Any
    ) -> str:
        self.paths[envelope.rcpt_tos[0].partition("@")[0]] = envelope.mail_from
        return await super().handle_DATA(server, session, envelope)


@pytest.fixture
def relay() -> Iterator[Sorter]:
    with running(Sorter()) as one:
        assert isinstance(one, Sorter)
        yield one


@pytest.fixture
def server() -> Iterator[Dovecot]:
    with dovecot() as one:
        yield one


def desk_with(folder: Path, site: Site, relay: Relay, mailbox: str) -> Desk:
    desk = Desk(folder)
    desk.set_up(
        site.feed("/feed", *recent("Eins", "Zwei")),
        smtp_port=relay.port,
        bounce_domain=DOMAIN,
        bounce_mailbox=mailbox,
    )
    return desk


def show(desk: Desk, name: str) -> dict[str, Any]:
    document = desk.call("subscribers", "show", f"{name}@example.org", "--json").json
    assert isinstance(document, dict)
    return document


def state(desk: Desk, name: str) -> str:
    return str(show(desk, name)["subscriptions"][0]["state"])


def mailed_unsubscribe(relay: Relay, name: str) -> str:
    """The second address in List-Unsubscribe."""
    (mail,) = relay.to(f"{name}@example.org")
    found = re.search(r"<mailto:([^>?]+)", str(mail.message["List-Unsubscribe"]))
    assert found
    return found[1]


def test_what_comes_back_over_imap_changes_whom_the_next_edition_goes_to(
    tmp_path: Path, site: Site, relay: Sorter, server: Dovecot
) -> None:
    desk = desk_with(tmp_path, site, relay, server.url())
    desk.admit(*READERS)
    assert desk.call("send", "--json").json["sent"] == 5
    to = relay.paths
    assert all(re.fullmatch(rf"b\+[a-z2-7]{{42}}@{DOMAIN}", each) for each in to.values())
    returned = f"Return-Path: <{to['carla']}>"
    server.deliver(
        # some servers write what they are given in capitals
        bounce(to["anna"].upper(), "anna@example.org"),
        bounce(to["bert"], "bert@example.org", status="4.2.2", said="452 4.2.2 full"),
        complaint("feedback@stadtblatt.example", returned=returned),
        letter(mailed_unsubscribe(relay, "dora"), "Unsubscribe", sender="D <else@y.example>"),
        vacation(to["emil"]),
        letter(f"post@{DOMAIN}", "Guten Tag"),
    )
    dry = desk.call("bounces", "process", "--dry-run", "--json").json
    done = desk.call("bounces", "process", "--json")
    assert done.err == ""
    assert (
        done.json
        == dry
        == {
            "read": 6,
            "bounced": 2,
            "complaints": 1,
            "unsubscribed": 1,
            "delayed": 0,
            "autoreplies": 1,
            "unknown": 1,
            "nothing": 0,
            "suppressed": 2,
            "errors": 0,
        }
    )
    assert (len(server.held("Processed")), len(server.held("Unknown"))) == (5, 1)
    assert [state(desk, name) for name in READERS] == [
        "active",
        "active",
        "unsubscribed",
        "unsubscribed",
        "active",
    ]
    # the books still balance
    books = desk.call("verify", "--json").json
    assert (books["sent"], books["bounced"], books["balanced"]) == (3, 2, True)
    # once more, nothing is left to do
    again = desk.call("bounces", "process")
    assert (again.code, again.err) == (0, "The bounce mailbox is empty.\n")
    relay.mails.clear()
    site.feed("/feed", *recent("Drei"))
    assert desk.call("send", "--json").json["sent"] == 2
    assert relay.got == ["bert@example.org", "emil@example.org"]


def test_the_service_reads_its_maildir(tmp_path: Path, site: Site, relay: Sorter) -> None:
    box = tmp_path / "box"
    for each in ("tmp", "new", "cur"):
        (box / each).mkdir(parents=True)
    desk = desk_with(tmp_path, site, relay, "maildir:box")
    desk.admit("anna")
    assert desk.call("send", "--json").json["sent"] == 1
    mail = bounce(relay.paths["anna"], "anna@example.org")
    (box / "new" / "1700000000.a.host").write_bytes(mail)
    service = desk.start("serve", "--no-web", "--no-delivery")
    try:
        until = time.monotonic() + 20
        while not (box / ".Processed" / "new" / "1700000000.a.host").exists():
            assert time.monotonic() < until
            assert service.poll() is None
            time.sleep(0.05)
        service.send_signal(signal.SIGTERM)
        _, err = service.communicate(timeout=15)
    finally:
        service.kill()
        service.communicate()
    assert service.returncode == 0
    assert "Traceback" not in err
    assert desk.call("verify", "--json").json["bounced"] == 1


@pytest.mark.parametrize(
    ("mailbox", "said"),
    [
        ("", "DIGEST_BOUNCE_MAILBOX is not set: write maildir:/path or imaps://"),
        ("pop3://user:sesame@mail.example/", "DIGEST_BOUNCE_MAILBOX cannot be used: write"),
        ("imaps://user:se/same@mail.example/", "DIGEST_BOUNCE_MAILBOX cannot be used: it is no"),
        ("maildir:nowhere", "nowhere is no Maildir that we may read"),
        ("imap://user:sesame@127.0.0.1:1/", "imap://127.0.0.1:1/INBOX: "),
    ],
)
def test_a_mailbox_that_cannot_be_opened_is_told_in_one_line(
    tmp_path: Path, mailbox: str, said: str
) -> None:
    desk = Desk(tmp_path)
    desk.set_up("http://127.0.0.1:1/feed", bounce_mailbox=mailbox)
    done = desk.call("bounces", "process", "--json")
    assert (done.code, done.out) == (1, "")
    assert said in done.complaint
    assert "same" not in done.complaint


def test_a_person_reads_what_was_done(tmp_path: Path, server: Dovecot) -> None:
    desk = Desk(tmp_path)
    desk.set_up("http://127.0.0.1:1/feed", bounce_mailbox=server.url())
    server.deliver(vacation("x@y.example"), letter("x@y.example", "Hallo"))
    done = desk.call("bounces", "process", "--dry-run")
    assert done.err.splitlines() == [
        "2 mails read: 1 autoreplies, 1 unknown.",
        "Nothing was changed or moved.",
    ]
    assert len(server.held()) == 2


def test_ctrl_c_ends_it_in_order(tmp_path: Path, server: Dovecot) -> None:
    desk = Desk(tmp_path)
    desk.set_up("http://127.0.0.1:1/feed", bounce_mailbox=server.url())
    server.deliver(*[letter("x@y.example", "Hallo") for _ in range(2_000)])
    process = desk.start("bounces", "process", "--json")
    try:
        until = time.monotonic() + 30
        while not server.held("Unknown"):
            assert time.monotonic() < until
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, err) == (0, "")
    read = json.loads(out)["read"]
    assert 0 < read < 2_000
    assert (len(server.held("Unknown")), len(server.held())) == (read, 2_000 - read)
    assert PASSWORD not in out + err
