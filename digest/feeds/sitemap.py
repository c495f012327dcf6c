"""Turns news sitemaps into entries, and robots.txt and sitemap indexes into where they stand.

Reads the elements of sitemaps.org and of the news and image extensions and nothing else; a
document type is refused, so no entity can grow or reach out; asks nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urljoin
from xml.parsers import expat

from digest.feeds.dates import parse_date
from digest.feeds.links import absolute
from digest.feeds.pictures import picture, unique
from digest.model.feed import Entry
from digest.model.text import one_line, title_text

#: sitemaps.org allows 50,000 addresses, and the news extension 1,000
MAX_ENTRIES = 1000
MAX_CHILDREN = 1000
_MAX_TEXT = 4000
_GUESSES = ("/news-sitemap.xml", "/sitemap-news.xml")
_NAMED = re.compile(r"(?im)^\s*sitemap\s*:\s*(\S+)")
_NEWS = re.compile(r"news", re.IGNORECASE)
#: what is read of an address, without the prefixes, which everybody chooses for himself
_FIELDS = frozenset(("loc", "title", "publication_date", "keywords"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitemap:
    """What a sitemap names: news with a title, and other sitemaps."""

    entries: tuple[Entry, ...] = ()
    children: tuple[str, ...] = ()


def places(robots: str, origin: str) -> tuple[str, ...]:
    """Where a news sitemap may stand: what robots.txt names as such, guesses, all else it names."""
    named = [urljoin(origin, each) for each in _NAMED.findall(robots[:500_000])]
    guesses = [origin + path for path in _GUESSES]
    return tuple(dict.fromkeys([*filter(_NEWS.search, named), *guesses, *named]))


def likely(children: Iterable[str]) -> tuple[str, ...]:
    """The sitemaps of an index that may be of news, by their names."""
    return tuple(each for each in children if _NEWS.search(each))


def read_sitemap(body: bytes, *, url: str) -> Sitemap | None:
    """What the document names, in its order; None for what is no sitemap.

    One that breaks off counts as far as it goes.
    """
    reader = _Reader(url)
    parser = expat.ParserCreate()  # blind to namespaces, which many forget to declare
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.refuse
    try:
        parser.Parse(body.lstrip(), True)  # noqa: FBT003 -- expat's own
    except (expat.ExpatError, _Refused):
        if not reader.entries and not reader.children:
            return None
    if not reader.known:
        return None
    return Sitemap(entries=tuple(reader.entries), children=tuple(reader.children))


class _Refused(Exception):
    """A document type, or more than we read."""


@dataclass(slots=True)
class _Reader:
    """What was read so far."""

    url: str
    entries: list[Entry] = field(default_factory=list)
    children: list[str] = field(default_factory=list)
    known: bool = False
    _path: list[str] = field(default_factory=list)
    _words: list[str] = field(default_factory=list)
    _said: dict[str, str] = field(default_factory=dict)
    _images: list[str] = field(default_factory=list)
    _news: bool = False

    def refuse(self, *_: object) -> None:
        """No sitemap needs a document type."""
        raise _Refused

    def start(self, name: str, _: object) -> None:
        local = name.rpartition(":")[2].lower()
        if not self._path:
            self.known = local in {"urlset", "sitemapindex"}
        if not self.known or len(self._path) > 10:  # noqa: PLR2004 -- they have four levels
            raise _Refused
        self._path.append(local)
        self._words.clear()
        if local in {"url", "sitemap"}:
            self._said, self._images, self._news = {}, [], False

    def text(self, data: str) -> None:
        if len(self._words) < 100:  # noqa: PLR2004 -- buffered: more is nonsense
            self._words.append(data[:_MAX_TEXT])

    def end(self, _: str) -> None:
        local = self._path.pop()
        words = "".join(self._words).strip()
        self._words.clear()
        inside = self._path[-1] if self._path else ""
        if local == "news":
            self._news = True
        elif inside == "image" and local == "loc":
            self._images.append(words)
        elif local in _FIELDS and inside in {"url", "news", "sitemap"}:
            self._said.setdefault(local, words)
        elif local == "sitemap":
            self._keep_child()
        elif local == "url" and self._news:
            self._keep_entry()

    def _keep_child(self) -> None:
        link = absolute(self._said.get("loc"), self.url)
        if link and len(self.children) < MAX_CHILDREN:
            self.children.append(link)

    def _keep_entry(self) -> None:
        said = self._said
        link, title = absolute(said.get("loc"), self.url), title_text(said.get("title", "")[:2000])
        if not link or not title:
            return
        date = parse_date(said.get("publication_date", ""))
        self.entries.append(
            Entry(
                guid=None,
                link=link,
                title=title,
                summary_html="",
                content_html="",
                author=None,
                categories=tuple(
                    filter(None, (one_line(each) for each in said.get("keywords", "").split(",")))
                )[:10],
                published_at=date,
                updated_at=None,
                images=unique(picture({"url": each}, "media", self.url) for each in self._images),
            )
        )
        if len(self.entries) >= MAX_ENTRIES:
            raise _Refused
