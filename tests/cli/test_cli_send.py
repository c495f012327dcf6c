"""From subscribing to sending, with the real command, a real site and a real mail server."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import pytest
from loopback import Relay, Site, free_port, recent, running
from shell import Desk

#: what scripts may rely on
KEYS = ("edition", "articles", "recipients", "sent", "deferred", "bounced", "uncertain", "skipped")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def set_up(desk: Desk, site: Site, port: int, *titles: str, **settings: object) -> None:
    desk.set_up(site.feed("/feed", *recent(*titles)), smtp_port=port, **settings)


def counts(document: dict[str, Any]) -> list[Any]:
    """The numbers of the contract, in its order, without the edition's own."""
    assert set(KEYS) <= set(document)
    return [document[key] for key in KEYS[1:]]


def people(desk: Desk) -> dict[str, Any]:
    """What `status` knows of people and queue, and nothing that a poll changes."""
    stock = desk.call("status", "--json").json
    (paper,) = stock["newsletters"]
    return {**paper, **stock["queue"]}


# --------------------------------------------------------------- send


def test_a_send_reaches_every_reader_once_and_the_next_finds_nothing_new(
    desk: Desk, site: Site, relay: Relay
) -> None:
    set_up(desk, site, relay.port, "Eins", "Zwei", "Drei")
    desk.admit("anna", "ben")
    first = desk.run("send", "--json")
    assert (first.code, first.err) == (0, "")
    assert isinstance(first.json["edition"], int)
    assert counts(first.json) == [3, 2, 2, 0, 0, 0, 0]
    assert relay.got == ["anna@example.org", "ben@example.org"]
    second = desk.run("send", "--json")
    assert (second.code, second.json["edition"]) == (0, None)
    assert counts(second.json) == [0, 0, 0, 0, 0, 0, 0]
    spoken = desk.call("send")
    assert (spoken.code, spoken.out, "Nothing new" in spoken.err) == (0, "", True)
    assert len(relay.mails) == 2
    assert desk.call("status", "--json").json["newsletters"][0]["last_edition"] == 1


def test_a_dry_run_sends_and_stores_nothing(desk: Desk, site: Site, relay: Relay) -> None:
    set_up(desk, site, relay.port, "Eins", "Zwei")
    desk.admit("anna")
    before = people(desk)
    dry = desk.run("send", "--dry-run", "--json")
    assert (dry.code, dry.json["edition"]) == (0, None)
    assert counts(dry.json) == [2, 1, 0, 0, 0, 0, 0]
    assert (people(desk), relay.mails) == (before, [])
    assert counts(desk.call("send", "--json").json) == [2, 1, 1, 0, 0, 0, 0]


def test_a_test_is_marked_and_leaves_no_trace(desk: Desk, site: Site, relay: Relay) -> None:
    set_up(desk, site, relay.port, "Eins", "Zwei")
    desk.admit("anna", "ben")
    before = people(desk)
    test = desk.run("send", "--to=chef@example.org", "--to", "anna@example.org", "--json")
    assert (test.code, test.json["edition"]) == (0, None)
    assert counts(test.json) == [2, 2, 2, 0, 0, 0, 0]
    assert relay.got == ["anna@example.org", "chef@example.org"]
    assert all(mail.message["Subject"].startswith("[Test] ") for mail in relay.mails)
    assert people(desk) == before
    real = desk.call("send", "--json")
    assert counts(real.json) == [2, 2, 2, 0, 0, 0, 0]
    assert relay.copies["anna@example.org"] == 2
    assert not relay.mails[-1].message["Subject"].startswith("[Test]")
    # a test of what everybody has by now shows the last edition
    again = desk.call("send", "--to=chef@example.org", "--json")
    assert counts(again.json) == [2, 1, 1, 0, 0, 0, 0]


def test_each_rhythm_has_its_own_edition(desk: Desk, site: Site, relay: Relay) -> None:
    set_up(desk, site, relay.port, "Eins")
    desk.admit("dora")
    desk.admit("wanda", frequency="weekly")
    weekly = desk.call("send", "--frequency", "weekly", "--json")
    assert (counts(weekly.json)[1:3], relay.got) == ([1, 1], ["wanda@example.org"])
    both = desk.call("send", "--json")
    assert (counts(both.json)[1:3], relay.got) == (
        [1, 1],
        ["dora@example.org", "wanda@example.org"],
    )


def test_refusals_are_counted_and_nobody_is_forgotten(desk: Desk, site: Site, relay: Relay) -> None:
    set_up(desk, site, relay.port, "Eins")
    desk.admit("anna", "gone", "late", "odd")
    relay.at_rcpt = {
        "gone@example.org": "550 5.1.1 no such user",
        "late@example.org": "450 4.2.1 try again",
    }
    relay.at_dot = {"odd@example.org": ""}
    done = desk.call("send", "--json")
    assert (done.code, counts(done.json)) == (0, [1, 4, 1, 1, 1, 1, 0])
    queue = desk.call("status", "--json").json["queue"]
    assert [queue[name] for name in ("sent", "deferred", "bounced", "uncertain")] == [1, 1, 1, 1]


def test_a_relay_that_is_away_loses_nothing(desk: Desk, site: Site) -> None:
    port = free_port()
    set_up(desk, site, port, "Eins")
    desk.admit(*(f"r{n}" for n in range(9)))
    away = desk.run("send", "--json")
    assert away.code == 1
    assert f"127.0.0.1:{port}" in away.complaint
    assert counts(away.json) == [1, 9, 0, 0, 0, 0, 0]
    test = desk.call("send", "--to=chef@example.org")
    assert (test.code, test.out, "127.0.0.1" in test.complaint) == (1, "", True)
    assert desk.call("status", "--json").json["queue"]["queued"] == 9
    with running(Relay(), port=port) as relay:
        back = desk.run("send", "--json")
        assert (back.code, counts(back.json)) == (0, [1, 9, 9, 0, 0, 0, 0])
        assert relay.got == sorted(f"r{n}@example.org" for n in range(9))


def test_an_away_relay_leaves_the_confirm_mail_to_the_next_send(desk: Desk, site: Site) -> None:
    port = free_port()
    set_up(desk, site, port)
    asked = desk.call("subscribe", "new@example.org")
    assert (asked.code, "waits" in asked.err) == (0, True)
    with running(Relay(), port=port) as relay:
        done = desk.call("send", "--json")
        assert (done.code, counts(done.json)) == (0, [0, 0, 0, 0, 0, 0, 0])
        assert relay.got == ["new@example.org"]


def test_feeds_that_all_fail_are_a_failure(desk: Desk, site: Site, relay: Relay) -> None:
    desk.set_up(site.url + "/missing", smtp_port=relay.port)
    desk.admit("anna")
    done = desk.call("send", "--json")
    assert (done.code, done.json["edition"], relay.mails) == (1, None, [])
    assert done.complaint


def test_no_gather_asks_no_site(desk: Desk, site: Site, relay: Relay) -> None:
    set_up(desk, site, relay.port, "Eins")
    desk.admit("anna")
    assert desk.call("send", "--no-gather", "--json").json["edition"] is None
    assert (site.asked, relay.mails) == ([], [])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_send_that_is_asked_to_stop_ends_in_order(
    desk: Desk, site: Site, relay: Relay, number: signal.Signals
) -> None:
    set_up(desk, site, relay.port, "Eins", smtp_connections=2)
    everybody = [f"r{n:02d}" for n in range(24)]
    desk.admit(*everybody)
    relay.delay = 0.2
    running_send = desk.start("send", "--json")
    relay.wait(5)
    running_send.send_signal(number)
    asked = time.monotonic()
    out, err = running_send.communicate(timeout=20)
    assert time.monotonic() - asked < 5
    assert (running_send.returncode, "stopped in order" in err) == (1, True)
    assert "Traceback" not in err
    sent = len(relay.mails)
    assert sent < 24
    assert f'"sent": {sent}' in out
    queue = desk.call("status", "--json").json["queue"]
    assert (queue["uncertain"], queue["claimed"], queue["dotted"]) == (0, 0, 0)
    assert (queue["sent"], queue["queued"]) == (sent, 24 - sent)
    relay.delay = 0
    rest = desk.call("send", "--json")
    assert (rest.code, rest.json["sent"]) == (0, 24 - sent)
    assert relay.got == [f"{each}@example.org" for each in everybody]


def test_an_impatient_operator_ends_at_once_and_the_next_run_goes_on(
    desk: Desk, site: Site, relay: Relay
) -> None:
    set_up(desk, site, relay.port, "Eins", smtp_connections=1)
    desk.admit("anna", "ben")
    relay.delay = 30
    sending = desk.start("send")
    relay.wait(1)
    sending.send_signal(signal.SIGINT)
    time.sleep(0.2)
    sending.send_signal(signal.SIGINT)
    _, err = sending.communicate(timeout=10)
    assert (sending.returncode, "Traceback" in err) == (130, False)
    relay.delay = 0
    assert desk.call("send", "--json").json["waiting"] == 0
    # the one under way cost a copy with the same identity, the other one came once
    assert sorted(relay.copies.values()) == [1, 2]
    assert len({mail.message_id for mail in relay.mails}) == 2


# --------------------------------------------------------------- preview


def test_a_preview_shows_the_edition_and_leaves_no_trace(
    desk: Desk, site: Site, relay: Relay, tmp_path: Path
) -> None:
    set_up(desk, site, relay.port, "Eins & Zwei", "Drei")
    desk.admit("anna")
    before = people(desk)
    done = desk.run("preview", "--out", "out", "--json")
    assert (done.code, done.err) == (0, "")
    assert [each["title"] for each in done.json["articles"]] == ["Eins & Zwei", "Drei"]
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == [
        "edition.html",
        "edition.json",
        "edition.txt",
        "preview.html",
    ]
    page = (tmp_path / "out" / "edition.html").read_text(encoding="utf-8")
    assert "Eins &amp; Zwei" in page
    assert "{{" not in page
    as_anna = desk.call("preview", "--as", "anna@example.org")
    as_nobody = desk.call("preview")
    assert (as_anna.code, as_nobody.code) == (0, 0)
    assert "Eins & Zwei" in as_anna.out
    assert as_anna.out != as_nobody.out
    assert (people(desk), relay.mails) == (before, [])
    (tmp_path / "file").write_text("in the way")
    blocked = desk.call("preview", "--out", "file")
    assert (blocked.code, blocked.out, "file" in blocked.complaint) == (1, "", True)
    stranger = desk.call("preview", "--as", "nobody@example.org")
    assert (stranger.code, "nobody@example.org" in stranger.complaint) == (2, True)
    desk.call("send")
    nothing = desk.call("preview", "--json")
    assert (nothing.code, nothing.json) == (0, None)


# --------------------------------------------------------------- people


def test_people_come_are_shown_and_leave(desk: Desk, site: Site, relay: Relay) -> None:
    set_up(desk, site, relay.port)
    asked = desk.run("subscribe", "new@example.org", "--language", "en")
    assert (asked.code, asked.out) == (0, "")
    (mail,) = relay.mails
    assert mail.to == "new@example.org"
    assert "/confirm/" in mail.link("confirm")
    assert desk.call("subscribe", "new@example.org").code == 0
    assert len(relay.mails) == 1
    joined = desk.call("subscribe", "anna@example.org", "--confirmed", "--frequency", "weekly")
    assert (joined.code, joined.out) == (0, "")
    listed = {each["address"]: each for each in desk.call("subscribers", "list", "--json").json}
    assert listed["new@example.org"]["state"] == "pending"
    assert listed["anna@example.org"]["state"] == "active"
    assert listed["anna@example.org"]["frequency"] == "weekly"
    shown = desk.run("subscribers", "show", "anna@example.org", "--json")
    assert (shown.code, shown.err) == (0, "")
    (subscription,) = shown.json["subscriptions"]
    assert [each["kind"] for each in subscription["consent"]] == ["operator"]
    assert desk.call("unsubscribe", "Anna@Example.org").code == 0
    (subscription,) = desk.call("subscribers", "show", "anna@example.org", "--json").json[
        "subscriptions"
    ]
    assert subscription["state"] == "unsubscribed"
    assert [each["kind"] for each in subscription["consent"]] == ["operator", "unsubscribed"]
    for command in (("unsubscribe",), ("subscribers", "show")):
        unknown = desk.call(*command, "nobody@example.org")
        assert (unknown.code, unknown.out, "nobody" in unknown.complaint) == (1, "", True)
    spoken = desk.call("subscribers", "list").out
    assert "anna@example.org" in spoken
    assert "new@example.org" in spoken


# --------------------------------------------------------------- other people's templates


def test_a_broken_template_is_one_line_and_costs_nothing(
    desk: Desk, site: Site, relay: Relay, tmp_path: Path
) -> None:
    set_up(desk, site, relay.port, "Eins")
    desk.admit("anna")
    theme = tmp_path / "templates" / "editions" / "plain"
    theme.mkdir(parents=True)
    (theme / "body.html").write_text("{% if %}")
    broken = desk.call("send", "--json")
    assert (broken.code, broken.out, "body.html" in broken.complaint) == (1, "", True)
    (theme / "body.html").unlink()
    assert counts(desk.call("send", "--json").json) == [1, 1, 1, 0, 0, 0, 0]
    assert relay.got == ["anna@example.org"]
