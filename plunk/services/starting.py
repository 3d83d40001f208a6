"""Starting by hand: a contact is sent through a workflow without an event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from plunk.db import insert_ignoring
from plunk.errors import BadRequest, Conflict, ContactNotFound
from plunk.ids import NO_ID, new_id, parse_id
from plunk.models import Contact, Execution, Workflow
from plunk.services import notices
from plunk.services.workflow_graph import draw, get_workflow, hold_workflow


@dataclass(frozen=True, slots=True)
class Start:
    """Whom to send through a workflow by hand, and with what."""

    contact_id: str | None = None
    context: Mapping[str, Any] | None = None


def start(
    session: Session, project_id: str, workflow_id: str, wanted: Start, *, now: datetime
) -> Execution:
    """Enrol a contact by hand; Conflict when re-entry rules keep the contact out."""
    if wanted.contact_id is None:
        raise BadRequest("contactId is required.")
    get_workflow(session, project_id, workflow_id)
    contact_id = _lock_contact(session, project_id, wanted.contact_id)
    workflow = hold_workflow(session, project_id, workflow_id)
    if not workflow.enabled:
        raise BadRequest("The workflow is disabled; enable it first.")
    _refuse_reentry(session, workflow, contact_id, now)
    trigger = draw(session, workflow).trigger
    if trigger is None:
        raise BadRequest("The workflow has no TRIGGER step to start from.")
    row = _new_row(workflow, contact_id, trigger.id, wanted.context, now)
    statement = insert_ignoring(session, Execution, ["workflow_id", "entry_key"])
    run = session.scalars(statement.returning(Execution), [row]).one_or_none()
    if run is None:
        raise _already_entered()
    notices.due(session, "runs")
    return run


def _lock_contact(session: Session, project_id: str, contact_id: str) -> str:
    """Lock the contact, as everybody does who moves its runs (I4)."""
    found = session.scalar(
        select(Contact.id)
        .where(Contact.project_id == project_id, Contact.id == (parse_id(contact_id) or NO_ID))
        .with_for_update(key_share=True)
    )
    if found is None:
        raise ContactNotFound(contact_id)
    return found


def _refuse_reentry(session: Session, workflow: Workflow, contact_id: str, now: datetime) -> None:
    earlier = exists().where(
        Execution.workflow_id == workflow.id, Execution.contact_id == contact_id
    )
    if workflow.allow_reentry and workflow.reentry_seconds is None:
        return
    if workflow.allow_reentry and workflow.reentry_seconds is not None:
        since = now - timedelta(seconds=workflow.reentry_seconds)
        earlier = earlier.where(Execution.started_at > since)
    if session.scalar(select(earlier)):
        raise _already_entered()


def _already_entered() -> Conflict:
    return Conflict("The contact has already been in this workflow and may not enter again.")


def _new_row(
    workflow: Workflow,
    contact_id: str,
    step_id: str,
    context: Mapping[str, Any] | None,
    now: datetime,
) -> dict[str, Any]:
    run_id = new_id()
    return {
        "id": run_id,
        "project_id": workflow.project_id,
        "workflow_id": workflow.id,
        "dialect": workflow.dialect,
        "contact_id": contact_id,
        "entry_key": run_id if workflow.allow_reentry else contact_id,  # I2
        "revision": workflow.revision,
        "status": "RUNNING",
        "current_step_id": step_id,
        "context": None if context is None else dict(context),
        "due_at": now,
        "started_at": now,
        "created_at": now,
        "updated_at": now,
    }
