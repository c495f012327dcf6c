"""Documents are read in processes that may be ended: none of them takes anybody else with it."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from loopback import Item, rss

from digest.jobs import reading
from digest.jobs.reading import Read, read, read_aside
from digest.model.feed import FeedFailure, Fetched

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def document(body: bytes) -> Fetched:
    return Fetched(
        body=body,
        url="https://stadtblatt.example/feed",
        content_type=None,
        etag=None,
        last_modified=None,
    )


FEED = document(rss(Item("Eins", NOW), Item("Zwei", NOW)))


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Readers of this test's own: those of tests before it are no part of it."""
    reading.dismiss_all()
    hands = reading.hands()
    monkeypatch.setattr(reading, "_HANDS", hands)
    yield
    reading.dismiss_all()
    hands.shutdown()


def reader_is(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """What readers do from now on, before they serve."""
    program = "; ".join(["from digest.jobs import reading", *lines, "reading.serve()"])
    monkeypatch.setattr(reading, "PROGRAM", program)


async def test_what_is_read_aside_is_what_is_read_here() -> None:
    here = read(FEED, NOW)
    assert isinstance(here, Read)
    assert [each.title for each in here.found] == ["Eins", "Zwei"]
    assert await read_aside(FEED, NOW) == here
    failure = read(document(b"no feed"), NOW)
    assert isinstance(failure, FeedFailure)
    assert await read_aside(document(b"no feed"), NOW) == failure


async def test_many_documents_are_read_by_few_readers() -> None:
    answers = await asyncio.gather(*(read_aside(FEED, NOW) for _ in range(20)))
    assert all(isinstance(each, Read) for each in answers)
    assert 1 <= len(reading.readers()) <= reading.READERS


async def test_a_document_that_takes_for_ever_is_that_feeds_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hang = "reading.parse = lambda body, **more: [0 for _ in iter(int, 1)]"
    with monkeypatch.context() as patch:
        reader_is(patch, hang)
        patch.setattr(reading, "SECONDS", 0.3)
        began = time.monotonic()
        answer = await read_aside(FEED, NOW)
    assert answer == FeedFailure(reason="reading it took longer than 0.3 s")
    assert time.monotonic() - began < 15
    assert reading.readers() == frozenset()
    assert isinstance(await read_aside(FEED, NOW), Read)


async def test_a_document_that_wants_all_the_memory_is_that_feeds_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader_is(monkeypatch, "reading.parse = lambda body, **more: bytes(8 << 30)")
    answer = await read_aside(FEED, NOW)
    assert isinstance(answer, FeedFailure)
    assert "MemoryError" in answer.reason


async def test_a_reader_that_falls_over_takes_only_that_document_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader_is(monkeypatch, "import os", "reading.parse = lambda body, **more: os._exit(11)")
    answer = await read_aside(FEED, NOW)
    assert answer == FeedFailure(reason="it cannot be read: whoever read it fell over")


async def test_a_reader_that_went_meanwhile_is_replaced() -> None:
    await read_aside(FEED, NOW)
    for each in reading.readers():
        os.kill(each.pid, signal.SIGKILL)
    assert isinstance(await read_aside(FEED, NOW), Read)


async def test_a_reader_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGEST_SECRET_KEY", "geheim")
    say = "reading.parse = lambda body, **more: reading.FeedFailure(reason=repr(dict(os.environ)))"
    reader_is(monkeypatch, "import os", say)
    answer = await read_aside(FEED, NOW)
    assert isinstance(answer, FeedFailure)
    assert "PYTHONPATH" in answer.reason
    assert "geheim" not in answer.reason


async def test_what_a_library_prints_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    say = "reading.parse = lambda body, **more: [print('hello'), parse(body, **more)][1]"
    reader_is(monkeypatch, "parse = reading.parse", say)
    assert isinstance(await read_aside(FEED, NOW), Read)
