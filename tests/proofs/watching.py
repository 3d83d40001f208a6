"""Watching: what must hold at the very moment of a commit, seen from another connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from plunk.models import Event, Execution
from plunk.services.tracking import Tracked
from tests.proofs.ground import Ground

STARTS = {"go": "Once", "again": "Again", "poison": "Poisoned"}
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
    accepted: list[str] = field(default_factory=list)
    reached: dict[str, str] = field(default_factory=dict)  # run → the event that it got
    ended: dict[str, Ending] = field(default_factory=dict)
    is_poisoned: bool = False

    def tracked(self, name: str, email: str, done: Tracked) -> None:
        """See that an event was committed together with the runs that it starts and wakes (I1)."""
        self.accepted.append(done.event_id)
        self.is_poisoned |= name == "poison"
        with self.ground.observer.connect() as connection:
            found = connection.execute(select(Event.id).where(Event.id == done.event_id)).all()
            hold("I1", found, f"the event {name} of {email} has no row")
            mine = select(
                Execution.id,
                Execution.workflow_id,
                Execution.entry_key,
                Execution.status,
                Execution.awaited_event,
                Execution.signal,
            ).where(Execution.contact_id == done.contact_id)
            runs = connection.execute(mine).all()
        if name in STARTS:
            keys = {done.event_id, done.contact_id} if name == "go" else {done.event_id}
            wanted = self.ground.workflows[STARTS[name]]
            begun = [one for one in runs if one.workflow_id == wanted and one.entry_key in keys]
            hold("I1", begun, f"the event {name} of {email} started no run")
            hold("I2", len(begun) == 1, f"the event {name} of {email} started {len(begun)} runs")
        for run in runs:
            if run.status == "WAITING" and run.awaited_event == name:
                hold("I1", run.signal, f"the event {name} of {email} did not reach {run.id}")
            if run.signal and run.signal.get("id") == done.event_id:
                self.reached[run.id] = done.event_id

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
