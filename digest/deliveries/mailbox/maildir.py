"""Reads a Maildir and moves its mails into Maildir++ folders; never deletes or overwrites one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from digest.deliveries.mailbox.address import MaildirPlace
from digest.deliveries.mailbox.stuck import Stuck
from digest.deliveries.reports.parcel import MAX_BYTES
from digest.errors import DigestError

#: where mails lie; what is still being delivered lies in `tmp`
_FOLDERS: Final = ("new", "cur")


@dataclass(frozen=True, slots=True)
class Maildir:
    """A Maildir, by its path."""

    path: Path

    async def names(self) -> list[str]:
        """The mails in it, as `new/…` and `cur/…`, oldest first. Raises DigestError."""
        return await asyncio.to_thread(self._names)

    async def read(self, name: str) -> bytes | Stuck | None:
        """The first MiB of a mail; None when it is gone."""
        return await asyncio.to_thread(self._read, name)

    async def move(self, name: str, to: str) -> Stuck | None:
        """Move a mail into `.{to}`, which is made."""
        return await asyncio.to_thread(self._move, name, to)

    def _names(self) -> list[str]:
        found: list[str] = []
        for folder in _FOLDERS:
            try:
                with os.scandir(self.path / folder) as entries:
                    found += [
                        f"{folder}/{each.name}"
                        for each in entries
                        # a fifo or a link in a mailbox is no mail
                        if not each.name.startswith(".") and each.is_file(follow_symlinks=False)
                    ]
            except OSError as problem:
                raise DigestError(_what(self.path, problem)) from problem
        # a name begins with the second in which it was delivered
        return sorted(found, key=lambda name: name.partition("/")[2])

    def _read(self, name: str) -> bytes | Stuck | None:
        try:
            with (self.path / name).open("rb") as file:
                return file.read(MAX_BYTES)
        except FileNotFoundError:
            return None
        except OSError as problem:
            return Stuck(reason=_what(self.path / name, problem))

    def _move(self, name: str, to: str) -> Stuck | None:
        folder, _, own = name.partition("/")
        aside = self.path / f".{to}"
        try:
            _make(aside)
            target = _free(aside / folder, own)
            (self.path / name).rename(target)
        except FileNotFoundError:
            return None  # somebody else has moved it: what it asked for is applied, and known
        except OSError as problem:
            return Stuck(reason=_what(self.path / name, problem))
        return None


@asynccontextmanager
async def open_maildir(place: MaildirPlace) -> AsyncIterator[Maildir]:
    """The Maildir at a place. Raises DigestError when there is none."""
    if not all((place.path / each).is_dir() for each in _FOLDERS):
        raise DigestError(
            f"the bounce mailbox {place.path} is no Maildir that we may read:"
            " it has no folders new and cur; look at DIGEST_BOUNCE_MAILBOX"
        )
    yield Maildir(place.path)


def _make(folder: Path) -> None:
    for each in ("tmp", *_FOLDERS):
        (folder / each).mkdir(mode=0o700, parents=True, exist_ok=True)
    # Maildir++: it says that this is a folder and no mailbox of its own
    (folder / "maildirfolder").touch(exist_ok=True)


def _free(folder: Path, name: str) -> Path:
    """A name that is free there: rename would overwrite."""
    unique, colon, flags = name.partition(":")
    target, number = folder / name, 1
    while target.exists():
        target, number = folder / f"{unique}.{number}{colon}{flags}", number + 1
    return target


def _what(path: Path, problem: OSError) -> str:
    return f"the bounce mailbox {path}: {problem.strerror or problem}"
