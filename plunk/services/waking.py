"""Waking: events reach the runs that wait for them.

Invariant I4: an event and a time-out cannot both win. The event leaves its signal on a waiting
run that has none; a worker that claims the run later sees either the signal or only the deadline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from plunk.clock import iso
from plunk.engine.core import facts
from plunk.engine.core.signals import canonical_name, event_context
from plunk.models import Execution
from plunk.services.listening import is_met

if TYPE_CHECKING:
    from plunk.services.events import NewEvent


class Sleeper(NamedTuple):
    """A run that waits for an event."""

    id: str
    contact_id: str
    awaited_event: str
    awaited_where: dict[str, Any] | None
    context: dict[str, Any] | None


def wake(session: Session, happened: Sequence[NewEvent], *, now: datetime) -> None:
    """Leave each event with the runs of its own contact that wait for it; the first one wins."""
    sleepers = _sleepers(session, happened)
    signals: dict[str, dict[str, Any]] = {}
    for event in happened:
        for sleeper in sleepers:
            if sleeper.id not in signals and _wakes(event, sleeper, now):
                signals[sleeper.id] = _signal(event, now)
    if signals:
        session.connection().execute(
            update(Execution)
            .where(Execution.id == bindparam("run_id"), Execution.status == "WAITING")
            .values(
                signal=bindparam("left"),
                due_at=now,
                version=Execution.version + 1,
                updated_at=now,
            ),
            [{"run_id": run_id, "left": signal} for run_id, signal in signals.items()],
        )


def _sleepers(session: Session, happened: Sequence[NewEvent]) -> list[Sleeper]:
    contacts = sorted({event.contact.id for event in happened if event.contact})
    if not contacts:
        return []
    rows = session.execute(
        select(
            Execution.id,
            Execution.contact_id,
            Execution.awaited_event,
            Execution.awaited_where,
            Execution.context,
        )
        .where(
            Execution.contact_id.in_(contacts),
            Execution.awaited_event.in_({canonical_name(event.name) for event in happened}),
            Execution.status == "WAITING",
            Execution.signal.is_(None),
        )
        .order_by(Execution.id)
        .with_for_update(key_share=True)
    )
    return [Sleeper(*row) for row in rows]


def _wakes(event: NewEvent, sleeper: Sleeper, now: datetime) -> bool:
    if event.contact is None or event.contact.id != sleeper.contact_id:
        return False
    if canonical_name(event.name) != sleeper.awaited_event:
        return False
    context: Mapping[str, object] = {**(sleeper.context or {}), **event_context(event.data)}
    known = facts.Facts(event.contact, event=context, now=now)
    return is_met(sleeper.awaited_where, known)


def _signal(event: NewEvent, now: datetime) -> dict[str, Any]:
    return {
        "type": "event",
        "id": event.id,
        "name": canonical_name(event.name),
        "data": event.data,
        "at": iso(now),
    }
