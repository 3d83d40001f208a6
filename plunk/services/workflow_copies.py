"""Copies of workflows."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from plunk.ids import new_id
from plunk.models import Step, Transition, Workflow
from plunk.services import revisions
from plunk.services.workflow_graph import Drawing, draw, lock_workflow
from plunk.services.workflows import MAX_NAME

COPY_SUFFIX = " (Copy)"


def duplicate(session: Session, project_id: str, workflow_id: str, *, now: datetime) -> Workflow:
    """Copy a workflow with its graph; the copy is switched off and nobody is in it."""
    original = draw(session, lock_workflow(session, project_id, workflow_id))
    source = original.workflow
    copy = Workflow(
        id=new_id(),
        project_id=project_id,
        name=source.name[: MAX_NAME - len(COPY_SUFFIX)] + COPY_SUFFIX,
        description=source.description,
        enabled=False,
        trigger_type=source.trigger_type,
        trigger_config=source.trigger_config,
        headers=source.headers,
        allow_reentry=source.allow_reentry,
        reentry_seconds=source.reentry_seconds,
        revision=0,
        created_at=now,
        updated_at=now,
    )
    session.add(copy)
    session.flush()
    _copy_graph(session, original, copy, now)
    revisions.cut(session, copy, now=now)
    return copy


def _copy_graph(session: Session, original: Drawing, copy: Workflow, now: datetime) -> None:
    ids = {step.id: new_id() for step in original.steps}
    session.add_all(
        Step(
            id=ids[step.id],
            project_id=copy.project_id,
            workflow_id=copy.id,
            type=step.type,
            name=step.name,
            label=step.label,
            position=step.position,
            config=step.config,
            template_id=step.template_id,
            created_at=now + timedelta(microseconds=at),
            updated_at=now,
        )
        for at, step in enumerate(original.steps)
    )
    session.flush()
    session.add_all(
        Transition(
            project_id=copy.project_id,
            workflow_id=copy.id,
            from_step_id=ids[edge.from_step_id],
            to_step_id=ids[edge.to_step_id],
            condition=edge.condition,
            priority=edge.priority,
            wait_outcome=edge.wait_outcome,
            created_at=now + timedelta(microseconds=at),
            updated_at=now,
        )
        for at, edge in enumerate(original.transitions)
    )
