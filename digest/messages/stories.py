"""Turns an article into what a theme may say of it: cleaned texts, safe links, sizes of pictures.

A theme sees no article itself, so that no text of a feed gets past `plain`. It writes no markup.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote_plus

from digest.messages import plain
from digest.model.layout import Form

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from digest.model.article import Article, Image
    from digest.model.policy import SearchEngine

#: CSS pixels: the column of a card, and what is too small to be a picture of something
COLUMN: Final = 556
_TOO_SMALL: Final = 120
_TALLEST: Final = 480
#: characters; a feed may send more, a mail of 40 articles has no room for it
_TITLE: Final = 320
_ALT: Final = 160
_NAME: Final = 60
#: how much of a text each card tells
EXCERPTS: Final[Mapping[Form, int]] = {
    Form.LEAD: 260,
    Form.FULL: 260,
    Form.BRIEF: 120,
    Form.LINE: 0,
}
#: characters of a line about a story, for themes that tell no more
_LINE: Final = 140
#: words of a title that one looks further for, and characters: some write without spaces
_QUERY: Final = 12
_QUERY_LENGTH: Final = 100
#: after a word of some length: "z. B. " ends no sentence
_SENTENCE_END: Final = re.compile(r"\w{3}[.!?](?=\s)")
_WORD: Final = re.compile(r"\w+(?:['’.&+-]\w+)*")  # noqa: RUF001 -- the apostrophe of titles


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture as a card shows it: an https address, and how large. CSS pixels."""

    url: str
    alt: str
    width: int
    #: None where the feed does not say
    height: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A search engine, and where it looks for the words of a title."""

    name: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """An article as a card of one form tells it. All texts are plain, on one line, maybe empty."""

    id: int
    form: Form
    #: a slot: its place in the edition, from 1, is known when a selection is laid out
    number: str
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
    #: None where the feed does not count them
    comments: int | None
    #: UTC
    published_at: datetime
    minutes: int
    #: names of the newsletter's topics that it is about
    topics: tuple[str, ...]
    #: the title of what an earlier edition told, and this goes on with; "" where there is none
    earlier: str
    #: whether other articles about its event may be named under it
    also: bool
    #: where to look further
    search: tuple[Look, ...]
    #: where to ask for news like this; None where nobody may
    follow_url: str | None

    @property
    def full(self) -> bool:
        """Told at length, with picture and excerpt."""
        return self.form in {Form.LEAD, Form.FULL}

    @property
    def line(self) -> str:
        """Its text in a line or two: a sentence where it has a short one."""
        return _excerpt(self.excerpt, _LINE)

    @property
    def words(self) -> int:
        """How many words there are to read."""
        return len(f"{self.title} {self.excerpt}".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What stories of an edition have in common, and what is known of some by their ids."""

    number: str
    search: tuple[SearchEngine, ...]
    #: where to ask for news like an article, its id left out; None where nobody may
    follow_url: str | None
    earlier: Mapping[int, Article]
    also: frozenset[int]


def tell(article: Article, forms: Sequence[Form], around: Circumstances) -> tuple[Story, ...]:
    """Make the stories of an article, one for each form."""
    return tuple(_story(article, form, around) for form in forms)


def title_of(article: Article) -> str:
    """The title as it is shown: where a feed gives none, the name of the site."""
    host = plain.host_of(plain.link_to(article.url) or "")
    return title_as_shown(article.title, host)


def title_as_shown(title: str, otherwise: str = "") -> str:
    """A title as it is shown, with something in the place of an empty one."""
    return plain.shorten(plain.tame(title), _TITLE) or otherwise or "–"  # noqa: RUF001 -- what stands for nothing


def name_of(text: str) -> str:
    """A name as it is shown."""
    return plain.shorten(plain.tame(text), _NAME)


def _story(article: Article, form: Form, around: Circumstances) -> Story:
    url = plain.link_to(article.url)
    source, author = (name_of(name) for name in (article.source, article.author or ""))
    told = form is not Form.LINE
    full = form in {Form.LEAD, Form.FULL}
    earlier = around.earlier.get(article.id)
    asked = around.follow_url is not None and full
    return Story(
        id=article.id,
        form=form,
        number=around.number,
        title=title_of(article),
        url=url,
        host=plain.host_of(url or ""),
        source=source,
        author="" if author.casefold() == source.casefold() else author,
        category=name_of(next(iter(article.categories), "")),
        excerpt=_excerpt(article.excerpt, EXCERPTS[form]),
        picture=None if article.image is None or not full else _picture(article.image),
        comments_url=None if article.comments_url is None else plain.link_to(article.comments_url),
        comments=article.comments,
        published_at=article.published_at,
        minutes=article.minutes,
        topics=article.topics,
        earlier="" if earlier is None else title_of(earlier),
        also=article.id in around.also,
        search=_look_further(article.title, around.search) if told else (),
        follow_url=f"{around.follow_url}{article.id}" if asked else None,
    )


def _look_further(title: str, engines: Sequence[SearchEngine]) -> tuple[Look, ...]:
    words = _WORD.findall(plain.one_line(title))[:_QUERY]
    if not words:
        return ()
    query = quote_plus(" ".join(words)[:_QUERY_LENGTH].rstrip())
    found = ((each.name, plain.link_to(each.url.replace("{query}", query))) for each in engines)
    return tuple(Look(name=name_of(name), url=url) for name, url in found if url is not None)


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
