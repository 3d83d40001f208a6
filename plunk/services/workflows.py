"""Workflows: created, edited and shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from plunk.errors import BadRequest, WorkflowNotFound
from plunk.ids import new_id, parse_id
from plunk.models import Step, Template, Transition, Workflow
from plunk.models.workflow import TRIGGER_TYPES
from plunk.services import revisions, triggers, workflow_conditions, workflow_headers
from plunk.services.json_values import put_all
from plunk.services.workflow_graph import (
    Drawing,
    draw,
    get_workflow,
    lock_workflow,
    lock_workflows,
)
from plunk.services.workflow_locks import refuse_while_running
from plunk.values import UNSET, Unset

KINDS = TRIGGER_TYPES
MAX_NAME = 100
TRIGGER_POSITION = {"x": 100, "y": 100}


@dataclass(frozen=True, slots=True)
class WorkflowDraft:
    """A workflow to create, and the event that starts it."""

    name: str | None = None
    event_name: str | None = None
    description: str | None = None
    enabled: bool = False
    allow_reentry: bool = False
    stops: Sequence[Mapping[str, Any]] | None = None
    goals: Sequence[Mapping[str, Any]] | None = None
    timezone: Mapping[str, Any] | None = None
    quiet_hours: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class WorkflowChange:
    """What to change; UNSET leaves a field alone, `event_name` is short for a trigger config."""

    name: str | Unset = UNSET
    description: str | Unset | None = UNSET
    trigger_type: str | Unset = UNSET
    trigger_config: Mapping[str, Any] | Unset | None = UNSET
    event_name: str | Unset = UNSET
    enabled: bool | Unset = UNSET
    allow_reentry: bool | Unset = UNSET
    stops: Sequence[Mapping[str, Any]] | Unset | None = UNSET
    goals: Sequence[Mapping[str, Any]] | Unset | None = UNSET
    timezone: Mapping[str, Any] | Unset | None = UNSET
    quiet_hours: Mapping[str, Any] | Unset | None = UNSET
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True)
class StepView:
    """A step with its edges and the name of its template."""

    step: Step
    template: Mapping[str, str] | None
    outgoing: Sequence[Transition]
    incoming: Sequence[Transition]


@dataclass(frozen=True, slots=True)
class WorkflowView:
    """A workflow with its graph."""

    workflow: Workflow
    steps: Sequence[StepView]


def create(session: Session, project_id: str, draft: WorkflowDraft, *, now: datetime) -> Workflow:
    """Create a workflow with its TRIGGER step; BadRequest without a name or an event."""
    event_name = (draft.event_name or "").strip()
    if not draft.name or not event_name:
        raise BadRequest("name and eventName are required.")
    workflow = Workflow(
        id=new_id(),
        project_id=project_id,
        name=draft.name,
        description=draft.description,
        enabled=draft.enabled,
        trigger_type="EVENT",
        trigger_config={"eventName": event_name},
        allow_reentry=draft.allow_reentry,
        headers=workflow_headers.merged(None, _headers(session, project_id, draft)),
        revision=0,
        created_at=now,
        updated_at=now,
    )
    session.add(workflow)
    session.flush()
    session.add(new_trigger(workflow, event_name, now=now))
    revisions.cut(session, workflow, now=now)
    return workflow


def new_trigger(workflow: Workflow, event_name: str | None, *, now: datetime) -> Step:
    """Return the step where the runs of a workflow begin."""
    return Step(
        id=new_id(),
        project_id=workflow.project_id,
        workflow_id=workflow.id,
        type="TRIGGER",
        name=trigger_name(event_name),
        position=TRIGGER_POSITION,
        config={"eventName": event_name} if event_name else {},
        created_at=now,
        updated_at=now,
    )


def trigger_name(event_name: str | None) -> str:
    """Return the display name of a TRIGGER step."""
    return f"Trigger: {event_name or 'manual'}"[:MAX_NAME]


def show(session: Session, project_id: str, workflow_id: str) -> WorkflowView:
    """Return the workflow with its steps and edges; WorkflowNotFound when unknown."""
    drawing = draw(session, get_workflow(session, project_id, workflow_id))
    named = _template_names(session, drawing)
    return WorkflowView(
        drawing.workflow,
        [
            StepView(
                step,
                _template(step, named),
                drawing.ways_out(step.id),
                drawing.ways_in(step.id),
            )
            for step in drawing.steps
        ],
    )


def change(
    session: Session, project_id: str, workflow_id: str, wanted: WorkflowChange, *, now: datetime
) -> Workflow:
    """Edit a workflow; Conflict when its trigger would change under the feet of active runs."""
    workflow = lock_workflow(session, project_id, workflow_id, expected=wanted.expected_revision)
    config = _wanted_config(wanted)
    if not isinstance(config, Unset):
        config = workflow_conditions.settle_triggers(session, project_id, config)
    if not (isinstance(wanted.trigger_type, Unset) and isinstance(config, Unset)):
        refuse_while_running(session, workflow, what="trigger")
    if _apply(session, workflow, wanted, config, now):
        revisions.cut(session, workflow, now=now)
    if not isinstance(wanted.enabled, Unset) and wanted.enabled != workflow.enabled:
        workflow.enabled, workflow.updated_at = wanted.enabled, now
        session.flush()
    return workflow


def existing(session: Session, project_id: str, ids: Collection[str]) -> list[Workflow]:
    """Return all these workflows, locked; WorkflowNotFound when one of them is unknown."""
    found = lock_workflows(session, project_id, ids)
    known = {workflow.id for workflow in found}
    for wanted in ids:
        if parse_id(wanted) not in known:
            raise WorkflowNotFound(wanted)
    return found


def _wanted_config(wanted: WorkflowChange) -> Mapping[str, Any] | Unset | None:
    if not isinstance(wanted.trigger_config, Unset) or isinstance(wanted.event_name, Unset):
        return wanted.trigger_config
    return {"eventName": wanted.event_name.strip()}


def _apply(
    session: Session,
    workflow: Workflow,
    wanted: WorkflowChange,
    config: Mapping[str, Any] | Unset | None,
    now: datetime,
) -> bool:
    """Write everything but `enabled`; tell whether anything that a revision keeps changed."""
    values = {
        "name": wanted.name,
        "description": wanted.description,
        "trigger_type": wanted.trigger_type,
        "trigger_config": config,
        "headers": workflow_headers.merged(
            workflow.headers, _headers(session, workflow.project_id, wanted)
        ),
    }
    given = {key: value for key, value in values.items() if not isinstance(value, Unset)}
    changed = put_all(workflow, given)
    if not isinstance(wanted.allow_reentry, Unset):
        changed |= _set_reentry(workflow, allowed=wanted.allow_reentry)
    if not isinstance(config, Unset):
        changed |= _rename_trigger(session, workflow, now)
    return changed


def _headers(
    session: Session, project_id: str, given: WorkflowDraft | WorkflowChange
) -> dict[str, object | Unset]:
    watched = {
        name: workflow_conditions.settle_all(session, project_id, items)
        if isinstance(items, Sequence)
        else items
        for name, items in (("stops", given.stops), ("goals", given.goals))
    }
    return {
        **watched,
        "timezone": given.timezone,
        "quietHours": given.quiet_hours,
    }


def _set_reentry(workflow: Workflow, *, allowed: bool) -> bool:
    """Allow or forbid re-entry; a period that was set by text stays while nothing changes."""
    if workflow.allow_reentry == allowed:
        return False
    workflow.allow_reentry, workflow.reentry_seconds = allowed, None
    return True


def _rename_trigger(session: Session, workflow: Workflow, now: datetime) -> bool:
    event_name = triggers.first_event(workflow.trigger_config)
    trigger = draw(session, workflow).trigger
    if workflow.trigger_type != "EVENT" or event_name is None or trigger is None:
        return False
    name, config = trigger_name(event_name), {"eventName": event_name}
    if (trigger.name, trigger.config) == (name, config):
        return False
    trigger.name, trigger.config, trigger.updated_at = name, config, now
    return True


def _template_names(session: Session, drawing: Drawing) -> dict[str, str]:
    used = {step.template_id for step in drawing.steps if step.template_id}
    rows = session.execute(
        select(Template.id, Template.name).where(
            Template.project_id == drawing.workflow.project_id, Template.id.in_(used)
        )
    )
    return {row.id: row.name for row in rows}


def _template(step: Step, named: Mapping[str, str]) -> dict[str, str] | None:
    if step.template_id is None or step.template_id not in named:
        return None
    return {"id": step.template_id, "name": named[step.template_id]}
