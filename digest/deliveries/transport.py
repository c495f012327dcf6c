"""The one port of the house: turns a message into an outcome; never decides to try again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from digest.model.delivery import Outcome
from digest.model.message import Message

#: Writes "the final dot is about to be sent" into the delivery's row and waits until that is
#: safe on disk; False when the row is no longer ours.
Intend = Callable[[], Awaitable[bool]]


class Transport(Protocol):
    """What can hand a message over. Several `send` may run at once.

    Until the final dot everything may be repeated without harm; after it the message may have
    arrived, whatever we hear (RFC 1047). `send` therefore draws one line:

    - Before the line it raises `RelayAway` for all that says nothing about this recipient or this
      message, and returns `Deferred` or `Bounced` when the other side refused one of them.
    - At the line it awaits `intend()`, once and only when all but the final dot has been handed
      over. On False it drops the connection without the dot and raises `LeaseLost`; what `intend`
      raises goes through, without the dot too.
    - After the line it returns, never raises: `Sent`, `Deferred`, `Bounced`, or `Uncertain` when
      no reply to the dot could be read. A connection found dead before the dot was written gives
      `Deferred` with code 451 and 4.4.2: certainly not delivered.

    `ValueError` means that the message itself is malformed, which is our fault, and is raised
    before anything is sent. Cancelling `send` drops the connection. Cancelled after the line, the
    reply is lost and the delivery is uncertain: who stops in order waits for `send` instead.
    """

    async def send(self, message: Message, intend: Intend) -> Outcome:
        """Hand the message over; see the class for what comes back and what is raised."""
        ...

    async def close(self) -> None:
        """End quietly: take leave on idle connections. Call it when no `send` is running."""
        ...
