"""Reads feeds and files as the service would, and says what it sees; stores nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from digest.articles.make import make_articles
from digest.feeds.fetch import Fetcher
from digest.feeds.inflate import TooLarge, inflate
from digest.feeds.parse import MAX_BYTES, parse
from digest.jobs.exhibit import utc
from digest.model.feed import FeedFailure, Fetched, ParsedFeed

#: `make_articles` wants to know which dates lie ahead; here none does
_LATE = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a feed holds, as `digest feed check` tells it."""

    source: str
    entries: int
    first_title: str | None
    first_link: str | None
    first_published_utc: str | None
    first_image: str | None
    error: str | None


async def check_feeds(fetcher: Fetcher, sources: Sequence[str]) -> list[Checked]:
    """Check each source, in the order given."""
    return list(await asyncio.gather(*(_check(fetcher, source) for source in sources)))


async def _check(fetcher: Fetcher, source: str) -> Checked:
    parsed, url = await read_source(fetcher, source)
    if isinstance(parsed, FeedFailure):
        return _nothing(source, parsed.reason)
    return await asyncio.to_thread(_look, source, parsed, url)


def is_url(source: str) -> bool:
    """True for what is fetched, false for what is a file."""
    return source.lower().startswith(("http://", "https://"))


async def read_source(fetcher: Fetcher, source: str) -> tuple[ParsedFeed | FeedFailure, str]:
    """Read a feed at an address or in a file, and say where its links belong."""
    if not is_url(source):
        return await asyncio.to_thread(_read_file, Path(source)), source
    answer = await fetcher.fetch(source)
    if isinstance(answer, FeedFailure):
        return answer, source
    if not isinstance(answer, Fetched):
        return FeedFailure(reason="the server said 304 to a first request"), source
    parsed = await asyncio.to_thread(
        parse, answer.body, url=answer.url, content_type=answer.content_type
    )
    return parsed, answer.url


def _read_file(path: Path) -> ParsedFeed | FeedFailure:
    try:
        if path.stat().st_size > MAX_BYTES:
            return FeedFailure(reason=f"larger than {MAX_BYTES >> 20} MiB")
        # a saved answer is often packed as it came
        body = inflate(path.read_bytes(), "", max_bytes=MAX_BYTES)
    except OSError as problem:
        return FeedFailure(reason=f"cannot be read: {problem.strerror}")
    except (TooLarge, ValueError) as problem:
        what = (
            f"holds more than {MAX_BYTES >> 20} MiB" if isinstance(problem, TooLarge) else problem
        )
        return FeedFailure(reason=f"cannot be unpacked: {what}")
    return parse(body, url=str(path), content_type=None)


def _look(source: str, parsed: ParsedFeed, url: str) -> Checked:
    if not parsed.entries:
        return _nothing(source, None)
    first = parsed.entries[0]
    # the picture that a card would show, which is not simply the first one
    alone = ParsedFeed(
        title=parsed.title, site_url=parsed.site_url, language=parsed.language, entries=(first,)
    )
    found = make_articles(alone, feed_url=url, now=_LATE)
    image = found[0].image if found else None
    return Checked(
        source=source,
        entries=len(parsed.entries),
        first_title=first.title or None,
        first_link=first.link,
        first_published_utc=utc(first.published_at) if first.published_at else None,
        first_image=image.url if image else None,
        error=None,
    )


def _nothing(source: str, error: str | None) -> Checked:
    return Checked(
        source=source,
        entries=0,
        first_title=None,
        first_link=None,
        first_published_utc=None,
        first_image=None,
        error=error,
    )
