"""Turns messages into .eml files in a folder, byte for byte; it never sends anything."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from digest.deliveries import commands
from digest.deliveries.replies import one_line
from digest.errors import LeaseLost, RelayAway
from digest.model.delivery import Bounced, Deferred, Outcome, Reply, Sent, Uncertain

if TYPE_CHECKING:
    from digest.deliveries.transport import Intend
    from digest.model.message import Message

_MESSAGE_ID = re.compile(rb"^message-id:\s*(<[^<>\s]+>)", re.IGNORECASE | re.MULTILINE)


def file_name(message: Message) -> str:
    """The same for the same Message-ID and recipient, and safe whatever they are."""
    head = message.data.partition(b"\r\n\r\n")[0]
    found = _MESSAGE_ID.search(head)
    identity = found[1] if found else message.data
    key = identity + b"\0" + message.rcpt_to.encode()
    return f"{hashlib.sha256(key).hexdigest()[:32]}.eml"


class OutboxTransport:
    """A `Transport` into a folder. Writing the same message again replaces its file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, message: Message, intend: Intend) -> Outcome:
        """As `Transport.send`; the rename that makes the file appear is the final dot."""
        refused = commands.refusal(message)
        if refused is not None:
            return Bounced(reply=refused)
        commands.body(message)  # what SMTP could not carry is not written either
        try:
            draft = await asyncio.to_thread(_write, self._folder, message.data)
        except OSError as error:
            raise RelayAway(f"outbox {self._folder}: {error}; make it writable") from error
        try:
            if not await intend():
                raise LeaseLost("the delivery is no longer ours: the file was not written")
            return await asyncio.to_thread(_publish, draft, self._folder / file_name(message))
        finally:
            draft.unlink(missing_ok=True)

    async def close(self) -> None:
        """Nothing is open."""


def _write(folder: Path, data: bytes) -> Path:
    """The bytes in a hidden file of that folder, safe on disk."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _publish(draft: Path, path: Path) -> Outcome:
    """Give the file its name; never raises OSError, for the row says by now that we did."""
    try:
        draft.replace(path)
    except OSError as error:
        text = f"not written: {one_line(str(error))}"
        return Deferred(reply=Reply(code=451, enhanced="4.3.0", text=text))
    try:
        _sync(path.parent)
    except OSError as error:
        return Uncertain(reason=f"written to {path}, perhaps not kept: {one_line(str(error))}")
    return Sent(reply=Reply(code=250, enhanced="2.0.0", text=f"written to {path}"))


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
