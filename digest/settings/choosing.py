"""What newsletters.toml says about choosing: topics, ranking, sections, sponsors, editors."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from digest.errors import AddressRefused
from digest.model.newsletter import Topic
from digest.model.policy import (
    Approval,
    Ranking,
    SearchEngine,
    SectionRule,
    Sponsor,
    Support,
)
from digest.subscribers.address import parse_address

_SPAN: Final = re.compile(r"(\d{1,4}) ?(m|h|d)")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}

#: search engines that need no address
ENGINES: Final = {
    "google": SearchEngine(name="Google", url="https://www.google.com/search?q={query}"),
    "google-news": SearchEngine(name="Google News", url="https://news.google.com/search?q={query}"),
    "bing": SearchEngine(name="Bing", url="https://www.bing.com/search?q={query}"),
    "duckduckgo": SearchEngine(name="DuckDuckGo", url="https://duckduckgo.com/?q={query}"),
}


def one_line(value: str) -> str:
    """The text, if it is one line of something. Raises ValueError."""
    if not value.strip() or any(
        not letter.isprintable() or letter in "\x7f\x85\u2028\u2029" for letter in value
    ):
        raise ValueError("write one line of text")
    return value.strip()


def _span(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError('write a length of time such as "45m", "24h" or "2d"')  # noqa: TRY004 -- pydantic wants ValueError
    found = _SPAN.fullmatch(value.strip())
    if found is None:
        raise ValueError('write a length of time such as "45m", "24h" or "2d"')
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _web(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or any(map(str.isspace, value)):
        raise ValueError("write a whole address, such as https://example.org/page")
    return value


Span = Annotated[timedelta, BeforeValidator(_span)]
Line = Annotated[str, BeforeValidator(lambda value: one_line(str(value)))]
Weight = Annotated[float, Field(ge=0, le=100)]


def mail_address(value: str) -> str:
    """The address, if mail can go there. Raises ValueError."""
    try:
        return parse_address(value)
    except AddressRefused as problem:
        raise ValueError(str(problem)) from problem


class Strict(BaseModel):
    """A table in which a key that we do not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WeightedRule(Strict):
    """A word, category or feed, and how much it says."""

    name: Line
    weight: Weight = 1.0


class TopicTable(Strict):
    """`[newsletter.topics.NAME]`."""

    title: Annotated[Line, Field(max_length=60)]
    categories: list[str | WeightedRule] = []
    words: list[str | WeightedRule] = []
    feeds: list[str | WeightedRule] = []
    sections: list[Line] = []
    without: list[Line] = []
    needs: Annotated[float, Field(gt=0, le=100)] = 1.0
    weight: Weight = 1.0

    @field_validator("categories", "words", "feeds")
    @classmethod
    def _rules(cls, value: list[str | WeightedRule]) -> list[str | WeightedRule]:
        return [WeightedRule(name=each) if isinstance(each, str) else each for each in value]

    @model_validator(mode="after")
    def _can_be_known(self) -> TopicTable:
        if not (self.categories or self.words or self.sections or self.feeds):
            raise ValueError("say how its articles are known: by categories, words or sections")
        return self

    def noun(self, name: str) -> Topic:
        """The same as the noun that the rooms share."""
        names: dict[str, tuple[str, ...]] = {}
        weights: dict[str, float] = {}
        for kind in ("categories", "words", "feeds"):
            rules = [each for each in getattr(self, kind) if isinstance(each, WeightedRule)]
            names[kind] = tuple(each.name for each in rules)
            weights |= {each.name: each.weight for each in rules if each.weight != 1}
        return Topic(
            name=name,
            title=self.title,
            categories=names["categories"],
            words=names["words"],
            feeds=names["feeds"],
            sections=tuple(self.sections),
            without=tuple(self.without),
            weights=weights,
            needs=self.needs,
            weight=self.weight,
        )


class RankingTable(Strict):
    """`[newsletter.ranking]`."""

    half_life: Span = Ranking().half_life
    freshness: Weight = Ranking().freshness
    topic: Weight = Ranking().topic
    thread: Weight = Ranking().thread
    source: Weight = Ranking().source

    @field_validator("half_life")
    @classmethod
    def _some_time(cls, value: timedelta) -> timedelta:
        if not value:
            raise ValueError('write a length of time such as "12h"')
        return value

    def noun(self) -> Ranking:
        """The same as the noun that the rooms share."""
        return Ranking(**self.model_dump())


class SectionTable(Strict):
    """`[newsletter.sections."TITLE"]`."""

    limit: Annotated[int, Field(ge=0, le=200)] | None = None
    order: Literal["rank", "newest"] = "rank"
    weight: Annotated[float, Field(ge=-100, le=100)] = 0.0
    text: Annotated[str, Field(max_length=1000)] = ""
    url: Annotated[str | None, BeforeValidator(lambda value: value and _web(str(value)))] = None

    def noun(self, title: str) -> SectionRule:
        """The same as the noun that the rooms share."""
        return SectionRule(title=title, **self.model_dump())


class SponsorTable(Strict):
    """`[[newsletter.sponsors]]`."""

    title: Annotated[Line, Field(max_length=120)]
    text: Annotated[str, Field(max_length=500)]
    url: Annotated[str, BeforeValidator(lambda value: _web(str(value)))]
    since: datetime | None = None
    until: datetime | None = None

    def noun(self) -> Sponsor:
        """The same as the noun that the rooms share. A time without a zone is UTC."""
        return Sponsor(
            title=self.title,
            text=self.text,
            url=self.url,
            since=_utc(self.since),
            until=_utc(self.until),
        )


def _utc(value: datetime | None) -> datetime | None:
    return value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC) if value else None


class SupportTable(Strict):
    """`[newsletter.support]`."""

    text: Annotated[Line, Field(max_length=200)]
    url: Annotated[str, BeforeValidator(lambda value: _web(str(value)))]

    def noun(self) -> Support:
        """The same as the noun that the rooms share."""
        return Support(text=self.text, url=self.url)


class EngineTable(Strict):
    """A search engine of the operator's own."""

    name: Annotated[Line, Field(max_length=40)]
    url: Annotated[str, BeforeValidator(lambda value: _web(str(value)))]

    @field_validator("url")
    @classmethod
    def _has_a_place(cls, value: str) -> str:
        if "{query}" not in value:
            raise ValueError("write {query} where the words go that are looked for")
        return value

    def noun(self) -> SearchEngine:
        """The same as the noun that the rooms share."""
        return SearchEngine(name=self.name, url=self.url)


def by_name(value: object) -> object:
    """One of our search engines where its name stands alone. Raises ValueError."""
    if not isinstance(value, str):
        return value
    if value not in ENGINES:
        known = ", ".join(ENGINES)
        raise ValueError(f'{value!r}: we know {known}; or write {{ name = "…", url = "…" }}')
    return EngineTable(name=ENGINES[value].name, url=ENGINES[value].url)


Engine = Annotated[EngineTable, BeforeValidator(by_name)]


class ApprovalTable(Strict):
    """What stands about editors in a newsletter: `approval`, `editors`, `silence`."""

    approval: Span
    editors: Annotated[list[str], Field(min_length=1)]
    silence: Literal["send", "hold"] = "send"

    @field_validator("approval")
    @classmethod
    def _in_bounds(cls, value: timedelta) -> timedelta:
        if not timedelta(minutes=5) <= value <= timedelta(hours=12):
            raise ValueError('editors need between "5m" and "12h"')
        return value

    @field_validator("editors")
    @classmethod
    def _addresses(cls, value: list[str]) -> list[str]:
        return [mail_address(each) for each in value]

    def noun(self) -> Approval:
        """The same as the noun that the rooms share."""
        return Approval(before=self.approval, editors=tuple(self.editors), silence=self.silence)
