"""Edges between the steps of a workflow, and the rules a new one must keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from plunk.engine.core.edges import EVENT_BRANCHES, TIMEOUT_BRANCHES
from plunk.errors import BadRequest
from plunk.models import Step, Transition
from plunk.models.workflow import WAIT_OUTCOMES
from plunk.services import revisions
from plunk.services.workflow_graph import Drawing, next_instant, open_drawing
from plunk.services.workflow_locks import refuse_while_ahead

OUTCOMES = WAIT_OUTCOMES
WAIT = "WAIT_FOR_EVENT"
BRANCHING = {"CONDITION", "SPLIT", WAIT}
MAX_WAYS_OUT_OF_WAIT = 2


@dataclass(frozen=True, slots=True)
class EdgeDraft:
    """An edge to add; `branch` is short for a condition on that branch."""

    from_step_id: str | None = None
    to_step_id: str | None = None
    condition: Mapping[str, Any] | None = None
    branch: str | None = None
    wait_outcome: str | None = None
    priority: int = 0
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True)
class EdgePath:
    """An edge of a workflow, as a path names it."""

    workflow_id: str
    transition_id: str


def connect(
    session: Session, project_id: str, workflow_id: str, draft: EdgeDraft, *, now: datetime
) -> Transition:
    """Add an edge; BadRequest names the rule it would break."""
    if not draft.from_step_id or not draft.to_step_id:
        raise BadRequest("fromStepId and toStepId are required.")
    drawing = open_drawing(session, project_id, workflow_id, expected=draft.expected_revision)
    if draft.from_step_id == draft.to_step_id:
        raise BadRequest("A step cannot lead to itself.")
    source, target = drawing.step(draft.from_step_id), drawing.step(draft.to_step_id)
    edge = _edge(drawing, source, target, draft, now)
    _refuse_extra(drawing, source, edge)
    if source.id in drawing.downstream(target.id):
        raise BadRequest("The edge would close a cycle.")
    session.add(edge)
    revisions.cut(session, drawing.workflow, now=now)
    return edge


def disconnect(
    session: Session,
    project_id: str,
    at: EdgePath,
    *,
    expected: int | None = None,
    now: datetime,
) -> None:
    """Remove an edge and nothing else; Conflict while active runs are beyond it."""
    drawing = open_drawing(session, project_id, at.workflow_id, expected=expected)
    edge = drawing.transition(at.transition_id)
    refuse_while_ahead(session, drawing.workflow, drawing.downstream(edge.to_step_id))
    session.delete(edge)
    revisions.cut(session, drawing.workflow, now=now)


def first_branch(step: Step) -> str | None:
    """Return the branch for the first edge out of a step; None where edges have no branch."""
    match step.type, step.config:
        case "CONDITION", {"mode": "multi", "branches": [{"id": str(first)}, *_]}:
            return first
        case "SPLIT", {"branches": [{"id": str(first)}, *_]}:
            return first
        case "CONDITION", _:
            return "yes"
    return None


def _edge(
    drawing: Drawing, source: Step, target: Step, draft: EdgeDraft, now: datetime
) -> Transition:
    condition = dict(draft.condition) if draft.condition is not None else None
    if draft.branch is not None:
        _refuse_branch(source)
        condition = {**(condition or {}), "branch": draft.branch}
    if draft.wait_outcome is not None and source.type != WAIT:
        raise BadRequest("Only a WAIT_FOR_EVENT step has edges with a waitOutcome.")
    outcome = draft.wait_outcome or (_outcome(condition) if source.type == WAIT else None)
    return Transition(
        project_id=drawing.workflow.project_id,
        workflow_id=drawing.workflow.id,
        from_step_id=source.id,
        to_step_id=target.id,
        condition=condition,
        priority=draft.priority,
        wait_outcome=outcome,
        created_at=next_instant(drawing.transitions, now),
        updated_at=now,
    )


def _refuse_branch(source: Step) -> None:
    if source.type not in BRANCHING:
        raise BadRequest(f"A step of type {source.type} has no branches.")


def _outcome(condition: Mapping[str, Any] | None) -> str | None:
    match condition:
        case {"branch": str(branch)} if branch in EVENT_BRANCHES:
            return "EVENT"
        case {"branch": str(branch)} if branch in TIMEOUT_BRANCHES:
            return "TIMEOUT"
        case {"fallback": True}:
            return "TIMEOUT"
    return None


def _refuse_extra(drawing: Drawing, source: Step, edge: Transition) -> None:
    """Raise BadRequest when the step has no room for one more edge of this kind."""
    others = drawing.ways_out(source.id)
    match source.type:
        case "EXIT":
            raise BadRequest("Nothing comes after an EXIT step.")
        case "CONDITION" | "SPLIT" if any(_branch(one) == _branch(edge) for one in others):
            raise BadRequest(f"The step already has an edge for the branch {_branch(edge)!r}.")
        case "CONDITION" | "SPLIT":
            return
        case "WAIT_FOR_EVENT" if len(others) < MAX_WAYS_OUT_OF_WAIT:
            if any(_slot(one) == _slot(edge) for one in others):
                raise BadRequest("The step already has an edge for this outcome.")
        case _ if others:
            raise BadRequest("The step already has an edge that leads on.")


def _branch(edge: Transition) -> object:
    return None if edge.condition is None else edge.condition.get("branch", edge.condition)


def _slot(edge: Transition) -> tuple[str | None, object]:
    return edge.wait_outcome, None if edge.wait_outcome else _branch(edge)
