"""Turns strangers' pictures into ours, one after the other, in a process that may be ended."""

from __future__ import annotations

import asyncio
import pickle
from types import TracebackType
from typing import Self

from digest.feeds.redraw import redraw
from digest.jobs import aside
from digest.jobs.aside import Aside, Overdue
from digest.model.picture import NoPicture, Redrawn

#: how long one picture may take
SECONDS = 10.0
#: how long a process takes to begin, when the computer has much else to do
BEGIN_SECONDS = 60.0
#: what it runs
PROGRAM = "from digest.jobs.making import serve; serve()"


class Maker:
    """Makes pictures; an async context manager. Its process begins with the first of them."""

    def __init__(self) -> None:
        self._process: Aside | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._dismiss()

    async def make(self, data: bytes) -> Redrawn | NoPicture:
        """Our picture of these octets; never raises for what they are."""
        async with self._turn:
            return await asyncio.to_thread(self._ask, data)

    def _ask(self, data: bytes) -> Redrawn | NoPicture:
        try:
            made: Redrawn | NoPicture = pickle.loads(  # noqa: S301 -- our own program wrote it
                self._engaged().ask(data, seconds=SECONDS)
            )
        except Overdue:
            self._dismiss()
            return NoPicture(reason=f"drawing it took longer than {SECONDS:g} s")
        except (EOFError, OSError, ValueError):
            self._dismiss()
            return NoPicture(reason="it cannot be drawn: whoever drew it fell over")
        return made

    def _engaged(self) -> Aside:
        if self._process is None:
            self._process = Aside(PROGRAM)
            self._process.hear(BEGIN_SECONDS)
        return self._process

    def _dismiss(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end()


def serve() -> None:
    """Be such a process."""
    aside.serve(lambda data: pickle.dumps(redraw(data)))
