"""Retiming: a run that stands in a wait goes by what the new revision says of that wait.

It is as if the run had entered the wait as it is now: times and limits count from when the run
came, so a shorter delay may be over already, and a longer one begins where the old one began.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

from plunk.engine.core import steps, waits
from plunk.engine.core.facts import Facts
from plunk.engine.core.graph import Graph, Step
from plunk.engine.core.local_time import zone_of
from plunk.engine.core.outcomes import Done, Ended, Outcome, Parked
from plunk.engine.core.run import AwaitedCondition, AwaitedEvent, Run
from plunk.engine.core.signals import canonical_name
from plunk.errors import PlunkError


def retime(old: Graph, new: Graph, run: Run, facts: Facts, entered: datetime, now: datetime) -> Run:
    """Return the run in the wait as the new revision has it; `entered` is when it came there.

    Runs elsewhere, and waits that say the same as before, stay as they are.
    """
    before, after = (graph.steps.get(run.step_id or "") for graph in (old, new))
    if run.status != "WAITING" or before is None or after is None or _say_the_same(before, after):
        return run
    if run.awaiting is not None:
        return _awaiting(after, run, entered, now)
    return _resting(new, after, run, facts.bind(new.name, run, now), _since(before, run, entered))


def _awaiting(after: Step, run: Run, entered: datetime, now: datetime) -> Run:
    match after.action:
        case steps.WaitForEvent(name, timeout, where):
            deadline = entered + timeout if timeout else None
            awaited = AwaitedEvent(canonical_name(name), where, deadline)
            return replace(run, due_at=deadline, awaiting=awaited)
        case steps.WaitForCondition(condition, timeout):
            deadline = entered + timeout if timeout else None
            return replace(run, due_at=now, awaiting=AwaitedCondition(condition, deadline))
    return run


def _resting(graph: Graph, after: Step, run: Run, facts: Facts, since: datetime) -> Run:
    """Return the run in its delay; one whose time cannot be computed stays as it is.

    A delay that leaves when its time is past ends the run, if it was past already `since` then.
    """
    try:
        outcome = _delayed(graph, after, replace(facts, now=since), since)
    except PlunkError:
        return run
    match outcome:
        case Parked(due_at=due_at):
            return replace(run, due_at=due_at)
        case Done():
            return replace(run, due_at=facts.now)
        case Ended(reason=reason):
            return run.finish(facts.now, reason=reason)
    return run


def _say_the_same(before: Step, after: Step) -> bool:
    """Compare as JSON: to Python, 1 equals true."""
    texts = [json.dumps(step.config, sort_keys=True) for step in (before, after)]
    return texts[0] == texts[1]


def _since(before: Step, run: Run, entered: datetime) -> datetime:
    """Return when the delay began; delays add up exactly, however late a worker came by."""
    match before.action:
        case steps.Delay(length=length) if run.due_at is not None:
            return run.due_at - length
    return entered


def _delayed(graph: Graph, step: Step, facts: Facts, since: datetime) -> Outcome | None:
    """Return what entering the delay at `since` comes to; None where the step is no delay."""
    match step.action:
        case steps.Delay() as action:
            return waits.delay(action, since)
        case steps.DelayUntil() as action:
            return waits.delay_until(action, facts, zone_of(graph.headers, facts))
        case steps.DelayUntilTimeOfDay() as action:
            zone = zone_of(graph.headers, facts)
            return waits.delay_until_time_of_day(action, since, facts, zone)
    return None
