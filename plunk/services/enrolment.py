"""Enrolment: subjects enter workflows.

Invariant I2: the entry key decides who may enter. Without re-entry it is the subject, so one run
per (workflow, contact) can ever exist; with re-entry it is the event, so an event that is looked
at twice enrols once. The unique key on (workflow, entry key) keeps it under concurrency.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import Select, bindparam, exists, select
from sqlalchemy.orm import Session

from plunk.db import insert_ignoring, table_of
from plunk.engine.core import facts
from plunk.engine.core.signals import canonical_name, event_context
from plunk.ids import new_id
from plunk.models import Execution, Trigger, Workflow
from plunk.services.listening import is_met

if TYPE_CHECKING:
    from plunk.services.events import NewEvent

log = structlog.get_logger()
MAX_DEPTH = 16  # I8: workflows that start each other stop here


def _listening() -> Select[Any, Any, Any, Any, Any, Any, Any, Any]:
    trigger, workflow = table_of(Trigger), table_of(Workflow)
    return (
        select(
            trigger.c.workflow_id,
            workflow.c.dialect,
            trigger.c.entry_step_id,
            trigger.c.event_name,
            trigger.c.condition,
            workflow.c.revision,
            workflow.c.allow_reentry,
            workflow.c.reentry_seconds,
        )
        .join_from(trigger, workflow, workflow.c.id == trigger.c.workflow_id)
        .where(
            trigger.c.project_id == bindparam("project_id"),
            trigger.c.event_name.in_(bindparam("names", expanding=True)),
            workflow.c.enabled,
        )
        .order_by(trigger.c.workflow_id, trigger.c.id)
        # Whoever edits or deletes a workflow waits for us here, or we for them: never half-way.
        .with_for_update(read=True, key_share=True, of=workflow)
    )


ENTRIES = _listening()  # built once: every event runs it


@dataclass(frozen=True, slots=True)
class Entry:
    """One workflow that an event may start."""

    workflow_id: str
    dialect: str
    entry_step_id: str
    event_name: str
    condition: dict[str, Any] | None
    revision: int
    allow_reentry: bool
    reentry_seconds: int | None


def enrol(
    session: Session, project_id: str, happened: Sequence[NewEvent], *, now: datetime
) -> None:
    """Start every enabled workflow whose trigger one of these events meets."""
    entries = _entries(session, project_id, {canonical_name(event.name) for event in happened})
    rows = [
        run_row(project_id, entry, event, now)
        for event in happened
        if _is_shallow(event)
        for entry in entries
        if _admits(session, entry, event, now)
    ]
    if rows:
        session.execute(insert_ignoring(session, Execution, ["workflow_id", "entry_key"]), rows)


def run_row(project_id: str, entry: Entry, event: NewEvent, now: datetime) -> dict[str, Any]:
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


def _entries(session: Session, project_id: str, names: set[str]) -> list[Entry]:
    if not names:
        return []
    known = {"project_id": project_id, "names": sorted(names)}
    rows = session.connection().execute(ENTRIES, known)
    return [Entry(*row) for row in rows]


def _is_shallow(event: NewEvent) -> bool:
    if event.depth <= MAX_DEPTH:
        return True
    log.warning("workflow.loop_stopped", event_id=event.id, depth=event.depth)
    return False


def _admits(session: Session, entry: Entry, event: NewEvent, now: datetime) -> bool:
    return (
        entry.event_name == canonical_name(event.name)
        and _meets(entry, event, now)
        and not _is_shut_out(session, entry, event, now)
    )


def _meets(entry: Entry, event: NewEvent, now: datetime) -> bool:
    if event.contact is None:
        return False
    known = facts.Facts(event.contact, event=event_context(event.data), now=now)
    return is_met(entry.condition, known)


def _is_shut_out(session: Session, entry: Entry, event: NewEvent, now: datetime) -> bool:
    """Tell whether earlier runs forbid another one; the caller's lock on the contact decides.

    The unique key alone would let people in again who entered while re-entry was still allowed.
    """
    if event.contact is None or (entry.allow_reentry and entry.reentry_seconds is None):
        return False
    earlier = exists().where(
        Execution.workflow_id == entry.workflow_id, Execution.contact_id == event.contact.id
    )
    if entry.allow_reentry and entry.reentry_seconds is not None:
        since = now - timedelta(seconds=entry.reentry_seconds)
        earlier = earlier.where(Execution.started_at > since)
    return bool(session.scalar(select(earlier)))
