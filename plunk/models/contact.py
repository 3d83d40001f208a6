"""Contacts: the people of a project."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from plunk.db import Base, Id, Json
from plunk.models.columns import primary_id


class Contact(Base):
    """One address of one project; `email` is trimmed and in lower case."""

    __tablename__ = "contacts"
    __table_args__ = (
        UniqueConstraint("project_id", "email"),
        UniqueConstraint("project_id", "id"),
        Index("ix_contacts_newest", "project_id", "created_at", "id"),
        # for `data @> …`, which conditions say; SQLite has nothing like it
        Index(
            "ix_contacts_data",
            "data",
            postgresql_using="gin",
            postgresql_ops={"data": "jsonb_path_ops"},
        ).ddl_if(dialect="postgresql"),
    )

    id: Mapped[str] = primary_id()
    project_id: Mapped[str] = mapped_column(Id, ForeignKey("projects.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(String(320))
    data: Mapped[dict[str, Any] | None] = mapped_column(Json)
    subscribed: Mapped[bool]
    snoozed_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
