"""Every table, one below the other; what a column means stands beside it. Times are UTC.

More stand in `store/troubles.py` (delivery), `store/sources.py` (what feeds bring) and
`store/choosing.py` (what of it is told, and to whom).
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from digest.store.dialect import UtcTime

#: a million readers a day outgrow 32 bits in six years
_Big = BigInteger().with_variant(Integer, "sqlite")

_CONSIDERED = ("newsletter", "schedule", "article_id")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

feeds = Table(
    "feeds",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("url", Text, nullable=False, unique=True),
    Column("title", Text),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("next_poll_at", UtcTime, nullable=False),
    Column("last_polled_at", UtcTime),
    #: the first poll that brought a document; before it, everything in the feed is old news
    Column("first_read_at", UtcTime),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("failing_since", UtcTime),
    Column("error", Text),
    #: where it moved for good: polled there, known by its own address
    Column("moved_to", Text),
    Column("site_url", Text),
    Column("language", Text),
    #: SHA-256 of the last document, and the rhythm that was learned from it
    Column("body_hash", Text),
    Column("interval_seconds", Integer),
    #: gone for good (HTTP 410): not polled any more
    Column("retired_at", UtcTime),
)

articles = Table(
    "articles",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("link_key", Text, index=True),
    Column("url", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("excerpt", Text, nullable=False),
    Column("image", JSON(none_as_null=True)),
    Column("author", Text),
    Column("categories", JSON, nullable=False),
    Column("published_at", UtcTime),
    Column("first_seen_at", UtcTime, nullable=False, index=True),
    Column("updated_at", UtcTime),
    Column("words", Integer, nullable=False),
    Column("comments_url", Text),
    #: false for what was old when we first read its feed: known, never sent
    Column("candidate", Boolean, nullable=False),
    Column("language", Text),
    #: counts the publisher's edits; the ones before stand in `article_versions`
    Column("version", Integer, nullable=False, server_default="1"),
    Column("comments", Integer),
    #: when its publisher took it back: not told any more
    Column("withdrawn_at", UtcTime),
    #: the flood it came with: held until the operator says what that was
    Column("flood_id", Integer, index=True),
    #: when its page was read for what the feed lacks
    Column("page_read_at", UtcTime),
    #: when it was compared with what readers follow
    Column("matched_at", UtcTime),
)

#: an article stands in every feed that carries it
appearances = Table(
    "appearances",
    metadata,
    Column("article_id", ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True),
    Column("feed_id", ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True),
    Column("seen_at", UtcTime, nullable=False),
    Index("ix_appearances_feed_id_article_id", "feed_id", "article_id"),
)

editions = Table(
    "editions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("newsletter", Text, nullable=False),
    Column("schedule", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Column("language", Text, nullable=False),
    Column("nonce", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("preheader", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("minutes", Integer),  # how long it takes to read; null for editions of old
    #: how many deliveries its fan-out wrote: what the books must add up to
    Column("candidates", Integer),
    #: when the last of them was to go out, for some readers chose an hour; null: at once
    Column("last_due_at", UtcTime),
    UniqueConstraint("newsletter", "number"),
)

#: whoever writes the row of a slot makes the edition, nobody else can
slots = Table(
    "slots",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("newsletter", Text, nullable=False),
    Column("schedule", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("manual", Boolean, nullable=False),
    #: "start" (nothing before it is owed), "edition", "nothing new"
    Column("outcome", Text, nullable=False),
    Column("edition_id", ForeignKey("editions.id")),
    Column("made_at", UtcTime, nullable=False),
    UniqueConstraint("newsletter", "schedule", "at"),
)

#: every article that an edition considered
edition_articles = Table(
    "edition_articles",
    metadata,
    Column("edition_id", ForeignKey("editions.id"), primary_key=True),
    Column("article_id", ForeignKey("articles.id"), primary_key=True),
    Column("newsletter", Text, nullable=False),
    Column("schedule", Text, nullable=False),
    #: counts from 1; null for one that was left out
    Column("position", Integer),
    Column("section", Text),
    #: why it was left out
    Column("reason", Text),
    Column("card_html", Text),
    Column("card_text", Text),
    #: names of the topics that it is about, with commas around: ",chips,robots,"
    Column("topics", Text, nullable=False, server_default=""),
    #: the version of the article that was told
    Column("version", Integer),
    #: the parts of its rank and their sum: {"freshness": 0.5, "total": 1.5}
    Column("score", JSON(none_as_null=True)),
    #: the article that was told in its place: of the same event, or the same
    Column("instead_id", Integer),
    Index("ix_edition_articles_newsletter_schedule_article_id", *_CONSIDERED),
    # nothing is told twice in one rhythm; what found no room may be considered again
    Index(
        "uq_edition_articles_told",
        *_CONSIDERED,
        unique=True,
        sqlite_where=text("position IS NOT NULL"),
        postgresql_where=text("position IS NOT NULL"),
    ),
)

subscribers = Table(
    "subscribers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("address", Text, nullable=False),
    Column("address_key", Text, nullable=False, unique=True),
    #: keyed hash of address_key, what suppressions know people by
    Column("address_hash", Text, nullable=False, index=True),
    #: what stands behind the last @ of address_key: whole domains are paced and paused
    Column("domain", Text, nullable=False, server_default="", index=True),
    Column("language", Text, nullable=False),
    Column("timezone", Text),
    Column("created_at", UtcTime, nullable=False),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ref", LargeBinary, nullable=False, unique=True),
    Column("subscriber_id", ForeignKey("subscribers.id"), nullable=False),
    Column("newsletter", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("frequency", Text, nullable=False),
    #: the topics that the person wants, in alphabetical order with commas between; empty: all
    Column("choice", Text, nullable=False, server_default=""),
    #: the hour of the person's own day at which scheduled editions come; null: when they are made
    Column("hour", Integer),
    #: until then nothing is sent
    Column("paused_until", UtcTime),
    Column("requested_at", UtcTime, nullable=False),
    Column("confirmed_at", UtcTime),
    Column("unsubscribed_at", UtcTime),
    Column("request_nonce", LargeBinary, nullable=False),
    #: when the person chose another rhythm, hour or zone; null: his next edition is as everybody's
    Column("changed_at", UtcTime, index=True),
    #: the subscription of the same person's old address, which ends when this one is confirmed
    Column("replaces", Integer),
    #: the subscription of the same person's new address, since this one moved there
    Column("moved_to", Integer),
    UniqueConstraint("subscriber_id", "newsletter"),
    Index("ix_subscriptions_newsletter_state", "newsletter", "state"),
    Index("ix_subscriptions_requested_at", "requested_at"),
)

consent_events = Table(
    "consent_events",
    metadata,
    Column("id", _Big, primary_key=True),
    Column("subscription_id", ForeignKey("subscriptions.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("door", Text, nullable=False),
    Column("detail", Text, nullable=False),
    #: the language of the words that were shown
    Column("language", Text),
    #: where the request came from, shortened; only where the operator wants it
    Column("network", Text),
    #: the mail that the event is about, and the SHA-256 of its bytes
    Column("message_id", Text),
    Column("message_hash", Text),
    #: SHA-256 over this event and the hash of the one before it; empty for what is older
    Column("hash", Text, nullable=False, server_default=""),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("address_hash", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    #: the delivery whose bounce closed it: a bounce that was the relay's fault is taken back
    Column("delivery_id", _Big),
)

#: the ledger: one row a message; the row is the queue
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", _Big, primary_key=True),
    #: one of the two is set: an edition, or the kind of a notice ("confirm", "moved")
    Column("edition_id", ForeignKey("editions.id")),
    Column("notice", Text),
    Column("subscription_id", ForeignKey("subscriptions.id"), nullable=False, index=True),
    Column("state", Text, nullable=False),
    Column("owner", Text, index=True),
    Column("attempts", Integer, nullable=False, server_default="0"),
    #: how often the dot was sent and no reply recorded: so many copies may exist
    Column("doubts", Integer, nullable=False, server_default="0"),
    #: the selection of the edition that this person gets; empty: the edition itself
    Column("choice", Text, nullable=False, server_default=""),
    #: what this one reader gets of it more or less than others of his choice (`model.layout.Extra`)
    Column("extra", JSON(none_as_null=True)),
    #: what a notice is about: a follow, a correction
    Column("about", Integer),
    Column("due_at", UtcTime, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("reply", Text),
    UniqueConstraint("edition_id", "subscription_id"),
    CheckConstraint("(edition_id IS NULL) <> (notice IS NULL)", name="one_kind"),
    Index("ix_deliveries_state_due_at", "state", "due_at", "id"),
    #: the few that are not editions
    Index(
        "ix_deliveries_notice_state_due_at",
        "notice",
        "state",
        "due_at",
        "id",
        sqlite_where=text("notice IS NOT NULL"),
        postgresql_where=text("notice IS NOT NULL"),
    ),
)
