"""In flight: what becomes of runs that are under way when their workflow is deployed anew.

follow  they go on in the new revision. Who stands on a step that was changed or removed does
        so at once: `touched` says where, and the worker brings them over, batch by batch.
pin     they finish in the revision that they last followed, with its steps, stops and goals.
        A pinned run is never let loose again.
drain   as pin, and the workflow is switched off: nobody enters until somebody enables it.
"""

from __future__ import annotations

from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from plunk.models import Execution, Trigger, Workflow
from plunk.models.execution import ACTIVE_STATUSES
from plunk.services.flow_changes import Changes

Policy = Literal["follow", "pin", "drain"]
POLICIES: tuple[Policy, ...] = ("follow", "pin", "drain")


def touched(changes: Changes) -> set[str]:
    """Return the steps on which a run has to be looked at, because of these changes."""
    return {*changes.removed, *(changes.pairs[key] for key in changes.changed)}


def pin(session: Session, workflow: Workflow) -> None:
    """Let all runs under way finish in the revisions that they last followed.

    Invariant: a run is pinned when its revision is not above the workflow's `pinned_revision`, so
    this takes one number, however many runs there are, and races with none of them. The caller
    holds the lock on the workflow, whose headers are still the old ones, and is about to cut its
    next revision, in which all others enter. Whoever has failed may be retried, and needs its stops
    and goals then.
    """
    oldest = session.scalar(
        select(func.min(Execution.revision)).where(
            Execution.workflow_id == workflow.id,
            Execution.status.in_((*ACTIVE_STATUSES, "FAILED")),
        )
    )
    watches = session.scalars(
        select(Trigger).where(Trigger.workflow_id == workflow.id, Trigger.kind != "start")
    )
    for watch in watches:
        if watch.pinned is None and oldest is not None:
            watch.pinned = {
                "after": workflow.pinned_revision,
                "through": workflow.revision,
                "headers": workflow.headers,
            }
        elif watch.pinned is not None and _is_for_nobody(watch, oldest):
            session.delete(watch)
    workflow.pinned_revision = workflow.revision
    session.flush()


def is_pinned(workflow: Workflow, run: Execution) -> bool:
    """Tell whether a run that is under way will finish in the revision that it follows."""
    return run.status in ACTIVE_STATUSES and run.revision <= workflow.pinned_revision


def _is_for_nobody(watch: Trigger, oldest: int | None) -> bool:
    return oldest is None or (watch.pinned or {})["through"] < oldest
