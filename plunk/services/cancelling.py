"""Cancelling: runs are stopped where they stand, and nothing moves them again (I4)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from plunk.errors import Conflict, NotFound
from plunk.models import Contact, Execution
from plunk.models.execution import ACTIVE_STATUSES
from plunk.services import ending
from plunk.services.executions import RunPath, is_run
from plunk.services.workflow_graph import get_workflow

BATCH = 500
CANCELLED = "Cancelled by user"
CANCELLED_ALL = "Cancelled by user (bulk cancel)"


def cancel(session: Session, project_id: str, at: RunPath, *, now: datetime) -> Execution:
    """Cancel a run; Conflict when it has already ended. Mails that are queued are still sent."""
    workflow = get_workflow(session, project_id, at.workflow_id)
    mine = is_run(workflow.id, at.execution_id)
    cancelled = _cancel(session, mine, CANCELLED, now)
    run = session.scalars(
        select(Execution).where(mine).execution_options(populate_existing=True)
    ).one_or_none()
    if run is None:
        raise NotFound(at.execution_id, resource="Execution")
    if not cancelled:
        raise Conflict(f"The execution has already ended: it is {run.status}.")
    return run


def cancel_some(session: Session, project_id: str, workflow_id: str, *, now: datetime) -> int:
    """Cancel a batch of a workflow's active runs; return how many, 0 when there are none."""
    workflow = get_workflow(session, project_id, workflow_id)
    return _cancel(session, Execution.workflow_id == workflow.id, CANCELLED_ALL, now)


def cancel_all(session: Session, project_id: str, workflow_id: str, *, now: datetime) -> int:
    """Cancel every active run of a workflow in this transaction; return how many there were."""
    total = 0
    while cancelled := cancel_some(session, project_id, workflow_id, now=now):
        total += cancelled
    return total


def _cancel(session: Session, mine: ColumnElement[bool], reason: str, now: datetime) -> int:
    """Cancel up to one batch of active runs, and return how many.

    Contacts are locked before runs, each in the order of ids, as by everybody who moves runs.
    """
    active = select(Execution.id).where(mine, Execution.status.in_(ACTIVE_STATUSES))
    while picked := session.scalars(active.order_by(Execution.id).limit(BATCH)).all():
        among = Execution.id.in_(picked)
        session.execute(
            select(Contact.id)
            .where(Contact.id.in_(select(Execution.contact_id).where(among)))
            .order_by(Contact.id)
            .with_for_update(key_share=True)
        )
        ids = session.scalars(
            active.where(among).order_by(Execution.id).with_for_update(key_share=True)
        ).all()
        if ids:
            ending.end(session, ids, status="CANCELLED", reason=reason, now=now)
            return len(ids)
    return 0
