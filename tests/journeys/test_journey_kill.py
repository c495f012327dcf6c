"""Whole processes killed while they send: nobody is lost, and a kill costs few copies or none."""

from __future__ import annotations

import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from loopback import Relay, Site, recent, running, serving_site
from shell import Desk

pytestmark = pytest.mark.kill

CONNECTIONS = 4
PEOPLE = [f"r{number:02d}" for number in range(36)]
EVERYBODY = [f"{name}@example.org" for name in PEOPLE]


@pytest.fixture
def site() -> Iterator[Site]:
    with serving_site() as one:
        yield one


@pytest.fixture
def relay() -> Iterator[Relay]:
    with running(Relay(delay=0.02)) as one:
        yield one


@pytest.fixture
def desk(tmp_path: Path, site: Site, relay: Relay, database_url: str) -> Desk:
    """A newsletter with news and readers, on each kind of database."""
    desk = Desk(tmp_path)
    desk.set_up(
        site.feed("/feed", *recent("Eins", "Zwei")),
        smtp_port=relay.port,
        smtp_connections=CONNECTIONS,
        database_url=database_url,
    )
    desk.admit(*PEOPLE)
    return desk


def send_and_die(desk: Desk, relay: Relay, dies: Callable[[subprocess.Popen[str]], None]) -> int:
    """Run `digest send`, whose death `dies` arranges; 1 if it was killed, 0 if it came too late."""
    with desk.start("send") as process:
        try:
            dies(process)
            _, err = process.communicate(timeout=30)
        finally:
            process.kill()
            relay.calm()
    assert "Traceback" not in err
    assert process.returncode in (0, -signal.SIGKILL), err
    return int(process.returncode == -signal.SIGKILL)


def after_seconds(seconds: float) -> Callable[[subprocess.Popen[str]], None]:
    def arrange(process: subprocess.Popen[str]) -> None:
        time.sleep(seconds)
        process.kill()

    return arrange


def at_feed(site: Site, seconds: float) -> Callable[[subprocess.Popen[str]], None]:
    """So long after the feed was asked: while articles are kept and the edition is written."""

    def arrange(process: subprocess.Popen[str]) -> None:
        timer = threading.Timer(seconds, process.kill)
        site.on_asked = lambda _: timer.start()
        process.wait(timeout=30)
        site.on_asked = lambda _: None
        timer.join()

    return arrange


def at_message(relay: Relay, number: int) -> Callable[[subprocess.Popen[str]], None]:
    """When the relay took this many more messages, and before it says so."""

    def arrange(process: subprocess.Popen[str]) -> None:
        target = len(relay.mails) + number
        relay.on_taken = lambda count: process.kill() if count >= target else None

    return arrange


def at_recipient(relay: Relay, number: int) -> Callable[[subprocess.Popen[str]], None]:
    """When so many more recipients were named: after the claim, before the dot."""

    def arrange(process: subprocess.Popen[str]) -> None:
        target = len(relay.asked) + number
        relay.on_rcpt = lambda _: process.kill() if len(relay.asked) >= target else None

    return arrange


def finish(desk: Desk, **environment: str) -> dict[str, Any]:
    """Send until there is nothing left to send; the queue then."""
    for _ in range(4):
        done = desk.call("send", "--json", **environment)
        assert done.code == 0, done.err
        if done.json["edition"] is None:
            queue: dict[str, Any] = desk.call("status", "--json").json["queue"]
            return queue
    raise AssertionError(done.out)


def check_identities(relay: Relay) -> None:
    """However many copies there are, a person's message is one message."""
    ids = {(mail.to, mail.message_id) for mail in relay.mails}
    assert len(ids) == len({to for to, _ in ids}) == len({each for _, each in ids})


def test_kills_lose_nobody_and_cost_few_copies(desk: Desk, site: Site, relay: Relay) -> None:
    chance = random.Random(20261123)  # noqa: S311 -- the same moments each time
    deaths = [
        at_feed(site, chance.uniform(0, 0.1)),
        at_recipient(relay, chance.randint(1, 6)),
        at_message(relay, 1),
        at_message(relay, chance.randint(3, 6)),
        after_seconds(chance.uniform(0.6, 1.6)),
    ]
    kills = sum(send_and_die(desk, relay, dies) for dies in deaths)
    assert kills >= 4  # the last may come too late
    queue = finish(desk)
    assert (queue["sent"], sum(queue.values())) == (len(PEOPLE), len(PEOPLE))
    assert sorted(relay.copies) == EVERYBODY
    assert len(relay.mails) - len(PEOPLE) <= CONNECTIONS * kills
    check_identities(relay)


def test_kills_before_the_dot_cost_no_copy_at_all(desk: Desk, relay: Relay) -> None:
    """The relay answers RCPT TO so late that the process dies with nothing handed over."""
    assert send_and_die(desk, relay, at_recipient(relay, 1)) == 1
    assert relay.mails == []
    assert finish(desk)["sent"] == len(PEOPLE)
    assert relay.got == EVERYBODY


def test_with_hold_kills_cost_no_copy_and_the_books_name_who_is_in_doubt(
    desk: Desk, relay: Relay
) -> None:
    hold = {"DIGEST_UNCERTAIN": "hold"}
    holding = Desk(desk.folder, hold)
    for number in (2, 5):
        assert send_and_die(holding, relay, at_message(relay, number)) == 1
    queue = finish(holding)
    assert max(relay.copies.values()) == 1
    missing = len(PEOPLE) - len(relay.mails)
    assert queue["sent"] + queue["uncertain"] == sum(queue.values()) == len(PEOPLE)
    assert 2 <= queue["uncertain"] <= 2 * CONNECTIONS
    assert missing <= queue["uncertain"]
    # the operator decides otherwise: only those in doubt are sent again
    doubted, before = queue["uncertain"], len(relay.mails)
    assert finish(desk)["sent"] == len(PEOPLE)
    assert len(relay.mails) == before + doubted
    assert sorted(relay.copies) == EVERYBODY
    check_identities(relay)


def test_sends_started_side_by_side_reach_everybody_once(desk: Desk, relay: Relay) -> None:
    together = [desk.start("send", "--json") for _ in range(2)]
    for process in together:
        _, err = process.communicate(timeout=30)
        assert (process.returncode, "Traceback" in err) == (0, False), err
    assert finish(desk)["sent"] == len(PEOPLE)
    assert relay.got == EVERYBODY
    assert desk.call("status", "--json").json["newsletters"][0]["last_edition"] == 1
