"""growth: find the messages of attachments; let PostgreSQL clean up large tables in small steps.

Its defaults begin to clean up after a fifth of a table has changed: of 100 million rows that is
20 million dead ones at once. Visits are changed once without touching an index, so room on their
pages spares the indexes that change.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

CHANGING = ("executions", "emails", "webhook_calls", "contacts")
OFTEN = {"autovacuum_vacuum_scale_factor": "0.02", "autovacuum_analyze_scale_factor": "0.02"}
GROWING = {"autovacuum_vacuum_insert_scale_factor": "0.05", **OFTEN}
SETTINGS = {
    **dict.fromkeys(CHANGING, OFTEN),
    "events": GROWING,
    "step_executions": {"fillfactor": "90", **GROWING},
}


def upgrade() -> None:
    op.create_index(
        "ix_emails_attachments",
        "emails",
        ["attachment_set_id"],
        sqlite_where=sa.text("attachment_set_id IS NOT NULL"),
        postgresql_where=sa.text("attachment_set_id IS NOT NULL"),
    )
    if op.get_bind().dialect.name == "postgresql":
        for table, settings in SETTINGS.items():
            said = ", ".join(f"{name} = {value}" for name, value in settings.items())
            op.execute(f"ALTER TABLE {table} SET ({said})")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, settings in SETTINGS.items():
            op.execute(f"ALTER TABLE {table} RESET ({', '.join(settings)})")
    op.drop_index("ix_emails_attachments", table_name="emails")
