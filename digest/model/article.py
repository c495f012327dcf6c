"""An entry that we cleaned and kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture that a card may show: an absolute https or http URL and its text. CSS pixels."""

    url: str
    alt: str
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewArticle:
    """An entry made safe and given an identity, not stored yet. All texts are plain text.

    `key` tells whether we hold it already, wherever it appears; `link_key` is the same for two
    entries that lead to the same page and is None where the link says nothing about identity.
    """

    key: str
    link_key: str | None
    url: str
    title: str
    excerpt: str
    image: Image | None
    author: str | None
    categories: tuple[str, ...]
    #: UTC; None where the feed gives no date that can be believed
    published_at: datetime | None
    #: how many words the longest text of the entry has, for the reading time
    words: int
    comments_url: str | None = None
    #: everything that it is known by, the strongest first; `key` and `link_key` are among them
    signs: tuple[str, ...] = ()
    #: the longest text of the entry as HTML of the small allow-list; "" where there is none
    html: str = ""
    #: a language tag such as "de", the entry's own or its feed's
    language: str | None = None
    #: how many comments the feed counts
    comments: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """An article that we keep, as a newsletter sees it. Times are UTC."""

    id: int
    key: str
    url: str
    title: str
    excerpt: str
    image: Image | None
    author: str | None
    categories: tuple[str, ...]
    #: the publisher's date, or the time we first saw it
    published_at: datetime
    first_seen_at: datetime
    words: int
    #: the title of the feed that brought it ("" when the feed has none)
    source: str
    #: the section of the newsletter that its feed belongs to; None is the main one
    section: str | None
    comments_url: str | None = None
    #: the same for two articles that lead to one page; None where the link says nothing
    link_key: str | None = None
    #: false where `published_at` is only the time we first saw it
    dated: bool = True
    #: names of the newsletter's topics that it is about
    topics: tuple[str, ...] = ()
    language: str | None = None
    #: counts the publisher's edits
    version: int = 1
    comments: int | None = None
    #: the address of the feed that brought it, as newsletters.toml has it
    feed: str = ""
    #: true where an earlier edition had no room for it
    left_over: bool = False

    @property
    def minutes(self) -> int:
        """Reading time in whole minutes, at 200 words a minute, at least one."""
        return max(1, round(self.words / 200))
