"""People who are under way: how many stand on each step of some workflows."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from plunk.models import Execution, Workflow
from plunk.models.execution import ACTIVE_STATUSES


def standing(session: Session, workflow_ids: Collection[str]) -> Mapping[str, int]:
    """Return the number of active runs by the id of the step that they stand on.

    Pinned runs do not count: what is deployed does not concern them.
    """
    rows = session.execute(
        select(Execution.current_step_id, func.count())
        .join(Workflow, Workflow.id == Execution.workflow_id)
        .where(
            Execution.workflow_id.in_(workflow_ids),
            Execution.status.in_(ACTIVE_STATUSES),
            Execution.current_step_id.is_not(None),
            Execution.revision > Workflow.pinned_revision,
        )
        .group_by(Execution.current_step_id)
    )
    return {step_id: count for step_id, count in rows if step_id}
