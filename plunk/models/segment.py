"""Segments: named groups of contacts, and who is in those that keep members."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from plunk.db import Base, Id, Json
from plunk.models.columns import one_of, owned, primary_id

SEGMENT_TYPES = ("DYNAMIC", "STATIC")


class Segment(Base):
    """A group: DYNAMIC ones are found by a condition, STATIC ones are put together by hand.

    `member_count` is as of the last count; `compute_at` says when a worker counts it again.
    """

    __tablename__ = "segments"
    __table_args__ = (
        UniqueConstraint("project_id", "id"),
        one_of("type", SEGMENT_TYPES),
        CheckConstraint("(type = 'DYNAMIC') = (condition IS NOT NULL)", name="condition"),
        Index("ix_segments_newest", "project_id", "created_at", "id"),
        Index(
            "ix_segments_due",
            "project_id",
            "compute_at",
            sqlite_where=text("compute_at IS NOT NULL"),
            postgresql_where=text("compute_at IS NOT NULL"),
        ),
    )

    id: Mapped[str] = primary_id()
    project_id: Mapped[str] = mapped_column(Id, ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str | None] = mapped_column(String(500))
    type: Mapped[str] = mapped_column(String(10))
    condition: Mapped[dict[str, Any] | None] = mapped_column(Json)
    track_membership: Mapped[bool] = mapped_column(default=False)
    member_count: Mapped[int] = mapped_column(default=0)
    compute_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class SegmentMember(Base):
    """One contact's place in one segment: a member while `left_at` is null."""

    __tablename__ = "segment_members"
    __table_args__ = (
        owned("segment_id", "segments", on_delete="CASCADE"),
        owned("contact_id", "contacts", on_delete="CASCADE"),
        Index("ix_segment_members_newest", "segment_id", "entered_at", "contact_id"),
        Index("ix_segment_members_contact", "contact_id"),
    )

    segment_id: Mapped[str] = mapped_column(Id, primary_key=True)
    contact_id: Mapped[str] = mapped_column(Id, primary_key=True)
    project_id: Mapped[str] = mapped_column(Id, ForeignKey("projects.id", ondelete="CASCADE"))
    entered_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
