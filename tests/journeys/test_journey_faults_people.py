"""Readers who leave while a send is under way, logs that cannot be written, and too few files."""

from __future__ import annotations

import random
import re
import resource
import signal
import socket
import threading
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest
from fault_sink import Sink, copies
from fault_stand import EVERYBODY, LEASE, READERS, Stand, names, people, prepare, standing
from kill_workers import Launcher
from loopback import Relay, free_port, running
from shell import SECRET

from digest.subscribers.links import Signer

pytest_plugins = ["kill_fixtures", "fault_fixtures"]

MANY = people(60)


@pytest.fixture(scope="module")
def many_ready(tmp_path_factory: pytest.TempPathFactory, launcher: Launcher) -> Path:
    return prepare(tmp_path_factory.mktemp("many") / "ready", launcher, len(MANY))


class Witness(Relay):
    """Notes when somebody was named to it, by the same clock as those who leave."""

    def __init__(self) -> None:
        super().__init__(delay=0.05)
        self.named: dict[str, float] = {}
        self.on_rcpt = lambda address: self.named.__setitem__(address, time.monotonic())


def tokens(stand: Stand) -> dict[str, str]:
    signer = Signer(SECRET)
    rows = stand.sql(
        "SELECT s.address, p.ref FROM subscriptions p JOIN subscribers s ON s.id = p.subscriber_id"
    )
    return {address: signer.unsubscribe_token(ref) for address, ref in rows}


def open_pages(stand: Stand, port: int) -> None:
    """Serve the pages in a process of their own."""
    pages = stand.start("serve", "--port", str(port), "--no-schedule", "--no-delivery")

    def is_open() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    stand.until(is_open, pages)


def test_whoever_leaves_while_others_are_sent_to_gets_nothing_more(
    many_ready: Path, tmp_path: Path, launcher: Launcher
) -> None:
    """Row 46: one click at random moments; the answer to it is later than the commit."""
    port = free_port()
    chance = random.Random(20261123)  # noqa: S311 -- the same people each time
    leavers = chance.sample(MANY, 24)
    left: dict[str, float] = {}
    relay = Witness()
    with (
        running(relay),
        standing(many_ready, tmp_path, launcher, MANY) as stand,
    ):
        stand.name_relay(relay.port)
        open_pages(stand, port)
        keys = tokens(stand)

        def leave() -> None:
            for each in leavers:
                url = f"http://127.0.0.1:{port}/unsubscribe/{keys[each]}"
                with urllib.request.urlopen(url, b"List-Unsubscribe=One-Click", timeout=20) as page:
                    assert page.status == 200
                left[each] = time.monotonic()
                time.sleep(chance.uniform(0, 0.03))

        thread = threading.Thread(target=leave)
        worker = stand.worker()
        relay.wait(2)
        thread.start()
        stand.until(lambda: set(stand.queue()) <= {"sent", "excluded"}, worker)
        thread.join()
        assert set(left) == set(leavers)
        got = set(relay.got)
        assert set(MANY) - set(leavers) <= got
        # whoever left and got it had been named to the relay before his click was answered
        assert [each for each in leavers if each in got and relay.named[each] > left[each]] == []
        assert set(leavers) - got
        assert stand.queue() == {"sent": len(got), "excluded": len(MANY) - len(got)}
        assert stand.verify()["excluded"] == len(MANY) - len(got)


def test_a_log_that_cannot_be_written_stops_no_mail(stand: Stand, sink: Sink) -> None:
    """Row 51: the disk that the log goes to is full; a closed one was tried by hand."""
    stand.name_relay(sink.port)
    sink.start()
    process = stand.start("worker", lease=LEASE, errors="/dev/full")
    stand.until_sent(process)
    process.send(signal.SIGTERM)
    assert process.wait() == 0
    assert (copies(sink.taken()), names(sink.taken())) == (0, sorted(EVERYBODY))


def test_no_token_is_in_the_log_and_addresses_are_in_its_own_lines_only(
    stand: Stand, sink: Sink
) -> None:
    stand.name_relay(sink.port)
    sink.start("-f", "RCPT", "-B", "550 5.1.1 no such user")
    worker = stand.worker()
    stand.until(lambda: stand.queue() == {"bounced": READERS}, worker)
    port = free_port()
    open_pages(stand, port)
    keys = list(tokens(stand).values())
    for key in (keys[0], keys[0][:-2] + "xx"):
        with suppress(OSError):  # the second one is not there
            urllib.request.urlopen(
                f"http://127.0.0.1:{port}/unsubscribe/{key}", b"", timeout=20
            ).close()
    said = "".join(each.said() for each in stand.started)
    assert said.count("status=bounced") == READERS
    for line in said.splitlines():
        if re.search(r"@\w+\.example", line):
            assert " digest.send delivery=" in line, line
    assert not [key for key in keys if key[:-2] in said]
    assert SECRET not in said


def test_with_few_open_files_the_bound_holds(stand: Stand, sink: Sink) -> None:
    """Row 52: fewer files than twelve connections want besides the database."""
    stand.name_relay(sink.port, smtp_connections=READERS)
    worker = stand.worker()
    stand.until(stand.relay_is_away, worker)
    most = max(int(each.name) for each in Path(f"/proc/{worker.pid}/fd").iterdir())
    before = resource.prlimit(worker.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(worker.pid, resource.RLIMIT_NOFILE, (most + 5, before[1]))
    sink.start("-W", ".:1")
    stand.until(lambda: "Too many open files" in worker.said(), worker)
    time.sleep(1.5)  # several signs of life, and the replies to what is under way
    assert "uncertain" not in stand.queue()
    resource.prlimit(worker.pid, resource.RLIMIT_NOFILE, before)
    stand.until_sent(worker)
    assert (copies(sink.taken()), names(sink.taken())) == (0, sorted(EVERYBODY))
    assert stand.verify()["possible_copies"] == 0
