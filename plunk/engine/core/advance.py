"""The one function that moves a run: the worker, the simulator and the tests all call it."""

from __future__ import annotations

from datetime import datetime

from plunk.engine.core.edges import next_step
from plunk.engine.core.enter import enter
from plunk.engine.core.facts import Facts
from plunk.engine.core.graph import Graph
from plunk.engine.core.outcomes import Done, Ended, Failed, Outcome, Parked
from plunk.engine.core.progress import Progress, Visit
from plunk.engine.core.resume import Resumed, resume
from plunk.engine.core.run import Run
from plunk.engine.core.signals import Signal

STEP_BUDGET = 1_000
PROJECT_DISABLED = "Project disabled"
ENDLESS = Failed(f"{STEP_BUDGET:,} steps without a wait")


def advance(graph: Graph, run: Run, signal: Signal, facts: Facts, now: datetime) -> Progress:
    """Take as many steps as the signal allows, until the run parks or ends.

    Pure: the caller performs the visits' effects and stores them together with the run.
    Invariant I3: position, visits and effects come out as one value, visits are numbered without
    gaps and the version rises by one, so one commit guarded by the old version does it all once.
    """
    if run.is_over:  # I4: what has ended never moves again
        return Progress(run, (), facts)
    resumed = resume(graph, run, signal, facts.bind(graph.name, run, now))
    if resumed is None:
        return Progress(run, (), facts)
    if resumed.has_failed:
        failed = resumed.run.fail(now, step_id=run.step_id, visit=run.visit)
        return Progress(failed, resumed.visits, resumed.facts)
    return _travel(graph, resumed)


def _travel(graph: Graph, resumed: Resumed) -> Progress:
    run, facts, at = resumed.run, resumed.facts, resumed.at
    now, number, visits = facts.now, run.visit, list(resumed.visits)
    while at is not None:
        if facts.project_disabled:
            cancelled = run.cancel(PROJECT_DISABLED, now, step_id=at, visit=number)
            return Progress(cancelled, tuple(visits), facts)
        number += 1
        is_endless = number - run.visit > STEP_BUDGET  # I8: no run loops for ever
        outcome = (
            ENDLESS if is_endless else enter(graph.steps.get(at), number, facts, resumed.since)
        )
        visits.append(_visit(number, at, outcome, now))
        if not isinstance(outcome, Done):
            return Progress(_stopped(run, number, at, outcome, now), tuple(visits), facts)
        facts = outcome.facts or facts
        at = next_step(graph.outgoing.get(at, ()), outcome.branch)
    return Progress(run.finish(now, visit=number), tuple(visits), facts)


def _visit(number: int, step_id: str, outcome: Outcome, now: datetime) -> Visit:
    match outcome:
        case Done(output=output, effects=effects):
            return Visit(number, step_id, "COMPLETED", output, None, now, now, None, effects)
        case Ended(output):
            return Visit(number, step_id, "COMPLETED", output, None, now, now)
        case Failed(error):
            return Visit(number, step_id, "FAILED", None, error, now, now)
        case Parked(status="COMPLETED", output=output):
            return Visit(number, step_id, "COMPLETED", output, None, now, now)
        case Parked(status, due_at):
            after = due_at if status == "WAITING" else None
            return Visit(number, step_id, status, None, None, now, None, after, outcome.effects)


def _stopped(
    run: Run, number: int, step_id: str, outcome: Parked | Ended | Failed, now: datetime
) -> Run:
    match outcome:
        case Parked(due_at=due_at, awaiting=awaiting):
            return run.park(step_id, number, due_at, awaiting)
        case Ended(reason=reason):
            return run.finish(now, reason=reason, visit=number)
        case Failed():
            return run.fail(now, step_id=step_id, visit=number)
