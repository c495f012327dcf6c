"""How a feed is polled, what an article is known by, its versions, and what was missed."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    for name in ("site_url", "language", "body_hash"):
        op.add_column("feeds", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("feeds", sa.Column("interval_seconds", sa.Integer(), nullable=True))
    op.add_column("feeds", sa.Column("retired_at", moment, nullable=True))
    op.add_column("articles", sa.Column("language", sa.Text(), nullable=True))
    op.add_column(
        "articles", sa.Column("version", sa.Integer(), server_default="1", nullable=False)
    )
    op.add_column("articles", sa.Column("comments", sa.Integer(), nullable=True))
    op.add_column("articles", sa.Column("withdrawn_at", moment, nullable=True))
    op.add_column("articles", sa.Column("flood_id", sa.Integer(), nullable=True))
    op.add_column("articles", sa.Column("page_read_at", moment, nullable=True))
    op.create_index(op.f("ix_articles_flood_id"), "articles", ["flood_id"])
    op.add_column("edition_articles", sa.Column("version", sa.Integer(), nullable=True))
    op.create_table(
        "article_signs",
        sa.Column("sign", sa.Text(), nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["articles.id"],
            name=op.f("fk_article_signs_article_id_articles"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("sign", name=op.f("pk_article_signs")),
    )
    op.create_index(op.f("ix_article_signs_article_id"), "article_signs", ["article_id"])
    # what is held is known by what it was known by: nothing of it may come again
    op.execute("INSERT INTO article_signs (sign, article_id) SELECT key, id FROM articles")
    op.execute(
        "INSERT INTO article_signs (sign, article_id)"
        " SELECT link_key, min(id) FROM articles WHERE link_key IS NOT NULL"
        " AND link_key NOT IN (SELECT sign FROM article_signs)"
        " GROUP BY link_key HAVING count(*) = 1"
    )
    op.create_table(
        "article_texts",
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["articles.id"],
            name=op.f("fk_article_texts_article_id_articles"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_article_texts")),
    )
    op.create_table(
        "article_versions",
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("excerpt", sa.Text(), nullable=False),
        sa.Column("replaced_at", moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["articles.id"],
            name=op.f("fk_article_versions_article_id_articles"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("article_id", "version", name=op.f("pk_article_versions")),
    )
    _of_a_feed(
        "floods",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("began_at", moment, nullable=False),
        sa.Column("articles", sa.Integer(), nullable=False),
        sa.Column("usual", sa.Float(), nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
    )
    _of_a_feed(
        "gaps",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("since", moment, nullable=True),
        sa.Column("seen_at", moment, nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
    )
    _of_a_feed(
        "tallies",
        sa.Column("since", moment, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("published", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        one_a_feed=True,
    )
    _of_a_feed(
        "pushes",
        sa.Column("hub", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_at", moment, nullable=False),
        sa.Column("lease_until", moment, nullable=True),
        sa.Column("last_push_at", moment, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.UniqueConstraint("token", name=op.f("uq_pushes_token")),
        one_a_feed=True,
    )
    op.create_table(
        "alerts",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("began_at", moment, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("told_at", moment, nullable=True),
        sa.Column("ended_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_alerts")),
    )


def _of_a_feed(name: str, *columns: sa.Column[Any] | sa.Constraint, one_a_feed: bool = False) -> None:
    constraints: list[sa.Constraint] = [
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feeds.id"], name=op.f(f"fk_{name}_feed_id_feeds"), ondelete="CASCADE"
        )
    ]
    if one_a_feed:
        constraints.append(sa.PrimaryKeyConstraint("feed_id", name=op.f(f"pk_{name}")))
    op.create_table(
        name, sa.Column("feed_id", sa.Integer(), nullable=False), *columns, *constraints
    )
    if not one_a_feed:
        op.create_index(op.f(f"ix_{name}_feed_id"), name, ["feed_id"])
