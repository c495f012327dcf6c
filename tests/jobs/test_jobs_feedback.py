"""What comes back: who is blamed, who leaves, and what a forged mail can do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Self

import pytest
from jobs_world import (
    STADTBLATT,
    Clock,
    Row,
    admit,
    ledger,
    names,
    open_world,
    publish,
    scripted,
)
from returned_mails import bounce, complaint, forged, letter, ticket, vacation
from sqlalchemy import delete, func, select, update

from digest.deliveries.hooks.event import Event
from digest.deliveries.reports import read_report
from digest.jobs import join
from digest.jobs.case import Did, Taken
from digest.jobs.feedback import MAILBOX, take_events, take_report
from digest.jobs.mailbox import REMEMBERED, forget_old_reports, understand
from digest.jobs.returned import is_step
from digest.jobs.send import deliver
from digest.jobs.world import World
from digest.model.delivery import DeliveryState, Uncertain
from digest.model.pause import Scope as Paused
from digest.model.report import Cause, Failure, Report, ReportKind
from digest.store import bounces, consents, pauses, reports, subscribers, suppressions
from digest.store.journal import Journal
from digest.store.queue import Scope
from digest.store.tables import deliveries
from digest.store.troubles import bounces as came_back
from digest.store.troubles import reports as keys
from digest.subscribers.links import Signer

DOMAIN = "bounces.stadtblatt.example"
#: what is decided before any database is asked needs no second one
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
UNHEARD = Uncertain(reason="the server closed the connection")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def world(database_url: str, clock: Clock) -> AsyncIterator[World]:
    """One with a domain for what comes back."""
    async with open_world(database_url, clock, STADTBLATT, bounce_domain=DOMAIN) as one:
        yield one


async def sent_to(world: World, *people: str) -> dict[str, int]:
    """An edition that these readers got; the newest delivery of each."""
    await admit(world, *people)
    return await sent_again(world, "Eins")


async def sent_again(world: World, *titles: str) -> dict[str, int]:
    assert isinstance(world.clock, Clock)
    world.clock.forward(minutes=5)
    await publish(world, *titles)
    ours, _ = scripted(world)
    await deliver(ours, Scope())
    return {row.name: Known(row) for row in await ledger(world)}


class Known(int):
    """A delivery's number, which remembers when it was queued."""

    queued: int

    def __new__(cls, row: Row) -> Self:
        known = super().__new__(cls, row.id)
        known.queued = int(row.created_at.timestamp())
        return known


def token(world: World, delivery: int) -> str:
    return world.signer.bounce_token(delivery, getattr(delivery, "queued", 0))


def back(world: World, delivery: int) -> str:
    """The return path of a delivery's message."""
    return f"b+{token(world, delivery)}@{DOMAIN}"


async def ref_of(world: World, name: str) -> bytes:
    async with world.store.read() as connection:
        found = await subscribers.by_address(connection, f"{name}@example.org")
    return found[0].ref


async def take(world: World, mail: bytes) -> Taken:
    """As the mailbox takes it."""
    report, key = understand(world, mail)
    return await take_report(world, report, door=MAILBOX, key=key, now=world.clock())


async def did(world: World, mail: bytes) -> Did:
    return (await take(world, mail)).did


async def of(world: World, name: str) -> tuple[str, str | None]:
    """How somebody's newest delivery stands, and why the address is closed, if it is."""
    row = [each for each in await ledger(world) if each.name == name][-1]
    hashed = world.signer.suppression_hash(f"{name}@example.org")
    async with world.store.read() as connection:
        return row.state.value, await suppressions.suppression(connection, hashed)


async def subscription_state(world: World, name: str) -> tuple[str, list[tuple[str, str]]]:
    async with world.store.read() as connection:
        (found,) = await subscribers.by_address(connection, f"{name}@example.org")
        record = await consents.consent_record(connection, found.id)
    return found.state.value, [(each.kind, each.door) for each in record[1:]]


async def key_count(world: World) -> int:
    async with world.store.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(keys))).scalar_one())


# ------------------------------------------------------------------------------- bounces


async def test_no_such_mailbox_closes_the_address_at_once(world: World) -> None:
    row = await sent_to(world, "anna", "bert")
    taken = await take(world, bounce(back(world, row["anna"]), "anna@example.org"))
    assert taken == Taken(did=Did.BOUNCED, suppressed=True, delivery_id=row["anna"])
    assert await of(world, "anna") == ("bounced", "bounced")
    assert await of(world, "bert") == ("sent", None)
    reply = next(each.reply for each in await ledger(world) if each.name == "anna")
    assert reply == "550 5.1.1 nobody of that name lives here"


async def test_what_is_not_certain_counts_and_closes_nothing(world: World) -> None:
    row = await sent_to(world, "full", "slow", "lost", "nowhere")
    for name, status, said, cause in (
        ("full", "4.2.2", "452 4.2.2 the mailbox is full", Cause.FULL),
        ("slow", "4.4.1", "connect to mx.example.org: connection timed out", Cause.PASSING),
        ("lost", "4.4.3", "temporary trouble in name service", Cause.PASSING),
        ("nowhere", "5.1.2", "the domain was not found", Cause.NOWHERE),
    ):
        mail = bounce(back(world, row[name]), f"{name}@example.org", status=status, said=said)
        assert await did(world, mail) is Did.BOUNCED
        assert await of(world, name) == ("bounced", None)
        async with world.store.read() as connection:
            assert await reports.noted(connection, row[name]) is cause


@on_sqlite
async def test_a_domain_that_takes_no_mail_closes_the_address(world: World) -> None:
    row = await sent_to(world, "anna")
    said = "556 5.1.10 example.org takes no mail (null MX)"
    mail = bounce(back(world, row["anna"]), "anna@example.org", status="5.1.10", said=said)
    assert (await take(world, mail)).suppressed
    assert await of(world, "anna") == ("bounced", "bounced")


async def test_soft_bounces_close_an_address_only_when_they_go_on(
    world: World, clock: Clock
) -> None:
    await admit(world, "anna")
    closed = []
    for day in range(20):
        row = await sent_again(world, f"Tag {day}")
        mail = bounce(
            back(world, row["anna"]), "anna@example.org", status="4.2.2", said="452 4.2.2 full"
        )
        closed.append((await take(world, mail)).suppressed)
        if closed[-1]:
            break
        clock.forward(days=1)
    assert 14 <= len(closed) <= 18


@on_sqlite
async def test_an_old_bounce_has_faded(world: World, clock: Clock) -> None:
    closed = "550 5.2.1 this mailbox is disabled"
    row = await sent_to(world, "anna")
    first = bounce(back(world, row["anna"]), "anna@example.org", status="5.2.1", said=closed)
    assert not (await take(world, first)).suppressed
    clock.forward(days=90)
    row = await sent_again(world, "Zwei")
    later = bounce(back(world, row["anna"]), "anna@example.org", status="5.2.1", said=closed)
    assert not (await take(world, later)).suppressed
    clock.forward(days=10)
    row = await sent_again(world, "Drei")
    soon = bounce(back(world, row["anna"]), "anna@example.org", status="5.2.1", said=closed)
    assert (await take(world, soon)).suppressed


async def test_the_token_says_who_is_meant_whatever_the_words_name(world: World) -> None:
    row = await sent_to(world, "anna", "bert")
    assert await did(world, bounce(back(world, row["anna"]), "bert@example.org")) is Did.BOUNCED
    assert await of(world, "anna") == ("bounced", "bounced")
    assert await of(world, "bert") == ("sent", None)


@on_sqlite
async def test_of_several_failures_the_readers_own_counts(world: World) -> None:
    row = await sent_to(world, "anna")
    mail = bounce(
        back(world, row["anna"]),
        "other@example.net",
        more=(("Anna@Example.org", "4.2.2", "452 4.2.2 the mailbox is full"),),
    )
    assert not (await take(world, mail)).suppressed
    async with world.store.read() as connection:
        assert await reports.noted(connection, row["anna"]) is Cause.FULL


@on_sqlite
async def test_a_bounce_without_a_single_word_of_why_counts_as_an_unexplained_one(
    world: World,
) -> None:
    row = await sent_to(world, "anna")
    report = Report(kind=ReportKind.BOUNCE, genuine=True, traces=(token(world, row["anna"]),))
    taken = await take_report(world, report, door=MAILBOX, key="k", now=world.clock())
    assert (taken.did, taken.suppressed) == (Did.BOUNCED, False)


async def test_a_doubt_is_resolved_by_what_comes_back(world: World, clock: Clock) -> None:
    await admit(world, "anna")
    await publish(world, "Eins")
    ours, _ = scripted(world, {"anna": [UNHEARD]})
    await deliver(ours, Scope())
    (row,) = await ledger(world)
    assert row.state is DeliveryState.UNCERTAIN
    mail = bounce(
        back(world, Known(row)), "anna@example.org", status="4.2.2", said="452 4.2.2 full"
    )
    assert await did(world, mail) is Did.BOUNCED
    clock.forward(hours=1)
    ours, script = scripted(world)
    await deliver(ours, Scope())
    assert (script.attempts, (await of(world, "anna"))[0]) == ([], "bounced")


async def test_no_other_state_is_left_because_something_came_back(world: World) -> None:
    others = set(DeliveryState) - {DeliveryState.SENT, DeliveryState.UNCERTAIN}
    row = await sent_to(world, *others)
    for state in others:
        async with world.store.write() as connection:
            mine = deliveries.update().where(deliveries.c.id == row[state])
            await connection.execute(mine.values(state=state.value))
        mail = bounce(
            back(world, row[state]), f"{state}@example.org", status="4.4.1", said="timeout"
        )
        assert await did(world, mail) is Did.BOUNCED
    assert {row.name: row.state.value for row in await ledger(world)} == {
        each.value: each.value for each in others
    }


async def test_what_was_never_tried_cannot_come_back(world: World) -> None:
    await admit(world, "anna")
    await publish(world, "Eins")
    (row,) = await ledger(world)
    assert await did(world, bounce(back(world, Known(row)), "anna@example.org")) is Did.UNKNOWN
    assert await of(world, "anna") == ("queued", None)


async def test_a_confirm_mail_can_come_back_too(world: World) -> None:
    await join.request(world, address="neu@example.org", newsletter=STADTBLATT, door="web")
    ours, _ = scripted(world)
    await deliver(ours, Scope())
    (row,) = await ledger(world)
    assert await did(world, bounce(back(world, Known(row)), "neu@example.org")) is Did.BOUNCED
    assert await of(world, "neu") == ("bounced", "bounced")


# -------------------------------------------------------------------------------- forgery


@on_sqlite
async def test_what_is_forged_changes_nothing(world: World) -> None:
    row = await sent_to(world, "anna")
    true = back(world, row["anna"])
    stranger = replace(world, signer=Signer("the secret of another installation"))
    elsewhere = token(stranger, row["anna"])
    wrong = true.replace(true[10], "b" if true[10] != "b" else "c")
    unheard_of = back(world, 999_999)
    for mail in (
        forged(true, "anna@example.org"),
        bounce(f"b+{elsewhere}@{DOMAIN}", "anna@example.org"),
        bounce(wrong, "anna@example.org"),
        bounce(unheard_of, "anna@example.org"),
        bounce(f"post@{DOMAIN}", "anna@example.org"),
    ):
        assert await did(world, mail) is Did.UNKNOWN
    assert await of(world, "anna") == ("sent", None)
    assert await key_count(world) == 0


async def test_a_thousand_forged_bounces_to_a_leaked_token_count_once(world: World) -> None:
    row = await sent_to(world, "anna", "bert")
    to = back(world, row["anna"])
    full = "452 4.2.2 the mailbox is full"
    mails = 1_000
    report = read_report(bounce(to, "anna@example.org", status="4.2.2", said=full))
    got = [
        (await take_report(world, report, door=MAILBOX, key=str(number), now=world.clock())).did
        for number in range(mails)
    ]
    assert got == [Did.BOUNCED] + [Did.AGAIN] * (mails - 1)
    assert await of(world, "anna") == ("bounced", None)
    assert await of(world, "bert") == ("sent", None)
    async with world.store.read() as connection:
        assert await bounces.count_since(connection, datetime(2026, 1, 1, tzinfo=UTC)) == {
            Cause.FULL: 1
        }


async def test_the_same_mail_twice_changes_nothing(world: World, clock: Clock) -> None:
    row = await sent_to(world, "anna")
    mail = bounce(back(world, row["anna"]), "anna@example.org", message_id="<one@mx.example>")
    assert await did(world, mail) is Did.BOUNCED
    clock.forward(days=30)
    by_another_way = b"Received: from a by b; Mon, 23 Nov 2026 07:00:00 +0000\r\n" + mail
    assert await did(world, mail) is Did.AGAIN
    assert await did(world, by_another_way) is Did.AGAIN
    assert await key_count(world) == 1
    clock.at += REMEMBERED
    await forget_old_reports(world)
    assert await key_count(world) == 0


async def test_two_doors_at_once_count_it_once(world: World) -> None:
    row = await sent_to(world, "anna")
    report, key = understand(world, bounce(back(world, row["anna"]), "anna@example.org"))
    doors = [
        take_report(world, report, door=MAILBOX, key=key + str(number % 2), now=world.clock())
        for number in range(6)
    ]
    taken = [each.did for each in await asyncio.gather(*doors)]
    assert sorted(taken) == [Did.AGAIN] * 5 + [Did.BOUNCED]


async def test_what_is_closed_and_who_left_is_told_to_the_journal(
    world: World, tmp_path: Path
) -> None:
    row = await sent_to(world, "anna", "bert", "carla")
    journal = Journal.begin(tmp_path / "journal", journal="j", database="d", mark=0)
    journal.settle()
    ours = replace(world, journal=journal)
    token = world.signer.mail_token(await ref_of(world, "carla"))
    mails = [
        bounce(back(world, row["anna"]), "anna@example.org"),
        complaint("a@b.example", returned="X: y", mail_from=back(world, row["bert"])),
        letter(f"u+{token}@{DOMAIN}", "Unsubscribe"),
    ]
    for rehearse in (True, False):
        for mail in mails:
            report, key = understand(ours, mail)
            await take_report(
                ours, report, door=MAILBOX, key=key, now=world.clock(), rehearse=rehearse
            )
    told = [(type(each).__name__, getattr(each, "reason", "")) for each in journal.read()]
    journal.close()
    assert told == [("Closed", "bounced"), ("Left", ""), ("Closed", "complained"), ("Left", "")]


async def test_a_rehearsal_changes_nothing(world: World) -> None:
    row = await sent_to(world, "anna")
    report, key = understand(world, bounce(back(world, row["anna"]), "anna@example.org"))
    taken = await take_report(
        world, report, door=MAILBOX, key=key, now=world.clock(), rehearse=True
    )
    assert (taken.did, taken.suppressed) == (Did.BOUNCED, True)
    assert await of(world, "anna") == ("sent", None)
    assert await key_count(world) == 0


# ------------------------------------------------------------------ too many to be true


def test_the_books_are_counted_now_and_then() -> None:
    steps = [number for number in range(100_000) if is_step(number)]
    assert steps[:6] == [20, 22, 25, 27, 30, 33]
    assert len(steps) < 100
    assert all(b <= a * 1.1 + 1 for a, b in pairwise(steps))


async def test_when_far_too_much_comes_back_nobody_is_blamed(world: World) -> None:
    row = await sent_to(world, *names(26))
    for name in names(24):
        await take(world, bounce(back(world, row[name]), f"{name}@example.org"))
    async with world.store.read() as connection:
        standing = await pauses.standing(connection, now=world.clock())
        known = await bounces.count_since(connection, datetime(2026, 1, 1, tzinfo=UTC))
    assert [(each.scope.value, each.kind.value) for each in standing] == [("edition", "breaker")]
    assert known == {Cause.BLOCKED: 24}
    for name in names(24):  # the first twenty and those that trickled in after them
        assert await of(world, name) == ("deferred", None)
    async with world.store.write() as connection:
        await pauses.end(connection, Paused.EDITION, "1", now=world.clock())
    ours, script = scripted(world)
    await deliver(ours, Scope())
    assert sorted(script.taken) == names(24)  # nobody had got it, so everybody gets it now


@on_sqlite
async def test_a_few_dead_ones_among_many_readers_break_nothing(world: World) -> None:
    row = await sent_to(world, *names(20))
    for name in names(8):
        await take(world, bounce(back(world, row[name]), f"{name}@example.org"))
    async with world.store.read() as connection:
        assert await pauses.standing(connection, now=world.clock()) == []
    assert await of(world, "r00") == ("bounced", "bounced")


@on_sqlite
async def test_a_returned_mail_pauses_nothing_by_itself(world: World) -> None:
    row = await sent_to(world, "anna", "bert")
    for name, status, said in (
        ("anna", "5.7.1", "550 5.7.1 your address is on a block list"),
        ("bert", "5.3.4", "552 5.3.4 the message is too large"),
    ):
        mail = bounce(back(world, row[name]), f"{name}@example.org", status=status, said=said)
        assert await did(world, mail) is Did.BOUNCED
        assert await of(world, name) == ("bounced", None)
    async with world.store.read() as connection:
        assert await pauses.standing(connection, now=world.clock()) == []


# ---------------------------------------------------------------- what is of no consequence


@on_sqlite
async def test_delays_answers_and_letters_change_nothing(world: World) -> None:
    row = await sent_to(world, "anna")
    to = back(world, row["anna"])
    late = bounce(to, "anna@example.org", action="delayed", status="4.4.1", said="timed out")
    got = [
        await did(world, mail)
        for mail in (late, vacation(to), ticket(to), letter(to, "Eine Frage", "Wann?"), b"")
    ]
    assert got == [Did.DELAYED, Did.AUTOREPLY, Did.AUTOREPLY, Did.UNKNOWN, Did.UNKNOWN]
    assert await of(world, "anna") == ("sent", None)
    assert await key_count(world) == 0


# ------------------------------------------------------------------- complaints and wishes


async def test_a_complaint_ends_it_and_closes_the_address(world: World) -> None:
    row = await sent_to(world, "anna", "bert", "carla", "dora")
    link = world.signer.unsubscribe_token(await ref_of(world, "bert"))
    mailed = world.signer.mail_token(await ref_of(world, "carla"))
    for returned in (
        f"Return-Path: <{back(world, row['anna'])}>",
        f"List-Unsubscribe: <http://news.example/unsubscribe/{link}>",
        f"List-Unsubscribe: <https://x.example/>, <mailto:u+{mailed}@{DOMAIN}>",
    ):
        mail = complaint("abuse@stadtblatt.example", returned=returned)
        assert await take(world, mail) == Taken(did=Did.COMPLAINED, suppressed=True)
        assert await did(world, mail) is Did.AGAIN
    crossed_out = complaint("a@x.example", returned="X: y", mail_from=back(world, row["dora"]))
    assert await did(world, crossed_out) is Did.COMPLAINED
    for name in ("anna", "bert", "carla", "dora"):
        assert await of(world, name) == ("sent", "complained")
        assert await subscription_state(world, name) == (
            "unsubscribed",
            [("unsubscribed", "complaint")],
        )


async def test_whoever_complains_leaves_every_newsletter(database_url: str, clock: Clock) -> None:
    other = replace(STADTBLATT, slug="sport")
    async with open_world(database_url, clock, STADTBLATT, other) as world:
        row = await sent_to(world, "anna")
        await join.admit(
            world, address="anna@example.org", newsletter=other, door="cli", detail="a test"
        )
        mail = complaint("abuse@x.example", returned=f"Return-Path: <{back(world, row['anna'])}>")
        await take(world, mail)
        async with world.store.read() as connection:
            found = await subscribers.by_address(connection, "anna@example.org")
        assert [each.state.value for each in found] == ["unsubscribed"] * 2


@on_sqlite
async def test_a_wish_to_leave_closes_no_address(world: World) -> None:
    row = await sent_to(world, "anna")
    report, key = understand(
        world,
        complaint(
            "x@y.example", kind="opt-out", returned=f"Return-Path: <{back(world, row['anna'])}>"
        ),
    )
    taken = await take_report(world, report, door=MAILBOX, key=key, now=world.clock())
    assert taken == Taken(did=Did.UNSUBSCRIBED)
    assert await of(world, "anna") == ("sent", None)
    assert (await subscription_state(world, "anna"))[0] == "unsubscribed"


@on_sqlite
async def test_a_report_that_asks_for_nothing_changes_nothing(world: World) -> None:
    row = await sent_to(world, "anna")
    back_to = f"Return-Path: <{back(world, row['anna'])}>"
    for kind in ("auth-failure", "fraud", "not-spam", "virus"):
        mail = complaint("x@y.example", kind=kind, returned=back_to)
        assert await did(world, mail) is Did.NOTHING
    assert (await subscription_state(world, "anna"))[0] == "active"


@on_sqlite
async def test_a_complaint_about_somebody_else_is_nobodys(world: World) -> None:
    await sent_to(world, "anna")
    # whatever address it names: only a token of ours says who it was
    mail = complaint("x@y.example", returned="X-Other: y", address="anna@example.org")
    assert await did(world, mail) is Did.UNKNOWN
    elsewhere = Signer("the secret of another installation")
    token = elsewhere.unsubscribe_token(await ref_of(world, "anna"))
    theirs = complaint(
        "x@y.example", returned=f"List-Unsubscribe: <http://news.example/unsubscribe/{token}>"
    )
    assert await did(world, theirs) is Did.UNKNOWN
    assert (await subscription_state(world, "anna"))[0] == "active"


async def test_a_mail_to_the_address_of_a_token_ends_the_subscription(world: World) -> None:
    subjects = {"anna": "Unsubscribe", "bert": "", "carla": "abmelden", "dora": "Re: Eins"}
    await sent_to(world, *subjects)
    for name, subject in subjects.items():
        token = world.signer.mail_token(await ref_of(world, name))
        mail = letter(f"u+{token}@{DOMAIN}", subject, sender="Other <else@elsewhere.example>")
        assert await did(world, mail) is Did.UNSUBSCRIBED
        assert await did(world, mail) is Did.AGAIN
        assert await subscription_state(world, name) == (
            "unsubscribed",
            [("unsubscribed", "mail")],
        )
        assert await of(world, name) == ("sent", None)


@on_sqlite
async def test_whoever_comes_back_is_not_sent_away_by_the_old_mail(
    world: World, clock: Clock
) -> None:
    await sent_to(world, "anna")
    token = world.signer.mail_token(await ref_of(world, "anna"))
    mail = letter(f"u+{token}@{DOMAIN}", "Unsubscribe")
    await take(world, mail)
    clock.forward(days=2)
    await admit(world, "anna")
    assert await did(world, mail) is Did.AGAIN
    assert (await subscription_state(world, "anna"))[0] == "active"


@on_sqlite
async def test_programs_unsubscribe_nobody(world: World) -> None:
    row = await sent_to(world, "anna")
    token = world.signer.mail_token(await ref_of(world, "anna"))
    to = f"u+{token}@{DOMAIN}"
    for mail in (
        vacation(to),
        ticket(to),
        letter(to, "Unsubscribe", "", "Auto-Submitted: auto-replied"),
        letter(to, "Eins", "", "Auto-Submitted: auto-generated; x=y", "List-Id: <other.example>"),
        bounce(to, "anna@example.org", action="delayed", status="4.4.1", said="timed out"),
        bounce(to, "anna@example.org"),
    ):
        assert await did(world, mail) is not Did.UNSUBSCRIBED
    assert (await subscription_state(world, "anna"))[0] == "active"
    assert row


@on_sqlite
async def test_whoever_forwards_an_edition_unsubscribes_nobody(world: World) -> None:
    await sent_to(world, "anna")
    ref = await ref_of(world, "anna")
    unsubscribe = (
        f"<http://news.example/unsubscribe/{world.signer.unsubscribe_token(ref)}>,"
        f" <mailto:u+{world.signer.mail_token(ref)}@{DOMAIN}>"
    )
    mail = letter(
        f"post@{DOMAIN}",
        "Fwd: Eins",
        "--x\r\nContent-Type: message/rfc822\r\n\r\n"
        f"List-Unsubscribe: {unsubscribe}\r\n\r\nhi\r\n--x--",
        'Content-Type: multipart/mixed; boundary="x"',
    )
    assert any("mailto:u+" in each for each in read_report(mail).traces)
    assert await did(world, mail) is Did.UNKNOWN
    assert (await subscription_state(world, "anna"))[0] == "active"


# ----------------------------------------------------------------------------- providers


def told(
    address: str,
    kind: ReportKind,
    *,
    n: int = 1,
    traces: tuple[str, ...] = (),
    cause: Cause = Cause.GONE,
) -> Event:
    failure = Failure(address=address, cause=cause, status="5.1.1", text="gone\0 away")
    return Event(
        id=str(n),
        address=address,
        at=None,
        report=Report(
            kind=kind,
            failures=(failure,) if kind is ReportKind.BOUNCE else (),
            addresses=(address,),
            leaves=kind is ReportKind.COMPLAINT,
            genuine=True,
            traces=traces,
        ),
    )


async def test_a_providers_event_is_believed_once(world: World) -> None:
    row = await sent_to(world, "anna", "bert")
    events = [
        told("anna@example.org", ReportKind.DELIVERED, n=0),
        told("Anna@example.org", ReportKind.BOUNCE, n=1),
        told("bert@example.org", ReportKind.DELAYED, n=2),
        told("nobody@example.org", ReportKind.BOUNCE, n=3),
        told("no address", ReportKind.BOUNCE, n=4),
    ]
    assert await take_events(world, events, door="postmark") == 1
    assert await take_events(world, events, door="postmark") == 0
    assert await of(world, "anna") == ("bounced", "bounced")
    assert await of(world, "bert") == ("sent", None)
    async with world.store.read() as connection:
        assert (await connection.execute(select(keys.c.key))).scalars().all() == ["postmark:1"]
        (door,) = (
            await connection.execute(select(came_back.c.door, came_back.c.delivery_id))
        ).all()
    assert tuple(door) == ("postmark", row["anna"])


async def test_an_event_is_of_the_delivery_whose_token_it_carries(world: World) -> None:
    old = await sent_to(world, "anna")
    await sent_again(world, "Zwei")
    event = told(
        "anna@example.org",
        ReportKind.BOUNCE,
        traces=(token(world, old["anna"]),),
        cause=Cause.FULL,
    )
    assert await take_events(world, [event], door="ses") == 1
    assert [row.state.value for row in await ledger(world)] == ["bounced", "sent"]


async def test_without_a_token_it_is_of_the_newest_delivery(world: World) -> None:
    await sent_to(world, "anna")
    await sent_again(world, "Zwei")
    event = told("anna@example.org", ReportKind.BOUNCE, cause=Cause.FULL)
    assert await take_events(world, [event], door="ses") == 1
    assert [row.state.value for row in await ledger(world)] == ["sent", "bounced"]


async def test_a_complaint_of_somebody_we_forgot_still_closes_the_address(world: World) -> None:
    event = told("was@example.org", ReportKind.COMPLAINT)
    assert await take_events(world, [event], door="ses") == 1
    hashed = world.signer.suppression_hash("was@example.org")
    async with world.store.read() as connection:
        assert await suppressions.suppression(connection, hashed) == "complained"
    assert (
        await join.request(world, address="was@example.org", newsletter=STADTBLATT, door="web")
        is join.Asked.SUPPRESSED
    )


async def test_a_complaint_told_by_a_provider_ends_it(world: World) -> None:
    await sent_to(world, "anna")
    event = told("anna@example.org", ReportKind.COMPLAINT)
    assert await take_events(world, [event], door="ses") == 1
    assert await of(world, "anna") == ("sent", "complained")
    assert (await subscription_state(world, "anna"))[0] == "unsubscribed"


async def test_a_number_that_is_given_out_again_brings_nobody_elses_bounce(world: World) -> None:
    """As after a restored backup: the lost delivery's number belongs to another reader now."""
    lost = await sent_to(world, "anna", "bert")
    old = back(world, lost["anna"])
    async with world.store.write() as connection:
        await connection.execute(delete(deliveries).where(deliveries.c.id == lost["anna"]))
        await connection.execute(
            update(deliveries)
            .where(deliveries.c.id == lost["bert"])
            .values(id=lost["anna"], created_at=world.clock() + timedelta(hours=1))
        )
    assert (await take(world, bounce(old, "anna@example.org"))).did is Did.UNKNOWN
    assert await of(world, "bert") == ("sent", None)


async def test_bounces_that_come_together_trip_the_breaker_and_wait_for_no_other(
    world: World,
) -> None:
    row = await sent_to(world, *names(40))
    for name in names(19):
        await take(world, bounce(back(world, row[name]), f"{name}@example.org"))
    mails = [
        understand(world, bounce(back(world, row[name]), f"{name}@example.org"))
        for name in names(30)[19:]
    ]
    await asyncio.gather(
        *(
            take_report(world, report, door=MAILBOX, key=key, now=world.clock())
            for report, key in mails
        )
    )
    async with world.store.read() as connection:
        standing = await pauses.standing(connection, now=world.clock())
    assert [each.kind.value for each in standing] == ["breaker"]
    assert {await of(world, name) for name in names(30)} == {("deferred", None)}
