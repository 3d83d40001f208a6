"""Executions: runs of workflows, and the history of their steps."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from plunk.db import Base, Id, Json
from plunk.models.columns import one_of, owned, primary_id
from plunk.models.workflow import DIALECTS

RUN_STATUSES = ("RUNNING", "WAITING", "COMPLETED", "EXITED", "FAILED", "CANCELLED")
ACTIVE_STATUSES = ("RUNNING", "WAITING")
VISIT_STATUSES = (
    "PENDING",
    "SCHEDULED",
    "WAITING",
    "RUNNING",
    "COMPLETED",
    "SKIPPED",
    "FAILED",
)


class Execution(Base):
    """One run of one workflow for one subject.

    `due_at` says when a worker has to look at the run; it is null only while the run waits for an
    event without limit, or has ended. A run that waits for a condition awaits ANYTHING: `due_at`
    is then its next look, and `deadline_at` its limit. `signal` is what arrived for the run and is
    not yet worked in.
    """

    __tablename__ = "executions"
    __table_args__ = (
        owned("workflow_id", "workflows", on_delete="CASCADE"),
        owned("contact_id", "contacts", on_delete="CASCADE"),
        owned("record_id", "records", on_delete="CASCADE"),
        owned("current_step_id", "steps"),
        UniqueConstraint("project_id", "id"),
        UniqueConstraint("workflow_id", "entry_key"),  # I2
        one_of("status", RUN_STATUSES),
        one_of("dialect", DIALECTS),
        CheckConstraint("(contact_id IS NULL) <> (record_id IS NULL)", name="one_subject"),
        CheckConstraint(  # I9
            "status NOT IN ('RUNNING', 'WAITING')"
            " OR due_at IS NOT NULL OR awaited_event IS NOT NULL",
            name="parked_has_wake",
        ),
        Index(
            "ix_executions_due",
            "project_id",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        Index(
            "ix_executions_awaited",
            "contact_id",
            "awaited_event",
            sqlite_where=text("awaited_event IS NOT NULL"),
            postgresql_where=text("awaited_event IS NOT NULL"),
        ),
        Index("ix_executions_newest", "workflow_id", "started_at", "id"),
        Index("ix_executions_status", "workflow_id", "status", "started_at"),
        Index("ix_executions_subject", "contact_id", "workflow_id"),
    )

    id: Mapped[str] = primary_id()
    project_id: Mapped[str] = mapped_column(Id, ForeignKey("projects.id", ondelete="CASCADE"))
    workflow_id: Mapped[str] = mapped_column(Id)
    dialect: Mapped[str] = mapped_column(String(10), default="plunk")
    contact_id: Mapped[str | None] = mapped_column(Id)
    record_id: Mapped[str | None] = mapped_column(Id)
    entry_key: Mapped[str | None] = mapped_column(String(100))
    revision: Mapped[int]
    status: Mapped[str] = mapped_column(String(10), default="RUNNING")
    current_step_id: Mapped[str | None] = mapped_column(Id)
    exit_reason: Mapped[str | None] = mapped_column(Text)
    context: Mapped[dict[str, Any] | None] = mapped_column(Json)
    variables: Mapped[dict[str, Any] | None] = mapped_column(Json)
    visit: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=0)
    depth: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None]
    deadline_at: Mapped[datetime | None]
    awaited_event: Mapped[str | None] = mapped_column(String)
    awaited_where: Mapped[dict[str, Any] | None] = mapped_column(Json)
    awaited_call: Mapped[int | None]
    signal: Mapped[dict[str, Any] | None] = mapped_column(Json)
    started_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class StepExecution(Base):
    """One visit of a run to a step; visits of a run are numbered from 1 (I3).

    It points to its run only: every further foreign key would be looked up for each step of each
    run. The run's workflow keeps the steps, and its project is theirs.
    """

    __tablename__ = "step_executions"
    __table_args__ = (
        owned("execution_id", "executions", on_delete="CASCADE"),
        UniqueConstraint("execution_id", "visit"),
        one_of("status", VISIT_STATUSES),
    )

    id: Mapped[str] = primary_id()
    project_id: Mapped[str] = mapped_column(Id)
    execution_id: Mapped[str] = mapped_column(Id)
    step_id: Mapped[str] = mapped_column(Id)
    visit: Mapped[int]
    status: Mapped[str] = mapped_column(String(10))
    scheduled_for: Mapped[datetime | None]
    execute_after: Mapped[datetime | None]
    output: Mapped[dict[str, Any] | None] = mapped_column(Json)
    error: Mapped[str | None] = mapped_column(Text)
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
