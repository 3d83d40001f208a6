"""The reference: what workflows of these shapes do to people, as simply as it can be said.

It knows nothing of the engine. Runs are advanced one after another, in memory, at exact times.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.proofs.shapes import PARKING, Flow, Shape

RETRIES = [timedelta(seconds=one) for one in (10, 30, 120, 300)]  # between calls that fail
LOOK_EVERY = timedelta(minutes=15)
ORDINARY = timedelta(minutes=5)  # so late, a wait still counts as over in time
Trace = dict[str, Any]


@dataclass
class Person:
    """A contact."""

    email: str
    subscribed: bool = True
    data: dict[str, Any] = field(default_factory=dict)

    def bump(self, name: str) -> None:
        """Count one more."""
        self.data[name] = self.data.get(name, 0) + 1


@dataclass
class Walk:
    """A run; `came` is when what it stands in began, `due` when that ends by itself.

    `look` is when its condition is looked at next, whatever happens.
    """

    flow: Flow
    person: Person
    visits: list[list[str]]
    status: str = "RUNNING"
    reason: str | None = None
    ended_at: datetime | None = None
    at: Shape | None = None
    came: datetime | None = None
    due: datetime | None = None
    look: datetime | None = None
    calls: int = 0
    goals: set[str] = field(default_factory=set)
    is_pinned: bool = False

    @property
    def is_active(self) -> bool:
        """Whether it has not ended."""
        return self.ended_at is None


class Model:
    """People, workflows and time."""

    def __init__(self, flows: list[Flow], now: datetime) -> None:
        self.flows = {flow.event: flow for flow in flows}
        self.now = now
        self.people: dict[str, Person] = {}
        self.walks: list[Walk] = []
        self.mails: list[tuple[str, str, str]] = []
        self.calls: list[str] = []

    def track(self, name: str, email: str, n: int) -> None:
        """Let an event happen: it stops, counts, wakes and starts, in this order."""
        person = self.people.setdefault(email, Person(email))
        person.data["n"] = n
        active = [walk for walk in self._of(person) if walk.is_active]
        for walk in active:
            self._watch(walk, name)
        for walk in active:
            if name == "paid" and walk.is_active and walk.at and walk.at.kind == "await":
                self._arrive(walk, "y", self.now)
        self._start(name, person, n)
        self._settle()

    def subscribe(self, email: str, *, wanted: bool) -> None:
        """Subscribe or unsubscribe somebody."""
        self.people[email].subscribed = wanted

    def favour(self, email: str, *, vip: bool) -> None:
        """Make somebody important, or no longer."""
        person = self.people[email]
        person.data["vip"] = vip
        for walk in self._of(person):
            if vip and walk.at and walk.at.kind == "hold":
                self._arrive(walk, "", self.now)
        self._settle()

    def cancel(self, number: int) -> None:
        """Cancel one of the runs that are under way."""
        self._end(self.active[number], "CANCELLED", "Cancelled by user")

    def deploy(self, flow: Flow, *, pin: bool) -> None:
        """Let runs follow a new version, or pin them to what they followed so far.

        Who stands in a wait that was changed follows at once, all others when they move.
        """
        mine = [walk for walk in self.active if walk.flow.event == flow.event]
        self.flows[flow.event] = flow
        for walk in mine:
            walk.is_pinned |= pin
            if walk.at and walk.at.kind in PARKING and walk.at not in flow.shapes:
                self._follow(walk)
        self._settle()

    def sleep(self, length: timedelta) -> None:
        """Let time pass; what is due happens when it is due."""
        until = self.now + length
        while (due := self._next()) is not None and due <= until:
            self.now = max(self.now, due)
            self._settle()
        self.now = until

    @property
    def active(self) -> list[Walk]:
        """The runs under way, in the order in which they began."""
        return [walk for walk in self.walks if walk.is_active]

    def trace(self) -> Trace:
        """Return what has become of it all."""
        return {
            "runs": [
                (
                    walk.flow.name,
                    walk.person.email,
                    walk.status if walk.ended_at or walk.at is None else _standing(walk.at),
                    walk.reason,
                    walk.ended_at,
                    [tuple(visit) for visit in walk.visits],
                    sorted(walk.goals),
                )
                for walk in self.walks
            ],
            "mails": sorted(self.mails),
            "calls": sorted(self.calls),
            "people": {
                one.email: (one.subscribed, {key: one.data[key] for key in sorted(one.data)})
                for one in self.people.values()
            },
        }

    def _of(self, person: Person) -> list[Walk]:
        return [walk for walk in self.walks if walk.person is person]

    def _watch(self, walk: Walk, name: str) -> None:
        flow = walk.flow
        if name == "paid" and flow.goal_exits is not None:
            walk.goals.add("won")
            if flow.goal_exits:
                self._end(walk, "COMPLETED", "goal: won")
        if name == "halt" and flow.stops:
            self._end(walk, "COMPLETED", "stopped")

    def _start(self, name: str, person: Person, n: int) -> None:
        flow = self.flows.get(name)
        if flow is None or n < flow.least:
            return
        if not flow.reentry and any(walk.flow.name == flow.name for walk in self._of(person)):
            return
        walk = Walk(flow, person, [["trigger", "COMPLETED"]])
        self.walks.append(walk)
        self._go_on(walk, flow.shapes, self.now)

    def _go_on(self, walk: Walk, ahead: tuple[Shape, ...], since: datetime) -> None:
        """Take steps until one has to be waited for; a delay counts from `since`."""
        walk.at = walk.due = walk.came = walk.look = None
        for shape in ahead:
            if self._enter(walk, shape, since):
                return
        self._end(walk, "COMPLETED", None)

    def _enter(self, walk: Walk, shape: Shape, since: datetime) -> bool:
        """Take one step; tell whether the run stops there."""
        walk.visits.append([shape.label, "COMPLETED"])
        person = walk.person
        match shape.kind:
            case "bump":
                person.bump(shape.name)
            case "mail":
                is_sent = person.subscribed or shape.name == "receipt"
                self.mails.append((person.email, shape.name, "SENT" if is_sent else "FAILED"))
            case "emit":
                self._start("again", person, 9)
            case "leave" if person.data.get("vip"):
                walk.visits.append([f"{shape.label}x", "COMPLETED"])
                self._end(walk, "COMPLETED", "vip")
                return True
            case "wait":
                return self._park(walk, shape, since)
            case "await":
                walk.visits[-1][1] = "WAITING"
                return self._park(walk, shape, self.now)
            case "hold" if not person.data.get("vip"):
                walk.visits[-1][1] = "WAITING"
                walk.look = self.now + LOOK_EVERY
                return self._park(walk, shape, self.now)
            case "hook":
                self.calls.append(shape.label)
                if shape.name == "down":
                    walk.visits[-1][1] = "RUNNING"
                    walk.at, walk.calls, walk.due = shape, 1, self.now + RETRIES[0]
                    return True
        return False

    def _park(self, walk: Walk, shape: Shape, came: datetime) -> bool:
        walk.at, walk.came, walk.due = shape, came, came + shape.length
        return True

    def _arrive(self, walk: Walk, way: str, since: datetime) -> None:
        """Leave a wait by one of its ways."""
        self._follow(walk)
        shape = walk.at
        if shape is None:
            raise ValueError(walk)
        walk.visits[-1][1] = "COMPLETED"
        if shape.kind == "await":
            walk.visits.append([shape.label + way, "COMPLETED"])
            walk.person.bump("got" if way == "y" else "missed")
        shapes = walk.flow.shapes
        self._go_on(walk, shapes[shapes.index(shape) + 1 :], since)

    def _follow(self, walk: Walk) -> None:
        """Stand in the newest version from now on, at the same place or at the next one left."""
        old, shape, flow = walk.flow.shapes, walk.at, self.flows[walk.flow.event]
        if walk.is_pinned or walk.flow is flow or shape is None:
            return
        walk.flow = flow
        labels = {one.label: at for at, one in enumerate(flow.shapes)}
        if shape.label in labels:
            walk.at = flow.shapes[labels[shape.label]]
            if walk.at != shape:
                walk.due = (walk.came or self.now) + walk.at.length
            return
        if walk.visits[-1][1] == "WAITING":
            walk.visits[-1][1] = "SKIPPED"
        left = [one.label for one in old[old.index(shape) :] if one.label in labels]
        if left:
            self._go_on(walk, flow.shapes[labels[left[0]] :], self.now)
        else:
            self._end(walk, "COMPLETED", None)

    def _next(self) -> datetime | None:
        times = [at for walk in self.active for at in (walk.due, walk.look) if at]
        return min(times, default=None)

    def _settle(self) -> None:
        for walk in self.active:
            if walk.look and walk.look <= self.now:
                walk.look = self.now + LOOK_EVERY
                self._follow(walk)
        while due := [walk for walk in self.active if walk.due and walk.due <= self.now]:
            self._time_is_up(due[0])

    def _time_is_up(self, walk: Walk) -> None:
        if walk.at is None or walk.due is None:
            raise ValueError(walk)
        if walk.at.kind != "hook":
            is_in_time = self.now - walk.due <= ORDINARY
            self._arrive(walk, "n", walk.due if is_in_time else self.now)
            return
        self.calls.append(walk.at.label)
        if walk.calls == len(RETRIES):
            walk.visits[-1][1] = "FAILED"
            self._end(walk, "FAILED", None)
            return
        walk.due = self.now + RETRIES[walk.calls]
        walk.calls += 1

    def _end(self, walk: Walk, status: str, reason: str | None) -> None:
        if not walk.is_active:
            return
        if walk.visits[-1][1] in {"WAITING", "RUNNING"}:
            walk.visits[-1][1] = "SKIPPED"
        walk.status, walk.reason, walk.ended_at = status, reason, self.now
        walk.at = walk.due = walk.look = None


def _standing(shape: Shape) -> str:
    return "RUNNING" if shape.kind == "hook" else "WAITING"
