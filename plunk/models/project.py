"""Projects: one tenant each, with one pair of API keys."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from plunk.db import Base
from plunk.models.columns import one_of, primary_id

TRACKING_MODES = ("ENABLED", "DISABLED", "MARKETING_ONLY")


class Project(Base):
    """A tenant; its keys are stored as a hash to be found by and sealed to be shown."""

    __tablename__ = "projects"
    __table_args__ = (one_of("tracking", TRACKING_MODES),)

    id: Mapped[str] = primary_id()
    name: Mapped[str] = mapped_column(String(100))
    public_hash: Mapped[str] = mapped_column(String(64), unique=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    public_sealed: Mapped[str] = mapped_column(String(512))
    secret_sealed: Mapped[str] = mapped_column(String(512))
    disabled: Mapped[bool] = mapped_column(default=False)
    disabled_reason: Mapped[str | None] = mapped_column(String(100))
    tracking: Mapped[str] = mapped_column(String(20), default="ENABLED")
    language: Mapped[str] = mapped_column(String(10), default="en")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
