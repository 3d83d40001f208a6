"""lots: what those of a split were drawn by before its label was changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("steps", sa.Column("draw", sa.String(100), nullable=True))


def downgrade() -> None:
    op.drop_column("steps", "draw")
