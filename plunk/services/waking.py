"""Waking: events reach the runs that wait for them, and changes those that wait for a condition.

Invariant I4: an event and a time-out cannot both win. The event leaves its signal on a waiting
run that has none; a worker that claims the run later sees either the signal or only the deadline.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.orm import Session

from plunk.clock import iso, iso_or_none
from plunk.db import is_postgres, table_of
from plunk.engine.core import facts
from plunk.engine.core.run import Run
from plunk.engine.core.signals import canonical_name, event_context
from plunk.models import Execution
from plunk.models.workflow import ANYTHING
from plunk.services import notices
from plunk.services.listening import Judge
from plunk.services.row_sets import is_one_of

if TYPE_CHECKING:
    from plunk.services.events import NewEvent

Signal = dict[str, Any]


class Sleeper(NamedTuple):
    """A run that waits; its condition may also ask about the run itself."""

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


@cache
def _waiting(*, arrays: bool) -> Select[*tuple[Any, ...]]:
    run = table_of(Execution)
    return (
        select(*(run.c[name] for name in Sleeper._fields))
        .where(
            is_one_of(run.c.contact_id, "contacts", arrays=arrays),
            is_one_of(run.c.awaited_event, "names", arrays=arrays),
            run.c.status == "WAITING",
            run.c.signal.is_(None),
        )
        .order_by(run.c.id)
        .with_for_update(key_share=True)
    )


def wake(session: Session, project_id: str, happened: Sequence[NewEvent], *, now: datetime) -> None:
    """Leave each event with the runs of its own contact that wait for it; the first one wins.

    Any event is a reason to look at what the contact's other runs wait for.
    """
    judge = Judge(session, project_id, now)
    names = {canonical_name(event.name) for event in happened}
    sleepers: dict[str, list[Sleeper]] = {}  # by contact
    contacts = {event.contact.id for event in happened if event.contact}
    for sleeper in _sleepers(session, contacts, names):
        sleepers.setdefault(sleeper.contact_id, []).append(sleeper)
    signals: dict[str, Signal] = {}
    for event in happened:
        for sleeper in sleepers.get(event.contact.id, ()) if event.contact else ():
            if sleeper.id not in signals and _wakes(judge, event, sleeper):
                signals[sleeper.id] = _signal(event, sleeper, now)
    _leave(session, signals, now)


def waiting(session: Session, contacts: Collection[str], names: Collection[str]) -> set[str]:
    """Return those of the contacts who have a run that one of these events might wake."""
    statement = _awaiting(arrays=is_postgres(session))
    wanted = {"contacts": list(contacts), "names": sorted({*names, ANYTHING})}
    found = session.connection().execute(statement, wanted).scalars()
    return {contact_id for contact_id in found if contact_id is not None}


@cache
def _awaiting(*, arrays: bool) -> Select[str | None]:
    run = table_of(Execution).c
    return select(run.contact_id).where(
        is_one_of(run.contact_id, "contacts", arrays=arrays),
        is_one_of(run.awaited_event, "names", arrays=arrays),
        run.status == "WAITING",
        run.signal.is_(None),
    )


def look(
    session: Session,
    project_id: str,
    contacts: Mapping[str, facts.Contact],
    *,
    depth: int = 0,
    now: datetime,
) -> None:
    """Wake the runs of these contacts that wait for a condition which holds by now."""
    judge = Judge(session, project_id, now)
    _leave(
        session,
        {
            sleeper.id: _look(sleeper, depth, now)
            for sleeper in _sleepers(session, contacts.keys(), set())
            if _holds(judge, sleeper, contacts[sleeper.contact_id])
        },
        now,
    )


def _sleepers(session: Session, contacts: Collection[str], names: set[str]) -> list[Sleeper]:
    if not contacts:
        return []
    wanted = {"contacts": sorted(contacts), "names": sorted({*names, ANYTHING})}
    statement = _waiting(arrays=is_postgres(session))
    return [Sleeper(*row) for row in session.connection().execute(statement, wanted)]


def _wakes(judge: Judge, event: NewEvent, sleeper: Sleeper) -> bool:
    if event.contact is None or event.contact.id != sleeper.contact_id:
        return False
    if sleeper.awaited_event == ANYTHING:
        return _holds(judge, sleeper, event.contact)
    if event.cause == sleeper.id or canonical_name(event.name) != sleeper.awaited_event:
        return False
    arrived = event_context(event.data)
    return judge.is_met(sleeper.awaited_where, event.contact, arrived, sleeper.run())


def _holds(judge: Judge, sleeper: Sleeper, contact: facts.Contact) -> bool:
    return judge.is_met(sleeper.awaited_where, contact, sleeper.context, sleeper.run())


def _signal(event: NewEvent, sleeper: Sleeper, now: datetime) -> Signal:
    if sleeper.awaited_event == ANYTHING:
        return _look(sleeper, event.depth, now)
    return {
        "type": "event",
        "id": event.id,
        "name": canonical_name(event.name),
        "data": event.data,
        "at": iso(now),
        "depth": event.depth,
        "deadline": iso_or_none(sleeper.due_at),
    }


def _look(sleeper: Sleeper, depth: int, now: datetime) -> Signal:
    return {
        "type": "look",
        "at": iso(now),
        "depth": depth,
        "deadline": iso_or_none(sleeper.due_at),
    }


def _leave(session: Session, signals: Mapping[str, Signal], now: datetime) -> None:
    if not signals:
        return
    notices.due(session, "runs")
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
