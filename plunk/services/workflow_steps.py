"""Steps of a workflow: added at a loose end, put into an edge, changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from plunk.engine.core.configs import parse_action
from plunk.engine.core.steps import Broken
from plunk.errors import BadRequest
from plunk.expressions.forms import expressions_in, fault, speaks_of_secrets
from plunk.ids import new_id
from plunk.models import Step, Transition
from plunk.models.workflow import STEP_TYPES
from plunk.services import revisions, step_templates, workflow_conditions
from plunk.services.json_values import put
from plunk.services.workflow_edges import EdgePath, first_branch
from plunk.services.workflow_graph import Drawing, next_instant, open_drawing
from plunk.services.workflow_locks import refuse_while_running
from plunk.values import UNSET, Unset

TYPES = STEP_TYPES
ORIGIN = {"x": 0, "y": 0}
CHECKED_TYPES = {"SPLIT", "TRACK", "SEGMENT"}
CHECKED_KEYS = {
    "DELAY": {"until"},
    "WAIT_FOR_EVENT": {"condition"},
    "WEBHOOK": {"retry", "as"},
}


@dataclass(frozen=True, slots=True)
class StepDraft:
    """A step to add; `auto_connect` hangs it on the newest loose end."""

    type: str | None = None
    name: str | None = None
    position: Any = None
    config: Mapping[str, Any] | None = None
    template_id: str | None = None
    auto_connect: bool = True
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True)
class StepChange:
    """What to change about a step; UNSET leaves a field alone."""

    name: str | Unset = UNSET
    position: Any | Unset = UNSET
    config: Mapping[str, Any] | Unset = UNSET
    template_id: str | Unset | None = UNSET
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True)
class StepPath:
    """A step of a workflow, as a path names it."""

    workflow_id: str
    step_id: str


def add(
    session: Session, project_id: str, workflow_id: str, draft: StepDraft, *, now: datetime
) -> Step:
    """Add a step; BadRequest when something is missing or the workflow already has a trigger."""
    _require(draft, position=True)
    drawing = open_drawing(session, project_id, workflow_id, expected=draft.expected_revision)
    if draft.type == "TRIGGER" and drawing.trigger is not None:
        raise BadRequest("A workflow has one TRIGGER step, and this one has it already.")
    step = _store(session, drawing, draft, now)
    if draft.auto_connect:
        _connect_to_loose_end(session, drawing, step, now)
    revisions.cut(session, drawing.workflow, now=now)
    return step


def insert(
    session: Session, project_id: str, at: EdgePath, draft: StepDraft, *, now: datetime
) -> Step:
    """Put a step into an edge: the edge leads to it, and a new one leads on from it."""
    _require(draft, position=False)
    if draft.type in {"TRIGGER", "EXIT"}:
        raise BadRequest(f"A step of type {draft.type} cannot stand between two others.")
    drawing = open_drawing(session, project_id, at.workflow_id, expected=draft.expected_revision)
    edge = drawing.transition(at.transition_id)
    step = _store(session, drawing, draft, now)
    onward = _edge(drawing, step.id, edge.to_step_id, now, branch=first_branch(step))
    edge.to_step_id, edge.updated_at = step.id, now
    session.add(onward)
    revisions.cut(session, drawing.workflow, now=now)
    return step


def change(
    session: Session, project_id: str, at: StepPath, wanted: StepChange, *, now: datetime
) -> Step:
    """Edit a step; Conflict when its working would change under the feet of active runs."""
    drawing = open_drawing(session, project_id, at.workflow_id, expected=wanted.expected_revision)
    step = drawing.step(at.step_id)
    if not (isinstance(wanted.config, Unset) and isinstance(wanted.template_id, Unset)):
        refuse_while_running(session, drawing.workflow, what="configuration of a step")
    if _apply(session, step, wanted):
        step.updated_at = now
        revisions.cut(session, drawing.workflow, now=now)
    if not isinstance(wanted.position, Unset) and put(step, "position", wanted.position):
        # Where a step stands on the canvas is no structure: no run depends on it.
        step.updated_at = now
        session.flush()
    return step


def _require(draft: StepDraft, *, position: bool) -> None:
    wanted: dict[str, object] = {"type": draft.type, "name": draft.name}
    missing = [field for field, value in wanted.items() if not value]
    if position and (draft.position is None or draft.position in ("", 0)):
        missing.append("position")
    if draft.config is None:
        missing.append("config")
    if missing:
        raise BadRequest(f"Missing: {', '.join(missing)}.")


def _store(session: Session, drawing: Drawing, draft: StepDraft, now: datetime) -> Step:
    workflow, type_ = drawing.workflow, draft.type or ""
    settled = step_templates.settle(
        session,
        workflow.project_id,
        type_,
        draft.config or {},
        template_id=UNSET if draft.template_id is None else draft.template_id,
    )
    config = workflow_conditions.settle_config(session, workflow.project_id, type_, settled.config)
    _refuse_broken(type_, config)
    step = Step(
        id=new_id(),
        project_id=workflow.project_id,
        workflow_id=workflow.id,
        type=type_,
        name=draft.name,
        position=ORIGIN if draft.position is None else draft.position,
        config=config,
        template_id=settled.template_id,
        created_at=next_instant(drawing.steps, now),
        updated_at=now,
    )
    session.add(step)
    session.flush()
    return step


def _refuse_broken(type_: str, config: Mapping[str, Any]) -> None:
    """Raise BadRequest for a config that no run could carry out.

    Plunk's own forms are taken as they come: an editor may save them half-finished.
    """
    for expression in expressions_in(config):
        problem = fault(expression)
        if problem is None and type_ != "WEBHOOK" and speaks_of_secrets(expression):
            problem = "secret() may only stand in a web hook's address, headers and body"
        if problem is not None:
            raise BadRequest(f"config: {problem}")
    if type_ not in CHECKED_TYPES and not CHECKED_KEYS.get(type_, set()) & config.keys():
        return
    action = parse_action(type_, config, None)
    if isinstance(action, Broken):
        raise BadRequest(f"config: {action.problem}")


def _connect_to_loose_end(session: Session, drawing: Drawing, step: Step, now: datetime) -> None:
    leaving = {edge.from_step_id for edge in drawing.transitions}
    ends = [one for one in drawing.steps if one.id not in leaving and one.type != "EXIT"]
    if ends:
        last = ends[-1]
        session.add(_edge(drawing, last.id, step.id, now, branch=first_branch(last)))


def _edge(
    drawing: Drawing, from_id: str, to_id: str, now: datetime, *, branch: str | None
) -> Transition:
    return Transition(
        project_id=drawing.workflow.project_id,
        workflow_id=drawing.workflow.id,
        from_step_id=from_id,
        to_step_id=to_id,
        condition=None if branch is None else {"branch": branch},
        created_at=next_instant(drawing.transitions, now),
        updated_at=now,
    )


def _apply(session: Session, step: Step, wanted: StepChange) -> bool:
    """Write what a revision keeps of a step; tell whether that changed anything."""
    changed = not isinstance(wanted.name, Unset) and put(step, "name", wanted.name)
    if isinstance(wanted.config, Unset) and isinstance(wanted.template_id, Unset):
        return changed
    settled = step_templates.settle(
        session,
        step.project_id,
        step.type,
        step.config if isinstance(wanted.config, Unset) else wanted.config,
        template_id=wanted.template_id,
        stored=step.template_id,
    )
    config = workflow_conditions.settle_config(session, step.project_id, step.type, settled.config)
    _refuse_broken(step.type, config)
    changed |= put(step, "config", config)
    return put(step, "template_id", settled.template_id) or changed
