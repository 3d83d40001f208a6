"""Enrolment: subjects enter workflows.

Invariant I2: the entry key decides who may enter. Without re-entry it is the subject, so one run
per (workflow, contact) can ever exist; with re-entry it is the event, so an event that is looked
at twice enrols once. The unique key on (workflow, entry key) keeps it under concurrency.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from plunk.db import insert_ignoring
from plunk.engine.core.signals import event_context
from plunk.ids import new_id
from plunk.models import Execution
from plunk.services.listening import Judge, Listener

if TYPE_CHECKING:
    from plunk.services.events import NewEvent


def enrol(
    session: Session,
    project_id: str,
    happened: Sequence[NewEvent],
    entries: Sequence[Listener],
    *,
    now: datetime,
) -> None:
    """Start every one of these workflows whose trigger one of the events meets."""
    judge = Judge(session, project_id, now)
    rows = [
        run_row(project_id, entry, event, now)
        for event in happened
        for entry in entries
        if _admits(judge, entry, event)
    ]
    if rows:
        session.execute(insert_ignoring(session, Execution, ["workflow_id", "entry_key"]), rows)


def run_row(project_id: str, entry: Listener, event: NewEvent, now: datetime) -> dict[str, Any]:
    """Return the row of a new run, due at once."""
    if event.contact is None:
        raise TypeError("only events with a contact enrol")
    return {
        "id": new_id(),
        "project_id": project_id,
        "workflow_id": entry.workflow_id,
        "dialect": entry.dialect,
        "contact_id": event.contact.id,
        "entry_key": event.id if entry.allow_reentry else event.contact.id,
        "revision": entry.revision,
        "status": "RUNNING",
        "current_step_id": entry.entry_step_id,
        "context": None if event.data is None else event_context(event.data),
        "depth": event.depth,
        "due_at": now,
        "started_at": now,
        "created_at": now,
        "updated_at": now,
    }


def _admits(judge: Judge, entry: Listener, event: NewEvent) -> bool:
    return (
        event.contact is not None
        and entry.hears(event)
        and judge.is_met(entry.condition, event.contact, event_context(event.data))
        and not _is_shut_out(judge, entry, event.contact.id)
    )


def _is_shut_out(judge: Judge, entry: Listener, contact_id: str) -> bool:
    """Tell whether earlier runs forbid another one; the caller's lock on the contact decides.

    The unique key alone would let people in again who entered while re-entry was still allowed.
    """
    if entry.allow_reentry and entry.reentry_seconds is None:
        return False
    earlier = exists().where(
        Execution.workflow_id == entry.workflow_id, Execution.contact_id == contact_id
    )
    if entry.allow_reentry and entry.reentry_seconds is not None:
        since = judge.now - timedelta(seconds=entry.reentry_seconds)
        earlier = earlier.where(Execution.started_at > since)
    return bool(judge.session.scalar(select(earlier)))
