"""Conversions: the goals that runs reached."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from plunk.db import Base, Id
from plunk.models.columns import owned, primary_id


class Conversion(Base):
    """One goal that one run reached; it counts once, however often it is met."""

    __tablename__ = "conversions"
    __table_args__ = (
        owned("workflow_id", "workflows", on_delete="CASCADE"),
        owned("execution_id", "executions", on_delete="CASCADE"),
        UniqueConstraint("execution_id", "goal"),
        Index("ix_conversions_workflow", "workflow_id", "goal", "reached_at"),
    )

    id: Mapped[str] = primary_id()
    project_id: Mapped[str] = mapped_column(Id, ForeignKey("projects.id", ondelete="CASCADE"))
    workflow_id: Mapped[str] = mapped_column(Id)
    execution_id: Mapped[str] = mapped_column(Id)
    goal: Mapped[str] = mapped_column(String(100))
    reached_at: Mapped[datetime]
