"""How an edition is laid out from its pieces: a sheet of them, a plan, and what one reader gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Form(StrEnum):
    """How much of an article a card tells."""

    #: as the first of the edition
    LEAD = "lead"
    #: with picture and excerpt
    FULL = "full"
    #: title and a short excerpt
    BRIEF = "brief"
    #: title alone
    LINE = "line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An article in an edition: which card of it, and which others of its event are named there."""

    article_id: int
    form: Form
    also: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPart:
    """A section as it is laid out; the main one has no title."""

    title: str | None
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A selection of an edition: which pieces of its sheet stand where. It holds no markup."""

    subject: str
    preheader: str
    parts: tuple[PlanPart, ...]
    #: how many headlines stand on top
    headlines: int
    #: how many articles found no room, and the address of the one site that has them
    more: int = 0
    more_url: str | None = None
    more_host: str = ""
    #: how long reading the mail takes
    minutes: int = 1

    @property
    def article_ids(self) -> tuple[int, ...]:
        """All articles in the order in which they are read."""
        return tuple(place.article_id for part in self.parts for place in part.places)

    def as_json(self) -> dict[str, Any]:
        """As the store keeps it."""
        return asdict(self)


def read_plan(data: Mapping[str, Any]) -> Plan:
    """The plan that `Plan.as_json` wrote."""
    parts = tuple(
        PlanPart(
            title=part["title"],
            places=tuple(
                Place(
                    article_id=place["article_id"],
                    form=Form(place["form"]),
                    also=tuple(place["also"]),
                )
                for place in part["places"]
            ),
        )
        for part in data["parts"]
    )
    return Plan(**{**data, "parts": parts})


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """An article that one reader gets because he follows another one."""

    article_id: int
    #: the reference of the follow, in hex: the link that stops just this names it
    ref: str
    #: the title of what he follows
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """What one reader gets more or less than the other readers of his selection."""

    #: articles that he has had already
    omit: tuple[int, ...] = ()
    followed: tuple[Followed, ...] = ()
    #: articles of editions that he did not get, for he chose another rhythm meanwhile
    meanwhile: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As the store keeps it."""
        return asdict(self)


def read_extra(data: Mapping[str, Any]) -> Extra:
    """The extra that `Extra.as_json` wrote."""
    return Extra(
        omit=tuple(data["omit"]),
        followed=tuple(Followed(**each) for each in data["followed"]),
        meanwhile=tuple(data["meanwhile"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a sheet, inlined: what the HTML and the text say for it."""

    html: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """All pieces of an edition in one language, rendered and inlined once, by name.

    Names: "frame", "card:ID:FORM", "headline:ID", "also:ID", "part:TITLE" and others that
    `messages.layout` knows.
    """

    language: str
    pieces: Mapping[str, Piece]

    def as_json(self) -> dict[str, Any]:
        """As the store keeps its pieces."""
        return {name: [piece.html, piece.text] for name, piece in self.pieces.items()}


def read_sheet(language: str, data: Mapping[str, Any]) -> Sheet:
    """The sheet whose pieces `Sheet.as_json` wrote."""
    pieces = {name: Piece(html=html, text=text) for name, (html, text) in data.items()}
    return Sheet(language=language, pieces=pieces)
