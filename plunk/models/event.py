"""Events: what happened, in the order in which it was accepted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from plunk.db import Base, Id, Json
from plunk.models.columns import owned, primary_id


class Event(Base):
    """Something a contact did, or that happened to a contact or an e-mail."""

    __tablename__ = "events"
    __table_args__ = (
        owned("contact_id", "contacts", on_delete="CASCADE"),
        owned("email_id", "emails"),
        Index("ix_events_newest", "project_id", "created_at"),
        Index("ix_events_name", "project_id", "name", "created_at"),
        Index("ix_events_contact", "contact_id", "name", "created_at"),
        Index("ix_events_email", "email_id"),
    )

    id: Mapped[str] = primary_id()
    project_id: Mapped[str] = mapped_column(Id, ForeignKey("projects.id", ondelete="CASCADE"))
    contact_id: Mapped[str | None] = mapped_column(Id)
    email_id: Mapped[str | None] = mapped_column(Id)
    name: Mapped[str] = mapped_column(String)
    data: Mapped[Any | None] = mapped_column(Json)
    created_at: Mapped[datetime]
