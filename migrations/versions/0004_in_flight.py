"""in flight: which runs stay in their revisions, and which are to follow a new one at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
LEFT_BEHIND = sa.text("touched IS NOT NULL")


def upgrade() -> None:
    pinned = sa.Column("pinned_revision", sa.Integer(), server_default="0", nullable=False)
    op.add_column("workflows", pinned)
    op.add_column("triggers", sa.Column("pinned", JSON, nullable=True))
    op.add_column("revisions", sa.Column("touched", JSON, nullable=True))
    op.create_index(
        "ix_revisions_touched",
        "revisions",
        ["created_at"],
        sqlite_where=LEFT_BEHIND,
        postgresql_where=LEFT_BEHIND,
    )


def downgrade() -> None:
    op.drop_index("ix_revisions_touched", "revisions")
    op.drop_column("revisions", "touched")
    op.drop_column("triggers", "pinned")
    op.drop_column("workflows", "pinned_revision")
