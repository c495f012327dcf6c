"""A follow: a reader's wish to hear of news like one article, and what was found for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

#: the frequency of somebody who reads no editions and only what he follows
FOLLOWS_ONLY = "follows"


class FollowMode(StrEnum):
    """How a reader wants to hear of what resembles the article that he follows."""

    #: in his next edition
    DIGEST = "digest"
    #: by a mail of its own within a quarter of an hour
    PROMPT = "prompt"


class FollowState(StrEnum):
    """Where the wish stands."""

    PENDING = "pending"
    ACTIVE = "active"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """A reader's wish to hear of news like one article. Times are UTC."""

    id: int
    #: 96 random bits: what signed links name
    ref: bytes
    subscription_id: int
    article_id: int
    #: of the article that is followed
    title: str
    url: str
    state: FollowState
    mode: FollowMode
    requested_at: datetime
    #: 128 random bits, new with each request
    nonce: bytes
    confirmed_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An article that resembles what a reader follows."""

    follow_id: int
    #: the reference of the follow
    ref: bytes
    #: the title of what is followed
    title: str
    article_id: int
    subscription_id: int
    likeness: float
    #: the words that both have in common
    words: tuple[str, ...]
    found_at: datetime
