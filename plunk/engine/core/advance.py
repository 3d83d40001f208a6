"""The one function that moves a run: the worker, the simulator and the tests all call it."""

from __future__ import annotations

from datetime import datetime

from plunk.engine.core.answers import after
from plunk.engine.core.edges import after_event, next_step
from plunk.engine.core.enter import Around, enter
from plunk.engine.core.facts import Facts
from plunk.engine.core.graph import Graph
from plunk.engine.core.outcomes import Done, Ended, Failed, Held, Outcome, Parked
from plunk.engine.core.progress import Progress, Visit, abandoned
from plunk.engine.core.resume import Resumed, resume
from plunk.engine.core.run import AwaitedCondition, Run
from plunk.engine.core.signals import Signal
from plunk.engine.core.watching import Happened, arrived, emitted, watch

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
    facts = facts.bind(graph.name, run, now)
    watched = watch(graph.headers, run, facts, arrived(signal))
    run, reached = watched.run, watched.reached
    if watched.reason is not None:
        ended = run.finish(now, reason=watched.reason)
        return Progress(ended, abandoned(run, now), facts, reached)
    resumed = resume(graph, run, signal, facts)
    if resumed is None:
        is_changed = bool(reached) or isinstance(run.awaiting, AwaitedCondition)
        return Progress(run.wait_again(now) if is_changed else run, (), facts, reached)
    if resumed.has_failed:
        failed = resumed.run.fail(now, step_id=run.step_id, visit=run.visit)
        return Progress(failed, resumed.visits, resumed.facts, reached)
    return _Journey(graph, resumed, reached).progress()


class _Journey:
    """One run on its way from step to step, and what it leaves behind."""

    def __init__(self, graph: Graph, start: Resumed, reached: tuple[str, ...]) -> None:
        self.graph = graph
        self.around = Around(start.since, graph.headers)
        self.run = start.run
        self.facts = start.facts
        self.at = start.at
        self.now = start.facts.now
        self.number = start.run.visit
        self.visits = list(start.visits)
        self.reached = reached
        self.is_watched = graph.headers.is_watching

    def progress(self) -> Progress:
        """Return where the journey ends."""
        return Progress(self._travelled(), tuple(self.visits), self.facts, self.reached)

    def _travelled(self) -> Run:
        reason = self._watched([]) if self.is_watched else None
        while self.at is not None and reason is None:
            if self.facts.project_disabled:
                return self.run.cancel(
                    PROJECT_DISABLED, self.now, step_id=self.at, visit=self.number
                )
            outcome = self._outcome(self.at)
            if not isinstance(outcome, Done):
                return self._stopped(self.at, outcome)
            self.facts = after(outcome.facts or self.facts, outcome.effects)
            if self.is_watched:
                reason = self._watched(emitted(outcome))
            self.at = self._way_out(self.at, outcome)
        return self.run.finish(self.now, reason=reason, visit=self.number)

    def _watched(self, happened: list[Happened]) -> str | None:
        watched = watch(self.graph.headers, self.run, self.facts, happened)
        self.run, self.reached = watched.run, (*self.reached, *watched.reached)
        return watched.reason

    def _outcome(self, at: str) -> Outcome:
        """Make one visit, and keep it, unless the step has to be waited for first."""
        number = self.number + 1
        is_endless = number - self.run.visit > STEP_BUDGET  # I8: no run loops for ever
        step = self.graph.steps.get(at)
        outcome = ENDLESS if is_endless else enter(step, number, self.facts, self.around)
        if not isinstance(outcome, Held):
            self.number = number
            self.visits.append(_visit(number, at, outcome, self.now))
        return outcome

    def _way_out(self, at: str, outcome: Done) -> str | None:
        ways = self.graph.outgoing.get(at, ())
        return after_event(ways) if outcome.has_arrived else next_step(ways, outcome.branch)

    def _stopped(self, at: str, outcome: Held | Parked | Ended | Failed) -> Run:
        match outcome:
            case Held(until):
                return self.run.park(at, self.number, until)
            case Parked(due_at=due_at, awaiting=awaiting):
                return self.run.park(at, self.number, due_at, awaiting)
            case Ended(reason=reason):
                return self.run.finish(self.now, reason=reason, visit=self.number)
            case Failed():
                return self.run.fail(self.now, step_id=at, visit=self.number)


def _visit(
    number: int, step_id: str, outcome: Done | Parked | Ended | Failed, now: datetime
) -> Visit:
    match outcome:
        case Done(output=output, effects=effects):
            return Visit(number, step_id, "COMPLETED", output, None, now, now, None, effects)
        case Ended(output):
            return Visit(number, step_id, "COMPLETED", output, None, now, now)
        case Failed(error):
            return Visit(number, step_id, "FAILED", None, error, now, now)
        case Parked(status="COMPLETED", output=output):
            return Visit(number, step_id, "COMPLETED", output, None, now, now)
        case Parked(status, due_at, awaiting):
            limit = awaiting.deadline if awaiting else due_at
            after = limit if status == "WAITING" else None
            return Visit(number, step_id, status, None, None, now, None, after, outcome.effects)
