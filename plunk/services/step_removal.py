"""Removing steps: one, one with its neighbours joined, or one with all that hangs on it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import Enum

from sqlalchemy.orm import Session

from plunk.errors import BadRequest
from plunk.models import Step
from plunk.services import revisions
from plunk.services.workflow_graph import Drawing, open_drawing
from plunk.services.workflow_locks import refuse_occupied, refuse_while_ahead
from plunk.services.workflow_steps import StepPath


class Removal(Enum):
    """What happens to what comes before and after the removed step."""

    PLAIN = "its edges go with it"
    SPLICE = "what led to it leads to its successor"
    CASCADE = "whatever is only reachable through it goes with it"


def remove(
    session: Session,
    project_id: str,
    at: StepPath,
    *,
    how: Removal = Removal.PLAIN,
    expected: int | None = None,
    now: datetime,
) -> None:
    """Remove a step; its history stays. BadRequest for a trigger, Conflict while it is in use."""
    drawing = open_drawing(session, project_id, at.workflow_id, expected=expected)
    step = drawing.step(at.step_id)
    if step.type == "TRIGGER":
        raise BadRequest("The TRIGGER step cannot be removed; delete the workflow instead.")
    if how is Removal.SPLICE:
        _refuse_splice(drawing, step)
        refuse_occupied(session, drawing.workflow, step.id)
        _bridge(session, drawing, step, now)
    else:
        refuse_while_ahead(session, drawing.workflow, drawing.downstream(step.id))
    gone = only_through(drawing, step.id) if how is Removal.CASCADE else {step.id}
    erase(session, drawing, gone, now=now)
    revisions.cut(session, drawing.workflow, now=now)


def erase(session: Session, drawing: Drawing, step_ids: Collection[str], *, now: datetime) -> None:
    """Mark the steps as deleted and remove their edges; runs and histories keep their rows."""
    for edge in drawing.transitions:
        if edge.from_step_id in step_ids or edge.to_step_id in step_ids:
            session.delete(edge)
    for step in drawing.steps:
        if step.id in step_ids:
            step.deleted_at = step.updated_at = now
            step.template_id = None


def only_through(drawing: Drawing, step_id: str) -> set[str]:
    """Return the step and the steps that nothing else leads to; never a trigger."""
    below = drawing.downstream(step_id)
    roots = [one.id for one in drawing.steps if one.id not in below or one.type == "TRIGGER"]
    return below - drawing.reachable(roots, avoiding={step_id})


def _refuse_splice(drawing: Drawing, step: Step) -> None:
    if step.type == "CONDITION":
        raise BadRequest("A CONDITION step has several ways on; remove it without splice.")
    if len({edge.to_step_id for edge in drawing.ways_out(step.id)}) > 1:
        raise BadRequest("The step has several ways on; remove it without splice.")


def _bridge(session: Session, drawing: Drawing, step: Step, now: datetime) -> None:
    onward = drawing.ways_out(step.id)
    if not onward:
        return
    for edge in drawing.ways_in(step.id):
        if edge.from_step_id != onward[0].to_step_id:  # else it would lead to itself
            edge.to_step_id, edge.updated_at = onward[0].to_step_id, now
    session.flush()
