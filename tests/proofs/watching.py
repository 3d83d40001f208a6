"""Watching: what must hold at the very moment of a commit, seen from another connection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, exists, select

from plunk.models import Contact, Event, Execution
from plunk.models.execution import ACTIVE_STATUSES
from plunk.models.workflow import ANYTHING
from plunk.services.tracking import Tracked, TrackRequest
from tests.proofs.ground import Ground

STARTS = {"go": "Once", "again": "Again", "poison": "Poisoned"}
RUN = (
    Execution.id,
    Execution.workflow_id,
    Execution.contact_id,
    Execution.entry_key,
    Execution.status,
    Execution.awaited_event,
    Execution.signal,
)
Ending = tuple[Any, ...]


class Broken(AssertionError):
    """An invariant that does not hold."""

    def __init__(self, invariant: str, reason: object) -> None:
        super().__init__(f"{invariant} is broken: {reason}")


def hold(invariant: str, is_kept: object, reason: object) -> None:
    """Raise Broken unless it is kept."""
    if not is_kept:
        raise Broken(invariant, reason)


@dataclass
class Watcher:
    """Remembers which runs an event has reached, and how runs have ended."""

    ground: Ground
    accepted: dict[str, TrackRequest] = field(default_factory=dict)  # by event
    merged: defaultdict[str, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    choices: dict[str, bool] = field(default_factory=dict)  # who wants mail, as last told
    reached: dict[str, str] = field(default_factory=dict)  # run → the first event that it got
    paying: set[str] = field(default_factory=set)  # runs which reached their goal
    ended: dict[str, Ending] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)  # events of sent messages
    is_poisoned: bool = False
    findings: list[Broken] = field(default_factory=list)  # what was seen inside of the product

    def __post_init__(self) -> None:
        for wire in self.ground.wires.values():
            wire.on_events = self.storing

    def tracked(self, done: Sequence[tuple[TrackRequest, Tracked]]) -> None:
        """See that events were committed together with the runs that they start and wake (I1)."""
        for request, event in done:
            self.accepted[event.event_id] = request
            self.merged[request.email].update(request.data or {})
            self.is_poisoned |= request.event == "poison"
        together = {event.event_id for _, event in done}
        for request, event in done:
            runs = self._runs(request, event)
            self._have_begun(runs, request, event)
            for run in runs:
                self._has_heard(run, request, event)
                if run.entry_key not in together:
                    self._has_watched(run, request)

    def _runs(self, request: TrackRequest, event: Tracked) -> Sequence[Row[Any]]:
        with self.ground.observer.connect() as connection:
            found = connection.execute(select(Event.id).where(Event.id == event.event_id)).all()
            hold("I1", found, f"the event {request.event} of {request.email} has no row")
            mine = select(*RUN).where(Execution.contact_id == event.contact_id)
            return connection.execute(mine).all()

    def _have_begun(self, runs: Sequence[Row[Any]], request: TrackRequest, event: Tracked) -> None:
        if request.event not in STARTS:
            return
        told = f"the event {request.event} of {request.email} started"
        keys = {event.event_id} | ({event.contact_id} if request.event == "go" else set())
        wanted = self.ground.workflows[STARTS[request.event]]
        begun = [one for one in runs if one.workflow_id == wanted and one.entry_key in keys]
        hold("I1", begun, f"{told} no run")
        hold("I2", len(begun) == 1, f"{told} {len(begun)} runs")

    def _has_heard(self, run: Row[Any], request: TrackRequest, event: Tracked) -> None:
        """See that the event has reached the run if it waits for it, or for what it brought."""
        name, email = request.event, request.email
        heard = {name, ANYTHING} if self.merged[email].get("isVip") else {name}
        if run.status == "WAITING" and run.awaited_event in heard:
            hold("I1", run.signal, f"the event {name} of {email} did not reach {run.id}")
        if run.signal and run.signal.get("id") == event.event_id:
            self.reached.setdefault(run.id, event.event_id)

    def _has_watched(self, run: Row[Any], request: TrackRequest) -> None:
        """See that the event has stopped the run, and note that the run has its goal by now."""
        if run.workflow_id == self.ground.workflows["Again"] and run.status in ACTIVE_STATUSES:
            hold("I1", request.event != "enough", f"{run.id} was not stopped")
            self.paying |= {run.id} if request.event == "paid" else set()

    def mailed(self) -> None:
        """See that messages which were just recorded as sent have reached who waits for that."""
        waiting = select(Execution.id).where(
            Execution.awaited_event == "email.sent",
            Execution.status == "WAITING",
            Execution.signal.is_(None),
            exists().where(
                Event.contact_id == Execution.contact_id,
                Event.name == "email.sent",
                Event.id.not_in(self.known),
            ),
        )
        with self.ground.observer.connect() as connection:
            missed = connection.execute(waiting).scalars().all()
            sent = select(Event.id).where(Event.name == "email.sent")
            self.known.update(connection.execute(sent).scalars())
        if missed:
            self.findings.append(Broken("I1", f"a sent message did not reach {missed}"))

    def storing(self, rows: str) -> None:
        """See that whoever is about to commit events holds the locks on their contacts (I4)."""
        if not self.ground.is_postgres:  # there is one lock for everything
            return
        free = select(Contact.id).with_for_update(key_share=True, skip_locked=True)
        with self.ground.observer.connect() as connection:
            found = [one for one in connection.scalars(free) if one in rows]
        if found:
            self.findings.append(Broken("I4", f"events of {found} are stored without their lock"))

    def cancelled(self, run_id: str) -> None:
        """Note that a cancellation was committed."""
        self.reached.pop(run_id, None)
        self.look()

    def look(self) -> None:
        """See that whatever has ended once is as it was then (I4)."""
        columns = (Execution.status, Execution.version, Execution.visit, Execution.completed_at)
        statement = select(Execution.id, *columns).where(Execution.completed_at.is_not(None))
        with self.ground.observer.connect() as connection:
            now = {row[0]: tuple(row[1:]) for row in connection.execute(statement)}
        for run_id, ending in self.ended.items():
            hold(
                "I4", now.get(run_id) == ending, f"{run_id} ended as {ending}, is {now.get(run_id)}"
            )
        self.ended.update(now)
