"""Asks where the links of a mail lead, and turns what does not answer into findings.

Nothing of ours is asked, least of all what carries a reader's token.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from digest.jobs.world import World
from digest.messages.check_links import is_good, links_of
from digest.messages.checks import Mail
from digest.model.feed import FeedFailure
from digest.model.finding import Finding
from digest.words import format_number, translations

#: links that are asked at once, and in all
_AT_ONCE = 8
_MOST = 300
#: what sites answer who keep machines out, or have no time: it says nothing about the link
_UNCLEAR = frozenset({401, 403, 405, 406, 429, 503, 999})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """How many links were asked, and which did not answer."""

    asked: int
    failed: tuple[tuple[str, FeedFailure], ...]


async def ask_links(world: World, mail: Mail) -> Answers:
    """Ask each link of a mail once, the pages of one host one after the other."""
    urls = [
        url
        for url in links_of(mail.html)
        if is_good(url) and url.startswith("https:") and not _is_ours(url, mail)
    ][:_MOST]
    turn = asyncio.Semaphore(_AT_ONCE)

    async def ask(url: str) -> tuple[str, FeedFailure] | None:
        async with turn:
            answer = await world.fetcher.find(url)
        return (url, answer) if isinstance(answer, FeedFailure) else None

    found = await asyncio.gather(*map(ask, urls))
    return Answers(asked=len(urls), failed=tuple(each for each in found if each is not None))


def say_answers(answers: Answers, language: str) -> tuple[Finding, ...]:
    """Findings in `language`."""
    if answers.failed:
        return tuple(_judge(url, failure, language) for url, failure in answers.failed)
    said = translations(language).gettext("Links: %(count)s were asked, and all answered.")
    figures = {"count": format_number(answers.asked, language)}
    return (Finding(level="ok", what=said % figures),)


def _is_ours(url: str, mail: Mail) -> bool:
    return url == mail.public_url or url.startswith(f"{mail.public_url.rstrip('/')}/")


def _judge(url: str, failure: FeedFailure, language: str) -> Finding:
    gettext = translations(language).gettext
    gone = failure.status is not None and failure.status not in _UNCLEAR
    return Finding(
        level="error" if gone else "warning",
        what=gettext("A link does not answer as it should: %(why)s.") % {"why": failure.reason},
        where=url[:200],
        do=gettext("Open it, and mend it at its source.") if gone else "",
    )
