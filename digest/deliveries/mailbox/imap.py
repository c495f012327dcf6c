"""Reads an IMAP mailbox and moves its mails aside; never deletes one that it has not copied.

Python's own imaplib, in a thread: it speaks what we need, and there is one question at a time. It
waits at most so long for each byte, and we wait at most so long for each answer: then the line is
cut. No UID is kept when the line is closed, so a new UIDVALIDITY (RFC 9051 section 2.3.1.1) cannot
mislead us: what was applied is known by what it says.
"""

from __future__ import annotations

import asyncio
import imaplib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from digest.deliveries.mailbox import phrases
from digest.deliveries.mailbox.address import ImapPlace
from digest.deliveries.mailbox.stuck import Stuck
from digest.deliveries.reports.parcel import MAX_BYTES
from digest.errors import DigestError

T = TypeVar("T")

#: seconds for each byte, and for each answer as a whole
BYTE_LIMIT: Final = 20.0
LIMIT: Final = 90.0

#: mails that one run takes, the oldest ones: a list of all of them is one line
MOST: Final = 50_000


class _NoError(imaplib.IMAP4.error):
    """The server answered NO: the line is in order."""


@dataclass(slots=True)
class _Session:
    """One connection; all of it is called in a thread, but for `cut`."""

    place: ImapPlace
    _imap: imaplib.IMAP4 | None = None
    _offers: frozenset[str] = frozenset()
    _made: dict[str, str] = field(default_factory=dict)

    @property
    def imap(self) -> imaplib.IMAP4:
        if self._imap is None:
            raise OSError("the line is closed")
        return self._imap

    def open(self) -> None:
        """Connect, encrypt, log in and select the mailbox."""
        place = self.place
        trusted = ssl.create_default_context()
        if place.tls:
            self._imap = imaplib.IMAP4_SSL(
                place.host, place.port, ssl_context=trusted, timeout=BYTE_LIMIT
            )
        else:
            self._imap = imaplib.IMAP4(place.host, place.port, timeout=BYTE_LIMIT)
            if not place.is_near:
                # raises where it is not offered: a password never goes over a line in the clear
                self.imap.starttls(trusted)
        self._log_in()
        self._offers = phrases.words_of(_ok(self.imap.capability()))
        _ok(self.imap.select(phrases.quoted(place.mailbox)))

    def _log_in(self) -> None:
        place = self.place
        if "AUTH=PLAIN" in self.imap.capabilities:
            # in UTF-8, whatever letters there are (RFC 4616)
            secret = f"\0{place.username}\0{place.password}".encode()
            _ok(self.imap.authenticate("PLAIN", lambda _: secret))
        else:
            # imaplib quotes the password, and not the user
            _ok(self.imap.login(phrases.escaped(place.username), place.password))

    def names(self) -> list[str]:
        """The UIDs, oldest first. What another program marked as deleted is no mail any more."""
        exists = int(phrases.text_of(self.imap.untagged_responses.get("EXISTS", [b"0"])[-1]) or 0)
        if not exists:
            return []
        found = self._uid("SEARCH", f"1:{min(exists, MOST)}", "UNDELETED")
        uids = [int(each) for each in phrases.text_of(found[0]).split() if each.isdigit()]
        return [str(each) for each in sorted(uids)]

    def read(self, name: str) -> bytes | None:
        """The first MiB; PEEK, so that a mail that nobody has read stays unread."""
        return phrases.body_in(self._uid("FETCH", name, f"(BODY.PEEK[]<0.{MAX_BYTES}>)"))

    def move(self, name: str, to: str) -> None:
        """MOVE (RFC 6851) where there is one; else copied first, and deleted after that."""
        folder = self._folder(to)
        if "MOVE" in self._offers:
            self._uid("MOVE", name, folder)
            return
        self._uid("COPY", name, folder)
        self._uid("STORE", name, "+FLAGS.SILENT", r"(\Deleted)")
        if "UIDPLUS" in self._offers:
            # a bare EXPUNGE would take along what others marked (RFC 4315 section 2.1)
            self._uid("EXPUNGE", name)

    def _folder(self, name: str) -> str:
        """The folder beside the mailbox, quoted; made when it is wanted first."""
        if name not in self._made:
            inbox = self.place.mailbox.upper() == "INBOX"
            prefix, separator = phrases.namespace_in(self._ask_namespace())
            above = prefix if inbox else f"{self.place.mailbox}{separator}"
            folder = phrases.quoted(f"{above}{name}")
            # NO means most often that it is there; if not, the move will say so
            self.imap.create(folder)
            self.imap.subscribe(folder)
            self._made[name] = folder
        return self._made[name]

    def _ask_namespace(self) -> str:
        if "NAMESPACE" not in self._offers:
            return ""
        return phrases.text_of(_ok(self.imap.namespace())[0])

    def _uid(self, command: str, *arguments: str) -> Sequence[object]:
        return _ok(self.imap.uid(command, *arguments))

    def leave(self) -> None:
        """Say goodbye. What is marked as deleted is not expunged, for CLOSE is not said."""
        self.imap.logout()

    def cut(self) -> None:
        """Hang up at once: whoever waits for an answer in a thread gets an error."""
        imap, self._imap = self._imap, None
        if imap is None:
            return
        with suppress(OSError):
            # first of all: closing waits for whoever reads
            imap.sock.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            imap.shutdown()


def _ok(answer: tuple[str, Any]) -> Sequence[object]:
    kind, data = answer
    if kind != "OK":
        raise _NoError(phrases.text_of(data[0] if data else b""))
    return list(data)


@dataclass(frozen=True, slots=True)
class ImapMailbox:
    """An open mailbox on an IMAP server."""

    session: _Session

    async def names(self) -> list[str]:
        """The UIDs of the mails in it, oldest first. Raises DigestError."""
        return await self.ask(self.session.names)

    async def read(self, name: str) -> bytes | Stuck | None:
        """The first MiB of a mail; None when it is gone. Raises DigestError."""
        return await self.ask(lambda: self._unless_stuck(self.session.read, name))

    async def move(self, name: str, to: str) -> Stuck | None:
        """Move a mail into a folder beside the mailbox, which is made. Raises DigestError."""
        return await self.ask(lambda: self._unless_stuck(self.session.move, name, to))

    def _unless_stuck(self, question: Callable[..., T], *about: str) -> T | Stuck:
        try:
            return question(*about)
        except _NoError as problem:
            return Stuck(reason=_what(self.session.place, problem))

    async def ask(self, question: Callable[[], T]) -> T:
        """The answer, in time. Raises DigestError, and hangs up, when there is none."""
        try:
            async with asyncio.timeout(LIMIT):
                return await asyncio.to_thread(question)
        except asyncio.CancelledError:
            self.session.cut()
            raise
        except (imaplib.IMAP4.error, OSError, EOFError, ValueError) as problem:
            self.session.cut()
            # without its cause: the password may stand in the trace
            what = _what(self.session.place, problem)
            raise DigestError(f"{what}; the next run goes on from there") from None


@asynccontextmanager
async def open_imap(place: ImapPlace) -> AsyncIterator[ImapMailbox]:
    """The mailbox at a place. Raises DigestError when it cannot be opened."""
    session = _Session(place)
    mailbox = ImapMailbox(session)
    try:
        await mailbox.ask(session.open)
        yield mailbox
        with suppress(DigestError):  # everything is done: no goodbye is needed
            await mailbox.ask(session.leave)
    finally:
        session.cut()


def _what(place: ImapPlace, problem: Exception) -> str:
    if isinstance(problem, TimeoutError):
        why = "it does not answer in time"
    elif isinstance(problem, ssl.SSLCertVerificationError):
        why = f"its certificate is refused ({problem.verify_message})"
    elif isinstance(problem, ssl.SSLError):
        why = f"TLS fails ({problem.reason or problem})"
    else:
        why = phrases.shown(str(problem) or type(problem).__name__, hide=place.password)
    return f"the bounce mailbox {place}: {why}"
