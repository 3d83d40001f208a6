"""Deleting workflows with everything that belongs to them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from plunk.db import take_time
from plunk.models import Email, Event, Execution, Workflow
from plunk.services import cancelling, workflows
from plunk.services.workflow_locks import refuse_active


def remove(
    session: Session, project_id: str, workflow_id: str, *, force: bool = False, now: datetime
) -> None:
    """Delete a workflow; Conflict while runs are active, unless `force` cancels them first."""
    if force:
        # Before the lock: whoever moves a run holds its contact and then wants the workflow.
        cancelling.cancel_all(session, project_id, workflow_id, now=now)
    remove_all(session, project_id, [workflow_id])


def remove_all(session: Session, project_id: str, ids: Collection[str]) -> int:
    """Delete all these workflows or none of them; return how many there were."""
    found = workflows.existing(session, project_id, ids)
    known = [workflow.id for workflow in found]
    refuse_active(session, known)
    _erase(session, known)
    return len(known)


def _erase(session: Session, ids: Sequence[str]) -> None:
    take_time(session)
    runs = select(Execution.id).where(Execution.workflow_id.in_(ids))
    mails = select(Email.id).where(Email.execution_id.in_(runs))
    session.execute(update(Event).where(Event.email_id.in_(mails)).values(email_id=None))
    # Runs go before the steps they stand on; their mails, visits and calls go with them.
    session.execute(delete(Execution).where(Execution.workflow_id.in_(ids)))
    session.execute(delete(Workflow).where(Workflow.id.in_(ids)))
