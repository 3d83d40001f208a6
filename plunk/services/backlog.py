"""What waits for a worker in all projects together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from plunk.models import Email, Execution, Segment, Trigger, WebhookCall


@dataclass(frozen=True, slots=True)
class Queue:
    """Rows of one kind that are due, how long the oldest has been, and leases that ran out."""

    name: str
    due: int
    oldest: timedelta
    expired_leases: int = 0


def measure(session: Session, *, now: datetime) -> tuple[Queue, ...]:
    """Count what is due and what was left behind, in every queue."""
    runs = _due(session, Execution.due_at, now)
    emails = _due(session, Email.next_attempt_at, now)
    hooks = _due(session, WebhookCall.next_attempt_at, now)
    return (
        Queue("runs", *runs),
        Queue("e-mails", *emails, _count(session, Email.lease_until < now)),
        Queue("web hooks", *hooks, _count(session, WebhookCall.lease_until < now)),
        Queue("schedules", *_due(session, Trigger.next_at, now)),
        Queue("segments", *_due(session, Segment.compute_at, now)),
    )


def _due(
    session: Session, column: InstrumentedAttribute[datetime | None], now: datetime
) -> tuple[int, timedelta]:
    """Return how many rows are due by this column, and for how long the oldest has been."""
    count, oldest = session.execute(
        select(func.count(), func.min(column)).where(column <= now)
    ).one()
    return count, now - oldest if oldest else timedelta()


def _count(session: Session, condition: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).where(condition)) or 0
