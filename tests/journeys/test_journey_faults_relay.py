"""Relays that refuse some, break off, come and go, or want another password: whole processes."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from aiosmtpd.smtp import SMTP
from fault_sink import Sink, copies
from fault_stand import EVERYBODY, READERS, Stand, names
from loopback import Relay, free_port, running

pytest_plugins = ["kill_fixtures", "fault_fixtures"]

CERTIFICATES = Path(__file__).parents[1] / "deliveries" / "certificates"


class Forgetful(Relay):
    """Reads a message to its dot, keeps nothing, and hangs up."""

    async def handle_DATA(self, server: SMTP, _session: Any, _envelope: Any) -> str:  # noqa: N802 -- the library's name
        cast("Any", server.transport).abort()
        return ""


def test_a_mail_that_was_not_kept_arrives_later(stand: Stand) -> None:
    """Row 9: nobody can know that it was not, so it is in doubt like one that was."""
    port = free_port()
    stand.name_relay(port)
    with running(Forgetful(), port=port):
        assert stand.send().wait() == 0
    assert stand.queue() == {"uncertain": READERS}
    with running(Relay(), port=port) as good:
        stand.bring_forward()
        assert stand.send().wait() == 0
    assert good.got == sorted(EVERYBODY)
    assert stand.queue() == {"sent": READERS}
    assert stand.verify()["possible_copies"] == READERS


def test_each_reader_gets_the_state_of_his_own_reply(stand: Stand, relay: Relay) -> None:
    """Row 18."""
    at = {address[:3]: address for address in EVERYBODY}
    relay.at_rcpt = {
        at["r00"]: "550 5.1.1 no such user",
        at["r01"]: "550 5.2.1 mailbox closed",
        at["r02"]: "452 4.2.2 mailbox full",
        at["r05"]: "550 no",
        at["r11"]: "550 5.7.1 not from you",
    }
    relay.at_dot = {at["r04"]: "451 4.3.0 not now", at["r06"]: ""}
    stand.name_relay(relay.port)
    assert stand.send().wait() == 0
    states = dict(
        stand.sql(
            "SELECT substr(s.address, 1, 3), d.state FROM deliveries d"
            " JOIN subscriptions p ON p.id = d.subscription_id"
            " JOIN subscribers s ON s.id = p.subscriber_id"
        )
    )
    assert {name: state for name, state in states.items() if state != "sent"} == {
        "r00": "bounced",
        "r01": "bounced",
        "r02": "deferred",
        "r04": "deferred",
        "r05": "bounced",
        "r06": "uncertain",
        "r11": "deferred",
    }
    status = stand.status()
    # the others at that domain were served, so it is not the domain that refuses us
    assert (status["pauses"], status["suppressed"]) == ([], {"bounced": 1})
    assert max(relay.copies.values()) == 1
    relay.at_rcpt, relay.at_dot = {}, {}
    stand.bring_forward()
    assert stand.send().wait() == 0
    assert stand.queue() == {"sent": READERS - 3, "bounced": 3}
    twice = [address for address, count in relay.copies.items() if count > 1]
    assert twice == [at["r06"]]
    assert stand.verify()["possible_copies"] == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "relay.invalid"])
def test_a_relay_that_cannot_be_reached_is_met_again_when_it_is_there(
    stand: Stand, sink: Sink, host: str
) -> None:
    """Row 23: nobody listens, or nobody knows the name."""
    stand.name_relay(sink.port, smtp_host=host, smtp_security="none")
    worker = stand.worker()
    stand.until(stand.relay_is_away, worker)
    assert set(stand.queue()) <= {"queued", "claimed"}
    assert stand.sql("SELECT sum(attempts) FROM deliveries") == [(0,)]
    if host == "127.0.0.1":
        sink.start()
        stand.until_sent(worker)
        assert copies(sink.taken()) == 0


def test_a_relay_that_is_killed_and_comes_back_costs_few_copies(stand: Stand, sink: Sink) -> None:
    """Row 24: at most one for each connection that had its dot out."""
    stand.name_relay(sink.port)
    sink.start("-W", ".:1")
    worker = stand.worker()
    stand.until(lambda: len(sink.taken()) >= 2, worker)
    sink.stop()
    stand.until(stand.relay_is_away, worker)
    stand.until(lambda: not {"claimed", "dotted"} & set(stand.queue()), worker)
    sink.start()
    stand.bring_forward()
    stand.until_sent(worker)
    possible = stand.verify()["possible_copies"]
    assert copies(sink.taken()) <= possible <= 4
    assert names(sink.taken()) == sorted(EVERYBODY)


def test_without_starttls_no_password_and_no_mail_goes_out(stand: Stand, sink: Sink) -> None:
    """Row 20: `smtp-sink` offers AUTH in the clear, and we do not take the offer."""
    settings = {"smtp_security": "starttls", "smtp_username": "us", "smtp_password": "geheim"}
    stand.name_relay(sink.port, **settings)
    sink.start()
    process = stand.send()
    assert process.wait() == 1
    assert "STARTTLS" in process.said()
    assert "geheim" not in process.said()
    assert stand.queue() == {"queued": READERS}
    assert sink.taken() == []


@contextmanager
def doorman(port: int) -> Iterator[list[str]]:
    """A relay behind TLS that refuses every password; the lines it heard."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATES / "good.pem")
    heard: list[str] = []
    door = socket.create_server(("127.0.0.1", port))

    def talk(line: socket.socket) -> None:
        with closing(line), context.wrap_socket(line, server_side=True) as safe:
            safe.sendall(b"220 relay.example ESMTP\r\n")
            for said in safe.makefile("rb"):
                heard.append(said.decode())
                answer = {"EHLO": b"250-relay.example\r\n250 AUTH PLAIN", "AUTH": b"535 5.7.8 no"}
                safe.sendall(answer.get(heard[-1].split()[0].upper(), b"250 ok") + b"\r\n")

    def listen() -> None:
        while True:
            try:
                line, _ = door.accept()
            except OSError:
                return
            try:
                talk(line)
            except OSError:
                continue

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield heard
    finally:
        door.shutdown(socket.SHUT_RDWR)
        door.close()
        thread.join()


def test_a_wrong_password_is_not_hammered(stand: Stand) -> None:
    """Row 22: one try, then a rest; how it goes on over minutes was tried by hand."""
    port = free_port()
    settings = {"smtp_security": "tls", "smtp_username": "us", "smtp_password": "falsch"}
    stand.name_relay(port, smtp_host="localhost", **settings)
    with doorman(port) as heard:
        trust = {"SSL_CERT_FILE": str(CERTIFICATES / "authority.pem")}
        with stand.desk.start("worker", **trust) as worker:
            try:
                stand.until(stand.relay_is_away)
                time.sleep(1.5)
                tries = sum(line.startswith("AUTH") for line in heard)
                status = stand.status()
            finally:
                worker.terminate()
                _, said = worker.communicate(timeout=20)
    assert tries == 1
    assert "535" in status["relay_error"]
    assert "check DIGEST_SMTP_USERNAME and DIGEST_SMTP_PASSWORD" in status["relay_error"]
    assert "falsch" not in said
    assert (stand.queue(), worker.returncode) == ({"queued": READERS}, 0)
