"""Runs a command: opens the world, turns signals into an orderly stop, errors into one line."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from rich.console import Console

from digest.errors import DigestError
from digest.settings import Settings, read_settings

T = TypeVar("T")


class _Voice(Console):
    """Speaks as long as there is room: a log that cannot be written stops no mail."""

    def print(self, *objects: Any, **how: Any) -> None:
        """As `Console.print`; a full disk or a closed pipe is no error."""
        with suppress(OSError):
            super().print(*objects, **how)


#: what people read; scripts read standard output
told = _Voice(stderr=True, soft_wrap=True, highlight=False)
#: in a pipe a table is as wide as it needs to be: nothing of an address may be cut
out = Console(soft_wrap=True, highlight=False)
if not out.is_terminal:
    out = Console(soft_wrap=True, highlight=False, width=500)


def run(journey: Callable[[asyncio.Event], Awaitable[T]], *, patient: bool = False) -> T:
    """Run a journey to its end; a deliberate error becomes one line and its exit code.

    Ctrl-C and SIGTERM end it. A patient journey has something to finish first, such as a reply to
    a mail: its event is set, and only a second signal ends it at once.
    """
    try:
        return asyncio.run(_with_signals(journey, patient=patient))
    except DigestError as problem:
        fail(str(problem), code=problem.exit_code)
    except KeyboardInterrupt:
        fail("stopped; run it again to go on", code=130)
    except Exception as problem:
        # our own fault: still one line, and the trace for whoever asks for it
        logging.getLogger("digest").debug("trace", exc_info=True)
        fail(f"our own fault: {type(problem).__name__}: {problem}; --verbose shows where")


async def _with_signals(journey: Callable[[asyncio.Event], Awaitable[T]], *, patient: bool) -> T:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()

    def ask_to_stop() -> None:
        if task is not None and (stop.is_set() or not patient):
            task.cancel()
        stop.set()

    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, ask_to_stop)
    try:
        return await journey(stop)
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def fail(reason: str, *, code: int = 1) -> NoReturn:
    """Say what is wrong in one line on standard error, and exit."""
    told.print(f"digest: {' '.join(reason.split())}", style="bold red", markup=False)
    sys.exit(code)


def many(count: int, noun: str) -> str:
    """`1 reader`, `2 readers`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def print_json(document: Any) -> None:
    """The one JSON document of a command, on standard output."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def here() -> Settings:
    """The settings of this folder; from now on the log speaks as they say."""
    settings = read_settings()
    start_logging(logging.getLogger("digest").level, kind=settings.log_format)
    return settings


def warn_of_http(settings: Settings) -> None:
    """Say once that mail programs offer no one-click unsubscribe without https."""
    if not settings.public_url.startswith("https://"):
        told.print(
            f"DIGEST_PUBLIC_URL {settings.public_url} is not https: "
            "mail programs will show no unsubscribe button (RFC 8058)",
            style="yellow",
            markup=False,
        )


def start_logging(level: int, *, kind: str = "text") -> None:
    """Log to standard error, as lines for people or as JSON for machines."""
    form: logging.Formatter = (
        _JsonLines() if kind == "json" else logging.Formatter("%(asctime)s %(name)s %(message)s")
    )
    to = logging.StreamHandler(sys.stderr)
    to.setFormatter(form)
    root = logging.getLogger()
    root.handlers[:] = [to]
    root.setLevel(logging.WARNING)
    logging.getLogger("digest").setLevel(level)


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """One JSON object a line."""
        line = {
            "at": self.formatTime(record),
            "level": record.levelname.lower(),
            "from": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def enter(folder: Path) -> None:
    """Work in this folder, as `git -C` does. Raises DigestError when it cannot be entered."""
    try:
        os.chdir(folder)
    except OSError as problem:
        raise DigestError(f"--directory {folder}: {problem.strerror}") from problem
