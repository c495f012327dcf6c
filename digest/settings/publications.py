"""newsletters.toml becomes `Newsletter`s; a key that we do not know is an error that names it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from email.headerregistry import Address
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, PlainValidator, ValidationError, field_validator, model_validator

from digest.editions.calendar import check_cron, check_timezone
from digest.errors import SettingsError
from digest.messages.look import read_look
from digest.model.look import Look
from digest.model.newsletter import OTHER, FeedSource, Newsletter, Pictures, Schedule, Sender
from digest.model.policy import Approval
from digest.settings.choosing import (
    ApprovalTable,
    Engine,
    RankingTable,
    SectionTable,
    Span,
    SponsorTable,
    Strict,
    SupportTable,
    TopicTable,
    Weight,
    mail_address,
    one_line,
)
from digest.words import languages

#: first parts of our own paths: a newsletter of that name could not be reached
RESERVED = frozenset(
    (
        *("api", "archive", "confirm", "desk", "docs", "embed", "follow", "healthz", "hooks"),
        *("metrics", "pictures", "preferences", "preview", "readyz", "static", "subscribe"),
        *("unsubscribe", "websub"),
    )
)

#: more boxes than that are no choice any more
TOPICS = 20

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")


def _read_look(value: object) -> Look:
    if not isinstance(value, dict):
        raise ValueError('write a table, such as look = { accent = "#9a3324" }')  # noqa: TRY004 -- pydantic tells ValueErrors
    return read_look(value)


class _Feed(Strict):
    url: str
    section: str | None = None
    full_text: bool = False
    robots: bool = True
    weight: Weight = 1.0
    only_topics: bool | None = None

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("write the feed's whole address, such as https://example.org/feed")
        return value


class _Newsletter(Strict):
    slug: str
    title: Annotated[str, Field(max_length=100)]
    description: str = ""
    sender: str
    reply_to: str | None = None
    language: str = "de"
    timezone: str = "Europe/Berlin"
    theme: str = "plain"
    address: str
    imprint_url: str | None = None
    feeds: Annotated[list[str | _Feed], Field(min_length=1)]
    schedules: dict[str, str] = Field(default_factory=lambda: {"daily": "0 7 * * *"})
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    topics: dict[str, TopicTable] = Field(default_factory=dict)
    only_topics: bool = False
    ranking: RankingTable = RankingTable()
    sections: dict[str, SectionTable] = Field(default_factory=dict)
    minutes: Annotated[int, Field(ge=1, le=120)] | None = None
    leftovers: Span = timedelta(hours=48)
    sponsors: list[SponsorTable] = Field(default_factory=list)
    sponsor_limit: Annotated[int, Field(ge=0, le=5)] = 1
    support: SupportTable | None = None
    search: list[Engine] = Field(default_factory=list)
    follow: bool = True
    approval: str | None = None
    editors: list[str] = Field(default_factory=list)
    silence: Literal["send", "hold"] = "send"
    look: Annotated[Look, PlainValidator(_read_look)] = Look()
    pictures: Pictures = "linked"

    _lines = field_validator("title")(one_line)

    @field_validator("slug", "theme")
    @classmethod
    def _plain_name(cls, value: str) -> str:
        if not _SLUG.fullmatch(value):
            raise ValueError("use 1 to 40 letters a-z, digits and hyphens")
        if value in RESERVED:
            raise ValueError("this name is one of our own paths; choose another")
        return value

    @field_validator("sender")
    @classmethod
    def _sender(cls, value: str) -> str:
        name, address = parseaddr(one_line(value))
        if not name or not address:
            raise ValueError('write a name and an address, such as "News <news@example.org>"')
        return str(Address(display_name=name, addr_spec=mail_address(address)))

    @field_validator("reply_to")
    @classmethod
    def _reply_to(cls, value: str | None) -> str | None:
        return mail_address(value) if value else None

    @field_validator("language")
    @classmethod
    def _language(cls, value: str) -> str:
        if value not in languages():
            raise ValueError(f"we speak {', '.join(languages())}")
        return value

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        reason = check_timezone(value)
        if reason:
            raise ValueError(reason)
        return value

    @field_validator("feeds")
    @classmethod
    def _feeds(cls, value: list[str | _Feed]) -> list[str | _Feed]:
        return [_Feed(url=each) if isinstance(each, str) else each for each in value]

    @field_validator("schedules")
    @classmethod
    def _schedules(cls, value: dict[str, str]) -> dict[str, str]:
        if not value:
            raise ValueError('name at least one, such as daily = "0 7 * * *"')
        for name, cron in value.items():
            reason = check_cron(cron)
            if reason:
                raise ValueError(f"{name} = {cron!r}: {reason}")
        return value

    @field_validator("topics")
    @classmethod
    def _topics(cls, value: dict[str, TopicTable]) -> dict[str, TopicTable]:
        for name in value:
            if not _SLUG.fullmatch(name) or name == OTHER:
                raise ValueError(f"{name!r}: use 1 to 40 letters a-z, digits and hyphens")
        if len(value) > TOPICS:
            raise ValueError(f"a reader cannot choose among more than {TOPICS}")
        return value

    @model_validator(mode="after")
    def _goes_together(self) -> _Newsletter:
        asked = any(each.only_topics for each in self.feeds if isinstance(each, _Feed))
        if (self.only_topics or asked) and not self.topics:
            raise ValueError("only_topics needs [newsletter.topics.…] to know its articles by")
        if self.approval is None and (self.editors or self.silence != "send"):
            raise ValueError('editors look at drafts with approval = "45m"')
        self._approval()
        return self

    def _approval(self) -> Approval | None:
        if self.approval is None:
            return None
        facts = {"approval": self.approval, "editors": self.editors, "silence": self.silence}
        return ApprovalTable.model_validate(facts).noun()

    def noun(self) -> Newsletter:
        """The same as the noun that the rooms share."""
        name, address = parseaddr(self.sender)
        return Newsletter(
            slug=self.slug,
            title=self.title,
            description=self.description,
            sender=Sender(name=name, address=address),
            reply_to=self.reply_to,
            language=self.language,
            timezone=self.timezone,
            theme=self.theme,
            address=self.address,
            imprint_url=self.imprint_url,
            feeds=tuple(
                FeedSource(
                    url=each.url,
                    section=each.section,
                    full_text=each.full_text,
                    robots=each.robots,
                    weight=each.weight,
                    only_topics=self._takes_topics_only(each),
                )
                for each in self.feeds
                if isinstance(each, _Feed)
            ),
            schedules=tuple(Schedule(name=n, cron=c) for n, c in self.schedules.items()),
            limit=self.limit,
            topics=tuple(each.noun(name) for name, each in self.topics.items()),
            ranking=self.ranking.noun(),
            sections=tuple(each.noun(title) for title, each in self.sections.items()),
            minutes=self.minutes,
            leftovers=self.leftovers,
            sponsors=tuple(each.noun() for each in self.sponsors),
            sponsor_limit=self.sponsor_limit,
            support=self.support.noun() if self.support else None,
            search=tuple(each.noun() for each in self.search),
            approval=self._approval(),
            follow=self.follow,
            look=self.look,
            pictures=self.pictures,
        )

    def _takes_topics_only(self, feed: _Feed) -> bool:
        """What its feed says; else the newsletter's word, which means the main section."""
        if feed.only_topics is not None:
            return feed.only_topics
        return self.only_topics and feed.section is None


def read_newsletters(path: Path) -> tuple[Newsletter, ...]:
    """The newsletters that `path` describes, in its order.

    Raises SettingsError with one line that names the newsletter, the key and what is wrong.
    """
    if not path.is_file():
        raise SettingsError(f"{path} is not here; `digest init` writes one, or use --directory DIR")
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as problem:
        raise SettingsError(f"{path}: {problem}") from problem
    stray = [key for key in data if key != "newsletter"]
    if stray:
        raise SettingsError(
            f"{path}: unknown key {stray[0]!r}; newsletters begin with [[newsletter]]"
        )
    found = tuple(_read_one(path, each) for each in _tables(path, data))
    _refuse_twins(path, found)
    return found


def _tables(path: Path, data: Mapping[str, Any]) -> list[dict[str, Any]]:
    tables = data.get("newsletter")
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        raise SettingsError(f"{path}: describe each newsletter under a line [[newsletter]]")
    return tables


def _read_one(path: Path, table: Mapping[str, Any]) -> Newsletter:
    try:
        return _Newsletter.model_validate(table).noun()
    except ValidationError as problem:
        name = table.get("slug", "without a slug")
        raise SettingsError(f"{path}: newsletter {name}: {_first_problem(problem)}") from problem


def _first_problem(problem: ValidationError) -> str:
    first: Mapping[str, Any] = problem.errors()[0]
    for each in problem.errors():
        if each["type"] in ("extra_forbidden", "missing"):
            first = each
            break
    parts = [str(part) for part in first["loc"] if part not in ("str", "_Feed")]
    key = ".".join(parts)
    if first["type"] == "extra_forbidden":
        return f"unknown key {key!r}"
    if first["type"] == "missing":
        return f"key {key!r} is missing"
    return f"{key}: {str(first['msg']).removeprefix('Value error, ')}"


def _refuse_twins(path: Path, found: tuple[Newsletter, ...]) -> None:
    slugs = [each.slug for each in found]
    for slug in slugs:
        if slugs.count(slug) > 1:
            raise SettingsError(f"{path}: two newsletters have the slug {slug!r}")
