"""Which runs of a workflow are to be repaired: chosen by status and step, batch after batch."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from plunk.engine.core.repair import Order
from plunk.errors import BadRequest
from plunk.ids import NO_ID, parse_id
from plunk.models import Execution, Workflow

REPAIRABLE = ("FAILED", "WAITING", "RUNNING")
USUAL = {"retry": "FAILED", "skip": "WAITING"}
MOST = 500


@dataclass(frozen=True, slots=True)
class Choice:
    """Which runs of a workflow: by status and the step they stand on, the oldest first.

    `cursor` is the last run of the batch before; a dry run counts and changes nothing.
    """

    order: Order
    status: str | None = None
    step_id: str | None = None
    limit: int = 100
    cursor: str | None = None
    dry_run: bool = False


def wanted(workflow: Workflow, choice: Choice) -> ColumnElement[bool]:
    """Return the condition on the chosen runs; BadRequest when too little was said."""
    status = choice.status or USUAL.get(choice.order.action)
    if status is None:
        raise BadRequest("Say which executions are to be moved: status is missing.")
    if choice.order.action == "move" and choice.order.to_step_id is None:
        raise BadRequest("Say where the executions are to be moved: toStepId is missing.")
    on_step = [] if choice.step_id is None else [Execution.current_step_id == choice.step_id]
    return and_(Execution.workflow_id == workflow.id, Execution.status == status, *on_step)


def batch(
    session: Session, workflow: Workflow, which: ColumnElement[bool], choice: Choice
) -> Select[str]:
    """Return the query for the next runs: in the order in which they started, after the cursor."""
    ordered = select(Execution.id).where(which).order_by(Execution.started_at, Execution.id)
    if choice.cursor is None:
        return ordered.limit(choice.limit)
    last = session.execute(
        select(Execution.started_at, Execution.id).where(
            Execution.workflow_id == workflow.id,
            Execution.id == (parse_id(choice.cursor) or NO_ID),
        )
    ).one_or_none()
    if last is None:
        raise BadRequest("The cursor is not one of this workflow's executions.")
    after = or_(Execution.started_at > last[0], Execution.id > last[1])
    return ordered.where(Execution.started_at >= last[0], after).limit(choice.limit)
