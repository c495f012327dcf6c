"""The tables of what feeds bring: signs and versions of articles, floods, gaps, pushes, alerts."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Integer, Table, Text

from digest.store.dialect import UtcTime
from digest.store.tables import articles, feeds, metadata

#: each thing that an article is known by (a guid, a page, a title with its time), hashed; one sign
#: leads to one article, whichever feed carries it
article_signs = Table(
    "article_signs",
    metadata,
    Column("sign", Text, primary_key=True),
    Column("article_id", ForeignKey(articles.c.id, ondelete="CASCADE"), nullable=False, index=True),
)

#: the longest text that we have of an article, as HTML of the small allow-list
article_texts = Table(
    "article_texts",
    metadata,
    Column("article_id", ForeignKey(articles.c.id, ondelete="CASCADE"), primary_key=True),
    Column("html", Text, nullable=False),
    #: "feed" or "page"
    Column("origin", Text, nullable=False),
)

#: what an article said before its publisher changed it: versions below `articles.version`
article_versions = Table(
    "article_versions",
    metadata,
    Column("article_id", ForeignKey(articles.c.id, ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("url", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("excerpt", Text, nullable=False),
    Column("replaced_at", UtcTime, nullable=False),
)


def _feed() -> Column[int]:
    return Column("feed_id", ForeignKey(feeds.c.id, ondelete="CASCADE"), nullable=False, index=True)


def _the_feed() -> Column[int]:
    return Column("feed_id", ForeignKey(feeds.c.id, ondelete="CASCADE"), primary_key=True)


#: so many new articles at once that they are held until the operator says what they are
floods = Table(
    "floods",
    metadata,
    Column("id", Integer, primary_key=True),
    _feed(),
    Column("began_at", UtcTime, nullable=False),
    #: how many articles came, and how many were usual for the time since the last poll
    Column("articles", Integer, nullable=False),
    Column("usual", Float, nullable=False),
    Column("ended_at", UtcTime),
    #: "released", "dropped"; null: nobody has said
    Column("outcome", Text),
)

#: a poll that did not join the one before it, and how what lay between was found
gaps = Table(
    "gaps",
    metadata,
    Column("id", Integer, primary_key=True),
    _feed(),
    #: the newest article that was held before it; null where nothing was dated
    Column("since", UtcTime),
    Column("seen_at", UtcTime, nullable=False),
    Column("found", Integer, nullable=False),
    #: "paged feed", "archive", "wordpress", "news sitemap", "" where nothing led anywhere
    Column("how", Text, nullable=False),
    #: true where what was found reaches back to what was held
    Column("whole", Boolean, nullable=False),
)

#: what a site published of late by its own word, and what of it we hold
tallies = Table(
    "tallies",
    metadata,
    _the_feed(),
    Column("since", UtcTime, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("published", Integer, nullable=False),
    Column("held", Integer, nullable=False),
    #: "wordpress", "news sitemap", "overlap" (every poll joined the one before it)
    Column("how", Text, nullable=False),
)

#: a hub that tells us when a feed changes (W3C WebSub)
pushes = Table(
    "pushes",
    metadata,
    _the_feed(),
    Column("hub", Text, nullable=False),
    Column("topic", Text, nullable=False),
    #: what our callback address ends with
    Column("token", Text, nullable=False, unique=True),
    #: what the hub signs its pushes with
    Column("secret", Text, nullable=False),
    #: "asked", "active", "refused", "leaving"
    Column("state", Text, nullable=False),
    Column("asked_at", UtcTime, nullable=False),
    #: until when it is active; else when the hub is asked again
    Column("lease_until", UtcTime),
    #: when the hub was last heard of: a push, or its yes
    Column("last_push_at", UtcTime),
    Column("error", Text),
)

#: what the operator is told of by mail, once: a row stands as long as the trouble does
alerts = Table(
    "alerts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("began_at", UtcTime, nullable=False),
    Column("text", Text, nullable=False),
    Column("told_at", UtcTime),
    #: when it was over; the row goes when that is told too
    Column("ended_at", UtcTime),
)
