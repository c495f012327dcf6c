"""Turns `DIGEST_BOUNCE_MAILBOX` into the place that it names; never shows its password."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from digest.errors import SettingsError

_NAME: Final = "DIGEST_BOUNCE_MAILBOX"
_FORMS: Final = "maildir:/path or imaps://user:password@host/INBOX"
#: an IMAP server listens here; with TLS from the first byte (RFC 8314 section 7.1) there
_PORT: Final = 143
_TLS_PORT: Final = 993
#: none of these can stand in a command
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class MaildirPlace:
    """A folder with `new` and `cur` in it."""

    path: Path

    def __str__(self) -> str:
        return f"maildir:{self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapPlace:
    """A mailbox on an IMAP server."""

    host: str
    port: int
    #: TLS from the first byte; else STARTTLS is asked for
    tls: bool
    username: str = field(repr=False)
    password: str = field(repr=False)
    mailbox: str = "INBOX"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'imaps' if self.tls else 'imap'}://{host}:{self.port}/{self.mailbox}"

    @property
    def is_near(self) -> bool:
        """True for this very machine: there a password may go in the clear."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def read_address(text: str | None) -> MaildirPlace | ImapPlace:
    """The place. Raises SettingsError with one line that shows nothing of the address."""
    if not text:
        raise SettingsError(f"{_NAME} is not set: write {_FORMS}")
    kind, colon, rest = text.strip().partition(":")
    if colon and kind.lower() == "maildir":
        return _read_maildir(rest)
    if colon and kind.lower() in ("imap", "imaps"):
        return _read_imap(text.strip())
    raise _refusal(f"write {_FORMS}")


def _read_maildir(rest: str) -> MaildirPlace:
    path = rest.removeprefix("//")
    if not path or "\0" in path:
        raise _refusal("name the folder, such as maildir:/var/mail/bounces")
    return MaildirPlace(path=Path(path).expanduser())


def _read_imap(text: str) -> ImapPlace:
    # what the parser says of a part names that part, and it may be half a password
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _refusal(
            "it is no address; in user and password write % / : @ # ? as %25 …"
        ) from None
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not user or not password:
        raise _refusal("name user and password: imaps://user:password@host/INBOX")
    if not parts.hostname or parts.query or parts.fragment or "@" in parts.path:
        raise _refusal("it is no address; in user and password write % / : @ # ? as %25 …")
    mailbox = unquote(parts.path.strip("/")) or "INBOX"
    if any(_CONTROLS.search(each) for each in (user, password, mailbox)):
        raise _refusal("it holds a control character")
    tls = parts.scheme == "imaps"
    return ImapPlace(
        host=_host(parts),
        port=port or (_TLS_PORT if tls else _PORT),
        tls=tls,
        username=user,
        password=password,
        mailbox=mailbox,
    )


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    try:
        return host.encode("idna").decode("ascii") if not host.isascii() else host
    except UnicodeError:
        raise _refusal("the name of its server is none") from None


def _refusal(reason: str) -> SettingsError:
    return SettingsError(f"{_NAME} cannot be used: {reason}")
