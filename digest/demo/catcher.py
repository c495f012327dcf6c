"""Turns mail that arrives over SMTP into files, byte for byte; it never sends any on.

One message, one file: what stood between DATA and the final dot, with doubled dots undone (RFC
5321 section 4.5.2) and nothing added or changed.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from aiosmtpd.smtp import SMTP, Envelope, Session

logger = logging.getLogger(__name__)

MOST_BYTES: Final = 10_000_000
#: how many messages are remembered; their files stay
MOST_REMEMBERED: Final = 1000
_LONGEST_NAME: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """One message that was accepted: its file, its envelope, and when it was kept (UTC)."""

    path: Path
    mail_from: str
    rcpt_tos: tuple[str, ...]
    at: datetime


class Catcher:
    """An SMTP server that keeps what it gets; `async with` opens and closes it.

    `clock` gives the time in UTC. Port 0 asks the system for a free one: `port` then tells which.
    It offers SIZE and 8BITMIME, no AUTH and no TLS, so it belongs on loopback. Entering raises
    OSError when the port is taken or the folder cannot be made.
    """

    def __init__(
        self,
        folder: Path,
        *,
        clock: Callable[[], datetime],
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.port = port
        self.caught: deque[Caught] = deque(maxlen=MOST_REMEMBERED)
        self._folder = folder
        self._clock = clock
        self._host = host
        self._numbers = itertools.count(1)
        self._server: asyncio.Server | None = None
        self._lines: set[_Line] = set()

    async def __aenter__(self) -> Self:
        """Listen."""
        self._prepare()
        loop = asyncio.get_running_loop()
        # Controller(port=0) cannot start: it dials the port that it was given, which is 0
        self._server = await loop.create_server(self._answer, self._host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening and hang up on whoever is still connected."""
        if self._server is None:
            return
        self._server.close()
        for line in tuple(self._lines):
            line.hang_up()
        # from Python 3.12 on this waits for the connections too, which is why they end first
        await self._server.wait_closed()

    def _prepare(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        numbers = (re.match(r"\d+", path.name) for path in self._folder.glob("*.eml"))
        highest = max((int(number[0]) for number in numbers if number), default=0)
        self._numbers = itertools.count(highest + 1)

    def _answer(self) -> _Line:
        return _Line(self, self._lines)

    async def handle_DATA(  # noqa: N802 -- aiosmtpd calls it by this name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
    ) -> str:
        """Keep one message; the answer is the SMTP reply."""
        name = f"{next(self._numbers):04d}-{_file_name(envelope.rcpt_tos[0])}.eml"
        path = self._folder / name
        try:
            # not in a thread: whoever waits for our reply may hold the last one
            _write(path, envelope.original_content or b"")
        except OSError as problem:
            logger.warning("caught mail not kept: %s: %s", path, problem.strerror)
            return "451 4.3.0 The message could not be kept, try again later"
        recipients = tuple(envelope.rcpt_tos)
        self.caught.append(
            Caught(
                path=path,
                mail_from=envelope.mail_from or "",
                rcpt_tos=recipients,
                at=self._clock(),
            )
        )
        return f"250 2.0.0 Kept as {name}"


class _Line(SMTP):
    """One connection, which can be ended from our side."""

    def __init__(self, catcher: Catcher, lines: set[_Line]) -> None:
        super().__init__(
            catcher,
            data_size_limit=MOST_BYTES,
            hostname="localhost",
            ident="Digest demo",
            loop=asyncio.get_running_loop(),
        )
        self._lines = lines

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._lines.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._lines.discard(self)
        super().connection_lost(error)

    def hang_up(self) -> None:
        transport: Any = self.transport
        if transport is not None:
            transport.abort()


def _file_name(address: str) -> str:
    """What of an address may stand in a file name on any system."""
    return re.sub(r"[^a-z0-9@._+-]", "_", address.lower())[:_LONGEST_NAME]


def _write(path: Path, content: bytes) -> None:
    """Let the file appear whole or not at all."""
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.write_bytes(content)
    unfinished.replace(path)
