"""Turns the sample site's data files into what it publishes, dated back from a moment in time.

Every firm, person and place in the files is made up. Nothing is read before it is asked for.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

CONTENT: Final = Path(__file__).parent / "content"
PICTURES: Final = CONTENT / "pictures"
_EXCERPT_WORDS: Final = 55
_UMLAUTS: Final = {ord("ä"): "ae", ord("ö"): "oe", ord("ü"): "ue", ord("ß"): "ss"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One part of the site with a front page and a feed of its own."""

    #: the first part of its addresses: "" or "/jobs"
    prefix: str
    file: str
    title: str
    tagline: str
    language: Literal["de", "en"]
    feed: Literal["rss", "atom"] = "rss"
    #: where the feed puts a picture: into the text, as most sites do, or beside it
    picture: Literal["text", "enclosure"] = "text"


NEWS: Final = Desk(
    prefix="",
    file="news.toml",
    title="Kupfer & Code",
    tagline="Nachrichten aus KI, Robotik, Chips und Wissenschaft",
    language="de",
)
JOBS: Final = Desk(
    prefix="/jobs",
    file="jobs.toml",
    title="Stellenangebote bei Kupfer & Code",
    tagline="Arbeit, die es morgen noch gibt",
    language="de",
)
BOOKS: Final = Desk(
    prefix="/buecher",
    file="books.toml",
    title="Bücher bei Kupfer & Code",
    tagline="Gelesen und weitergereicht",
    language="de",
    picture="enclosure",
)
ENGLISH: Final = Desk(
    prefix="/en",
    file="english.toml",
    title="Copper & Code",
    tagline="News of AI, robotics, chips and science",
    language="en",
    feed="atom",
    picture="enclosure",
)
DESKS: Final = (NEWS, JOBS, BOOKS, ENGLISH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture of the site: its file name, its text for those who cannot see it, its bytes."""

    file: str
    alt: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A paragraph, a heading or a quotation, as plain text."""

    kind: Literal["p", "h2", "blockquote"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedEntry:
    """One entry as the sample site publishes it. All texts are plain; `published_at` is UTC."""

    id: int
    desk: Desk
    slug: str
    title: str
    author: str
    categories: tuple[str, ...]
    picture: Picture | None
    blocks: tuple[Block, ...]
    published_at: datetime
    comments: int

    @property
    def path(self) -> str:
        """The address below the site's own, with a slash in front."""
        return f"{self.desk.prefix}/{self.slug}.html"

    @property
    def excerpt(self) -> str:
        """The first words of the text; whoever cuts a text says so."""
        words = " ".join(block.text for block in self.blocks if block.kind == "p").split()
        if len(words) <= _EXCERPT_WORDS:
            return " ".join(words)
        return " ".join(words[:_EXCERPT_WORDS]) + " […]"


def read_entries(desk: Desk, *, started_at: datetime) -> tuple[PublishedEntry, ...]:
    """Give what a desk has published up to `started_at` (UTC), newest first."""
    rows = _read(desk.file)["entry"]
    entries = (_publish(row, desk, started_at) for row in rows)
    return tuple(sorted(entries, key=lambda entry: entry.published_at, reverse=True))


def topics(entries: tuple[PublishedEntry, ...]) -> dict[str, str]:
    """Give the categories of entries by their slug, the most frequent first."""
    names = [category for entry in entries for category in entry.categories]
    ordered = sorted(set(names), key=lambda name: (-names.count(name), name))
    return {slug_of(name): name for name in ordered}


def slug_of(name: str) -> str:
    """Turn a category into what stands for it in an address."""
    plain = name.lower().translate(_UMLAUTS)
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


@cache
def _read(file: str) -> dict[str, Any]:
    return tomllib.loads((CONTENT / file).read_text(encoding="utf-8"))


def _publish(row: Mapping[str, Any], desk: Desk, started_at: datetime) -> PublishedEntry:
    whole_second = started_at.replace(microsecond=0)  # as far as RFC 822 and HTTP dates go
    return PublishedEntry(
        id=row["id"],
        desk=desk,
        slug=row["slug"],
        title=row["title"],
        author=row["author"],
        categories=tuple(row["categories"]),
        picture=_picture(row.get("picture"), desk.language),
        blocks=tuple(_block(part) for part in re.split(r"\n\s*\n", row["text"].strip())),
        published_at=whole_second - timedelta(minutes=row["minutes_ago"]),
        comments=row.get("comments", 0),
    )


@cache
def _picture(name: str | None, language: str) -> Picture | None:
    if name is None:
        return None
    file = f"{name}.jpg"
    alt = _read("pictures.toml")[name.removesuffix("-abend")][language]
    return Picture(file=file, alt=alt, size=(PICTURES / file).stat().st_size)


def _block(text: str) -> Block:
    if text.startswith("## "):
        return Block(kind="h2", text=text[3:])
    if text.startswith("> "):
        return Block(kind="blockquote", text=text[2:])
    return Block(kind="p", text=text)
