"""What a signal means to a run where it stands: where it goes on from, or nothing at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from plunk.conditions.instants import iso
from plunk.conditions.matches import matches
from plunk.conditions.nodes import Condition
from plunk.conditions.operators.workflow import OPERATORS
from plunk.engine.core.edges import after_event, after_timeout, next_step
from plunk.engine.core.facts import Facts
from plunk.engine.core.graph import Edge, Graph
from plunk.engine.core.progress import Visit
from plunk.engine.core.run import AwaitedCall, AwaitedCondition, AwaitedEvent, Run
from plunk.engine.core.signals import (
    CallReturned,
    Entered,
    EventArrived,
    Looked,
    Signal,
    TimerFired,
    canonical_name,
    event_context,
)
from plunk.engine.core.steps import Action, Webhook
from plunk.engine.core.waits import met
from plunk.errors import PlunkError

# A timer this late is ordinary queueing: the next delay counts from when it was due, so delays
# add up exactly. After a real outage it counts from now, and the gap between messages is kept.
MAX_LATENESS = timedelta(minutes=5)
# What sets runs going within this time belongs together; later on, a new chain begins (I8).
CHAIN_WINDOW = timedelta(hours=1)
DELAY = "DELAY"


@dataclass(frozen=True, slots=True)
class Resumed:
    """The run goes on at `at` (None: the graph ends there), or `has_failed` where it stood."""

    run: Run
    facts: Facts
    at: str | None
    since: datetime
    visits: tuple[Visit, ...] = ()
    has_failed: bool = False


def resume(  # noqa: PLR0911 -- one case per thing that can happen
    graph: Graph, run: Run, signal: Signal, facts: Facts
) -> Resumed | None:
    """Return where the run goes on; None when the signal is not for it, not now, or no longer.

    Invariant I4: event and time-out cannot both win, because the first of them ends the wait
    and the other then finds nothing that waits for it. The shell's compare-and-set on the
    version settles who is first.
    """
    now, ways = facts.now, graph.outgoing.get(run.step_id or "", ())
    match run.awaiting, signal:
        case None, Entered() | TimerFired() if run.status == "RUNNING":
            return Resumed(run, facts, run.step_id or graph.entry, now)
        case None, TimerFired() if _is_due(run.due_at, now):
            at = next_step(ways) if _is_in_delay(graph, run) else run.step_id
            return Resumed(_rested(run, now), facts, at, _since(run.due_at, now))
        case AwaitedEvent() as awaited, EventArrived() if _is_awaited(awaited, signal, facts):
            return _received(run, awaited, signal, facts, ways)
        case AwaitedEvent(deadline=deadline) as awaited, TimerFired() if _is_due(deadline, now):
            output = {"timedOut": True, "eventName": awaited.event_name}
            return _timed_out(run, deadline, output, facts, ways)
        case AwaitedCondition(condition), TimerFired() | Looked() | EventArrived() if _holds(
            condition, facts
        ):
            visits = (_completed(run, met(now), now),)
            moved = run if isinstance(signal, TimerFired) else _stirred(run, signal)
            return Resumed(moved, facts, after_event(ways), now, visits)
        case AwaitedCondition(deadline=deadline), TimerFired() if _is_due(deadline, now):
            return _timed_out(run, deadline, {"timedOut": True}, facts, ways)
        case AwaitedCall(call), CallReturned(call=returned) if returned == call:
            return _answered(graph, run, signal, facts)
        case AwaitedCall(deadline=deadline), TimerFired() if _is_due(deadline, now):
            return _unanswered(run, "the web hook was not answered in time", facts)
    return None


def _is_due(due_at: datetime | None, now: datetime) -> bool:
    return due_at is not None and due_at <= now


def _since(due_at: datetime | None, now: datetime) -> datetime:
    return due_at if due_at is not None and now - due_at <= MAX_LATENESS else now


def _is_in_delay(graph: Graph, run: Run) -> bool:
    """Tell whether the run has visited its step; before any but a delay it was only held up."""
    step = graph.steps.get(run.step_id or "")
    return step is None or step.type == DELAY


def _rested(run: Run, now: datetime) -> Run:
    """Return a run that time has moved: it no longer belongs to what set it going long ago."""
    if run.depth and now - run.started_at >= CHAIN_WINDOW:
        return replace(run, depth=0)
    return run


def _stirred(run: Run, cause: EventArrived | Looked) -> Run:
    """Return a run that something has moved: what it sets off comes one deeper than that (I8)."""
    return run if run.depth == cause.depth else replace(run, depth=cause.depth)


def _timed_out(
    run: Run,
    deadline: datetime | None,
    output: Mapping[str, object],
    facts: Facts,
    ways: tuple[Edge, ...],
) -> Resumed:
    visits, since = (_completed(run, output, facts.now),), _since(deadline, facts.now)
    return Resumed(_rested(run, facts.now), facts, after_timeout(ways), since, visits)


def _is_awaited(awaited: AwaitedEvent, event: EventArrived, facts: Facts) -> bool:
    """Return whether this is the event; in its condition, event.* is only what arrived."""
    if canonical_name(event.name) != canonical_name(awaited.event_name):
        return False
    if awaited.where is None:
        return True
    return _holds(awaited.where, replace(facts, event=event_context(event.data)))


def _holds(condition: Condition, facts: Facts) -> bool:
    try:
        return matches(condition, facts, OPERATORS)
    except PlunkError:  # data the condition cannot be computed from is not what is waited for
        return False


def _received(
    run: Run, awaited: AwaitedEvent, event: EventArrived, facts: Facts, ways: tuple[Edge, ...]
) -> Resumed:
    output: dict[str, object] = {"eventName": awaited.event_name, "receivedAt": iso(event.at)}
    if event.data is not None:
        output["eventData"] = event.data
    visits = (_completed(run, output, facts.now),)
    context = {**(run.context or {}), **event_context(event.data)}
    run = replace(_stirred(run, event), context=context)
    facts = facts.bind(facts.workflow_name, run, facts.now)
    return Resumed(run, facts, after_event(ways), facts.now, visits)


def _answered(graph: Graph, run: Run, answer: CallReturned, facts: Facts) -> Resumed:
    if answer.error is not None:
        return _unanswered(run, answer.error, facts)
    step_id = run.step_id or ""
    action = graph.steps[step_id].action
    visits = (_completed(run, _answer_output(action, answer), facts.now),)
    if isinstance(action, Webhook) and action.bind_as:
        result = {"status": answer.status, "ok": answer.ok, "body": answer.body}
        run = replace(run, variables={**run.variables, action.bind_as: result})
        facts = facts.bind(facts.workflow_name, run, facts.now)
    at = next_step(graph.outgoing.get(step_id, ()))
    return Resumed(run, facts, at, facts.now, visits)


def _answer_output(action: Action, answer: CallReturned) -> dict[str, object]:
    configured, method = (
        (action.url, action.method) if isinstance(action, Webhook) else (None, None)
    )
    return {
        "url": answer.url or configured,
        "method": method,
        "statusCode": answer.status,
        "success": answer.ok,
        "response": answer.body,
    }


def _unanswered(run: Run, error: str, facts: Facts) -> Resumed:
    visit = Visit(
        run.visit,
        run.step_id or "",
        "FAILED",
        error=error,
        completed_at=facts.now,
        is_new=False,
    )
    return Resumed(run, facts, run.step_id, facts.now, (visit,), has_failed=True)


def _completed(run: Run, output: Mapping[str, object], now: datetime) -> Visit:
    return Visit(run.visit, run.step_id or "", "COMPLETED", output, completed_at=now, is_new=False)
