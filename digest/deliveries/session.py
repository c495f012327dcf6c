"""Turns one open SMTP connection into the outcomes of messages; it never opens a connection."""

from __future__ import annotations

from dataclasses import dataclass, replace

from digest.deliveries import commands
from digest.deliveries.blame import blame
from digest.deliveries.replies import (
    SHUTTING_DOWN,
    Away,
    Malformed,
    Onward,
    Phase,
    judge,
    judge_dot,
)
from digest.deliveries.transport import Intend
from digest.deliveries.wire import Wire
from digest.errors import LeaseLost, RelayAway
from digest.model.delivery import Bounced, Deferred, Outcome, Reply, Sent, Uncertain
from digest.model.message import Message
from digest.model.report import Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long we wait for a whole reply, in seconds (RFC 5321 4.5.3.2).

    Before the dot an early end costs a retry. After it an early end makes copies, so the ten
    minutes that the RFC asks for are kept.
    """

    command: float
    data: float
    #: until the whole body is out
    body: float
    dot: float
    farewell: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What the server said of itself after EHLO."""

    #: it takes SIZE with MAIL FROM (RFC 1870)
    size: bool
    #: octets; None when it names no limit
    size_limit: int | None
    #: it reports on deliveries as it is asked to (DSN, RFC 3461)
    dsn: bool = False


class Stale(RelayAway):
    """A kept connection failed before it took up a message: a new one may do. Never goes out."""


class Session:
    """A connection that is greeted, secured and logged in, and carries one message at a time."""

    def __init__(self, wire: Wire, offer: Offer, *, name: str, patience: Patience) -> None:
        self._wire = wire
        self._offer = offer
        self._name = name
        self._patience = patience
        self._at_rest = True
        #: a refused message is still open on the server: RSET before the next one
        self._unfinished = False
        #: how many were begun here
        self.messages = 0

    @property
    def resting(self) -> bool:
        """The next message may begin: none is under way, and the line is quiet and alive.

        A session that does not rest after a message has seen what it cannot explain: drop it.
        """
        return self._at_rest and self._wire.unasked is None

    async def begin(self, message: Message) -> Bounced | None:
        """MAIL FROM; None: go on with `deliver`. Raises RelayAway, Stale on a kept connection."""
        refused = commands.too_large(message, self._offer.size_limit)
        if refused is not None:
            return Bounced(reply=refused, cause=Cause.MESSAGE)
        words = commands.mail(message, declare_size=self._offer.size, reports=self._offer.dsn)
        kept = self.messages > 0
        self.messages += 1
        self._at_rest = False
        try:
            return await self._introduce(words)
        except RelayAway as away:
            if kept:
                raise Stale(str(away)) from away
            raise

    async def deliver(self, message: Message, body: bytes, intend: Intend) -> Outcome:
        """RCPT TO, DATA, the body, `intend`, the dot: as `Transport.send` promises."""
        recipient = commands.rcpt(message, reports=self._offer.dsn)
        for phase, words in ((Phase.RCPT, recipient), (Phase.DATA, commands.DATA)):
            refused = await self._ask(phase, words)
            if refused is not None:
                self._rest(unfinished=True)
                return refused
        await self._say_body(body)
        if not await intend():
            raise LeaseLost("the delivery is no longer ours: the final dot was not sent")
        return await self._finish()

    def drop(self) -> None:
        """Cut the connection without a word."""
        self._wire.drop()

    async def quit(self) -> None:
        """Take leave; never raises, and takes a few seconds at most."""
        self._at_rest = False
        try:
            self._wire.say(commands.QUIT)
            await self._wire.reply(self._patience.farewell)
            await self._wire.close(self._patience.farewell)
        finally:
            self._wire.drop()

    async def _introduce(self, words: bytes) -> Bounced | None:
        if self._unfinished:
            await self._ask(Phase.RSET, commands.RSET)
            self._unfinished = False
        refused = await self._ask(Phase.MAIL, words)
        if isinstance(refused, Bounced):
            self._rest(unfinished=True)
            return refused
        return None

    async def _ask(self, phase: Phase, words: bytes) -> Deferred | Bounced | None:
        """Say words and judge the reply; None: go on."""
        if (unasked := self._wire.unasked) is not None:
            raise self._away(f"before {phase} {unasked}")
        self._wire.say(words)
        waits = self._patience.data if phase is Phase.DATA else self._patience.command
        reply = await self._wire.reply(waits)
        if isinstance(reply, Malformed):
            raise self._away(f"after {phase} {reply.reason}")
        if self._wire.surplus:  # which of them is meant? Nobody is blamed on such a line
            raise self._away(f"{phase} was answered {reply}, and then {self._wire.unasked}")
        match judge(phase, reply):
            case Onward():
                return None
            case Away(reason=reason):
                raise self._away(reason)
            case Deferred() | Bounced() as refused:
                return replace(refused, cause=blame(phase, reply))

    async def _say_body(self, body: bytes) -> None:
        await self._wire.pour(body, self._patience.body)
        if (unasked := self._wire.unasked) is not None:
            raise self._away(f"before the final dot {unasked}")

    async def _finish(self) -> Outcome:
        """The dot and its reply. From here on nothing is raised."""
        if (unasked := self._wire.unasked) is not None:
            text = f"not sent: before the final dot {unasked}"
            return Deferred(reply=Reply(code=451, enhanced="4.4.2", text=text))
        self._wire.say(commands.DOT)
        reply = await self._wire.reply(self._patience.dot)
        if isinstance(reply, Malformed):
            return Uncertain(reason=f"after the final dot {reply.reason}")
        outcome = judge_dot(reply)
        match outcome:
            case Sent():  # who says 250 is responsible, whatever follows
                self._rest(unfinished=False)
            case Deferred() | Bounced() if self._wire.surplus:
                return Uncertain(reason=f"{reply}, and then {self._wire.unasked}")
            case Deferred() | Bounced():
                self._rest(unfinished=True, leaving=reply.code == SHUTTING_DOWN)
                return replace(outcome, cause=blame(Phase.DATA, reply))
            case Uncertain():
                pass
        return outcome

    def _rest(self, *, unfinished: bool, leaving: bool = False) -> None:
        self._unfinished = unfinished
        self._at_rest = not leaving

    def _away(self, reason: str) -> RelayAway:
        return RelayAway(f"{self._name}: {reason}")
