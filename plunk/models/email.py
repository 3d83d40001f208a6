"""E-mails: the outbox and the history of every message in one table."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from plunk.db import Base, Id, Json
from plunk.models.columns import one_of, owned, primary_id
from plunk.models.template import TEMPLATE_TYPES

EMAIL_STATUSES = (
    "PENDING",
    "SENDING",
    "SENT",
    "DELIVERED",
    "OPENED",
    "CLICKED",
    "BOUNCED",
    "COMPLAINED",
    "FAILED",
    "RECEIVED",
)
SOURCE_TYPES = ("TRANSACTIONAL", "CAMPAIGN", "WORKFLOW", "INBOUND")
LANE_TRANSACTIONAL, LANE_WORKFLOW, LANE_CAMPAIGN = 1, 5, 10


class AttachmentSet(Base):
    """The attachments of one request, stored once for all of its recipients."""

    __tablename__ = "attachment_sets"
    __table_args__ = (UniqueConstraint("project_id", "id"),)

    id: Mapped[str] = primary_id()
    project_id: Mapped[str] = mapped_column(Id, ForeignKey("projects.id", ondelete="CASCADE"))
    items: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    created_at: Mapped[datetime]


class Email(Base):
    """One message to one address: PENDING → SENDING (leased) → SENT, or FAILED with a reason.

    `message_id` is fixed when the row is made, so that every attempt carries the same one (I5).
    """

    __tablename__ = "emails"
    __table_args__ = (
        owned("contact_id", "contacts", on_delete="CASCADE"),
        owned("template_id", "templates"),
        owned("execution_id", "executions", on_delete="CASCADE"),
        owned("attachment_set_id", "attachment_sets"),
        UniqueConstraint("project_id", "id"),
        UniqueConstraint("execution_id", "visit"),  # I3: one message for each visit to a step
        UniqueConstraint("message_id"),
        one_of("status", EMAIL_STATUSES),
        one_of("source_type", SOURCE_TYPES),
        one_of("type", TEMPLATE_TYPES),
        CheckConstraint(  # I9
            "(status = 'PENDING') = (next_attempt_at IS NOT NULL)"
            " AND (status = 'SENDING') = (lease_until IS NOT NULL)",
            name="waiting_has_deadline",
        ),
        Index(
            "ix_emails_due",
            "project_id",
            "lane",
            "next_attempt_at",
            sqlite_where=text("next_attempt_at IS NOT NULL"),
            postgresql_where=text("next_attempt_at IS NOT NULL"),
        ),
        Index(
            "ix_emails_leased",
            "lease_until",
            sqlite_where=text("lease_until IS NOT NULL"),
            postgresql_where=text("lease_until IS NOT NULL"),
        ),
        Index("ix_emails_newest", "project_id", "created_at", "id"),
        Index("ix_emails_contact", "contact_id", "created_at"),
        Index("ix_emails_template", "template_id"),
        Index(
            "ix_emails_attachments",
            "attachment_set_id",
            sqlite_where=text("attachment_set_id IS NOT NULL"),
            postgresql_where=text("attachment_set_id IS NOT NULL"),
        ),
    )

    id: Mapped[str] = primary_id()
    project_id: Mapped[str] = mapped_column(Id, ForeignKey("projects.id", ondelete="CASCADE"))
    contact_id: Mapped[str] = mapped_column(Id)
    template_id: Mapped[str | None] = mapped_column(Id)
    execution_id: Mapped[str | None] = mapped_column(Id)
    visit: Mapped[int | None]
    attachment_set_id: Mapped[str | None] = mapped_column(Id)
    source_type: Mapped[str] = mapped_column(String(20))
    type: Mapped[str] = mapped_column(String(20))
    lane: Mapped[int]
    depth: Mapped[int] = mapped_column(default=0)
    message_id: Mapped[str] = mapped_column(String(200))
    provider_id: Mapped[str | None] = mapped_column(String(200), index=True)
    to_address: Mapped[str] = mapped_column(String(320))
    to_name: Mapped[str | None] = mapped_column(String(998))
    from_address: Mapped[str] = mapped_column(String(320))
    from_name: Mapped[str | None] = mapped_column(String(998))
    reply_to: Mapped[str | None] = mapped_column(String(320))
    subject: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    headers: Mapped[dict[str, str] | None] = mapped_column(Json)
    status: Mapped[str] = mapped_column(String(20), default="PENDING")
    error: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    lease_token: Mapped[str | None] = mapped_column(Id)
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    clicked_at: Mapped[datetime | None]
    bounced_at: Mapped[datetime | None]
    complained_at: Mapped[datetime | None]
    opens: Mapped[int] = mapped_column(default=0)
    clicks: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
