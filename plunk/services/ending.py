"""Ending runs from outside, where they stand, with all that hangs on them (I4)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from plunk.models import Execution, StepExecution, WebhookCall
from plunk.models.execution import ACTIVE_STATUSES


def end(session: Session, ids: Collection[str], *, status: str, reason: str, now: datetime) -> None:
    """End these runs, as far as they are under way; calls that nobody has made are not made."""
    session.execute(
        update(Execution)
        .where(Execution.id.in_(ids), Execution.status.in_(ACTIVE_STATUSES))
        .values(
            status=status,
            exit_reason=reason,
            # Who was cancelled is shown where it stood; who came to an end stands nowhere.
            current_step_id=Execution.current_step_id if status == "CANCELLED" else None,
            completed_at=now,
            updated_at=now,
            due_at=None,
            deadline_at=None,
            awaited_event=None,
            awaited_where=None,
            awaited_call=None,
            signal=None,
            version=Execution.version + 1,
        )
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(StepExecution)
        .where(
            StepExecution.execution_id.in_(ids),
            StepExecution.status.in_(("WAITING", "RUNNING")),
        )
        .values(status="SKIPPED", completed_at=now, updated_at=now)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(WebhookCall)
        .where(WebhookCall.execution_id.in_(ids), WebhookCall.status == "PENDING")
        .values(status="CANCELLED", next_attempt_at=None, updated_at=now)
        .execution_options(synchronize_session=False)
    )
