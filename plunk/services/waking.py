"""Waking: events reach the runs that wait for them.

Invariant I4: an event and a time-out cannot both win. The event leaves its signal on a waiting
run that has none; a worker that claims the run later sees either the signal or only the deadline.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.orm import Session

from plunk.clock import iso, iso_or_none
from plunk.db import table_of
from plunk.engine.core import facts
from plunk.engine.core.run import Run
from plunk.engine.core.signals import canonical_name, event_context
from plunk.models import Execution
from plunk.services.listening import is_met

if TYPE_CHECKING:
    from plunk.services.events import NewEvent


class Sleeper(NamedTuple):
    """A run that waits for an event; its condition may also ask about the run itself."""

    id: str
    workflow_id: str
    revision: int
    started_at: datetime
    contact_id: str
    awaited_event: str
    awaited_where: dict[str, Any] | None
    context: dict[str, Any] | None
    variables: dict[str, Any] | None
    due_at: datetime | None

    def run(self) -> Run:
        """Return the run as conditions see it."""
        return Run(
            self.id,
            self.workflow_id,
            self.revision,
            self.started_at,
            context=self.context,
            variables=self.variables or {},
        )


def _waiting() -> Select[*tuple[Any, ...]]:
    run = table_of(Execution)
    return (
        select(*(run.c[name] for name in Sleeper._fields))
        .where(
            run.c.contact_id.in_(bindparam("contacts", expanding=True)),
            run.c.awaited_event.in_(bindparam("names", expanding=True)),
            run.c.status == "WAITING",
            run.c.signal.is_(None),
        )
        .order_by(run.c.id)
        .with_for_update(key_share=True)
    )


SLEEPERS = _waiting()  # built once: every event runs it


def wake(session: Session, happened: Sequence[NewEvent], *, now: datetime) -> None:
    """Leave each event with the runs of its own contact that wait for it; the first one wins."""
    sleepers = _sleepers(session, happened)
    signals: dict[str, dict[str, Any]] = {}
    for event in happened:
        for sleeper in sleepers:
            if sleeper.id not in signals and _wakes(event, sleeper, now):
                signals[sleeper.id] = _signal(event, sleeper, now)
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
    names = sorted({canonical_name(event.name) for event in happened})
    rows = session.connection().execute(SLEEPERS, {"contacts": contacts, "names": names})
    return [Sleeper(*row) for row in rows]


def _wakes(event: NewEvent, sleeper: Sleeper, now: datetime) -> bool:
    if event.contact is None or event.contact.id != sleeper.contact_id:
        return False
    if event.cause == sleeper.id or canonical_name(event.name) != sleeper.awaited_event:
        return False
    arrived = event_context(event.data)
    known = facts.Facts(event.contact, run=sleeper.run(), event=arrived, now=now)
    return is_met(sleeper.awaited_where, known)


def _signal(event: NewEvent, sleeper: Sleeper, now: datetime) -> dict[str, Any]:
    return {
        "type": "event",
        "id": event.id,
        "name": canonical_name(event.name),
        "data": event.data,
        "at": iso(now),
        "deadline": iso_or_none(sleeper.due_at),
    }
