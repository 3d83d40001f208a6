"""A workflow becomes what a text says, step by step and edge by edge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from plunk.ids import new_id
from plunk.models import Step, Transition, Workflow
from plunk.services import revisions, step_matching, step_removal
from plunk.services.flow_plans import Plan, PlannedEdge, PlannedStep
from plunk.services.json_values import put_all, same
from plunk.services.workflow_graph import Drawing, draw, next_instant

LEFT, TOP, BETWEEN = 100, 100, 200


@dataclass(frozen=True, slots=True)
class Made:
    """The text a plan was made from, and when it is carried out."""

    source: str
    now: datetime


def create(session: Session, project_id: str, plan: Plan, made: Made) -> Workflow:
    """Store a new workflow; the text says whether it is switched on."""
    workflow = Workflow(
        id=new_id(),
        project_id=project_id,
        name=plan.name,
        enabled=plan.enabled,
        allow_reentry=plan.allow_reentry,
        revision=0,
        created_at=made.now,
        updated_at=made.now,
    )
    session.add(workflow)
    session.flush()
    write(session, workflow, plan, made)
    return workflow


def write(session: Session, workflow: Workflow, plan: Plan, made: Made) -> bool:
    """Make a locked workflow what the plan says; tell whether anything changed.

    Steps that stay keep their ids. A text may switch a workflow off, but never on: that a person
    disabled it counts for more.
    """
    changed = _write_headers(workflow, plan)
    changed |= _write_graph(session, draw(session, workflow), plan, made.now)
    if changed or revisions.current_source(session, workflow) != made.source:
        revisions.cut(session, workflow, now=made.now, source=made.source)
        changed = True
    if workflow.enabled and not plan.enabled:
        workflow.enabled, workflow.updated_at, changed = False, made.now, True
        session.flush()
    return changed


def _write_headers(workflow: Workflow, plan: Plan) -> bool:
    wanted = {
        "name": plan.name,
        "description": plan.description,
        "allow_reentry": plan.allow_reentry,
        "reentry_seconds": plan.reentry_seconds,
        "trigger_type": plan.trigger_type,
        "trigger_config": plan.trigger_config,
    }
    return put_all(workflow, wanted)


def _write_graph(session: Session, drawing: Drawing, plan: Plan, now: datetime) -> bool:
    ids = step_matching.match(drawing, plan)
    gone = {step.id for step in drawing.steps} - set(ids.values())
    step_removal.erase(session, drawing, gone, now=now)
    changed = bool(gone)
    steps = {step.id: step for step in drawing.steps}
    born = next_instant(drawing.steps, now)
    for place, planned in enumerate(plan.steps):
        if planned.key in ids:
            changed |= _update(steps[ids[planned.key]], planned, now)
        else:
            step = _new_step(drawing.workflow, planned, place)
            step.created_at, step.updated_at = born + timedelta(microseconds=place), now
            ids[planned.key], changed = step.id, True
            session.add(step)
    session.flush()
    return _write_edges(session, drawing, plan, ids, now) or changed


def _update(step: Step, planned: PlannedStep, now: datetime) -> bool:
    wanted = {
        "name": planned.name,
        "label": planned.label,
        "config": planned.config,
        "template_id": planned.template_id,
    }
    if planned.position is not None:
        wanted["position"] = planned.position
    changed = put_all(step, wanted)
    if changed:
        step.updated_at = now
    return changed


def _new_step(workflow: Workflow, planned: PlannedStep, place: int) -> Step:
    return Step(
        id=new_id(),
        project_id=workflow.project_id,
        workflow_id=workflow.id,
        type=planned.type,
        name=planned.name,
        label=planned.label,
        position=planned.position or {"x": LEFT, "y": TOP + BETWEEN * place},
        config=planned.config,
        template_id=planned.template_id,
    )


def _write_edges(
    session: Session, drawing: Drawing, plan: Plan, ids: Mapping[str, str], now: datetime
) -> bool:
    """Keep the edges that are wanted, remove the others, add what is missing."""
    missing = list(plan.edges)
    live = set(ids.values())
    changed = False
    for edge in drawing.transitions:
        if not {edge.from_step_id, edge.to_step_id} <= live:
            continue  # gone with its step
        wanted = next((one for one in missing if _is(edge, one, ids)), None)
        if wanted is None:
            session.delete(edge)
            changed = True
        else:
            missing.remove(wanted)
    born = next_instant(drawing.transitions, now)
    for place, planned in enumerate(missing):
        edge = _new_edge(drawing.workflow, planned, ids)
        edge.created_at, edge.updated_at = born + timedelta(microseconds=place), now
        session.add(edge)
    return changed or bool(missing)


def _is(edge: Transition, planned: PlannedEdge, ids: Mapping[str, str]) -> bool:
    return (
        (edge.from_step_id, edge.to_step_id) == (ids[planned.source], ids[planned.target])
        and (edge.priority, edge.wait_outcome) == (planned.priority, planned.wait_outcome)
        and same(edge.condition, planned.condition)
    )


def _new_edge(workflow: Workflow, planned: PlannedEdge, ids: Mapping[str, str]) -> Transition:
    return Transition(
        project_id=workflow.project_id,
        workflow_id=workflow.id,
        from_step_id=ids[planned.source],
        to_step_id=ids[planned.target],
        condition=planned.condition,
        priority=planned.priority,
        wait_outcome=planned.wait_outcome,
    )
