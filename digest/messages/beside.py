"""Turns what stands beside the stories into what a theme may say of it: links, ads, a lead.

It decides which sponsors an edition has, and writes no markup.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from digest.messages import plain
from digest.messages.stories import name_of, title_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from digest.model.article import Article
    from digest.model.edition import Draft
    from digest.model.newsletter import Newsletter

_PARAGRAPHS: Final = re.compile(r"\n[ \t\r]*\n")
#: characters of a title that is only a link among others
_SHORT: Final = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """Another article about the event of a story."""

    id: int
    #: of its source, or its title where that does not tell it from others
    name: str
    url: str
    title: str
    source: str
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ad:
    """Something that is no news: a sponsor's words, or those that ask for support."""

    title: str
    text: str
    #: None where it leads nowhere on the web
    url: str | None
    host: str


def others_of(drafts: Sequence[Draft]) -> tuple[Other, ...]:
    """The articles that any draft names under another one; none without an address."""
    found: dict[int, Article] = {}
    doubtful: set[int] = set()
    for draft in drafts:
        by_id = {article.id: article for article in draft.articles}
        for key, articles in draft.also.items():
            beside = [by_id[key], *articles] if key in by_id else [*articles]
            names = Counter(_source_of(each).casefold() for each in beside)
            doubtful |= {each.id for each in articles if names[_source_of(each).casefold()] > 1}
            found |= {each.id: each for each in articles if each.id not in found}
    made = (_other(each, by_title=each.id in doubtful) for each in found.values())
    return tuple(each for each in made if each is not None)


def _source_of(article: Article) -> str:
    return name_of(article.source) or plain.host_of(plain.link_to(article.url) or "")


def _other(article: Article, *, by_title: bool) -> Other | None:
    url = plain.link_to(article.url)
    if url is None:
        return None
    title = title_of(article)
    return Other(
        id=article.id,
        name=plain.shorten(title, _SHORT) if by_title else _source_of(article),
        url=url,
        title=title,
        source=name_of(article.source),
        host=plain.host_of(url),
    )


def sponsors_of(newsletter: Newsletter, *, number: int, at: datetime) -> tuple[Ad, ...]:
    """The sponsors of an edition: of those that run, each has its turn as often as the others."""
    running = [
        each
        for each in newsletter.sponsors
        if (each.since is None or each.since <= at) and (each.until is None or at < each.until)
    ]
    count = min(newsletter.sponsor_limit, len(running))
    first = (number - 1) * count
    turns = [running[(first + turn) % len(running)] for turn in range(count)]
    return tuple(_ad(each.title, each.text, each.url) for each in turns)


def support_of(newsletter: Newsletter) -> Ad | None:
    """What asks for support, or None."""
    support = newsletter.support
    return None if support is None else _ad("", support.text, support.url)


def _ad(title: str, text: str, url: str) -> Ad:
    link = plain.link_to(url)
    return Ad(
        title=plain.tame(title), text=plain.tame(text), url=link, host=plain.host_of(link or "")
    )


def lead_of(drafts: Sequence[Draft]) -> tuple[str, ...]:
    """The paragraphs of what the editors write above the news."""
    lead = next((draft.lead for draft in drafts if draft.lead.strip()), "")
    paragraphs = (plain.tame(each) for each in _PARAGRAPHS.split(lead.replace("\r\n", "\n")))
    return tuple(each for each in paragraphs if each)
