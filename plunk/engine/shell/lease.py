"""Leases: rows handed to a delivery loop for a while, and taken back when it does not return.

The outbox tables share their columns: PENDING rows have `next_attempt_at`, SENDING rows have
`lease_until` and `lease_token`. A result is written only by the holder of the token (I5, I6).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import ColumnElement, Integer, Table, bindparam, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from plunk.db import table_of
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
    order: tuple[str, ...] = (),
) -> tuple[str, list[str]]:
    """Lease up to `limit` due rows of the project; return the lease's token and the rows' ids.

    `order` names columns that come before the time in the order in which rows are taken.
    """
    token = new_id()
    wanted = {
        "project": project_id,
        "now": now,
        "most": limit,
        "until": now + length,
        "token": token,
    }
    leased = session.connection().execute(_taking(table_of(queue), order), wanted)
    return token, list(leased.scalars())


@cache
def _taking(queue: Table, order: tuple[str, ...]) -> ReturningUpdate[str]:
    row, now = queue.c, bindparam("now", type_=queue.c.next_attempt_at.type)
    due = (
        select(row.id)
        .where(row.project_id == bindparam("project"), row.next_attempt_at <= now)
        .order_by(*(row[name] for name in order), row.next_attempt_at)
        .limit(bindparam("most", type_=Integer))
        .with_for_update(skip_locked=True)
        # Not a plain subquery: PostgreSQL may run that once for each row, and lease all of them.
        .cte("due")
    )
    return (
        update(queue)
        .where(row.id.in_(select(due.c.id)), row.status == "PENDING")
        .values(
            status="SENDING",
            next_attempt_at=None,
            lease_until=bindparam("until"),
            lease_token=bindparam("token"),
            attempts=row.attempts + 1,
            updated_at=now,
        )
        .returning(row.id)
    )


def reclaim(session: Session, queue: Queue, *, now: datetime) -> int:
    """Make rows due again whose holder did not come back in time; return how many.

    A row that keeps outliving its holders is probably what kills them: it is given up (I7).
    """
    lost = select(table_of(queue).c.id).where(table_of(queue).c.lease_until < now).limit(1)
    if session.connection().execute(lost).first() is None:
        return 0
    return _reclaim(session, queue, now)


def _reclaim(session: Session, queue: Queue, now: datetime) -> int:
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
