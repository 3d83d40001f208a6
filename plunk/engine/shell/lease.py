"""Leases: rows handed to a delivery loop for a while, and taken back when it does not return.

The outbox tables share their columns: PENDING rows have `next_attempt_at`, SENDING rows have
`lease_until` and `lease_token`. A result is written only by the holder of the token (I5, I6).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from plunk.ids import new_id
from plunk.models import Email, WebhookCall

MOST_LEASES = 12
GIVEN_UP = f"Given up: {MOST_LEASES} workers ended while they held it."
Queue = type[Email] | type[WebhookCall]


def take(
    session: Session,
    queue: Queue,
    project_id: str,
    *,
    now: datetime,
    length: timedelta,
    limit: int,
    order: Sequence[InstrumentedAttribute[int]] = (),
) -> tuple[str, list[str]]:
    """Lease up to `limit` due rows of the project; return the lease's token and the rows' ids."""
    due = (
        select(queue.id)
        .where(queue.project_id == project_id, queue.next_attempt_at <= now)
        .order_by(*order, queue.next_attempt_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        # Not a plain subquery: PostgreSQL may run that once for each row, and lease all of them.
        .cte("due")
    )
    token = new_id()
    leased = session.scalars(
        update(queue)
        .where(queue.id.in_(select(due.c.id)), queue.status == "PENDING")
        .values(
            status="SENDING",
            next_attempt_at=None,
            lease_until=now + length,
            lease_token=token,
            attempts=queue.attempts + 1,
            updated_at=now,
        )
        .returning(queue.id)
        .execution_options(synchronize_session=False)
    )
    return token, list(leased)


def reclaim(session: Session, queue: Queue, *, now: datetime) -> int:
    """Make rows due again whose holder did not come back in time; return how many.

    A row that keeps outliving its holders is probably what kills them: it is given up (I7).
    """
    lost = (
        select(queue.id)
        .where(queue.lease_until < now)
        .order_by(queue.id)
        .with_for_update(skip_locked=True)
        .cte("lost")
    )
    ours = queue.id.in_(select(lost.c.id))
    again = {"status": "PENDING", "next_attempt_at": now}
    given_up = {"status": "FAILED", "error": GIVEN_UP}
    taken = 0
    for which, values in (
        (queue.attempts < MOST_LEASES, again),
        (queue.attempts >= MOST_LEASES, given_up),
    ):
        statement = (
            update(queue)
            .where(ours, which)
            .values(lease_until=None, lease_token=None, updated_at=now, **values)
            .returning(queue.id)
            .execution_options(synchronize_session=False)
        )
        taken += len(session.scalars(statement).all())
    return taken


def held(queue: Queue, row_id: str, token: str) -> ColumnElement[bool]:
    """Return the condition that a row is still under this lease."""
    return (queue.id == row_id) & (queue.status == "SENDING") & (queue.lease_token == token)
