"""The port to a bounce mailbox: names, bytes, and moving aside; it never deletes a mail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Protocol

from digest.deliveries.mailbox.address import MaildirPlace, read_address
from digest.deliveries.mailbox.imap import open_imap
from digest.deliveries.mailbox.maildir import open_maildir
from digest.deliveries.mailbox.stuck import Stuck


class Aside(StrEnum):
    """Where a mail is moved to when it has been looked at."""

    #: understood, and applied where it asked for something
    PROCESSED = "Processed"
    #: not understood: for a person to look at
    UNKNOWN = "Unknown"


class Mailbox(Protocol):
    """An open mailbox. Everything here raises DigestError when it is away."""

    async def names(self) -> list[str]:
        """The mails in it, oldest first; a name is good for as long as the mailbox is open."""
        ...

    async def read(self, name: str) -> bytes | Stuck | None:
        """The first MiB of a mail; None when it is gone meanwhile."""
        ...

    async def move(self, name: str, to: str) -> Stuck | None:
        """Move a mail into a folder beside the mailbox, which is made; one that is gone is."""
        ...


@asynccontextmanager
async def open_mailbox(address: str | None) -> AsyncIterator[Mailbox]:
    """The mailbox of a setting. Raises SettingsError for one that cannot be, else DigestError."""
    place = read_address(address)
    opened = open_maildir(place) if isinstance(place, MaildirPlace) else open_imap(place)
    async with opened as mailbox:
        yield mailbox
