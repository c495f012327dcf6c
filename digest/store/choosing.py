"""The tables of choosing: how editions are laid out, what editors say, what readers follow."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from digest.store.dialect import UtcTime
from digest.store.tables import articles, editions, metadata, subscriptions

#: an edition as readers of some of its topics, or of another language, get it
selections = Table(
    "selections",
    metadata,
    Column("edition_id", ForeignKey("editions.id"), primary_key=True),
    #: the topics, as `subscriptions.choice` has them, and "@en" where it is in a language other
    #: than the newsletter's; never empty: that is the edition itself
    Column("choice", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("preheader", Text, nullable=False),
    #: those of old stand here as they were written
    Column("html", Text),
    Column("text", Text),
    #: which pieces of the sheet it is laid out from
    Column("plan", JSON(none_as_null=True)),
)

#: all the pieces of an edition in one language, from which each selection is laid out
sheets = Table(
    "sheets",
    metadata,
    Column("edition_id", ForeignKey(editions.c.id), primary_key=True),
    Column("language", Text, primary_key=True),
    Column("pieces", JSON, nullable=False),
)

#: what the editors say about an article in a newsletter
verdicts = Table(
    "verdicts",
    metadata,
    Column("newsletter", Text, primary_key=True),
    Column("article_id", ForeignKey(articles.c.id, ondelete="CASCADE"), primary_key=True),
    #: its place, counted from 1; null: where its rank puts it
    Column("pinned", Integer),
    Column("refused", Boolean, nullable=False),
    #: the title that it gets; null: its own
    Column("title", Text),
    Column("at", UtcTime, nullable=False),
)

#: a draft that the editors see before its slot, and what they said to it
proofs = Table(
    "proofs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("newsletter", Text, nullable=False),
    Column("schedule", Text, nullable=False),
    #: the slot that it is for
    Column("at", UtcTime, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    #: 96 random bits: the signed links of its mail name it
    Column("ref", LargeBinary, nullable=False, unique=True),
    #: a value of `model.proof.ProofState`
    Column("state", Text, nullable=False),
    #: what the editors write above the news
    Column("lead", Text, nullable=False),
    #: ids of articles: "shown" in the draft, in reading order, and "others" that were left out
    Column("shown", JSON, nullable=False),
    #: when the editors were told of it by mail; null: not yet
    Column("told_at", UtcTime),
    Column("decided_at", UtcTime),
    UniqueConstraint("newsletter", "schedule", "at"),
)

#: a correction of what an edition told: for those who got the wrong text, and nobody else
corrections = Table(
    "corrections",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("edition_id", ForeignKey(editions.c.id), nullable=False),
    Column("article_id", ForeignKey(articles.c.id), nullable=False),
    #: the version that corrects what was told
    Column("version", Integer, nullable=False),
    #: as it was told, and as it is right
    Column("was", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    UniqueConstraint("edition_id", "article_id", "version"),
)

#: a reader's wish to hear of news like one article
follows = Table(
    "follows",
    metadata,
    Column("id", Integer, primary_key=True),
    #: what signed links name: it tells nothing about anybody
    Column("ref", LargeBinary, nullable=False, unique=True),
    Column("subscription_id", ForeignKey(subscriptions.c.id), nullable=False, index=True),
    Column("article_id", ForeignKey(articles.c.id), nullable=False, index=True),
    #: "pending", "active", "ended"
    Column("state", Text, nullable=False),
    #: "digest": in the reader's next edition; "prompt": by a mail of its own, at once
    Column("mode", Text, nullable=False),
    Column("requested_at", UtcTime, nullable=False),
    Column("confirmed_at", UtcTime),
    Column("ended_at", UtcTime),
    #: 128 random bits, new with each request: a confirm link of an older request is void
    Column("nonce", LargeBinary, nullable=False),
    UniqueConstraint("subscription_id", "article_id"),
)

#: articles that resemble what a reader follows
findings = Table(
    "findings",
    metadata,
    Column("follow_id", ForeignKey(follows.c.id, ondelete="CASCADE"), primary_key=True),
    Column("article_id", ForeignKey(articles.c.id, ondelete="CASCADE"), primary_key=True),
    Column("subscription_id", ForeignKey(subscriptions.c.id), nullable=False),
    Column("likeness", Float, nullable=False),
    #: the words that both have in common
    Column("words", JSON, nullable=False),
    Column("found_at", UtcTime, nullable=False),
    #: when and by which delivery it was told; null: not yet
    Column("told_at", UtcTime),
    Column("delivery_id", Integer),
    Index("ix_findings_subscription_id_told_at", "subscription_id", "told_at"),
)

#: the pictures that we serve ourselves, and what we could make none of
pictures = Table(
    "pictures",
    metadata,
    #: SHA-256 of the address that it came from, in hexadecimal digits
    Column("source", Text, primary_key=True),
    #: the first half of the SHA-256 of `data`, in hexadecimal digits: what its address names
    Column("hash", Text, index=True),
    #: the JPEG; null where there is none
    Column("data", LargeBinary),
    #: of the JPEG, in pixels
    Column("width", Integer),
    Column("height", Integer),
    #: why there is none
    Column("reason", Text),
    #: when it was made, tried, or last wanted by an edition in the making
    Column("asked_at", UtcTime, nullable=False),
    #: when an edition first showed it: then it is kept as long as the archive is; null: none did
    Column("told_at", UtcTime),
)
