"""An SMTP server on loopback that does at each word what its script says, however rude.

A script maps a word of the client to what happens then: "MAIL" each time, "MAIL 2" the second time
only, counted over all connections. Words are GREETING (the connection itself), EHLO, AUTH, MAIL,
RCPT, DATA, BODY (just after 354), DOT, RSET and QUIT. What happens is a sequence of acts: a text is
sent with CRLF at its end, anything else is a function of this module.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress

Act = str | Callable[[asyncio.StreamWriter], Awaitable[None]]
Script = Mapping[str, Act | tuple[Act, ...]]

POLITE: Script = {
    "GREETING": "220 relay.example ESMTP",
    "EHLO": "250-relay.example\r\n250 SIZE 0",
    "AUTH": "235 2.7.0 welcome",
    "MAIL": "250 2.1.0 ok",
    "RCPT": "250 2.1.5 ok",
    "DATA": "354 go on",
    "BODY": (),
    "DOT": "250 2.0.0 taken",
    "RSET": "250 2.0.0 ok",
    "QUIT": "221 2.0.0 bye",
}


class Gone(Exception):
    pass


async def hang_up(_: asyncio.StreamWriter) -> None:
    raise Gone


async def reset(writer: asyncio.StreamWriter) -> None:
    await writer.drain()
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    raise Gone


async def silence(_: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


def pause(seconds: float) -> Callable[[asyncio.StreamWriter], Awaitable[None]]:
    async def act(writer: asyncio.StreamWriter) -> None:
        await writer.drain()
        await asyncio.sleep(seconds)

    return act


def drip(text: str, gap: float) -> Callable[[asyncio.StreamWriter], Awaitable[None]]:
    async def act(writer: asyncio.StreamWriter) -> None:
        for letter in text.encode():
            writer.write(bytes([letter]))
            await asyncio.sleep(gap)

    return act


class ScriptedRelay:
    def __init__(self, script: Script) -> None:
        self.script = {**POLITE, **script}
        self.port = 0
        self.connections = 0
        self.open = 0
        self.peak = 0
        #: each command line, in the order of arrival
        self.heard: list[str] = []
        #: whole mails, their dots undone
        self.mails: list[bytes] = []
        #: the lines of the body that is arriving now
        self.body: list[bytes] = []
        self.dots = 0
        self._times: Counter[str] = Counter()
        self._talks: set[asyncio.Task[None]] = set()

    def said(self, word: str) -> int:
        return sum(line.upper().startswith(word) for line in self.heard)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        self.connections += 1
        self.open += 1
        self.peak = max(self.peak, self.open)
        try:
            with suppress(Gone, ConnectionError, asyncio.CancelledError):
                await self._talk(reader, writer)
        finally:
            self.open -= 1
            self._talks.discard(task)
            writer.close()

    async def stop(self) -> None:
        for task in tuple(self._talks):
            task.cancel()
        if self._talks:
            await asyncio.wait(self._talks)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._act("GREETING", writer)
        while line := await reader.readline():
            text = line.decode("ascii").rstrip("\r\n")
            self.heard.append(text)
            word = text.split(" ")[0].upper()
            await self._act(word, writer)
            if word == "QUIT":
                return
            if word == "DATA" and self._answers("DATA").startswith("354"):
                await self._act("BODY", writer)
                await self._take_mail(reader)
                await self._act("DOT", writer)

    async def _take_mail(self, reader: asyncio.StreamReader) -> None:
        self.body = []
        while (line := await reader.readline()) != b".\r\n":
            if not line.endswith(b"\r\n"):
                raise Gone
            self.body.append(line.removeprefix(b"."))
        self.dots += 1
        self.mails.append(b"".join(self.body))

    def _acts(self, word: str) -> tuple[Act, ...]:
        acts = self.script.get(f"{word} {self._times[word]}", self.script.get(word, "500 what?"))
        return acts if isinstance(acts, tuple) else (acts,)

    def _answers(self, word: str) -> str:
        return " ".join(act for act in self._acts(word) if isinstance(act, str)).strip()

    async def _act(self, word: str, writer: asyncio.StreamWriter) -> None:
        self._times[word] += 1
        for act in self._acts(word):
            if isinstance(act, str):
                writer.write(act.encode("latin-1") + b"\r\n")
            else:
                await act(writer)
        await writer.drain()


@asynccontextmanager
async def scripted(
    script: Script | None = None, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[ScriptedRelay]:
    relay = ScriptedRelay(script or {})
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0, ssl=tls, limit=2**20)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        server.close()
        await relay.stop()
        await server.wait_closed()
