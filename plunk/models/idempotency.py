"""Idempotency keys: which requests were already made."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from plunk.db import Base, Id


class IdempotencyKey(Base):
    """One spent key; `status` stays null while the first request is under way."""

    __tablename__ = "idempotency_keys"

    project_id: Mapped[str] = mapped_column(
        Id, ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request: Mapped[str] = mapped_column(String(100))
    status: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(index=True)
