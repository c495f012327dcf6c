"""Finds the feeds that a site offers: reads a page, asks each place it hints at; stores nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from digest.feeds.decode import decode
from digest.feeds.discover import (
    Candidate,
    FoundBy,
    category_feeds,
    discover,
    is_about_comments,
    kind_of,
    usual_places,
)
from digest.feeds.fetch import Fetcher
from digest.feeds.parse import parse
from digest.jobs.exhibit import utc
from digest.model.feed import Entry, FeedFailure, Fetched, ParsedFeed

#: asked at once; a site that we do not know yet is asked gently
AT_ONCE = 3

#: addresses that are asked in all
MOST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A feed that a site offers, as `digest feed find` tells it; or one that it names in vain."""

    url: str
    title: str | None
    #: None where it could not be read
    kind: str | None
    entries: int
    newest_utc: str | None
    language: str | None
    found_by: FoundBy
    #: what readers write, not what the site publishes
    comments: bool = False
    #: other addresses and forms of the same
    also: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A feed that was fetched and read, and what tells it from others."""

    offered: Offered
    names: frozenset[str]
    entries: frozenset[str]


_REFUSED = 400


async def find_feeds(
    fetcher: Fetcher, url: str, *, now: datetime
) -> tuple[Offered, ...] | FeedFailure:
    """The feeds of the site at `url`, the likeliest first, comments and what fails last.

    A failure where the page itself does not answer. What a site names and what cannot be read
    stands in the answer with its error; a guess that leads nowhere does not.
    """
    url = url if "://" in url else f"https://{url}"
    # the one page that the operator named himself; what it names is asked for as feeds are
    answer = await fetcher.fetch_page(url, robots=False)
    # no answer at all, or a redirect that leads nowhere; what is refused may have feeds elsewhere
    if isinstance(answer, FeedFailure) and (answer.status is None or answer.status < _REFUSED):
        return answer
    asked: set[str] = set()
    found: list[_Read | Offered] = []
    page = ""
    if isinstance(answer, Fetched):
        itself = await asyncio.to_thread(_read, _given(url), answer, now)
        asked |= {url, answer.url}
        url = answer.url
        if isinstance(itself, _Read):
            return (itself.offered,)
        page = await asyncio.to_thread(decode, answer.body, answer.content_type)
        header = answer.headers.get("link", "")
        named = await asyncio.to_thread(discover, page, url, link_header=header)
        found += await _ask_all(fetcher, named, asked, now=now, deeper=True)
    if not any(isinstance(each, _Read) and not each.offered.comments for each in found):
        found += await _ask_all(fetcher, usual_places(url, page), asked, now=now)
    more = await asyncio.to_thread(category_feeds, page, url)
    found += await _ask_all(fetcher, more, asked, now=now)
    return _in_order(found)


def _given(url: str) -> Candidate:
    return Candidate(url=url, found_by="address", comments=is_about_comments(url))


async def _ask_all(
    fetcher: Fetcher,
    candidates: Sequence[Candidate],
    asked: set[str],
    *,
    now: datetime,
    deeper: bool = False,
) -> list[_Read | Offered]:
    """Ask each address once; `deeper`: a page among them may list feeds of its own."""
    fresh = [each for each in candidates if each.url not in asked][: max(0, MOST - len(asked))]
    asked |= {each.url for each in fresh}
    turns = asyncio.Semaphore(AT_ONCE)

    async def ask(each: Candidate) -> _Read | Offered | tuple[Candidate, ...]:
        async with turns:
            answer = await fetcher.fetch(each.url)
        if isinstance(answer, Fetched):
            return await asyncio.to_thread(_look, each, answer, now)
        reason = answer.reason if isinstance(answer, FeedFailure) else "304 to a first request"
        return _failed(each, reason)

    found: list[_Read | Offered] = []
    for each in await asyncio.gather(*map(ask, fresh)):
        if not isinstance(each, tuple):
            found.append(each)
        elif deeper:
            found += await _ask_all(fetcher, each, asked, now=now)
    return found


def _look(
    candidate: Candidate, answer: Fetched, now: datetime
) -> _Read | Offered | tuple[Candidate, ...]:
    """A feed; or, where people are led to a page about feeds, what that page names."""
    read = _read(candidate, answer, now)
    if isinstance(read, Offered) and candidate.found_by == "anchor":
        return discover(decode(answer.body, answer.content_type), answer.url)
    return read


def _read(candidate: Candidate, answer: Fetched, now: datetime) -> _Read | Offered:
    parsed = parse(answer.body, url=answer.url, content_type=answer.content_type)
    if isinstance(parsed, FeedFailure):
        return _failed(candidate, parsed.reason)
    dates = (each.published_at or each.updated_at for each in parsed.entries)
    newest = max((each for each in dates if each and each <= now), default=None)
    offered = Offered(
        url=answer.moved_to or candidate.url,
        title=parsed.title or candidate.title,
        kind=kind_of(decode(answer.body, answer.content_type)),
        entries=len(parsed.entries),
        newest_utc=utc(newest) if newest else None,
        language=parsed.language,
        found_by=candidate.found_by,
        comments=candidate.comments or is_about_comments(answer.url, parsed.title),
    )
    return _Read(
        offered=offered,
        names=frozenset(_bare(each) for each in (offered.url, answer.url, parsed.self_url) if each),
        entries=_entries(parsed),
    )


def _entries(parsed: ParsedFeed) -> frozenset[str]:
    def name(entry: Entry) -> str:
        return _bare(entry.link) if entry.link else entry.guid or entry.title

    return frozenset(map(name, parsed.entries))


def _bare(url: str) -> str:
    """An address without what two spellings of one differ in."""
    bare = url.partition("#")[0]
    return (bare.partition("://")[2] or bare).removeprefix("www.").rstrip("/")


def _failed(candidate: Candidate, reason: str) -> Offered:
    return Offered(
        url=candidate.url,
        title=candidate.title,
        kind=None,
        entries=0,
        newest_utc=None,
        language=None,
        found_by=candidate.found_by,
        comments=candidate.comments,
        error=reason,
    )


def _in_order(found: Iterable[_Read | Offered]) -> tuple[Offered, ...]:
    """Each feed once, under the first of its addresses; comments after it, failures at the end."""
    kept: list[_Read] = []
    failed: list[Offered] = []
    for each in found:
        if isinstance(each, Offered):
            if each.found_by == "link":  # elsewhere it was only our suspicion
                failed.append(each)
            continue
        place = next((n for n, known in enumerate(kept) if _are_one(known, each)), None)
        if place is None:
            kept.append(each)
        else:
            kept[place] = _joined(kept[place], each)
    feeds = sorted((each.offered for each in kept), key=lambda each: each.comments)
    return (*feeds, *failed)


def _are_one(one: _Read, other: _Read) -> bool:
    # a name alone does not do: there are sites whose feeds all give the same one as their own
    if one.names & other.names:
        return bool(one.entries & other.entries) or one.entries == other.entries
    return bool(one.entries) and one.entries == other.entries


def _joined(known: _Read, again: _Read) -> _Read:
    also = (*known.offered.also, again.offered.url)
    also = tuple(each for each in dict.fromkeys(also) if each != known.offered.url)
    return _Read(
        offered=replace(known.offered, also=also),
        names=known.names | again.names,
        entries=known.entries,
    )
