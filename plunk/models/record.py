"""Records: the subjects of CRM workflows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from plunk.db import Base, Id, Json
from plunk.models.columns import primary_id


class Record(Base):
    """One row of one CRM module, such as a lead; its fields live in `data`."""

    __tablename__ = "records"
    __table_args__ = (
        UniqueConstraint("project_id", "id"),
        Index("ix_records_newest", "project_id", "module", "created_at", "id"),
    )

    id: Mapped[str] = primary_id()
    project_id: Mapped[str] = mapped_column(Id, ForeignKey("projects.id", ondelete="CASCADE"))
    module: Mapped[str] = mapped_column(String(50))
    data: Mapped[dict[str, Any]] = mapped_column(Json)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
