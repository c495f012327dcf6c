"""Turns a draft into what a theme may say: cleaned texts, safe links, sizes of pictures.

A theme sees no article itself, so that no text of a feed gets past `plain`. It decides how much
of an edition is told at length, and writes no markup.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from digest.messages import plain

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from digest.model.article import Article, Image
    from digest.model.edition import Draft, Section

#: CSS pixels: the column of a card, and what is too small to be a picture of something
COLUMN: Final = 556
_TOO_SMALL: Final = 120
_TALLEST: Final = 480
#: characters; a feed may send more, a mail of 40 articles has no room for it
_TITLE: Final = 320
_ALT: Final = 160
_NAME: Final = 60
#: after a word of some length: "z. B. " ends no sentence
_SENTENCE_END: Final = re.compile(r"\w{3}[.!?](?=\s)")
_WORDS_A_MINUTE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """How much an edition says: how many stories are told at length, and the excerpts' sizes."""

    full: int
    #: characters
    excerpt: int
    brief: int
    #: how many headlines stand on top
    headlines: int


#: tried in this order until the mail is small enough to be shown whole
DETAILS: Final = (
    Detail(full=10, excerpt=260, brief=120, headlines=12),
    Detail(full=4, excerpt=180, brief=60, headlines=8),
    Detail(full=0, excerpt=0, brief=0, headlines=0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture as a card shows it: an https address, and how large. CSS pixels."""

    url: str
    alt: str
    width: int
    #: None where the feed does not say
    height: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """An article as a theme tells it. All texts are plain, on one line, and maybe empty."""

    id: int
    #: counts the stories of the edition from 1
    number: int
    title: str
    #: None where the feed gives no address that we may point to
    url: str | None
    #: the site's name in that address: "example.org"
    host: str
    source: str
    author: str
    category: str
    excerpt: str
    picture: Picture | None
    comments_url: str | None
    #: UTC
    published_at: datetime
    minutes: int
    #: told at length, with picture and excerpt, or in brief
    full: bool
    #: names of the newsletter's topics that it is about
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A section of an edition; the main one has no title."""

    title: str | None
    stories: tuple[Story, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """All that an edition tells."""

    parts: tuple[Part, ...]
    headlines: tuple[Story, ...]
    #: how many articles found no room, and the address of the one site that has them
    more: int
    more_url: str | None
    more_host: str
    #: how long reading the mail itself takes, at 200 words a minute
    minutes: int
    #: False where all stories come from one source, which then needs no saying
    many_sources: bool

    @property
    def stories(self) -> tuple[Story, ...]:
        """All stories in the order in which they are read."""
        return tuple(story for part in self.parts for story in part.stories)


def tell(draft: Draft, detail: Detail) -> Contents:
    """Make the contents of an edition from a draft, in as much detail as asked."""
    parts: list[Part] = []
    number = 0
    for section in draft.sections:
        parts.append(_part(section, detail, after=number))
        number += len(section.articles)
    stories = [story for part in parts for story in part.stories]
    more = [left.article for left in draft.left_out if left.reason != "duplicate"]
    hosts = {plain.host_of(url) for url in _links(more)}
    host = hosts.pop() if len(hosts) == 1 else ""
    return Contents(
        parts=tuple(parts),
        headlines=tuple(stories[: detail.headlines]) if len(stories) > 1 else (),
        more=len(more),
        more_url=_home(more) if host else None,
        more_host=host,
        minutes=_minutes(stories),
        many_sources=len({story.source for story in stories}) > 1,
    )


def _part(section: Section, detail: Detail, *, after: int) -> Part:
    return Part(
        title=None if section.title is None else plain.tame(section.title),
        stories=tuple(
            _story(article, detail, number=number)
            for number, article in enumerate(section.articles, start=after + 1)
        ),
    )


def _story(article: Article, detail: Detail, *, number: int) -> Story:
    full = number <= detail.full
    url = plain.link_to(article.url)
    source, author = (_name(name) for name in (article.source, article.author or ""))
    return Story(
        id=article.id,
        number=number,
        title=plain.shorten(plain.tame(article.title), _TITLE) or plain.host_of(url or "") or "–",  # noqa: RUF001 -- what stands for nothing
        url=url,
        host=plain.host_of(url or ""),
        source=source,
        author="" if author.casefold() == source.casefold() else author,
        category=_name(next(iter(article.categories), "")),
        excerpt=_excerpt(article.excerpt, detail.excerpt if full else detail.brief),
        picture=None if article.image is None or not full else _picture(article.image),
        comments_url=None if article.comments_url is None else plain.link_to(article.comments_url),
        published_at=article.published_at,
        minutes=article.minutes,
        full=full,
        topics=article.topics,
    )


def _name(text: str) -> str:
    return plain.shorten(plain.tame(text), _NAME)


def _excerpt(text: str, limit: int) -> str:
    """The text in `limit` characters: whole sentences where they fill a good part of them."""
    text = plain.tame(text)
    if len(text) <= limit or not limit:
        return text if limit else ""
    ends = [found.end() for found in _SENTENCE_END.finditer(text, 0, limit)]
    if ends and ends[-1] > limit // 2:
        return text[: ends[-1]]
    return plain.shorten(text, limit)


def _picture(image: Image) -> Picture | None:
    """The picture fitted into the column, never enlarged; None for trackers and icons."""
    url, height = plain.picture_at(image.url), image.height
    width = COLUMN if image.width is None else image.width
    if url is None or width < _TOO_SMALL or (height is not None and height < _TOO_SMALL):
        return None
    shown = min(width, COLUMN)
    if height is not None:
        shown = min(shown, max(_TOO_SMALL, _TALLEST * width // height))
    return Picture(
        url=url,
        alt=plain.shorten(plain.tame(image.alt), _ALT),
        width=shown,
        height=None if height is None else max(1, round(height * shown / width)),
    )


def _links(articles: Iterable[Article]) -> list[str]:
    return [url for article in articles if (url := plain.link_to(article.url)) is not None]


def _home(articles: Iterable[Article]) -> str | None:
    """The front page of the site that the first of these articles leads to."""
    url = next(iter(_links(articles)), None)
    return None if url is None else "/".join(url.split("/")[:3]) + "/"


def _minutes(stories: Iterable[Story]) -> int:
    words = sum(len(f"{story.title} {story.excerpt}".split()) for story in stories)
    return max(1, round(words / _WORDS_A_MINUTE))
