"""Turns a document that came into articles, in a process of its own that may be ended.

What a stranger wrote is read by a dozen parsers. One that runs for ever, asks for all the memory
or falls over would stop mails and pages with it: threads share one interpreter. So it is done in
another process, which knows no secret and is ended after `SECONDS`; that is the feed's failure.
"""

from __future__ import annotations

import asyncio
import atexit
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from digest.articles.make import make_articles
from digest.feeds.parse import parse
from digest.jobs import aside
from digest.jobs.aside import Aside, Overdue
from digest.model.article import NewArticle
from digest.model.feed import FeedFailure, Fetched, ParsedFeed

#: how long a document may be read
SECONDS = 10.0
#: how long a reader takes to begin, when the computer has much else to do
BEGIN_SECONDS = 60.0
#: documents that are read at once: more readers than that take more memory than they save time
READERS = 2

#: what a reader runs
PROGRAM = "from digest.jobs.reading import serve; serve()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A document that came, and the articles made of it."""

    answer: Fetched
    parsed: ParsedFeed
    found: tuple[NewArticle, ...]


def read(answer: Fetched, now: datetime) -> Read | FeedFailure:
    """Make articles of a document; never raises for what it holds. `now` is UTC."""
    parsed = parse(answer.body, url=answer.url, content_type=answer.content_type)
    if isinstance(parsed, FeedFailure):
        return parsed
    found = make_articles(parsed, feed_url=answer.known_as or answer.url, now=now)
    return Read(answer=answer, parsed=parsed, found=found)


async def read_aside(answer: Fetched, now: datetime) -> Read | FeedFailure:
    """The same in another process, within `SECONDS`."""
    return await asyncio.get_running_loop().run_in_executor(_HANDS, _hand_over, answer, now)


def hands() -> ThreadPoolExecutor:
    """Threads that hand documents over; each engages a reader of its own when it needs one."""
    return ThreadPoolExecutor(READERS, thread_name_prefix="reading")


# of this process and not of a world: they belong to the computer and hold nothing
_HANDS = hands()
_hand = threading.local()
_all: set[Aside] = set()


def _hand_over(answer: Fetched, now: datetime) -> Read | FeedFailure:
    question = pickle.dumps((answer, now))
    reader: Aside | None = getattr(_hand, "reader", None)
    try:
        if reader is not None and reader in _all:
            try:
                return _heard(reader.ask(question, seconds=SECONDS), answer)
            except (EOFError, OSError):  # it had nothing to do for long, and went
                _dismiss(reader)
        reader = _engage()
        return _heard(reader.ask(question, seconds=SECONDS), answer)
    except Overdue:
        reason = f"reading it took longer than {SECONDS:g} s"
    except (EOFError, OSError):
        reason = "it cannot be read: whoever read it fell over"
    if reader is not None:
        _dismiss(reader)
    return FeedFailure(reason=reason)


def _engage() -> Aside:
    reader = _hand.reader = Aside(PROGRAM)
    _all.add(reader)
    reader.hear(BEGIN_SECONDS)
    return reader


def _dismiss(reader: Aside) -> None:
    _hand.reader = None
    _all.discard(reader)
    reader.end()


def readers() -> frozenset[Aside]:
    """The readers at work or waiting for it."""
    return frozenset(_all)


@atexit.register
def dismiss_all() -> None:
    """End all readers."""
    while _all:
        _all.pop().end()


def _heard(answer: bytes, fetched: Fetched) -> Read | FeedFailure:
    heard: FeedFailure | tuple[ParsedFeed, tuple[NewArticle, ...]]
    heard = pickle.loads(answer)  # noqa: S301 -- our own program wrote it
    if isinstance(heard, FeedFailure):
        return heard
    parsed, found = heard
    return Read(answer=fetched, parsed=parsed, found=found)


def serve() -> None:
    """Be a reader: answer what comes in until nothing does."""
    aside.serve(_answer)


def _answer(question: bytes) -> bytes:
    fetched, now = pickle.loads(question)  # noqa: S301 -- our own program wrote it
    return pickle.dumps(_read_or_fail(fetched, now))


def _read_or_fail(
    answer: Fetched, now: datetime
) -> FeedFailure | tuple[ParsedFeed, tuple[NewArticle, ...]]:
    try:
        done = read(answer, now)
    except Exception as problem:  # noqa: BLE001 -- whatever it is, it is this feed's trouble alone
        return our_fault(problem)
    # the document is not sent back: who asked has it
    return done if isinstance(done, FeedFailure) else (done.parsed, done.found)


def our_fault(problem: Exception) -> FeedFailure:
    """A failure of a feed that is a fault of ours."""
    return FeedFailure(reason=f"our own fault: {type(problem).__name__}: {problem}")
