"""What readers choose, what is kept of their word, and how crowds are kept in order."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # nobody could choose a topic before: there is nothing in that column to take over
    op.drop_column("subscriptions", "topics")
    op.add_column(
        "subscriptions", sa.Column("choice", sa.Text(), server_default="", nullable=False)
    )
    op.add_column("subscriptions", sa.Column("hour", sa.Integer(), nullable=True))
    op.add_column(
        "subscriptions", sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("subscriptions", sa.Column("replaces", sa.Integer(), nullable=True))
    op.add_column("subscriptions", sa.Column("moved_to", sa.Integer(), nullable=True))
    op.add_column("editions", sa.Column("minutes", sa.Integer(), nullable=True))
    op.add_column("editions", sa.Column("last_due_at", sa.DateTime(timezone=True), nullable=True))
    for name in ("language", "network", "message_id", "message_hash"):
        op.add_column("consent_events", sa.Column(name, sa.Text(), nullable=True))
    op.add_column(
        "consent_events", sa.Column("hash", sa.Text(), server_default="", nullable=False)
    )
    op.add_column("deliveries", sa.Column("choice", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "edition_articles", sa.Column("topics", sa.Text(), server_default="", nullable=False)
    )
    op.create_table(
        "selections",
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("preheader", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["editions.id"], name=op.f("fk_selections_edition_id_editions")
        ),
        sa.PrimaryKeyConstraint("edition_id", "choice", name=op.f("pk_selections")),
    )
    op.create_table(
        "asks",
        sa.Column("address_hash", sa.Text(), nullable=False),
        sa.Column("newsletter", sa.Text(), nullable=False),
        sa.Column("mails", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("address_hash", "newsletter", name=op.f("pk_asks")),
    )
    # who had his three confirm mails before must not get three more
    op.execute(
        "INSERT INTO asks (address_hash, newsletter, mails, last_at)"
        " SELECT p.address_hash, s.newsletter, count(*), max(d.created_at) FROM deliveries d"
        " JOIN subscriptions s ON s.id = d.subscription_id"
        " JOIN subscribers p ON p.id = s.subscriber_id"
        " WHERE d.notice = 'confirm' AND (s.confirmed_at IS NULL OR d.created_at > s.confirmed_at)"
        " GROUP BY p.address_hash, s.newsletter"
    )
    op.execute(
        "INSERT INTO asks (address_hash, newsletter, mails, last_at)"
        " SELECT address_hash, '', 0, max(last_at) FROM asks GROUP BY address_hash"
    )
    op.create_index("ix_subscriptions_requested_at", "subscriptions", ["requested_at"])
    op.create_table(
        "quotas",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_quotas")),
    )
