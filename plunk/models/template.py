"""Templates: what e-mails are rendered from."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from plunk.db import Base, Id
from plunk.models.columns import one_of, primary_id

TEMPLATE_TYPES = ("MARKETING", "TRANSACTIONAL", "HEADLESS")


class Template(Base):
    """A subject, a body and a sender; `subject` and `body` are Liquid."""

    __tablename__ = "templates"
    __table_args__ = (
        UniqueConstraint("project_id", "id"),
        Index("ix_templates_newest", "project_id", "created_at", "id"),
        one_of("type", TEMPLATE_TYPES),
    )

    id: Mapped[str] = primary_id()
    project_id: Mapped[str] = mapped_column(Id, ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str | None] = mapped_column(String(500))
    subject: Mapped[str] = mapped_column(String(998))
    body: Mapped[str] = mapped_column(Text)
    from_address: Mapped[str] = mapped_column(String(320))
    from_name: Mapped[str | None] = mapped_column(String(100))
    reply_to: Mapped[str | None] = mapped_column(String(320))
    type: Mapped[str] = mapped_column(String(20), default="MARKETING")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
