"""Events: stored, and in the same transaction everything that listens for them is set going.

Invariant I1: the event row, the enrolments and the wake-ups commit together or not at all.
Whoever calls `record` holds the lock on the contacts concerned, so that nobody else moves their
runs meanwhile; the worker takes the same lock before it claims a run (I4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from plunk.db import table_of
from plunk.engine.core import facts
from plunk.engine.core.signals import canonical_name
from plunk.ids import new_id
from plunk.models import Event
from plunk.services import enrolment, waking

INSERT = insert(table_of(Event))


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something that happened.

    `depth` counts the workflows that led to it one after another; `cause` is the run whose own
    step made it, which it therefore does not wake.
    """

    name: str
    contact: facts.Contact | None = None
    data: Mapping[str, Any] | None = None
    email_id: str | None = None
    depth: int = 0
    cause: str | None = None
    id: str = field(default_factory=new_id)


def record(
    session: Session, project_id: str, happened: Sequence[NewEvent], *, now: datetime
) -> None:
    """Store the events, wake the runs that wait for them and enrol contacts in what they start."""
    if not happened:
        return
    session.flush()
    rows = [_row(project_id, event, now) for event in happened]
    session.connection().execute(INSERT, rows if len(rows) > 1 else rows[0])
    attached = [event for event in happened if event.contact]
    waking.wake(session, attached, now=now)
    enrolment.enrol(session, project_id, attached, now=now)


def _row(project_id: str, event: NewEvent, now: datetime) -> dict[str, Any]:
    return {
        "id": event.id,
        "project_id": project_id,
        "contact_id": event.contact.id if event.contact else None,
        "email_id": event.email_id,
        "name": canonical_name(event.name),
        "data": event.data,
        "created_at": now,
    }
