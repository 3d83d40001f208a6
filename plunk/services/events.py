"""Events: stored, and in the same transaction everything that listens for them is set going.

Invariant I1: the event row, the enrolments and the wake-ups commit together or not at all.
Whoever calls `record` holds the lock on the contacts concerned, so that nobody else moves their
runs meanwhile; the worker takes the same lock before it claims a run (I4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import structlog
from sqlalchemy.orm import Session

from plunk.engine.core import facts
from plunk.engine.core.signals import canonical_name
from plunk.ids import new_id
from plunk.models import Event
from plunk.models.workflow import ANYTHING
from plunk.services import concern, enrolment, waking, watching
from plunk.services.listening import Listener, listeners, names_of
from plunk.services.row_sets import insert_rows

log = structlog.get_logger()
MAX_DEPTH = 16  # I8: workflows that set each other going stop here


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something that happened.

    `depth` counts the workflows that led to it one after another; `cause` is the run whose own
    step made it, which it therefore does not wake. `also` are further names to listen under.
    """

    name: str
    contact: facts.Contact | None = None
    data: Mapping[str, Any] | None = None
    email_id: str | None = None
    depth: int = 0
    cause: str | None = None
    also: tuple[str, ...] = ()
    id: str = field(default_factory=new_id)


class Known(NamedTuple):
    """What the caller of `record` has asked before, while it held the contacts' locks."""

    heard: Sequence[Listener]
    is_awaited: bool


def record(
    session: Session,
    project_id: str,
    happened: Sequence[NewEvent],
    *,
    known: Known | None = None,
    now: datetime,
) -> None:
    """Store the events; stop, wake and start the runs that they concern, in this order."""
    if not happened:
        return
    session.flush()
    attached = [event for event in happened if event.contact]
    if known is None:
        known = _stored(session, project_id, happened, attached, now)
    else:
        store(session, project_id, happened, now=now)
    watches = [one for one in known.heard if one.kind != "start"]
    watching.meet(session, project_id, attached, watches, now=now)
    quick = [event for event in attached if _is_shallow(event)]
    if known.is_awaited:
        waking.wake(session, project_id, quick, now=now)
    starts = [one for one in known.heard if one.kind == "start"]
    enrolment.enrol(session, project_id, quick, starts, now=now)


def store(
    session: Session, project_id: str, happened: Sequence[NewEvent], *, now: datetime
) -> None:
    """Store events of which the caller knows that nothing listens or waits for them."""
    insert_rows(session, Event, [_row(project_id, event, now) for event in happened])


def _stored(
    session: Session,
    project_id: str,
    happened: Sequence[NewEvent],
    attached: Sequence[NewEvent],
    now: datetime,
) -> Known:
    """Store the events, and tell who listens or waits for those that have a contact."""
    names = {*names_of(attached), ANYTHING}
    if len(happened) == len(attached) == 1:
        row = _row(project_id, happened[0], now)
        is_heard, is_awaited = concern.store_and_ask(session, row, names)
    else:
        store(session, project_id, happened, now=now)
        is_heard = is_awaited = bool(attached)
    return Known(listeners(session, project_id, names) if is_heard else [], is_awaited)


def _is_shallow(event: NewEvent) -> bool:
    """Tell whether an event may set anything going: a chain of them has an end (I8)."""
    if event.depth <= MAX_DEPTH:
        return True
    log.warning("workflow.loop_stopped", event_id=event.id, depth=event.depth)
    return False


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
