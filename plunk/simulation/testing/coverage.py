"""Coverage: which ways out of their steps the runs of all tests have taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from plunk.engine.core import steps
from plunk.engine.core.branching import DEFAULT, WHOLE
from plunk.engine.core.progress import Visit
from plunk.simulation.catalogue import Catalogue, Flow
from plunk.simulation.people import Walker
from plunk.simulation.testing.outcome import Result

ONWARD, EVENT, TIMEOUT = "onward", "in time", "timeout"
PAUSES = (steps.Delay, steps.DelayUntil, steps.DelayUntilTimeOfDay)
Way = tuple[str, str]  # step, way


@dataclass(frozen=True, slots=True)
class Missed:
    """A way that no run has taken."""

    step: str
    name: str
    way: str
    line: int


@dataclass(frozen=True, slots=True)
class Covered:
    """The ways out of the steps of one workflow."""

    workflow: str
    file: str
    taken: int
    all: int
    missed: tuple[Missed, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the wire form."""
        return {
            "workflow": self.workflow,
            "file": self.file,
            "taken": self.taken,
            "all": self.all,
            "percent": percent(self.taken, self.all),
            "missed": [
                {"step": one.step, "name": one.name, "way": one.way, "line": one.line}
                for one in self.missed
            ],
        }


def percent(taken: int, everything: int) -> float:
    """Return a share in per cent, with one decimal; nothing of nothing is all of it."""
    return round(100 * taken / everything, 1) if everything else 100.0


def coverage(catalogue: Catalogue, results: Iterable[Result]) -> list[Covered]:
    """Return the coverage of each workflow by all these tests."""
    taken: dict[str, set[Way]] = {name: set() for name in catalogue.flows}
    for result in results:
        for walker in result.walkers:
            taken[walker.flow.name] |= set(_taken(walker))
    return [_covered(flow, taken[flow.name]) for flow in catalogue.flows.values()]


def total(covered: Iterable[Covered]) -> float:
    """Return the share of all ways of all workflows that was taken, in per cent."""
    listed = list(covered)
    return percent(sum(one.taken for one in listed), sum(one.all for one in listed))


def _covered(flow: Flow, taken: set[Way]) -> Covered:
    ways = [(step, way) for step in flow.graph.steps.values() for way in ways_of(step.action)]
    missed = [
        Missed(step.id, step.name, _said(way), flow.lines.get(step.id, 1))
        for step, way in ways
        if (step.id, way) not in taken
    ]
    missed.sort(key=lambda one: one.line)
    return Covered(flow.name, flow.file, len(ways) - len(missed), len(ways), tuple(missed))


def ways_of(action: steps.Action) -> tuple[str, ...]:
    """Return all ways out of a step."""
    match action:
        case steps.BinaryCondition() | steps.ExpressionCondition():
            return ("yes", "no")
        case steps.MultiCondition(branches=branches):
            return (*dict.fromkeys(branch.id for branch in branches), DEFAULT)
        case steps.Split(shares):
            rest = sum(share.weight for share in shares) < WHOLE
            return (*(share.id for share in shares), *([DEFAULT] if rest else []))
        case steps.WaitForEvent(timeout=timeout) | steps.WaitForCondition(timeout=timeout):
            return (EVENT, TIMEOUT) if timeout else (EVENT,)
        case steps.Exit():
            return ()
    return (ONWARD,)


def _taken(walker: Walker) -> Iterator[Way]:
    for visit in walker.visits.values():
        step = walker.flow.graph.steps.get(visit.step_id)
        way = _way(walker, step.action, visit) if step and visit.status == "COMPLETED" else None
        if way is not None:
            yield visit.step_id, way


def _way(walker: Walker, action: steps.Action, visit: Visit) -> str | None:
    output = visit.output or {}
    match action:
        case steps.WaitForEvent() | steps.WaitForCondition():
            return TIMEOUT if output.get("timedOut") else EVENT
        case steps.Exit():
            return None
        case _ if isinstance(action, PAUSES):
            has_gone_on = walker.run.visit > visit.number
            is_at_end = walker.run.is_over and walker.run.exit_reason is None
            return ONWARD if has_gone_on or is_at_end else None
    branch = output.get("branch")
    return branch if isinstance(branch, str) else ONWARD


def _said(way: str) -> str:
    return "else" if way == DEFAULT else way
