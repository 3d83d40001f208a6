"""A run on a bench: a small workflow, a contact, a clock that is told the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from plunk.engine.core.advance import advance
from plunk.engine.core.effects import Effect
from plunk.engine.core.facts import Contact, Facts, Template, World
from plunk.engine.core.graph import Graph
from plunk.engine.core.progress import Progress, Visit
from plunk.engine.core.run import Run
from plunk.engine.core.signals import (
    CallReturned,
    Entered,
    EventArrived,
    Looked,
    Signal,
    TimerFired,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BORN = datetime(2026, 1, 1, tzinfo=UTC)
TEMPLATES = {
    "tpl": Template("Newsletter", "MARKETING"),
    "receipt": Template("Receipt", "TRANSACTIONAL"),
    "bare": Template("Bare", "HEADLESS"),
}
SEGMENTS = {"vip": "STATIC", "pros": "DYNAMIC"}
Config = Mapping[str, object]
Edge = tuple[object, ...]


def graph_of(
    steps: Mapping[str, tuple[str, Config]],
    edges: list[Edge] | None = None,
    revision: int = 1,
    headers: Config | None = None,
) -> Graph:
    """Build a graph; without edges the steps follow each other. An edge is (from, to, extras)."""
    names = list(steps)
    pairs = edges if edges is not None else list(pairwise(names))
    return Graph.from_json(
        {
            "workflowId": "wf",
            "revision": revision,
            "name": "Trial",
            "steps": [
                {"id": id_, "type": type_, "name": id_, "config": config, "templateId": None}
                for id_, (type_, config) in steps.items()
            ],
            "transitions": [
                {"id": f"e{at}", "fromStepId": edge[0], "toStepId": edge[1], "condition": None}
                | {"priority": 0}
                | (edge[2] if len(edge) > 2 else {})
                for at, edge in enumerate(pairs)
            ],
            "headers": headers,
        }
    )


@dataclass
class Bench:
    """One run and everything that happened to it."""

    graph: Graph
    facts: Facts
    run: Run
    now: datetime = NOON
    rows: dict[int, Visit] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)
    goals: list[str] = field(default_factory=list)

    def send(self, signal: Signal) -> Progress:
        progress = advance(self.graph, self.run, signal, self.facts, self.now)
        self.run, self.facts = progress.run, progress.facts
        self.rows |= {visit.number: visit for visit in progress.visits}
        self.effects += [effect for visit in progress.visits for effect in visit.effects]
        self.goals += progress.goals
        return progress

    def enter(self) -> Progress:
        return self.send(Entered())

    def wake(self, **after: float) -> Progress:
        self.now += timedelta(**after)
        return self.send(TimerFired())

    def look(self, **after: float) -> Progress:
        self.now += timedelta(**after)
        return self.send(Looked())

    def event(self, name: str, data: Config | None = None, depth: int = 0) -> Progress:
        return self.send(EventArrived("ev", name, data, self.now, depth))

    def know(self, **data: object) -> None:
        """Change the contact from outside."""
        self.facts = self.facts.with_contact_data(data)

    def answer(self, status: int | None = None, body: object = None, **more: object) -> Progress:
        return self.send(CallReturned(self.run.visit, status, body, **more))

    @property
    def path(self) -> list[str]:
        return [visit.step_id for visit in self.rows.values()]

    @property
    def last(self) -> Visit:
        return self.rows[max(self.rows)]


def bench_of(  # noqa: PLR0913 -- one argument per thing that varies
    steps: Mapping[str, tuple[str, Config]],
    edges: list[Edge] | None = None,
    *,
    data: Config | None = None,
    subscribed: bool = True,
    context: Config | None = None,
    project_disabled: bool = False,
    headers: Config | None = None,
    world: World | None = None,
    now: datetime = NOON,
) -> Bench:
    contact = Contact("c-1", "ada@example.org", subscribed, data or {}, BORN, BORN)
    run = Run(id="r-1", workflow_id="wf", revision=1, started_at=now, context=context)
    facts = Facts(contact, TEMPLATES, project_disabled, world=world or World(segments=SEGMENTS))
    graph = graph_of({"start": ("TRIGGER", {"eventName": "go"}), **steps}, edges, headers=headers)
    return Bench(graph, facts, run, now)


@pytest.fixture
def bench() -> Callable[..., Bench]:
    return bench_of


@pytest.fixture
def graph() -> Callable[..., Graph]:
    return graph_of
