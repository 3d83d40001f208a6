"""Revisions: every structural change of a workflow is stored as a new, immutable graph."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from plunk.models import Revision, Step, Transition, Workflow
from plunk.services import triggers
from plunk.services.workflow_graph import Drawing, draw


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
    triggers.listen(session, drawing, now=now)
    session.flush()


def keep_source(session: Session, workflow: Workflow, source: str) -> None:
    """Note down other words for the graph of the current revision, which stays as it is."""
    session.execute(
        update(Revision)
        .where(
            Revision.workflow_id == workflow.id,
            Revision.number == workflow.revision,
            Revision.source.is_distinct_from(source),
        )
        .values(source=source),
        execution_options={"synchronize_session": False},
    )


def current_source(session: Session, workflow: Workflow) -> str | None:
    """Return the text the current revision was made from, or None when it was made otherwise."""
    return current_sources(session, [workflow]).get(workflow.id)


def current_sources(session: Session, workflows: Iterable[Workflow]) -> dict[str, str]:
    """Return the texts that current revisions were made from, by workflow, where there is one."""
    rows = session.execute(
        select(Revision.workflow_id, Revision.source)
        .join(Workflow, Workflow.id == Revision.workflow_id)
        .where(
            Revision.workflow_id.in_([one.id for one in workflows]),
            Revision.number == Workflow.revision,
            Revision.source.is_not(None),
        )
    )
    return {row.workflow_id: row.source for row in rows}


def snapshot(drawing: Drawing) -> dict[str, Any]:
    """Return the graph as runs follow it."""
    return {
        "workflowId": drawing.workflow.id,
        "revision": drawing.workflow.revision,
        "name": drawing.workflow.name,
        "dialect": drawing.workflow.dialect,
        "headers": drawing.workflow.headers,
        "steps": [_step_json(step) for step in drawing.steps],
        "transitions": [_transition_json(edge) for edge in drawing.transitions],
    }


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
