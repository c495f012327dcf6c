"""Turns messages into outcomes over a few kept connections; never shows a password in the clear."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast

import aiosmtplib

from digest.deliveries import commands
from digest.deliveries.replies import one_line
from digest.deliveries.session import Offer, Patience, Session, Stale
from digest.deliveries.wire import Wire
from digest.errors import RelayAway, SettingsError
from digest.model.delivery import Bounced, Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from digest.deliveries.transport import Intend
    from digest.model.message import Message

Security = Literal["tls", "starttls", "none"]

#: one try a connection, so that a wrong password does not hammer; TLS covers the plain ones
_LOGINS = ("plain", "login", "cram-md5")


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """Where the mail goes and how patient we are. All times in seconds (RFC 5321 4.5.3.2)."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    security: Security = "starttls"
    #: how many at once, at most
    connections: int = 4
    #: what we call ourselves in EHLO; None: this machine's full name
    local_hostname: str | None = None
    #: certificates that are believed instead of the system's
    cafile: Path | None = None
    #: for each step of connecting, and for the replies to MAIL and RCPT
    timeout: float = 60.0
    data_timeout: float = 120.0
    #: until the whole body is out
    body_timeout: float = 180.0
    #: after the final dot: an early end makes copies
    dot_timeout: float = 600.0
    #: how long a connection is kept without work
    idle: float = 60.0
    #: how many messages a connection carries
    messages: int = 100

    @property
    def patience(self) -> Patience:
        """The same for a session."""
        return Patience(
            command=self.timeout,
            data=self.data_timeout,
            body=self.body_timeout,
            dot=self.dot_timeout,
        )

    def __str__(self) -> str:
        return f"relay {self.host}:{self.port}"


class SmtpTransport:
    """A `Transport` through one relay.

    Raises SettingsError for credentials without TLS and for certificates that cannot be read.
    """

    def __init__(self, relay: Relay) -> None:
        if relay.username and relay.security == "none":
            raise SettingsError(
                f"{relay}: a password never goes out in the clear: set DIGEST_SMTP_SECURITY to"
                " tls or starttls, or clear DIGEST_SMTP_USERNAME"
            )
        self._relay = relay
        self._tls = None if relay.security == "none" else _tls(relay)
        self._slots = asyncio.Semaphore(relay.connections)
        #: resting sessions, the last used last, each with the timer that ends it
        self._kept: dict[Session, asyncio.TimerHandle] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._closed = False

    async def send(self, message: Message, intend: Intend) -> Outcome:
        """As `Transport.send`; waits for a free connection first."""
        refused = commands.refusal(message)
        if refused is not None:
            return Bounced(reply=refused)
        body = commands.body(message)
        async with self._slots:
            kept = await self._take()
            if kept is not None:
                try:
                    return await self._carry(kept, message, body, intend)
                except Stale:
                    pass  # the relay tired of waiting; nothing was sent: a new one will tell
            return await self._carry(await self._open(), message, body, intend)

    async def close(self) -> None:
        """Take leave on idle connections; one that is still at work ends after its message."""
        self._closed = True
        for session in tuple(self._kept):
            self._expire(session)
        await asyncio.gather(*self._leaving)

    async def _carry(
        self, session: Session, message: Message, body: bytes, intend: Intend
    ) -> Outcome:
        try:
            refused = await session.begin(message)
            return refused or await session.deliver(message, body, intend)
        finally:
            self._put_back(session)

    async def _take(self) -> Session | None:
        """The session that worked last, so that those not needed grow old and leave."""
        while self._kept:
            session, timer = self._kept.popitem()
            timer.cancel()
            if not session.resting:
                session.drop()
            elif session.messages >= self._relay.messages:
                await session.quit()  # before the next one opens: the relay counts connections
            else:
                return session
        return None

    def _put_back(self, session: Session) -> None:
        if not session.resting:
            session.drop()
        elif self._closed:
            self._take_leave(session)
        else:
            loop = asyncio.get_running_loop()
            self._kept[session] = loop.call_later(self._relay.idle, self._expire, session)

    def _expire(self, session: Session) -> None:
        self._kept.pop(session).cancel()
        self._take_leave(session)

    def _take_leave(self, session: Session) -> None:
        task = asyncio.create_task(session.quit())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _open(self) -> Session:
        """Connect, greet, secure and log in by aiosmtplib, then take its transport over.

        Its own commands drop replies that nobody awaits and cannot tell where a connection broke;
        from here on every byte is ours.
        """
        client = self._client()
        session = None
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
            if self._relay.username:
                await _log_in(client, self._relay.username, self._relay.password or "")
            session = self._taken_over(client)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise RelayAway(_why(self._relay, error)) from error
        finally:
            if session is None:
                _abandon(client)
        return session

    def _client(self) -> aiosmtplib.SMTP:
        relay = self._relay
        return aiosmtplib.SMTP(
            hostname=relay.host,
            port=relay.port,
            local_hostname=relay.local_hostname,
            timeout=relay.timeout,
            use_tls=relay.security == "tls",
            # Explicit, for its default is to go on in the clear where STARTTLS is not offered.
            start_tls=relay.security == "starttls",
            tls_context=self._tls,
        )

    def _taken_over(self, client: aiosmtplib.SMTP) -> Session:
        if client.transport is None:
            raise aiosmtplib.SMTPServerDisconnected("the server closed the connection")
        limit = client.esmtp_extensions.get("size", "")
        offer = Offer(
            size=client.supports_extension("size"),
            size_limit=int(limit) or None if limit.isdecimal() else None,
            dsn=client.supports_extension("dsn"),
        )
        wire = Wire(client.transport)
        return Session(wire, offer, name=str(self._relay), patience=self._relay.patience)


def _tls(relay: Relay) -> ssl.SSLContext:
    """Certificates and host names are verified, always."""
    try:
        return ssl.create_default_context(cafile=relay.cafile)
    except OSError as error:
        raise SettingsError(
            f"{relay}: cannot read the certificates in {relay.cafile}: {error}"
        ) from error


async def _log_in(client: aiosmtplib.SMTP, username: str, password: str) -> None:
    offered = [each for each in _LOGINS if each in client.server_auth_methods]
    client.server_auth_methods = offered[:1]
    await client.login(username, password)


def _abandon(client: aiosmtplib.SMTP) -> None:
    if client.transport is not None:
        cast("asyncio.WriteTransport", client.transport).abort()
    client.close()


def _why(relay: Relay, error: Exception) -> str:
    """One line: what, where, what to do."""
    match error:
        case aiosmtplib.SMTPAuthenticationError():
            hint = "check DIGEST_SMTP_USERNAME and DIGEST_SMTP_PASSWORD"
        case _ if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
            hint = "check DIGEST_SMTP_HOST, DIGEST_SMTP_SECURITY and the relay's certificate"
        case _:
            hint = "check DIGEST_SMTP_HOST, DIGEST_SMTP_PORT, DIGEST_SMTP_SECURITY, or wait"
    if isinstance(error, aiosmtplib.SMTPResponseException):
        text = f"{error.code} {error.message}"
    else:
        text = str(error) or type(error).__name__
    return f"{relay} cannot be used: {one_line(text)}; {hint}"
