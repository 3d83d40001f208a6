"""Web hook calls: the outbox of WEBHOOK steps."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from plunk.db import Base, Id, Json
from plunk.models.columns import one_of, owned, primary_id

CALL_STATUSES = ("PENDING", "SENDING", "DONE", "FAILED", "CANCELLED")


class WebhookCall(Base):
    """One request to make for one visit; its id is the Idempotency-Key of every attempt (I6)."""

    __tablename__ = "webhook_calls"
    __table_args__ = (
        owned("execution_id", "executions", on_delete="CASCADE"),
        UniqueConstraint("execution_id", "visit"),  # I3
        one_of("status", CALL_STATUSES),
        CheckConstraint(  # I9
            "(status = 'PENDING') = (next_attempt_at IS NOT NULL)"
            " AND (status = 'SENDING') = (lease_until IS NOT NULL)",
            name="waiting_has_deadline",
        ),
        Index(
            "ix_webhook_calls_due",
            "project_id",
            "next_attempt_at",
            sqlite_where=text("next_attempt_at IS NOT NULL"),
            postgresql_where=text("next_attempt_at IS NOT NULL"),
        ),
        Index(
            "ix_webhook_calls_leased",
            "lease_until",
            sqlite_where=text("lease_until IS NOT NULL"),
            postgresql_where=text("lease_until IS NOT NULL"),
        ),
    )

    id: Mapped[str] = primary_id()
    project_id: Mapped[str] = mapped_column(Id, ForeignKey("projects.id", ondelete="CASCADE"))
    execution_id: Mapped[str] = mapped_column(Id)
    visit: Mapped[int]
    method: Mapped[str] = mapped_column(String(10))
    url: Mapped[str] = mapped_column(Text)
    headers: Mapped[dict[str, str]] = mapped_column(Json)
    body: Mapped[str | None] = mapped_column(Text)
    retry: Mapped[dict[str, Any] | None] = mapped_column(Json)
    status: Mapped[str] = mapped_column(String(10), default="PENDING")
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    lease_token: Mapped[str | None] = mapped_column(Id)
    error: Mapped[str | None] = mapped_column(Text)
    response_status: Mapped[int | None]
    response_body: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
