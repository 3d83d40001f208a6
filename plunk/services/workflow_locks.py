"""What may not be edited while somebody is on the way through a workflow."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from plunk.errors import Conflict
from plunk.models import Execution, Workflow
from plunk.models.execution import ACTIVE_STATUSES


def refuse_while_running(session: Session, workflow: Workflow, *, what: str) -> None:
    """Raise Conflict when the workflow is enabled and has active runs."""
    if workflow.enabled and has_active(session, [workflow.id]):
        raise Conflict(
            f"The {what} cannot change while the workflow is enabled and has active executions;"
            " disable the workflow or cancel them first."
        )


def refuse_while_ahead(session: Session, workflow: Workflow, step_ids: Collection[str]) -> None:
    """Raise Conflict when the workflow is enabled and an active run stands on one of the steps."""
    if workflow.enabled and is_occupied(session, workflow, step_ids):
        raise Conflict(
            "An active execution is at this place of the workflow or after it;"
            " disable the workflow or cancel the execution first."
        )


def refuse_occupied(session: Session, workflow: Workflow, step_id: str) -> None:
    """Raise Conflict when an active run stands on the step, whether enabled or not."""
    if is_occupied(session, workflow, [step_id]):
        raise Conflict("An active execution is on this step; cancel it or let it go on first.")


def refuse_active(session: Session, workflow_ids: Collection[str]) -> None:
    """Raise Conflict when one of the workflows has active runs."""
    if has_active(session, workflow_ids):
        raise Conflict(
            "The workflow has active executions; cancel them or let them finish first.",
        )


def has_active(session: Session, workflow_ids: Collection[str]) -> bool:
    """Tell whether one of the workflows has runs under way."""
    active = exists().where(
        Execution.workflow_id.in_(workflow_ids), Execution.status.in_(ACTIVE_STATUSES)
    )
    return bool(session.scalar(select(active)))


def is_occupied(session: Session, workflow: Workflow, step_ids: Collection[str]) -> bool:
    """Tell whether a run under way stands on one of the steps."""
    active = exists().where(
        Execution.workflow_id == workflow.id,
        Execution.status.in_(ACTIVE_STATUSES),
        Execution.current_step_id.in_(step_ids),
    )
    return bool(session.scalar(select(active)))
