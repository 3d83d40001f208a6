"""Enrolment: subjects enter workflows.

Invariant I2: the entry key decides who may enter. Without re-entry it is the subject, so one run
per (workflow, contact) can ever exist; with re-entry it is the event, so an event that is looked
at twice enrols once. The unique key on (workflow, entry key) keeps it under concurrency.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from plunk.db import table_of
from plunk.engine.core.signals import event_context
from plunk.ids import new_id
from plunk.models import Execution
from plunk.services import notices
from plunk.services.listening import Judge, Listener
from plunk.services.row_sets import insert_rows, is_among

if TYPE_CHECKING:
    from plunk.services.events import NewEvent

Pair: TypeAlias = tuple[str, str]  # workflow and contact


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
    coming = [
        (entry, event) for event in happened for entry in entries if _is_meant(judge, entry, event)
    ]
    known = _latest_starts(session, coming)
    rows = []
    for entry, event in coming:
        if not _is_shut_out(entry, known.get(_pair(entry, event)), now):
            rows.append(run_row(project_id, entry, event, now))
            known[_pair(entry, event)] = now
    if rows:
        insert_rows(session, Execution, rows, unique=["workflow_id", "entry_key"])
        notices.due(session, "runs")


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
        "visit": 0,
        "version": 0,
    }


def _is_meant(judge: Judge, entry: Listener, event: NewEvent) -> bool:
    return (
        event.contact is not None
        and entry.hears(event)
        and judge.is_met(entry.condition, event.contact, event_context(event.data))
    )


def _pair(entry: Listener, event: NewEvent) -> Pair:
    return entry.workflow_id, event.contact.id if event.contact else ""


def _latest_starts(
    session: Session, coming: Sequence[tuple[Listener, NewEvent]]
) -> dict[Pair, datetime]:
    """Return when the latest run began that may shut somebody out, by workflow and contact."""
    asking = [_pair(entry, event) for entry, event in coming if not _is_open(entry)]
    if not asking:
        return {}
    run = table_of(Execution)
    statement = (
        select(run.c.workflow_id, run.c.contact_id, func.max(run.c.started_at))
        .where(
            run.c.workflow_id.in_(sorted({workflow_id for workflow_id, _ in asking})),
            is_among(session, run.c.contact_id, {contact_id for _, contact_id in asking}),
        )
        .group_by(run.c.workflow_id, run.c.contact_id)
    )
    rows = session.connection().execute(statement)
    return {(workflow_id, contact_id): at for workflow_id, contact_id, at in rows}


def _is_open(entry: Listener) -> bool:
    return entry.allow_reentry and entry.reentry_seconds is None


def _is_shut_out(entry: Listener, latest: datetime | None, now: datetime) -> bool:
    """Tell whether earlier runs forbid another one; the caller's lock on the contact decides.

    The unique key alone would let people in again who entered while re-entry was still allowed.
    """
    if latest is None or _is_open(entry):
        return False
    if entry.allow_reentry and entry.reentry_seconds is not None:
        return latest > now - timedelta(seconds=entry.reentry_seconds)
    return True
