"""A world: people, the workflows of one bundle, and everything that happens among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from plunk.engine.core import facts
from plunk.engine.core.zones import find_zone
from plunk.errors import BadRequest
from plunk.rendering import render
from plunk.services.variables import workflow_variables
from plunk.simulation.catalogue import Catalogue, Flow
from plunk.simulation.mocks import Mocks
from plunk.simulation.outbox import DASHBOARD, Call, Mail
from plunk.simulation.people import Person, Walker
from plunk.simulation.timeline import Entry

MAX_DEPTH = 16  # I8: workflows that set each other going stop here, as in the product


class TooMuch(BadRequest):
    """A simulation takes more than it may."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may happen in a world; what runs away ends with TooMuch.

    `characters` are those of calls, and of the texts in a story; `is_late` tells when it has taken
    too long.
    """

    visits: int = 200_000
    mails: int = 200_000
    characters: int = 500_000_000
    is_late: Callable[[], bool] | None = None


@dataclass(slots=True, eq=False)
class Event:
    """Something that happened to somebody; `cause` is the run whose step made it."""

    name: str
    person: Person
    contact: facts.Contact
    data: Mapping[str, Any] | None = None
    depth: int = 0
    cause: Walker | None = None
    also: tuple[str, ...] = ()
    is_outside: bool = False
    at: datetime = facts.NEVER
    number: int = 0


@dataclass(slots=True, eq=False)
class World:
    """Everything there is; `now` moves only when somebody moves it."""

    catalogue: Catalogue
    now: datetime
    zone: str = "UTC"
    limits: Limits = Limits()
    mocks: Mocks = field(default_factory=Mocks)
    people: dict[str, Person] = field(default_factory=dict)  # by address
    walkers: list[Walker] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    timeline: list[Entry] = field(default_factory=list)
    began_at: datetime = facts.NEVER
    visits: int = 0
    written: int = 0
    # What is due: runs, looks at tracked segments, ticks of schedules, looks at dates.
    due: list[tuple[datetime, int, Walker]] = field(default_factory=list)
    checks: list[tuple[datetime, int, Person]] = field(default_factory=list)
    ticks: list[tuple[datetime, int, Flow, int]] = field(default_factory=list)
    dates: list[tuple[datetime, int, Person, Flow, int]] = field(default_factory=list)
    # The turn of the tracked segments: which are left in it, and who is to be looked at.
    turn_at: datetime | None = None
    turn_left: list[str] = field(default_factory=list)
    turn_people: dict[int, Person] = field(default_factory=dict)
    heard: dict[int, Person] = field(default_factory=dict)  # whom recent events were about
    unsent: list[Mail] = field(default_factory=list)
    uncalled: list[Call] = field(default_factory=list)
    touched: dict[int, Person] = field(default_factory=dict)
    order: count[int] = field(default_factory=count)
    shared: dict[str, facts.World] = field(default_factory=dict)

    def tell(self, kind: str, text: str, walker: Walker | None = None, **more: Any) -> None:  # noqa: ANN401 - members of Entry
        """Write something down."""
        name, run = (walker.flow.name, walker.number) if walker else (None, None)
        self.timeline.append(Entry(self.now, kind, text, name, run, **more))

    def touch(self, person: Person) -> None:
        """Note that something about a person has changed."""
        self.touched[id(person)] = person

    def wake(self, walker: Walker, at: datetime | None) -> None:
        """Look at a run then, and not before."""
        walker.wakes_at = at
        if at is not None:
            heappush(self.due, (at, walker.number, walker))

    def take_due(self) -> list[Walker]:
        """Return the runs that are due, the longest due first; they are no longer due then."""
        taken: list[Walker] = []
        while self.due and self.due[0][0] <= self.now:
            at, _, walker = heappop(self.due)
            if walker.wakes_at == at and not walker.run.is_over:
                walker.wakes_at = None
                taken.append(walker)
        return taken

    def next_at(self) -> datetime | None:
        """Return when something is due next."""
        while self.due and self.due[0][2].wakes_at != self.due[0][0]:
            heappop(self.due)
        heads = (heap[0][0] for heap in (self.due, self.checks, self.ticks, self.dates) if heap)
        return min(heads, default=None)

    def surroundings(self, flow: Flow) -> facts.World:
        """Return what runs of a workflow may know of the world."""
        if flow.name not in self.shared:
            types = {one.name: one.type for one in self.catalogue.segments.values()}
            choices = self.mocks.choices(flow.graph)
            self.shared[flow.name] = facts.World(filled, self.zone, types, choices)
        return self.shared[flow.name]

    def spend(self, visits: int) -> None:
        """Count visits to steps, and stop where they become too many or have taken too long."""
        self.visits += visits
        if self.visits > self.limits.visits:
            raise TooMuch(f"more than {self.limits.visits:,} steps were taken; do they ever end?")
        self.look_at_time()

    def write(self, characters: int) -> None:
        """Count what leaves the house, and stop where it becomes too much."""
        self.written += characters
        if self.written > self.limits.characters:
            raise TooMuch(f"more than {self.limits.characters:,} characters were sent")

    def look_at_time(self) -> None:
        """Stop where it has taken too long, whatever it was that took so long."""
        if self.limits.is_late is not None and self.limits.is_late():
            raise TooMuch("it took too long; look at fewer days")


def filled(source: str, known: facts.Facts) -> str:
    """Return a template filled with facts."""
    variables = workflow_variables(known.contact, known.event, known.variables, DASHBOARD)
    return render(source, variables)


def zone_named(name: str) -> ZoneInfo:
    """Return a time zone; BadRequest when there is none of this name."""
    zone = find_zone(name)
    if zone is None:
        raise BadRequest(f"there is no time zone {name!r}")
    return zone
