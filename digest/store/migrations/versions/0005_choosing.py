"""Leftovers, selections as plans, sheets, editors' word, follows, and who changed his choice."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TOLD = "position IS NOT NULL"


def upgrade() -> None:
    _alter()
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "sheets",
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("pieces", sa.JSON(), nullable=False),
        _to("sheets", "edition_id", "editions"),
        sa.PrimaryKeyConstraint("edition_id", "language", name=op.f("pk_sheets")),
    )
    op.create_table(
        "verdicts",
        sa.Column("newsletter", sa.Text(), nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("pinned", sa.Integer(), nullable=True),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("at", moment, nullable=False),
        _to("verdicts", "article_id", "articles", cascade=True),
        sa.PrimaryKeyConstraint("newsletter", "article_id", name=op.f("pk_verdicts")),
    )
    op.create_table(
        "proofs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("newsletter", sa.Text(), nullable=False),
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.Column("ref", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("lead", sa.Text(), nullable=False),
        sa.Column("shown", sa.JSON(), nullable=False),
        sa.Column("told_at", moment, nullable=True),
        sa.Column("decided_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proofs")),
        sa.UniqueConstraint("ref", name=op.f("uq_proofs_ref")),
        sa.UniqueConstraint(
            "newsletter", "schedule", "at", name=op.f("uq_proofs_newsletter_schedule_at")
        ),
    )
    op.create_table(
        "corrections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("was", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("made_at", moment, nullable=False),
        _to("corrections", "edition_id", "editions"),
        _to("corrections", "article_id", "articles"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
        sa.UniqueConstraint(
            "edition_id",
            "article_id",
            "version",
            name=op.f("uq_corrections_edition_id_article_id_version"),
        ),
    )
    _follow(moment)


def _follow(moment: sa.DateTime) -> None:
    op.create_table(
        "follows",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.LargeBinary(), nullable=False),
        sa.Column("subscription_id", sa.Integer(), nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("requested_at", moment, nullable=False),
        sa.Column("confirmed_at", moment, nullable=True),
        sa.Column("ended_at", moment, nullable=True),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        _to("follows", "subscription_id", "subscriptions"),
        _to("follows", "article_id", "articles"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follows")),
        sa.UniqueConstraint("ref", name=op.f("uq_follows_ref")),
        sa.UniqueConstraint(
            "subscription_id", "article_id", name=op.f("uq_follows_subscription_id_article_id")
        ),
    )
    for column in ("subscription_id", "article_id"):
        op.create_index(op.f(f"ix_follows_{column}"), "follows", [column])
    op.create_table(
        "findings",
        sa.Column("follow_id", sa.Integer(), nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("subscription_id", sa.Integer(), nullable=False),
        sa.Column("likeness", sa.Float(), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("found_at", moment, nullable=False),
        sa.Column("told_at", moment, nullable=True),
        sa.Column("delivery_id", sa.Integer(), nullable=True),
        _to("findings", "follow_id", "follows", cascade=True),
        _to("findings", "article_id", "articles", cascade=True),
        _to("findings", "subscription_id", "subscriptions"),
        sa.PrimaryKeyConstraint("follow_id", "article_id", name=op.f("pk_findings")),
    )
    op.create_index(
        "ix_findings_subscription_id_told_at", "findings", ["subscription_id", "told_at"]
    )


def _alter() -> None:
    """Change what was there: an article may be left over for the next edition."""
    with op.batch_alter_table("edition_articles") as table:
        table.drop_constraint("uq_edition_articles_newsletter_schedule_article_id", type_="unique")
        table.add_column(sa.Column("score", sa.JSON(), nullable=True))
        table.add_column(sa.Column("instead_id", sa.Integer(), nullable=True))
    considered = ["newsletter", "schedule", "article_id"]
    op.create_index(
        "ix_edition_articles_newsletter_schedule_article_id", "edition_articles", considered
    )
    op.create_index(
        "uq_edition_articles_told",
        "edition_articles",
        considered,
        unique=True,
        sqlite_where=sa.text(_TOLD),
        postgresql_where=sa.text(_TOLD),
    )
    with op.batch_alter_table("selections") as table:
        table.alter_column("html", existing_type=sa.Text(), nullable=True)
        table.alter_column("text", existing_type=sa.Text(), nullable=True)
        table.add_column(sa.Column("plan", sa.JSON(), nullable=True))
    op.add_column("deliveries", sa.Column("extra", sa.JSON(), nullable=True))
    op.add_column("deliveries", sa.Column("about", sa.Integer(), nullable=True))
    moment = sa.DateTime(timezone=True)
    op.add_column("subscriptions", sa.Column("changed_at", moment, nullable=True))
    op.create_index(op.f("ix_subscriptions_changed_at"), "subscriptions", ["changed_at"])
    op.add_column("articles", sa.Column("matched_at", moment, nullable=True))
    # nobody follows anything yet: what is held was looked through
    op.execute("UPDATE articles SET matched_at = first_seen_at")


def _to(
    table: str, column: str, other: str, *, cascade: bool = False
) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column],
        [f"{other}.id"],
        name=op.f(f"fk_{table}_{column}_{other}"),
        ondelete="CASCADE" if cascade else None,
    )
