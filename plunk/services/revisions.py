"""Revisions: every structural change of a workflow is stored as a new, immutable graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from plunk.conditions.operators.workflow import OPERATORS
from plunk.conditions.tree import from_json
from plunk.engine.core.signals import canonical_name
from plunk.errors import FieldProblem, Invalid
from plunk.models import Revision, Step, Transition, Trigger, Workflow
from plunk.services.workflow_graph import Drawing, draw

MAX_EVENT_NAME = 255
MAX_TRIGGERS = 50


@dataclass(frozen=True, slots=True)
class EventTrigger:
    """One event that starts a workflow, and the condition tree it must meet."""

    event_name: str
    where: dict[str, Any] | None = None


def cut(session: Session, workflow: Workflow, *, now: datetime, source: str | None = None) -> None:
    """Store the graph as the workflow's next revision, and listen for what starts it.

    The caller holds the lock on the workflow. `source` is the text the graph was made from.
    """
    session.flush()
    drawing = draw(session, workflow)
    workflow.revision += 1
    workflow.updated_at = now
    session.add(
        Revision(
            workflow_id=workflow.id,
            number=workflow.revision,
            project_id=workflow.project_id,
            graph=snapshot(drawing),
            source=source,
            created_at=now,
        )
    )
    _listen(session, drawing)
    session.flush()


def current_source(session: Session, workflow: Workflow) -> str | None:
    """Return the text the current revision was made from, or None when it was made otherwise."""
    return session.scalar(
        select(Revision.source).where(
            Revision.workflow_id == workflow.id, Revision.number == workflow.revision
        )
    )


def snapshot(drawing: Drawing) -> dict[str, Any]:
    """Return the graph as runs follow it."""
    return {
        "workflowId": drawing.workflow.id,
        "revision": drawing.workflow.revision,
        "name": drawing.workflow.name,
        "dialect": drawing.workflow.dialect,
        "steps": [_step_json(step) for step in drawing.steps],
        "transitions": [_transition_json(edge) for edge in drawing.transitions],
    }


def event_triggers(config: Mapping[str, Any] | None) -> list[EventTrigger]:
    """Return the events a trigger configuration names; Invalid when it cannot be understood."""
    match (config or {}).get("triggers"):
        case None:
            name = (config or {}).get("eventName")
            return [EventTrigger(_event_name(name, "triggerConfig.eventName"))] if name else []
        case list() as items if len(items) <= MAX_TRIGGERS:
            named = [(at, item) for at, item in enumerate(items) if _is_event(item, at)]
            return [_event_trigger(item, f"triggerConfig.triggers.{at}") for at, item in named]
    raise _invalid("triggerConfig.triggers", f"Expected an array of at most {MAX_TRIGGERS}")


def _is_event(item: object, at: int) -> bool:
    if not isinstance(item, dict):
        raise _invalid(f"triggerConfig.triggers.{at}", "Expected an object")
    return item.get("type") == "event"


def _event_trigger(item: Mapping[str, Any], at: str) -> EventTrigger:
    where = item.get("where")
    if where is not None:
        from_json(where, OPERATORS)
    return EventTrigger(_event_name(item.get("eventName"), f"{at}.eventName"), where)


def _event_name(name: object, at: str) -> str:
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_EVENT_NAME:
        raise _invalid(at, f"Expected a text of 1 to {MAX_EVENT_NAME} characters")
    return name


def _invalid(field: str, message: str) -> Invalid:
    return Invalid([FieldProblem(field, message, "invalid_type")])


def _listen(session: Session, drawing: Drawing) -> None:
    workflow = drawing.workflow
    wanted = _triggers(drawing)
    stored = session.execute(
        select(Trigger.event_name, Trigger.entry_step_id, Trigger.condition)
        .where(Trigger.workflow_id == workflow.id)
        .order_by(Trigger.id)
    ).all()
    if [tuple(row) for row in stored] == wanted:
        return
    session.execute(delete(Trigger).where(Trigger.workflow_id == workflow.id))
    for event_name, entry_step_id, condition in wanted:
        session.add(
            Trigger(
                project_id=workflow.project_id,
                workflow_id=workflow.id,
                entry_step_id=entry_step_id,
                event_name=event_name,
                condition=condition,
            )
        )


def _triggers(drawing: Drawing) -> list[tuple[str, str, dict[str, Any] | None]]:
    named = event_triggers(drawing.workflow.trigger_config)
    if drawing.workflow.trigger_type != "EVENT" or drawing.trigger is None:
        return []
    entry = drawing.trigger.id
    return [(canonical_name(one.event_name), entry, one.where) for one in named]


def _step_json(step: Step) -> dict[str, Any]:
    return {
        "id": step.id,
        "type": step.type,
        "name": step.name,
        "label": step.label,
        "config": step.config,
        "templateId": step.template_id,
    }


def _transition_json(edge: Transition) -> dict[str, Any]:
    return {
        "id": edge.id,
        "fromStepId": edge.from_step_id,
        "toStepId": edge.to_step_id,
        "condition": edge.condition,
        "priority": edge.priority,
        "waitOutcome": edge.wait_outcome,
    }
