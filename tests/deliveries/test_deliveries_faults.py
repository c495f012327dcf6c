"""What a relay may do to us, and that nobody is lost, copied or blamed for it."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from scripted_relay import (
    Act,
    Script,
    ScriptedRelay,
    drip,
    hang_up,
    pause,
    reset,
    scripted,
    silence,
)

from digest.deliveries.smtp import Relay, SmtpTransport
from digest.errors import LeaseLost, RelayAway
from digest.model.delivery import Bounced, Deferred, Outcome, Sent, Uncertain
from digest.model.message import Message

MAIL = b"Subject: x\r\n\r\n.\r\n..dots\r\nend\r\n"
LONG = "250 " + "x" * 100_000
IMPATIENT = 0.3


def message(rcpt_to: str = "anna@example.org", data: bytes = MAIL) -> Message:
    return Message(mail_from="bounce+1@example.org", rcpt_to=rcpt_to, data=data)


@dataclass
class Row:
    """A delivery's row, as far as the transport can tell: is it ours, and what was it told?"""

    ours: bool = True
    meanwhile: Callable[[], Awaitable[Any]] | None = None
    asked: int = 0
    dots_before: list[int] = field(default_factory=list)

    async def intend(self) -> bool:
        self.asked += 1
        if self.meanwhile is not None:
            await self.meanwhile()
        return self.ours


@asynccontextmanager
async def connected(relay: ScriptedRelay, **settings: Any) -> AsyncIterator[SmtpTransport]:
    patient = {"timeout": 5.0, "data_timeout": 5.0, "body_timeout": 5.0, "dot_timeout": 5.0}
    where = {"host": "127.0.0.1", "port": relay.port, "security": "none", "connections": 1}
    who = {"local_hostname": "sender.example"}
    transport = SmtpTransport(Relay(**{**patient, **where, **who, **settings}))
    try:
        yield transport
    finally:
        await transport.close()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 -- what the server knows raises no event
            await asyncio.sleep(0.002)


async def outcome_of(script: Script, **settings: Any) -> tuple[Outcome, Row, ScriptedRelay]:
    row = Row()
    async with scripted(script) as relay, connected(relay, **settings) as transport:
        outcome = await transport.send(message(), row.intend)
    return outcome, row, relay


FAULTS: dict[str, Act | tuple[Act, ...]] = {
    "EOF": hang_up,
    "RST": reset,
    "silence": silence,
    "drip": drip("250-ok" * 20, 0.02),
    "half a reply and EOF": (drip("25", 0), hang_up),
    "malformed": "hello",
    "two codes": "250-ok\r\n550 no",
    "100 kB": LONG,
    "100 kB without end": (drip("x", 0), LONG.replace("\r\n", "")),
    "421": "421 4.3.2 shutting down",
    "421 and EOF": ("421 4.3.2 shutting down", hang_up),
    "unexpected code": "333 what",
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("word", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA"])
async def test_a_fault_before_the_dot_blames_nobody_and_may_be_repeated(
    word: str, fault: str
) -> None:
    row = Row()
    impatient = {"timeout": IMPATIENT, "data_timeout": IMPATIENT}
    async with (
        scripted({f"{word} 1": FAULTS[fault]}) as relay,
        connected(relay, **impatient) as transport,
    ):
        with pytest.raises(RelayAway, match=f"relay 127.0.0.1:{relay.port}") as away:
            await transport.send(message(), row.intend)
        assert "\n" not in str(away.value)
        assert (row.asked, relay.dots) == (0, 0)
        assert isinstance(await transport.send(message(), row.intend), Sent)
        assert (row.asked, relay.mails, relay.connections) == (1, [MAIL], 2)


@pytest.mark.parametrize(
    ("word", "reply"),
    [
        ("GREETING", "554 5.7.1 no service for you"),
        ("EHLO", "550 5.7.1 go away"),
        ("MAIL", "451 4.3.0 try later"),
        ("MAIL", "550 5.7.1 sender refused"),
        ("MAIL", "530 5.7.0 authentication required"),
        ("RCPT", "503 5.5.1 need MAIL"),
        ("RCPT", "530 5.7.0 authentication required"),
        ("DATA", "503 5.5.1 need RCPT"),
        ("DATA", "250 ok"),
    ],
)
async def test_a_refusal_of_us_blames_no_recipient(word: str, reply: str) -> None:
    async with scripted({word: reply}) as relay, connected(relay) as transport:
        with pytest.raises(RelayAway, match=reply[:3]):
            await transport.send(message(), Row().intend)
        assert relay.connections == 1


@pytest.mark.parametrize(
    ("word", "reply", "kind"),
    [
        ("RCPT", "450 4.2.1 greylisted", Deferred),
        ("RCPT", "452 4.5.3 later", Deferred),
        ("RCPT", "550-5.1.1 no such\r\n550 5.1.1 user", Bounced),
        ("DATA", "451 4.7.1 later", Deferred),
        ("DATA", "554 5.6.0 never", Bounced),
        ("MAIL", "552 5.3.4 too large", Bounced),
        ("DOT", "451 4.3.0 later", Deferred),
        ("DOT", "554 5.7.1 never", Bounced),
        ("DOT", "552 5.3.4 too large", Bounced),
        ("DOT", "250-2.0.0 taken\r\n250 2.0.0 as 1", Sent),
    ],
)
async def test_a_reply_about_recipient_or_message_is_its_outcome(
    word: str, reply: str, kind: type[Outcome]
) -> None:
    async with scripted({f"{word} 1": reply}) as relay, connected(relay) as transport:
        row, other = Row(), Row()
        outcome = await transport.send(message(), row.intend)
        assert isinstance(outcome, kind)
        assert isinstance(outcome, Sent | Deferred | Bounced)
        assert (outcome.reply.code, outcome.reply.enhanced) == (int(reply[:3]), reply[4:9])
        assert row.asked == (1 if word == "DOT" else 0)
        # The next one on the same connection has nothing to do with it.
        assert isinstance(await transport.send(message("b@example.org"), other.intend), Sent)
        assert (relay.connections, relay.said("RSET")) == (1, 0 if kind is Sent else 1)


@pytest.mark.parametrize("fault", sorted(FAULTS.keys() - {"421", "421 and EOF"}))
async def test_after_the_dot_a_fault_is_uncertain(fault: str) -> None:
    outcome, row, relay = await outcome_of({"DOT": FAULTS[fault]}, dot_timeout=IMPATIENT)
    assert isinstance(outcome, Uncertain)
    assert outcome.reason.startswith(("after the final dot", "the final dot"))
    assert (row.asked, relay.dots, relay.said("QUIT")) == (1, 1, 0)


@pytest.mark.parametrize("fault", ["421", "421 and EOF"])
async def test_a_server_that_leaves_at_the_dot_has_not_taken_the_message(fault: str) -> None:
    outcome, _, relay = await outcome_of({"DOT": FAULTS[fault]})
    assert isinstance(outcome, Deferred)
    assert outcome.reply.code == 421
    assert relay.said("QUIT") == 0


@pytest.mark.parametrize("then", [hang_up, reset, "421 4.3.2 bye", "250 ok again", "550 no", LONG])
async def test_who_says_250_is_responsible_whatever_follows(then: Act) -> None:
    async with (
        scripted({"DOT 1": ("250 2.0.0 taken", then)}) as relay,
        connected(relay) as transport,
    ):
        for _ in range(2):
            assert isinstance(await transport.send(message(), Row().intend), Sent)
            await asyncio.sleep(0.01)
        # Such a connection is not used again: the surplus would answer the next MAIL.
        assert relay.connections == 2


async def test_a_connection_that_said_too_much_is_dropped_at_once() -> None:
    async with scripted({"DOT": "250 ok\r\n250 ok again"}) as relay, connected(relay) as transport:
        assert isinstance(await transport.send(message(), Row().intend), Sent)
        await until(lambda: relay.open == 0)
        assert relay.said("QUIT") == 0


@pytest.mark.parametrize("refusal", ["550 5.1.1 no", "451 4.3.0 later"])
async def test_two_replies_to_the_dot_are_uncertain_when_the_first_refuses(refusal: str) -> None:
    outcome, _, _ = await outcome_of({"DOT": f"{refusal}\r\n250 ok"})
    assert isinstance(outcome, Uncertain)
    assert "and then" in outcome.reason


@pytest.mark.parametrize("word", ["MAIL", "RCPT", "DATA"])
async def test_a_surplus_reply_never_lands_on_a_recipient(word: str) -> None:
    code = "354" if word == "DATA" else "250"
    async with (
        scripted({f"{word} 1": f"{code} ok\r\n550 5.1.1 no"}) as relay,
        connected(relay) as transport,
    ):
        with pytest.raises(RelayAway, match="and then the server spoke unasked: 550"):
            await transport.send(message(), Row().intend)
        assert isinstance(await transport.send(message(), Row().intend), Sent)
        assert relay.connections == 2


async def test_a_server_that_takes_its_leave_is_told_nothing_more() -> None:
    async with (
        scripted({"RCPT": "250 ok\r\n421 4.3.2 bye"}) as relay,
        connected(relay) as transport,
    ):
        with pytest.raises(RelayAway, match="before DATA the server spoke unasked: 421"):
            await transport.send(message(), Row().intend)
        assert relay.said("DATA") == 0


async def test_a_refusal_with_a_farewell_is_still_a_refusal() -> None:
    async with (
        scripted({"RCPT 1": "550 5.1.1 no\r\n421 4.7.0 too many errors"}) as relay,
        connected(relay) as transport,
    ):
        assert isinstance(await transport.send(message(), Row().intend), Bounced)
        assert isinstance(await transport.send(message(), Row().intend), Sent)
        assert relay.connections == 2


@pytest.mark.parametrize("word", ["MAIL", "RCPT", "DATA", "DOT"])
async def test_a_slow_reply_in_time_is_an_answer(word: str) -> None:
    slow: Script = {word: (drip("250-a", 0.01), "", pause(0.02), "250 ok")}
    if word == "DATA":
        slow = {word: (drip("354-a", 0.01), "", pause(0.02), "354 go")}
    outcome, _, _ = await outcome_of(slow, timeout=2.0, data_timeout=2.0)
    assert isinstance(outcome, Sent)


@pytest.mark.parametrize(("word", "seconds"), [("RCPT", 0.3), ("DATA", 0.31)])
async def test_each_word_has_its_own_patience(word: str, seconds: float) -> None:
    with pytest.raises(RelayAway, match=rf"no whole reply within {seconds} s$"):
        await outcome_of({word: silence}, timeout=0.3, data_timeout=0.31)


async def test_after_the_dot_we_wait_longer_than_before() -> None:
    script: Script = {"DOT": (pause(3 * IMPATIENT), "250 ok")}
    outcome, _, _ = await outcome_of(script, timeout=IMPATIENT, data_timeout=IMPATIENT)
    assert isinstance(outcome, Sent)


async def test_a_reply_that_came_while_we_slept_is_still_read() -> None:
    async def freeze(writer: asyncio.StreamWriter) -> None:
        writer.write(b"250 2.0.0 taken\r\n")
        time.sleep(2 * IMPATIENT)  # noqa: ASYNC251 -- it stops us all, as SIGSTOP would

    outcome, _, _ = await outcome_of({"DOT": freeze}, dot_timeout=IMPATIENT)
    assert isinstance(outcome, Sent)


async def test_intend_is_asked_once_and_only_after_the_body() -> None:
    async with scripted() as relay, connected(relay) as transport:
        seen: list[tuple[bytes, int]] = []

        async def look() -> None:
            # Nothing but the dot is missing, and it does not come while we wait.
            await until(lambda: b"".join(relay.body) == MAIL)
            await asyncio.sleep(0.05)
            seen.append((b"".join(relay.body), relay.dots))

        row = Row(meanwhile=look)
        assert isinstance(await transport.send(message(), row.intend), Sent)
        assert (row.asked, seen, relay.mails) == (1, [(MAIL, 0)], [MAIL])


async def test_without_the_lease_the_dot_never_goes_out() -> None:
    async with scripted() as relay, connected(relay) as transport:
        row = Row(ours=False, meanwhile=lambda: until(lambda: b"".join(relay.body) == MAIL))
        with pytest.raises(LeaseLost):
            await transport.send(message(), row.intend)
        await until(lambda: relay.open == 0)
        assert (row.asked, relay.dots, relay.mails, relay.said("QUIT")) == (1, 0, [], 0)


async def test_what_intend_raises_goes_through_and_the_dot_does_not() -> None:
    async with scripted() as relay, connected(relay) as transport:

        async def fail() -> None:
            await until(lambda: b"".join(relay.body) == MAIL)
            raise OSError("disk full")

        with pytest.raises(OSError, match="disk full"):
            await transport.send(message(), Row(meanwhile=fail).intend)
        await until(lambda: relay.open == 0)
        assert relay.dots == 0
        assert isinstance(await transport.send(message(), Row().intend), Sent)


@pytest.mark.parametrize(
    "acts", [[hang_up], [reset], ["552 5.3.4 large"], ["250 what"], ["421 4.3.2 bye", hang_up]]
)
async def test_a_connection_that_dies_while_intend_runs_is_not_uncertain(acts: list[Act]) -> None:
    async with (
        scripted({"BODY 1": (pause(0.02), *acts)}) as relay,
        connected(relay) as transport,
    ):
        row = Row(meanwhile=lambda: asyncio.sleep(0.08))
        outcome = await transport.send(message(), row.intend)
        assert isinstance(outcome, Deferred)
        assert (outcome.reply.code, outcome.reply.enhanced) == (451, "4.4.2")
        assert re.match("not sent: before the final dot ", outcome.reply.text)
        await until(lambda: relay.open == 0)
        assert (row.asked, relay.dots) == (1, 0)
        assert isinstance(await transport.send(message(), Row().intend), Sent)


async def test_a_server_that_takes_no_data_is_given_up_before_intend() -> None:
    large = message(data=(b"x" * 900 + b"\r\n") * 20_000)
    row = Row()
    async with (
        scripted({"BODY": silence}) as relay,
        connected(relay, body_timeout=IMPATIENT) as transport,
    ):
        with pytest.raises(RelayAway, match="took no more data"):
            await transport.send(large, row.intend)
    assert (row.asked, relay.dots) == (0, 0)


async def test_a_large_message_arrives_whole() -> None:
    large = message(data=b"".join(b".%d " % n + b"x" * 900 + b"\r\n" for n in range(5_000)))
    async with scripted() as relay, connected(relay) as transport:
        assert isinstance(await transport.send(large, Row().intend), Sent)
        assert relay.mails == [large.data]


async def test_a_message_beyond_the_relays_size_bounces_here() -> None:
    async with (
        scripted({"EHLO": "250-hi\r\n250 SIZE 20"}) as relay,
        connected(relay) as transport,
    ):
        outcome = await transport.send(message(), Row().intend)
        small = await transport.send(message(data=b"a: b\r\n\r\n"), Row().intend)
    assert isinstance(outcome, Bounced)
    assert (outcome.reply.code, outcome.reply.enhanced) == (552, "5.3.4")
    assert isinstance(small, Sent)
    assert relay.heard == [
        "EHLO sender.example",
        "MAIL FROM:<bounce+1@example.org> SIZE=8",
        "RCPT TO:<anna@example.org>",
        "DATA",
        "QUIT",
    ]


async def test_a_relay_without_size_is_not_asked_for_it() -> None:
    _, _, relay = await outcome_of({"EHLO": "250 hi"})
    assert relay.heard[1] == "MAIL FROM:<bounce+1@example.org>"


async def test_an_address_that_cannot_be_said_never_opens_a_connection() -> None:
    async with scripted() as relay, connected(relay) as transport:
        outcome = await transport.send(message("änna@example.org"), Row().intend)
        assert isinstance(outcome, Bounced)
        assert outcome.reply.enhanced == "5.6.7"
        with pytest.raises(ValueError, match="CRLF"):
            await transport.send(
                message(data=b"a: b\r\n\r\nx\r\n.\nMAIL FROM:<x>\r\n"), Row().intend
            )
        assert relay.connections == 0


@pytest.mark.parametrize("word", ["MAIL", "RCPT", "DATA", "BODY"])
async def test_cancelled_before_the_dot_nothing_is_sent_and_the_slot_is_free(word: str) -> None:
    async with scripted({f"{word} 1": silence}) as relay, connected(relay) as transport:
        row = Row(meanwhile=(lambda: asyncio.Event().wait()) if word == "BODY" else None)
        sending = asyncio.create_task(transport.send(message(), row.intend))
        await until(lambda: relay.said("DATA" if word == "BODY" else word) == 1)
        await asyncio.sleep(0.01)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert relay.dots == 0
        assert isinstance(await transport.send(message(), Row().intend), Sent)


async def test_cancelled_after_the_dot_the_connection_is_dropped_and_the_slot_is_free() -> None:
    async with scripted({"DOT 1": silence}) as relay, connected(relay) as transport:
        sending = asyncio.create_task(transport.send(message(), Row().intend))
        await until(lambda: relay.dots == 1)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert isinstance(await transport.send(message(), Row().intend), Sent)
        assert relay.connections == 2
