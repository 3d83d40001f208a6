"""The people of a world, what has happened to them, and the runs that they are on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from plunk.conditions.history import StoredEmail, StoredEvent
from plunk.engine.core.facts import NEVER, Contact
from plunk.engine.core.progress import Visit
from plunk.engine.core.run import Run
from plunk.engine.core.signals import Entered, Signal, TimerFired
from plunk.simulation.catalogue import Flow


@dataclass(slots=True, eq=False)
class Person:
    """A contact with its past."""

    contact: Contact
    past: dict[str, list[StoredEvent]] = field(default_factory=dict)
    mails: list[StoredEmail] = field(default_factory=list)
    segments: set[str] = field(default_factory=set)
    walkers: list[Walker] = field(default_factory=list)
    entries: set[tuple[str, str]] = field(default_factory=set)  # workflow, entry key (I2)
    heard_at: datetime = NEVER  # when the last event was about the person
    dates: dict[tuple[str, int], datetime] = field(default_factory=dict)  # occasion → next look

    def events(self, name: str) -> Iterable[StoredEvent]:
        """Return the events of a name."""
        return self.past.get(name, ())

    def walking(self) -> list[Walker]:
        """Return the runs that are under way, oldest first."""
        return [walker for walker in self.walkers if not walker.run.is_over]


@dataclass(slots=True, eq=False)
class Walker:
    """A run under way, and everything it has done so far.

    `signal` is what arrived for it and is not yet worked in; `wakes_at` is when it is looked at
    next, which is `run.due_at` unless looking then could not find anything new.
    """

    number: int
    flow: Flow
    person: Person
    run: Run
    signal: Signal | None = None
    wakes_at: datetime | None = None
    visits: dict[int, Visit] = field(default_factory=dict)
    goals: list[str] = field(default_factory=list)

    def take_signal(self) -> Signal:
        """Return what the run is looked at for; it is then worked in."""
        signal, self.signal = self.signal, None
        if signal is not None:
            return signal
        return Entered() if self.run.visit == 0 else TimerFired()

    @property
    def error(self) -> str | None:
        """Why the run has failed, if it has."""
        errors = (visit.error for visit in self.visits.values() if visit.status == "FAILED")
        return next(errors, None)


def id_of(email: str) -> str:
    """Return an id for an address: always the same one, so that splits fall alike."""
    text = sha256(email.encode()).hexdigest()
    return f"{text[:8]}-{text[8:12]}-7{text[13:16]}-8{text[17:20]}-{text[20:32]}"
