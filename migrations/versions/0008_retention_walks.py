"""retention walks: remember how far clean-up has come, instead of beginning anew every hour."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.Uuid(as_uuid=False).with_variant(sa.String(36), "sqlite")


def upgrade() -> None:
    op.create_table(
        "retention_walks",
        sa.Column("rule", sa.String(20), nullable=False),
        sa.Column("after", ID, nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("rule", name=op.f("pk_retention_walks")),
    )


def downgrade() -> None:
    op.drop_table("retention_walks")
