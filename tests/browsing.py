"""A real browser without a screen: Debian's Chromium, which asks nobody but who we serve."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.async_api import Browser, async_playwright

CHROMIUM = Path("/usr/bin/chromium")
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

#: the marks of every module that needs it
MARKS = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed"),
]

Test = TypeVar("Test", bound=Callable[..., object])


def needs_chromium(test: Test) -> Test:
    """Mark one test of a module that is not all about it."""
    for mark in MARKS:
        test = mark(test)
    return test


@asynccontextmanager
async def browser(**wishes: Any) -> AsyncIterator[Browser]:
    """A browser; whoever asks opens contexts and pages."""
    async with async_playwright() as play:
        one = await play.chromium.launch(executable_path=CHROMIUM, args=list(_ARGUMENTS), **wishes)
        yield one
        await one.close()
