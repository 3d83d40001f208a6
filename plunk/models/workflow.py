"""Workflows: the editable graph, and the immutable revisions that runs follow."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from plunk.db import Base, Id, Json
from plunk.models.columns import one_of, owned, primary_id

DIALECTS = ("plunk", "flows", "crm")
TRIGGER_TYPES = ("EVENT", "MANUAL", "SCHEDULE")
STEP_TYPES = (
    "TRIGGER",
    "SEND_EMAIL",
    "DELAY",
    "WAIT_FOR_EVENT",
    "CONDITION",
    "EXIT",
    "WEBHOOK",
    "UPDATE_CONTACT",
    "SPLIT",
    "TRACK",
    "SEGMENT",
)
# What is listened for under this name is a condition: anything at all may make it hold.
ANYTHING = ""
LISTENING = ("start", "stop", "goal")
WAIT_OUTCOMES = ("EVENT", "TIMEOUT")


class Workflow(Base):
    """A graph of steps that subjects enter; `revision` numbers its structural changes.

    Runs that last followed a revision up to `pinned_revision` go on in that one to their end; all
    others follow the newest.
    """

    __tablename__ = "workflows"
    __table_args__ = (
        UniqueConstraint("project_id", "id"),
        Index("ix_workflows_newest", "project_id", "dialect", "created_at", "id"),
        one_of("dialect", DIALECTS),
        one_of("trigger_type", TRIGGER_TYPES),
    )

    id: Mapped[str] = primary_id()
    project_id: Mapped[str] = mapped_column(Id, ForeignKey("projects.id", ondelete="CASCADE"))
    dialect: Mapped[str] = mapped_column(String(10), default="plunk")
    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str | None] = mapped_column(String(500))
    enabled: Mapped[bool] = mapped_column(default=False)
    trigger_type: Mapped[str] = mapped_column(String(20), default="EVENT")
    trigger_config: Mapped[dict[str, Any] | None] = mapped_column(Json)
    headers: Mapped[dict[str, Any] | None] = mapped_column(Json)
    allow_reentry: Mapped[bool] = mapped_column(default=False)
    reentry_seconds: Mapped[int | None]
    revision: Mapped[int] = mapped_column(default=0)
    pinned_revision: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Trigger(Base):
    """What a workflow listens for: an event with its condition, or a time.

    Of a schedule or a date, `next_at` is the occurrence that comes next or is under way, `cursor`
    the last contact it has reached, and `fired_at` the occurrence that was finished last.
    `pinned` is null in all that the newest revision listens for; a stop or goal of an older one
    names the runs that it is still for, by revision: {"after": 0, "through": 2, "headers": {...}}.
    """

    __tablename__ = "triggers"
    __table_args__ = (
        owned("workflow_id", "workflows", on_delete="CASCADE"),
        owned("entry_step_id", "steps", on_delete="CASCADE"),
        owned("segment_id", "segments"),
        one_of("kind", LISTENING),
        Index("ix_triggers_event", "project_id", "event_name"),
        Index("ix_triggers_workflow", "workflow_id"),
        Index("ix_triggers_segment", "segment_id"),
        Index(
            "ix_triggers_due",
            "project_id",
            "next_at",
            sqlite_where=text("next_at IS NOT NULL"),
            postgresql_where=text("next_at IS NOT NULL"),
        ),
    )

    id: Mapped[str] = primary_id()
    project_id: Mapped[str] = mapped_column(Id, ForeignKey("projects.id", ondelete="CASCADE"))
    workflow_id: Mapped[str] = mapped_column(Id)
    entry_step_id: Mapped[str] = mapped_column(Id)
    kind: Mapped[str] = mapped_column(String(10), server_default="start")
    position: Mapped[int] = mapped_column(server_default="0")
    event_name: Mapped[str | None] = mapped_column(String)
    condition: Mapped[dict[str, Any] | None] = mapped_column(Json)
    segment_id: Mapped[str | None] = mapped_column(Id)
    cron: Mapped[str | None] = mapped_column(String(100))
    timezone: Mapped[str | None] = mapped_column(String(64))
    date_config: Mapped[dict[str, Any] | None] = mapped_column(Json)
    next_at: Mapped[datetime | None]
    fired_at: Mapped[datetime | None]
    cursor: Mapped[str | None] = mapped_column(Id)
    pinned: Mapped[dict[str, Any] | None] = mapped_column(Json)


class Step(Base):
    """One step; a deleted one stays, because runs and their histories refer to it.

    `draw` is what the lots of a split were drawn by before its label was changed.
    """

    __tablename__ = "steps"
    __table_args__ = (
        owned("workflow_id", "workflows", on_delete="CASCADE"),
        owned("template_id", "templates"),
        UniqueConstraint("project_id", "id"),
        Index("ix_steps_workflow", "workflow_id", "created_at", "id"),
        Index("ix_steps_template", "template_id"),
        one_of("type", STEP_TYPES),
    )

    id: Mapped[str] = primary_id()
    project_id: Mapped[str] = mapped_column(Id, ForeignKey("projects.id", ondelete="CASCADE"))
    workflow_id: Mapped[str] = mapped_column(Id)
    type: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(100))
    label: Mapped[str | None] = mapped_column(String(100))
    position: Mapped[Any] = mapped_column(Json)
    config: Mapped[dict[str, Any]] = mapped_column(Json)
    template_id: Mapped[str | None] = mapped_column(Id)
    draw: Mapped[str | None] = mapped_column(String(100))
    deleted_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Transition(Base):
    """An edge; among those that apply the one with the lowest priority number is taken."""

    __tablename__ = "transitions"
    __table_args__ = (
        owned("workflow_id", "workflows", on_delete="CASCADE"),
        owned("from_step_id", "steps", on_delete="CASCADE"),
        owned("to_step_id", "steps", on_delete="CASCADE"),
        Index("ix_transitions_workflow", "workflow_id", "priority", "created_at", "id"),
        one_of("wait_outcome", WAIT_OUTCOMES),
    )

    id: Mapped[str] = primary_id()
    project_id: Mapped[str] = mapped_column(Id, ForeignKey("projects.id", ondelete="CASCADE"))
    workflow_id: Mapped[str] = mapped_column(Id)
    from_step_id: Mapped[str] = mapped_column(Id)
    to_step_id: Mapped[str] = mapped_column(Id)
    condition: Mapped[dict[str, Any] | None] = mapped_column(Json)
    priority: Mapped[int] = mapped_column(default=0)
    wait_outcome: Mapped[str | None] = mapped_column(String(10))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Revision(Base):
    """One state of a workflow's graph, which never changes once it is written.

    `source` is the `.flow` text it was made from; other words for the same graph may replace it.
    `touched` are the steps that it changed or removed while runs were to follow it; it is null
    again when nobody is left behind on them.
    """

    __tablename__ = "revisions"
    __table_args__ = (
        owned("workflow_id", "workflows", on_delete="CASCADE"),
        Index(
            "ix_revisions_touched",
            "created_at",
            sqlite_where=text("touched IS NOT NULL"),
            postgresql_where=text("touched IS NOT NULL"),
        ),
    )

    workflow_id: Mapped[str] = mapped_column(Id, primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    project_id: Mapped[str] = mapped_column(Id, ForeignKey("projects.id", ondelete="CASCADE"))
    graph: Mapped[dict[str, Any]] = mapped_column(Json)
    source: Mapped[str | None] = mapped_column(Text)
    touched: Mapped[list[str] | None] = mapped_column(Json)
    created_at: Mapped[datetime]
