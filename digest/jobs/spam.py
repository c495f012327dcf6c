"""Turns a message into what SpamAssassin thinks of it, where that is installed; asks no network."""

from __future__ import annotations

import asyncio
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass

from digest.model.finding import Finding
from digest.model.text import one_line
from digest.words import format_number, translations

#: points from which we would rather know, and from which most servers take a mail for spam
_SUSPECT = 2.0
_SPAM = 5.0
_SECONDS = 60.0
_STATUS = re.compile(rb"^X-Spam-Status: \w+, score=(-?\d+\.\d+) ((?:.|\r?\n[ \t])*)", re.MULTILINE)
_TESTS = re.compile(r"tests=([A-Z0-9_,\s]+)")
#: tests that only say that nothing was found, or what we do not ask
_QUIET = frozenset({"NO_RECEIVED", "NO_RELAYS", "ALL_TRUSTED", "none"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """What SpamAssassin said: `score` is None where it said nothing, `why` then may say why."""

    score: float | None = None
    tests: tuple[str, ...] = ()
    why: str = ""
    #: it is not there at all
    missing: bool = False


async def count_points(
    message: bytes, *, program: str = "spamassassin", seconds: float = _SECONDS
) -> Points:
    """What SpamAssassin says without asking anybody (`-L`); it never fails."""
    found = shutil.which(program)
    if found is None:
        return Points(missing=True)
    try:
        answer = await asyncio.wait_for(_ask(found, message), seconds)
    except (OSError, TimeoutError) as problem:
        return Points(why=one_line(str(problem))[:200] or f"no answer within {seconds:g} s")
    return _read(answer)


def say_points(points: Points, language: str) -> Finding:
    """A finding in `language`."""
    gettext = translations(language).gettext
    if points.missing:
        said = gettext("SpamAssassin is not installed here, so nobody counted its points.")
        return Finding(level="ok", what=said)
    if points.score is None:
        said = gettext("SpamAssassin did not answer.")
        return Finding(level="warning", what=said, where=points.why)
    said = gettext("SpamAssassin counts %(score)s points; %(spam)s are spam.") % {
        "score": format_number(points.score, language),
        "spam": format_number(_SPAM, language),
    }
    tests = ", ".join(points.tests)[:300]
    if points.score < _SUSPECT:
        return Finding(level="ok", what=said, where=tests)
    return Finding(
        level="error" if points.score >= _SPAM else "warning",
        what=said,
        where=tests,
        do=gettext("Look up these tests, and change what sets them off."),
    )


async def _ask(program: str, message: bytes) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *(program, "-L", "-t", "-x"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        return (await process.communicate(message))[0]
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _read(answer: bytes) -> Points:
    status = _STATUS.search(answer)
    if status is None:
        return Points(why="X-Spam-Status?")
    tests = _TESTS.search(status[2].decode("ascii", "replace"))
    names = [each.strip() for each in tests[1].split(",")] if tests else []
    return Points(
        score=float(status[1]), tests=tuple(each for each in names if each and each not in _QUIET)
    )
