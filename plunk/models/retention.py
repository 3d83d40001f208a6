"""Retention: how far the worker has come through what is old."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from plunk.db import Base, Id


class RetentionWalk(Base):
    """The walk of one rule along a table: everything up to `after` was looked at since it began."""

    __tablename__ = "retention_walks"

    rule: Mapped[str] = mapped_column(String(20), primary_key=True)
    after: Mapped[str] = mapped_column(Id)
    began_at: Mapped[datetime]
