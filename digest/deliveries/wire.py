"""Turns a connected transport into words out and replies in; it never judges a reply."""

from __future__ import annotations

import asyncio
from typing import cast

from digest.deliveries.replies import MAX_REPLY, Malformed, one_line, take_reply
from digest.model.delivery import Reply

#: octets that we write at once
PIECE = 65_536


class Wire(asyncio.Protocol):
    """One connection. Once it has a fault it keeps it: nothing on it can be believed again."""

    def __init__(self, transport: asyncio.BaseTransport) -> None:
        # A transport that takes our protocol is a WriteTransport, which set_protocol cannot say.
        self._transport = cast("asyncio.Transport", transport)
        self._buffer = bytearray()
        self._fault: str | None = None
        self._heard = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._lost = asyncio.Event()
        self._transport.set_protocol(self)
        # We wait until nothing is queued, not until little is. Not 0: asyncio's TLS compares with
        # >= and would pause for ever on an empty buffer.
        self._transport.set_write_buffer_limits(high=1, low=0)
        if self._transport.is_closing():
            self._break("the connection is closed")

    # What asyncio calls.

    def data_received(self, data: bytes) -> None:
        """Keep what arrives, within bounds."""
        self._buffer += data
        if len(self._buffer) > MAX_REPLY:
            self._break("the server says too much")
            self._transport.abort()
        self._heard.set()

    def eof_received(self) -> bool:
        """The server has said its last word; asyncio closes our side too."""
        self._break("the server closed the connection")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake whoever waits."""
        self._break(f"the connection broke: {one_line(str(exc))}" if exc else "connection closed")
        self._lost.set()

    def pause_writing(self) -> None:
        """The kernel takes no more for now."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """The kernel took everything."""
        self._writable.set()

    # What a session calls.

    @property
    def unasked(self) -> str | None:
        """Why the line is not quiet, though it is our turn to speak; None when all is well."""
        if not self._buffer:
            return self._fault
        said = one_line(self._buffer[:200].decode("ascii", "replace"), 80)
        return f"the server spoke unasked: {said}"

    @property
    def surplus(self) -> bool:
        """A reply was followed by more; 421 may come at any time (RFC 5321 3.8) and is none."""
        return bool(self._buffer) and not self._buffer.startswith(b"421")

    def say(self, words: bytes) -> None:
        """Put words on the wire; a broken wire swallows them, and its reply will say so."""
        if not self._transport.is_closing():
            self._transport.write(words)

    async def pour(self, data: bytes, seconds: float) -> None:
        """Say much, piece by piece as the server takes it; more than `seconds` in all is a fault.

        Pieces, because asyncio's TLS takes one great write whole and never asks us to wait.
        """
        try:
            async with asyncio.timeout(seconds):
                for start in range(0, len(data), PIECE):
                    self.say(data[start : start + PIECE])
                    await self._writable.wait()
        except TimeoutError:
            self._break(f"the server took no more data within {seconds:g} s")

    async def reply(self, seconds: float) -> Reply | Malformed:
        """The next whole reply; a server that drips, stops or babbles ends after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                return await self._next_reply()
        except TimeoutError:
            # When it was we who slept (a stopped process, a busy loop), the reply may be there.
            return self._taken() or self._late(seconds)

    def drop(self) -> None:
        """Cut the connection now; what was not sent yet is not sent."""
        self._break("we dropped the connection")
        self._transport.abort()

    async def close(self, seconds: float) -> None:
        """Send what is left and close; cut it after `seconds`."""
        self._transport.close()
        try:
            async with asyncio.timeout(seconds):
                await self._lost.wait()
        except TimeoutError:
            self._transport.abort()

    async def _next_reply(self) -> Reply | Malformed:
        while (taken := self._taken()) is None:
            self._heard.clear()
            await self._heard.wait()
        return taken

    def _taken(self) -> Reply | Malformed | None:
        """The reply that stands in the buffer, or why none will come; None: wait."""
        match take_reply(self._buffer):
            case Malformed() as malformed:
                self._break(malformed.reason)
                return malformed
            case reply, length:
                del self._buffer[:length]
                return reply
            case None:
                return Malformed(reason=self._fault) if self._fault is not None else None

    def _late(self, seconds: float) -> Malformed:
        reason = f"no whole reply within {seconds:g} s"
        self._break(reason)
        return Malformed(reason=reason)

    def _break(self, reason: str) -> None:
        """The first fault is the cause; later ones follow from it."""
        if self._fault is None:
            self._fault = reason
        self._heard.set()
        self._writable.set()
