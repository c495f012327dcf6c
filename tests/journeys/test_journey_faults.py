"""A relay that misbehaves at each word: whole processes against Postfix's own fault server.

What each row of the fault matrix is, and what happened, stands in docs/faults.md.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from fault_sink import Sink, copies
from fault_stand import DOMAINS, EVERYBODY, READERS, Stand, names, people, prepare, standing
from kill_workers import Launcher

pytest_plugins = ["kill_fixtures", "fault_fixtures"]


@pytest.fixture
def stand(stand: Stand, sink: Sink) -> Stand:
    stand.name_relay(sink.port)
    return stand


def check_that_all_arrive(stand: Stand, sink: Sink) -> list[tuple[str, str]]:
    """The fault is gone and the time has come; what the relay took since then."""
    sink.start()
    sink.forget()
    stand.bring_forward()
    process = stand.send()
    assert process.wait() == 0, process.said()
    assert stand.queue() == {"sent": READERS}
    assert names(sink.taken()) == sorted(EVERYBODY)
    assert stand.verify()["sent"] == READERS
    assert stand.status()["suppressed"] == {}
    return sink.taken()


AWAY = [
    *(("-q", word) for word in ("CONNECT", "EHLO", "MAIL", "RCPT", "DATA")),
    *(("-Q", word) for word in ("CONNECT", "EHLO", "MAIL", "RCPT", "DATA")),
    ("-f", "CONNECT", "-B", "554 5.7.1 no service for you"),
    ("-f", "MAIL", "-B", "550 5.7.1 sender blocked"),
    ("-r", "MAIL", "-b", "451 4.3.0 not now"),
]


@pytest.mark.parametrize("flags", AWAY, ids=" ".join)
def test_a_relay_that_is_away_costs_nobody_anything(
    stand: Stand, sink: Sink, flags: tuple[str, ...]
) -> None:
    """Rows 3, 12, 13: nobody is tried, blamed or forgotten, and the worker comes back by itself."""
    sink.start(*flags)
    worker = stand.worker()
    stand.until(stand.relay_is_away, worker)
    status = stand.status()
    assert f"relay 127.0.0.1:{sink.port}" in status["relay_error"]
    assert status["queue"]["queued"] + status["queue"]["claimed"] == READERS
    assert (status["pauses"], status["suppressed"]) == ([], {})
    assert stand.sql("SELECT sum(attempts), sum(doubts) FROM deliveries") == [(0, 0)]
    assert sink.taken() == []
    sink.start()
    stand.until_sent(worker)
    stand.until(lambda: not stand.relay_is_away(), worker)
    assert copies(sink.taken()) == 0
    assert names(sink.taken()) == sorted(EVERYBODY)
    assert stand.verify()["possible_copies"] == 0


def test_a_send_to_a_relay_that_is_away_says_how_many_wait(stand: Stand, sink: Sink) -> None:
    sink.start("-Q", "RCPT")
    process = stand.send()
    assert process.wait() == 1
    assert f"{READERS} mails wait in the ledger, nothing is lost" in process.said()
    assert stand.queue() == {"queued": READERS}
    assert copies(check_that_all_arrive(stand, sink)) == 0


def test_a_refusal_in_the_middle_of_the_body_blames_no_reader(stand: Stand, sink: Sink) -> None:
    """It is heard before the dot or after it: the line is given up, or the message was refused."""
    sink.start("-A", "0")
    stand.send()
    assert set(stand.queue()) <= {"queued", "deferred", "bounced"}
    assert stand.status()["suppressed"] == {}
    assert stand.verify()["possible_copies"] == 0


def test_a_mail_that_was_kept_and_not_answered_for_is_in_doubt_and_comes_once_more(
    stand: Stand, sink: Sink
) -> None:
    """Row 8: the one place where a copy is allowed, and the books say how many there may be."""
    sink.start("-q", ".")
    assert stand.send().wait() == 0
    assert stand.queue() == {"uncertain": READERS}
    before = sink.taken()
    assert (copies(before), names(before)) == (0, sorted(EVERYBODY))
    status = stand.status()
    assert (status["queue"]["uncertain"], status["suppressed"], status["pauses"]) == (
        READERS,
        {},
        [],
    )
    # as long as it is not due again, no run feeds more copies to such a relay
    stand.send()
    assert len(sink.taken()) == READERS
    after = check_that_all_arrive(stand, sink)
    assert copies(before + after) == READERS
    assert stand.verify()["possible_copies"] == READERS


def test_with_hold_what_is_in_doubt_waits_for_the_operator(stand: Stand, sink: Sink) -> None:
    stand.name_relay(sink.port, uncertain="hold")
    sink.start("-q", ".")
    stand.send()
    sink.start()
    stand.bring_forward()
    stand.send()
    assert stand.queue() == {"uncertain": READERS}
    assert (copies(sink.taken()), names(sink.taken())) == (0, sorted(EVERYBODY))
    assert stand.verify()["uncertain"] == READERS


def test_a_slow_relay_is_waited_for(stand: Stand, sink: Sink) -> None:
    """Row 10, with one second instead of 90: those were tried by hand."""
    stand.name_relay(sink.port, smtp_connections=READERS)
    sink.start("-W", ".:1")
    assert stand.send().wait() == 0
    assert stand.queue() == {"sent": READERS}
    assert (copies(sink.taken()), len(sink.taken())) == (0, READERS)
    assert stand.verify()["possible_copies"] == 0


def test_a_plain_relay_will_do(stand: Stand, sink: Sink) -> None:
    """Without 8BITMIME, DSN, enhanced codes and pipelining, and one connection at a time."""
    stand.name_relay(sink.port, smtp_connections=1)
    sink.start("-8", "-N", "-E", "-p", "-m", "1")
    assert stand.send().wait() == 0
    assert stand.queue() == {"sent": READERS}
    assert (copies(sink.taken()), len(sink.taken())) == (0, READERS)


@pytest.mark.parametrize(
    "flags",
    [
        ("-Q", "."),
        ("-r", ".", "-b", "451 4.3.0 not now"),
        ("-r", "RCPT", "-b", "452 4.2.2 mailbox full"),
    ],
    ids=" ".join,
)
def test_not_now_is_tried_again_later(stand: Stand, sink: Sink, flags: tuple[str, ...]) -> None:
    """Rows 13 and 14: deferred, blamed on nobody, and not tried before its time."""
    sink.start(*flags)
    assert stand.send().wait() == 0
    assert stand.queue() == {"deferred": READERS}
    assert stand.sql("SELECT min(attempts), max(attempts), sum(doubts) FROM deliveries") == [
        (1, 1, 0)
    ]
    status = stand.status()
    assert (status["pauses"], status["suppressed"], status["slow_domains"]) == ([], {}, [])
    assert stand.replies() == {
        flags[-1] if flags[0] == "-r" else "421 4.0.0 Server closing connection"
    }
    sink.start()
    stand.send()
    assert stand.queue() == {"deferred": READERS}
    check_that_all_arrive(stand, sink)
    assert stand.verify()["possible_copies"] == 0


def test_who_asks_us_to_slow_down_is_gone_slower_with(stand: Stand, sink: Sink) -> None:
    """4.7.x speaks of us, not of the reader."""
    sink.start("-r", "RCPT", "-b", "450 4.7.1 greylisted")
    assert stand.send().wait() == 0
    status = stand.status()
    assert {each["domain"] for each in status["slow_domains"]} == set(DOMAINS)
    assert (status["pauses"], status["suppressed"]) == ([], {})
    assert set(stand.queue()) <= {"deferred", "queued"}
    assert stand.verify()["candidates"] == READERS
    sink.start()
    worker = stand.worker()
    for _ in range(READERS):
        stand.bring_forward()
        stand.sql("UPDATE paces SET next_at = datetime('now', '-1 minute')")
        if stand.queue() == {"sent": READERS}:
            break
        sent = stand.queue().get("sent", 0)
        stand.until(partial(stand.has_sent_more_than, sent), worker)
    stand.until_sent(worker)
    assert (copies(sink.taken()), names(sink.taken())) == (0, sorted(EVERYBODY))


BLOCKED = "550 5.7.1 blocked"
#: what is said to everybody, and the kind of pause that it brings upon the edition
REFUSALS = {
    "blocked at RCPT": (("-f", "RCPT", "-B", BLOCKED), "blocked"),
    "too large": (("-f", ".", "-B", "552 5.3.4 too large"), "message"),
    "content": (("-f", ".", "-B", "554 5.6.0 not like this"), "message"),
    "syntax": (("-f", "RCPT", "-B", "501 5.5.4 what"), "protocol"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_of_all_pauses_the_edition_and_blames_no_reader(
    stand: Stand, sink: Sink, name: str
) -> None:
    """Rows 16 and 17: an operator is asked; when he says go on, everybody gets it once."""
    flags, kind = REFUSALS[name]
    sink.start(*flags)
    process = stand.send()
    assert process.wait() == 1
    assert "edition 1 is paused" in process.said()
    status = stand.status()
    assert status["suppressed"] == {}
    paused = [each["kind"] for each in status["pauses"] if each["scope"] == "edition"]
    assert paused == [kind]
    assert set(stand.queue()) <= {"queued", "deferred"}
    # mended, and nothing moves until somebody says so
    sink.start()
    sink.forget()
    stand.bring_forward()
    stand.send()
    assert sink.taken() == []
    assert stand.desk.call("resume", "1").code == 0
    assert copies(check_that_all_arrive(stand, sink)) == 0


def test_a_refusal_that_explains_nothing_costs_this_edition_and_no_more(
    stand: Stand, sink: Sink
) -> None:
    """`500 5.3.0` names neither mailbox nor sender; fewer than twenty do not trip the breaker."""
    sink.start("-f", "RCPT")
    assert stand.send().wait() == 0
    assert stand.queue() == {"bounced": READERS}
    status = stand.status()
    assert (status["suppressed"], status["bounces_last_7_days"]["refused"]) == ({}, READERS)


def test_no_such_mailbox_ends_it_for_that_reader(stand: Stand, sink: Sink) -> None:
    """Row 15: bounced and closed to us, at once and for good."""
    sink.start("-f", "RCPT", "-B", "550 5.1.1 no such user")
    assert stand.send().wait() == 0
    assert stand.queue() == {"bounced": READERS}
    status = stand.status()
    assert status["suppressed"] == {"bounced": READERS}
    assert status["bounces_last_7_days"]["gone"] == READERS
    assert stand.verify()["bounced"] == READERS
    sink.start()
    stand.bring_forward()
    stand.send()
    assert sink.taken() == []


def test_no_such_mailbox_for_everybody_is_not_the_readers(
    tmp_path: Path, launcher: Launcher, sink: Sink
) -> None:
    """The breaker: twenty dead mailboxes of twenty are a broken relay."""
    many = people(24)
    ready = prepare(tmp_path / "ready", launcher, len(many))
    (tmp_path / "stand").mkdir()
    with standing(ready, tmp_path / "stand", launcher, many) as stand:
        stand.name_relay(sink.port)
        sink.start("-f", "RCPT", "-B", "550 5.1.1 no such user")
        assert stand.send().wait() == 1
        status = stand.status()
        assert [(each["scope"], each["kind"]) for each in status["pauses"]] == [
            ("edition", "breaker")
        ]
        assert status["suppressed"] == {}
        assert stand.verify()["bounced"] == 0
        sink.start()
        assert stand.desk.call("resume", "1").code == 0
        stand.bring_forward()
        assert stand.send().wait() == 0
        assert stand.queue() == {"sent": len(many)}
        assert copies(sink.taken()) == 0
