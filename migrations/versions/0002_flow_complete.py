"""flow complete: segments, secrets, conversions, schedules, and the new steps and headers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.Uuid(as_uuid=False).with_variant(sa.String(36), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
WHEN = sa.DateTime(timezone=True)
OLD_STEPS = (
    "TRIGGER",
    "SEND_EMAIL",
    "DELAY",
    "WAIT_FOR_EVENT",
    "CONDITION",
    "EXIT",
    "WEBHOOK",
    "UPDATE_CONTACT",
)
NEW_STEPS = (*OLD_STEPS, "SPLIT", "TRACK", "SEGMENT")


def upgrade() -> None:
    _create_segments()
    _create_secrets()
    _create_conversions()
    _widen_triggers()
    op.add_column("workflows", sa.Column("headers", JSON, nullable=True))
    op.add_column("executions", sa.Column("deadline_at", WHEN, nullable=True))
    _allow_steps(NEW_STEPS)


def downgrade() -> None:
    _allow_steps(OLD_STEPS)
    op.drop_column("executions", "deadline_at")
    op.drop_column("workflows", "headers")
    _narrow_triggers()
    for table in ("conversions", "secrets", "segment_members", "segments"):
        op.drop_table(table)


def _create_segments() -> None:
    op.create_table(
        "segments",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.String(length=500), nullable=True),
        sa.Column("type", sa.String(length=10), nullable=False),
        sa.Column("condition", JSON, nullable=True),
        sa.Column("track_membership", sa.Boolean(), nullable=False),
        sa.Column("member_count", sa.Integer(), nullable=False),
        sa.Column("compute_at", WHEN, nullable=True),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("updated_at", WHEN, nullable=False),
        sa.CheckConstraint("type IN ('DYNAMIC', 'STATIC')", name=op.f("ck_segments_type")),
        sa.CheckConstraint(
            "(type = 'DYNAMIC') = (condition IS NOT NULL)", name=op.f("ck_segments_condition")
        ),
        _in_project("segments"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segments")),
        sa.UniqueConstraint("project_id", "id", name=op.f("uq_segments_project_id_id")),
    )
    op.create_index("ix_segments_newest", "segments", ["project_id", "created_at", "id"])
    _create_queue("ix_segments_due", "segments", "compute_at")
    op.create_table(
        "segment_members",
        sa.Column("segment_id", ID, nullable=False),
        sa.Column("contact_id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("entered_at", WHEN, nullable=False),
        sa.Column("left_at", WHEN, nullable=True),
        _owned("segment_members", "segment_id", "segments"),
        _owned("segment_members", "contact_id", "contacts"),
        _in_project("segment_members"),
        sa.PrimaryKeyConstraint("segment_id", "contact_id", name=op.f("pk_segment_members")),
    )
    op.create_index(
        "ix_segment_members_newest", "segment_members", ["segment_id", "entered_at", "contact_id"]
    )
    op.create_index("ix_segment_members_contact", "segment_members", ["contact_id"])


def _create_secrets() -> None:
    op.create_table(
        "secrets",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("updated_at", WHEN, nullable=False),
        _in_project("secrets"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_secrets")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_secrets_project_id_name")),
    )


def _create_conversions() -> None:
    op.create_table(
        "conversions",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("workflow_id", ID, nullable=False),
        sa.Column("execution_id", ID, nullable=False),
        sa.Column("goal", sa.String(length=100), nullable=False),
        sa.Column("reached_at", WHEN, nullable=False),
        _owned("conversions", "workflow_id", "workflows"),
        _owned("conversions", "execution_id", "executions"),
        _in_project("conversions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversions")),
        sa.UniqueConstraint("execution_id", "goal", name=op.f("uq_conversions_execution_id_goal")),
    )
    op.create_index("ix_conversions_workflow", "conversions", ["workflow_id", "goal", "reached_at"])


def _widen_triggers() -> None:
    with op.batch_alter_table("triggers") as table:
        # Defaults in the database: the version before this one goes on writing rows while we roll out.
        table.add_column(sa.Column("kind", sa.String(10), nullable=False, server_default="start"))
        table.add_column(sa.Column("position", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("segment_id", ID, nullable=True))
        table.add_column(sa.Column("cron", sa.String(100), nullable=True))
        table.add_column(sa.Column("timezone", sa.String(64), nullable=True))
        table.add_column(sa.Column("date_config", JSON, nullable=True))
        table.add_column(sa.Column("next_at", WHEN, nullable=True))
        table.add_column(sa.Column("fired_at", WHEN, nullable=True))
        table.add_column(sa.Column("cursor", ID, nullable=True))
        table.alter_column("event_name", existing_type=sa.String(), nullable=True)
        table.create_check_constraint(op.f("ck_triggers_kind"), "kind IN ('start', 'stop', 'goal')")
        table.create_foreign_key(
            op.f("fk_triggers_project_id_segment_id"),
            "segments",
            ["project_id", "segment_id"],
            ["project_id", "id"],
        )
    op.create_index("ix_triggers_segment", "triggers", ["segment_id"])
    _create_queue("ix_triggers_due", "triggers", "next_at")


def _narrow_triggers() -> None:
    op.drop_index("ix_triggers_due", table_name="triggers")
    op.drop_index("ix_triggers_segment", table_name="triggers")
    op.execute("DELETE FROM triggers WHERE event_name IS NULL OR kind <> 'start'")
    with op.batch_alter_table("triggers") as table:
        table.drop_constraint(op.f("fk_triggers_project_id_segment_id"), type_="foreignkey")
        table.drop_constraint(op.f("ck_triggers_kind"), type_="check")
        table.alter_column("event_name", existing_type=sa.String(), nullable=False)
        for column in ("kind", "position", "segment_id", "cron", "timezone", "date_config"):
            table.drop_column(column)
        for column in ("next_at", "fired_at", "cursor"):
            table.drop_column(column)


def _allow_steps(types: tuple[str, ...]) -> None:
    """Replace the check on steps.type; SQLite has to copy the table for that."""
    name = op.f("ck_steps_type")
    words = ", ".join(f"'{one}'" for one in types)
    check = sa.CheckConstraint(f"type IN ({words})", name=name)
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(name, "steps", type_="check")
        op.create_check_constraint(name, "steps", check.sqltext)
        return
    _require_loose_keys()
    stored = sa.Table("steps", sa.MetaData(), autoload_with=op.get_bind())
    for one in [one for one in stored.constraints if isinstance(one, sa.CheckConstraint)]:
        stored.constraints.remove(one)  # whether checks are reflected depends on the versions
    with op.batch_alter_table("steps", recreate="always", copy_from=stored, table_args=(check,)):
        pass
    broken = op.get_bind().exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        raise RuntimeError(f"rows point at nothing after copying steps: {broken[:5]}")


def _require_loose_keys() -> None:
    """Refuse to go on when dropping the old table would take along what points into it."""
    if op.get_bind().exec_driver_sql("PRAGMA foreign_keys").scalar():
        raise RuntimeError("Run `plunk migrate`: this needs a connection with foreign_keys off.")


def _create_queue(name: str, table: str, column: str) -> None:
    op.create_index(
        name,
        table,
        ["project_id", column],
        sqlite_where=sa.text(f"{column} IS NOT NULL"),
        postgresql_where=sa.text(f"{column} IS NOT NULL"),
    )


def _in_project(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["project_id"],
        ["projects.id"],
        name=op.f(f"fk_{table}_project_id"),
        ondelete="CASCADE",
    )


def _owned(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["project_id", column],
        [f"{target}.project_id", f"{target}.id"],
        name=op.f(f"fk_{table}_project_id_{column}"),
        ondelete="CASCADE",
    )
