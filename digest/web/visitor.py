"""Turns a request into the address that it came from, and many of them into a few at a time.

What a visitor writes into X-Forwarded-For is never believed: only what our own proxies added.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException

from digest.subscribers.crowd import Address

if TYPE_CHECKING:
    from fastapi import Request

log = logging.getLogger("digest.web")

#: how many sign-ups are at work with the database at once: SQLite lets one writer in after the
#: other, and those who deliver stand in the same line
AT_ONCE: Final = 3
#: how many may wait for that; whoever comes then hears so at once, and the memory stays ours
WAITING: Final = 300

#: some proxies add the port
_WITH_PORT: Final = re.compile(r"(?:(\d+\.\d+\.\d+\.\d+)|\[([0-9A-Fa-f:.]+)\])(?::\d{1,5})?")
_told = False


def address_of(request: Request, *, proxies: int) -> Address | None:
    """Where a request comes from; `proxies` of ours stand before us. None where nobody can tell.

    Each proxy appends whom it speaks for, so the entry that the outermost of ours wrote is that
    many from the right; a visitor's own are left of it. What is no address is not believed: then
    it is the proxy itself that counts.
    """
    peer = _read(request.client.host) if request.client else None
    named = [
        part for line in request.headers.getlist("x-forwarded-for") for part in line.split(",")
    ]
    if proxies and len(named) >= proxies:
        return _read(named[-proxies].strip()) or peer
    if named and not proxies and peer is not None and not peer.is_global:
        _warn()
    return peer


def _read(text: str) -> Address | None:
    found = _WITH_PORT.fullmatch(text)
    try:
        return ip_address((found[1] or found[2]) if found else text)
    except ValueError:
        return None


def _warn() -> None:
    """Say once that all visitors look like one: else the limits of a network are met by all."""
    global _told  # noqa: PLW0603 -- once in a process is the point
    if not _told:
        _told = True
        log.warning(
            "visitors come through a proxy and are all counted as one network:"
            " set DIGEST_PROXIES to the number of proxies before us"
        )


class Turns:
    """Lets a few sign-ups be at work at once."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._places = at_once + waiting

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn. Raises HTTPException (503) when too many wait already."""
        if not self._places:
            raise HTTPException(503, headers={"Retry-After": "30"})
        self._places -= 1
        try:
            async with self._free:
                yield
        finally:
            self._places += 1


async def end_on_the_beat(began: float, beat: float) -> None:
    """Wait until the next multiple of `beat` seconds since `began`, by the event loop's clock.

    How long something took cannot be told from when it was answered; a little more by chance blurs
    what a queue before us would show.
    """
    if beat > 0:
        spent = asyncio.get_running_loop().time() - began
        await asyncio.sleep((spent // beat + 1 + secrets.randbelow(100) / 500) * beat - spent)
