"""Walks along a table, oldest rows first, a page at a time: what retention is made of.

Ids are ordered by time, so the oldest rows are at the beginning of the primary key, and walking
along it needs no index of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from plunk.ids import first_id
from plunk.services.asked_events import Questions

PAGE = 1_000  # rows that a turn looks at


@dataclass
class Walk:
    """Where a walk is, what is old for it, and what conditions ask meanwhile."""

    after: str
    before: datetime
    now: datetime
    questions: Questions = field(default_factory=Questions)

    def lies_ahead(self, column: InstrumentedAttribute[str]) -> ColumnElement[bool]:
        """Return the condition on ids of old rows that the walk has not come to."""
        return (column > self.after) & (column < first_id(self.before))


@dataclass(frozen=True, slots=True)
class Page:
    """The next old rows: up to which id, and whether more of them may follow."""

    end: str
    is_last: bool


def next_page(session: Session, column: InstrumentedAttribute[str], walk: Walk) -> Page:
    """Return the page that the walk comes to."""
    last = session.scalar(
        select(column).where(walk.lies_ahead(column)).order_by(column).offset(PAGE - 1).limit(1)
    )
    return Page(last or first_id(walk.before), last is None)


def locked(
    session: Session,
    column: InstrumentedAttribute[str],
    ids: Sequence[str],
    wanted: ColumnElement[bool],
) -> list[str]:
    """Return those of the rows that are wanted, locked; what somebody else holds is left alone."""
    if not ids:
        return []
    statement = select(column).where(column.in_(ids), wanted).order_by(column)
    return list(session.scalars(statement.with_for_update(skip_locked=True)))
