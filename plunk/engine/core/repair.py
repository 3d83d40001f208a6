"""Repair by hand: where a run goes on when somebody retries, skips or moves it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from plunk.engine.core.edges import after_event, after_timeout, next_step
from plunk.engine.core.graph import Graph
from plunk.engine.core.resume import DELAY
from plunk.errors import Conflict, NotFound

Action: TypeAlias = Literal["retry", "skip", "move"]
Outcome: TypeAlias = Literal["EVENT", "TIMEOUT"]
ACTIVE = ("RUNNING", "WAITING")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a run stands, and what it waits for there."""

    status: str
    step_id: str | None
    awaits: Literal["event", "call"] | None = None
    is_called: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done to a run, why, and who says so.

    `outcome` decides which way a skipped wait leads on; `to_step_id` is where a run is moved.
    """

    action: Action
    reason: str
    by: str | None = None
    outcome: Outcome = "TIMEOUT"
    to_step_id: str | None = None


def target(graph: Graph, run: Standing, order: Order) -> str | None:
    """Return the step that the run goes on with, or None where the graph ends.

    Conflict when the run is not in a state for it, NotFound when there is no such step.
    """
    match order.action:
        case "retry":
            return _retried(graph, run)
        case "skip":
            return _skipped(graph, run, order.outcome)
        case "move":
            return _moved(graph, run, order.to_step_id)


def _retried(graph: Graph, run: Standing) -> str:
    if run.status != "FAILED":
        raise Conflict(f"The execution has not failed: it is {run.status}.")
    return _known(graph, run)


def _skipped(graph: Graph, run: Standing, outcome: Outcome) -> str | None:
    if run.status not in ACTIVE:
        raise Conflict(f"The execution has ended: it is {run.status}.")
    if run.is_called:
        raise Conflict("The execution no longer waits: something has arrived for it.")
    ways = graph.outgoing.get(_known(graph, run), ())
    match run.awaits:
        case "event":
            return after_event(ways) if outcome == "EVENT" else after_timeout(ways)
        case "call":
            return next_step(ways)
    if run.status == "WAITING" and graph.steps[run.step_id or ""].type == DELAY:
        return next_step(ways)
    raise Conflict("The execution does not wait in its step; it can only be moved.")


def _moved(graph: Graph, run: Standing, step_id: str | None) -> str:
    if run.status not in {*ACTIVE, "FAILED"}:
        raise Conflict(f"The execution has ended: it is {run.status}.")
    if step_id is None or step_id not in graph.steps:
        raise NotFound(step_id, resource="Step")
    return step_id


def _known(graph: Graph, run: Standing) -> str:
    if run.step_id is None or run.step_id not in graph.steps:
        raise Conflict("The workflow no longer has the execution's step; move it to another one.")
    return run.step_id
