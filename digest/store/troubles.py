"""The tables of what goes wrong: bounces, pauses, paces, reports, journals, crowds, and workers."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, Table, Text, text

from digest.store.dialect import UtcTime
from digest.store.tables import deliveries, editions, metadata, subscribers

_Big = BigInteger().with_variant(Integer, "sqlite")

#: one row a delivery that came to nothing through the reader's mailbox: however often a bounce is
#: told, or forged, it counts once for each message that we sent
bounces = Table(
    "bounces",
    metadata,
    Column("delivery_id", ForeignKey(deliveries.c.id, ondelete="CASCADE"), primary_key=True),
    Column(
        "subscriber_id",
        ForeignKey(subscribers.c.id, ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("edition_id", ForeignKey(editions.c.id)),
    Column("domain", Text, nullable=False),
    #: model.report.Cause
    Column("cause", Text, nullable=False),
    #: "smtp", "mailbox", or the provider that told us
    Column("door", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Index("ix_bounces_edition_id_domain", "edition_id", "domain"),
)

#: an edition or a domain that is not delivered to for a while, and why
pauses = Table(
    "pauses",
    metadata,
    Column("id", Integer, primary_key=True),
    #: model.pause.Scope: "edition", "domain"
    Column("scope", Text, nullable=False),
    #: the edition's id or the domain
    Column("name", Text, nullable=False),
    #: model.pause.Kind
    Column("kind", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("began_at", UtcTime, nullable=False),
    #: when it ends by itself; null: when a person says so
    Column("until", UtcTime),
    #: how often in a row it was begun: each time it lasts longer
    Column("times", Integer, nullable=False, server_default="1"),
    Column("ended_at", UtcTime),
    Index(
        "uq_pauses_open",
        "scope",
        "name",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

#: a domain that asked us to go slower, and ("*") the rate of all workers together
paces = Table(
    "paces",
    metadata,
    Column("name", Text, primary_key=True),
    #: seconds between two messages
    Column("gap", Float, nullable=False),
    Column("next_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
)

#: mails and events that were understood and applied: the same one twice changes nothing
reports = Table(
    "reports",
    metadata,
    Column("key", Text, primary_key=True),
    Column("at", UtcTime, nullable=False),
)

#: how far a journal outside the database had come when this database was last written
journals = Table(
    "journals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("mark", _Big, nullable=False),
)

#: how many confirm mails an address had; it outlives the request, which is erased after a week.
#: The row of no newsletter ("") is the address itself: those who ask about it wait there in turn
asks = Table(
    "asks",
    metadata,
    Column("address_hash", Text, primary_key=True),
    Column("newsletter", Text, primary_key=True),
    Column("mails", Integer, nullable=False),
    Column("last_at", UtcTime, nullable=False),
)

#: how often something was done in the hour that began then: by a network (its keyed hash), by all
quotas = Table(
    "quotas",
    metadata,
    Column("name", Text, primary_key=True),
    Column("began_at", UtcTime, nullable=False),
    Column("used", Integer, nullable=False),
)

#: a process that delivers; its row is the lease on all that it holds
workers = Table(
    "workers",
    metadata,
    Column("id", Text, primary_key=True),
    #: boot and process namespace, pid and start of the process: "is it gone?" can be asked at once
    Column("machine", Text, nullable=False),
    Column("process", Text, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    #: why the relay cannot be used, as this worker sees it, and since when
    Column("trouble", Text),
    Column("trouble_since", UtcTime),
)
