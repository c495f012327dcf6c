"""The three walks of the house, from one end to the other, through the real service."""

from __future__ import annotations

import asyncio
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from loopback import Page, Relay, Site, free_port, recent
from shell import Desk

from digest.app import open_app, utc_now
from digest.jobs.publish import publish_due
from digest.settings import read_settings


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def desk(tmp_path: Path, site: Site, relay: Relay, port: int) -> Desk:
    desk = Desk(tmp_path)
    desk.set_up(
        site.feed("/feed", *recent("Eins", "Zwei")),
        smtp_port=relay.port,
        public_url=f"http://127.0.0.1:{port}",
    )
    return desk


@contextmanager
def serving(desk: Desk, port: int, *options: str) -> Iterator[httpx.Client]:
    """A visitor of the service; at the end it is asked to stop, and ends in order."""
    process = desk.start("serve", f"--port={port}", *options)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            _await(client, process)
            yield client
        process.terminate()
        out, err = process.communicate(timeout=15)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, out) == (0, ""), err
    assert "Traceback" not in err
    assert "digest is up" in err


def _await(client: httpx.Client, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and process.poll() is None:
        try:
            if client.get("/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    process.kill()
    raise AssertionError(process.communicate())


def begin_yesterday(folder: Path) -> None:
    """The service ran until yesterday: since then a slot of its clock has come."""

    async def begin() -> None:
        async with open_app(
            read_settings(), clock=lambda: utc_now() - timedelta(hours=25)
        ) as world:
            assert await publish_due(world, world.newsletters[0]) == []

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        asyncio.run(begin())


def state(desk: Desk, address: str) -> str:
    found = desk.call("subscribers", "show", address, "--json").json["subscriptions"]
    return str(found[0]["state"])


def one_click(mail_header: str) -> str:
    found = re.fullmatch(r"<(http[^>]+)>(?:, *<mailto:[^>]+>)?", mail_header)
    assert found, mail_header
    return found[1]


def test_one_article_goes_from_its_feed_to_a_reader_and_into_the_archive(
    desk: Desk, relay: Relay, port: int
) -> None:
    desk.admit("anna")
    begin_yesterday(desk.folder)
    with serving(desk, port) as client:
        relay.wait(1)
        (mail,) = relay.to("anna@example.org")
        assert "Eins" in mail.message["Subject"]
        assert "https://stadtblatt.example/zwei" in mail.text
        page = client.get(mail.link("archive").replace("/archive/stadtblatt", "/archive"))
        assert page.status_code == 200
        past = client.get("/archive/stadtblatt/1")
        assert (past.status_code, "Zwei" in past.text) == (200, True)
        assert "anna" not in past.text
        assert client.get("/readyz").status_code == 200
    # what the clock sent is not sent again by hand
    assert desk.call("send", "--json").json["edition"] is None
    assert relay.got == ["anna@example.org"]


def test_one_address_comes_confirms_reads_and_leaves_with_one_click(
    desk: Desk, site: Site, relay: Relay, port: int
) -> None:
    with serving(desk, port, "--no-schedule") as client:
        for number, name in enumerate(("anna", "ben"), start=1):
            form = {"email": f"{name}@example.org", "newsletter": "stadtblatt", "language": "de"}
            assert client.post("/subscribe", data=form).status_code == 200
            relay.wait(number)
        links = [relay.to(f"{name}@example.org")[0].link("confirm") for name in ("anna", "ben")]
        for link in links:
            for _ in range(2):
                assert client.get(link).status_code == 200
            assert client.head(link).status_code in (200, 405)
        assert state(desk, "anna@example.org") == "pending"
        for link in links:
            assert client.post(link).status_code == 200
        assert state(desk, "anna@example.org") == "active"

        site.feed("/feed", *recent("Drei"))
        assert desk.call("send", "--json").json["sent"] == 2
        assert relay.got == ["anna@example.org"] * 2 + ["ben@example.org"] * 2
        headers = [relay.to(f"{name}@example.org")[-1].message for name in ("anna", "ben")]
        assert {each["List-Unsubscribe-Post"] for each in headers} == {"List-Unsubscribe=One-Click"}
        anna, ben = (one_click(each["List-Unsubscribe"]) for each in headers)
        assert client.get(anna).status_code == 200
        assert state(desk, "anna@example.org") == "active"
        left = client.post(anna, data={"List-Unsubscribe": "One-Click"})
        assert (left.status_code, left.history, "set-cookie" in left.headers) == (200, [], False)
        left = client.post(ben, files={"List-Unsubscribe": (None, "One-Click")})
        assert (left.status_code, left.history, "set-cookie" in left.headers) == (200, [], False)
        assert state(desk, "anna@example.org") == state(desk, "ben@example.org") == "unsubscribed"

        site.feed("/feed", *recent("Vier"))
        assert desk.call("send", "--json").json["sent"] == 0
        assert len(relay.mails) == 4
        # a link of before brings nobody back
        assert client.post(links[0]).status_code != 200
        assert state(desk, "anna@example.org") == "unsubscribed"


def test_one_delivery_is_deferred_waits_and_arrives(desk: Desk, relay: Relay, port: int) -> None:
    desk.admit("anna", "late")
    relay.at_rcpt = {"late@example.org": "450 4.2.1 try again"}
    with serving(desk, port, "--no-schedule"):
        begin_yesterday(desk.folder)
        assert desk.call("send", "--json").json["deferred"] == 1
        relay.at_rcpt = {}
        time.sleep(0.5)  # not at once: its time has not come
        assert relay.got == ["anna@example.org"]
        _move_up(desk.folder)
        relay.wait(2)
    assert relay.got == ["anna@example.org", "late@example.org"]


def _move_up(folder: Path) -> None:
    """Let the minutes pass for whoever waits."""
    import sqlite3  # noqa: PLC0415 -- beside its one use

    connection = sqlite3.connect(folder / "digest.db", timeout=10)
    with connection:
        connection.execute("UPDATE deliveries SET due_at = created_at WHERE state = 'deferred'")
    connection.close()


def test_a_service_that_is_asked_to_stop_waits_for_replies_but_for_no_slow_site(
    desk: Desk, site: Site, relay: Relay, port: int
) -> None:
    names = [f"r{number:02d}" for number in range(12)]
    desk.admit(*names)
    begin_yesterday(desk.folder)
    relay.delay = 0.4
    with serving(desk, port):
        relay.wait(1)
        site.pages["/feed"] = Page(delay=3)
    sent = len(relay.mails)
    queue = desk.call("status", "--json").json["queue"]
    assert (queue["sent"], queue["queued"]) == (sent, 12 - sent)
    assert 0 < sent < 12
    assert sum(queue.values()) == 12


def test_a_service_with_a_hanging_feed_ends_at_once(desk: Desk, site: Site, port: int) -> None:
    site.pages["/feed"] = Page(delay=4)
    with serving(desk, port):
        time.sleep(0.5)
        assert site.asked == ["/feed"]
        asked = time.monotonic()
    assert time.monotonic() - asked < 3


def test_a_port_that_is_taken_is_one_line(desk: Desk, relay: Relay) -> None:
    done = desk.call("serve", f"--port={relay.port}")
    assert (done.code, "--port" in done.complaint) == (1, True)
