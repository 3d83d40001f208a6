"""Watching: stops and goals, met wherever in the graph a run stands.

They are looked at when anything happens to the run, and before every step. Goals count even when
the same thing also stops the run. What cannot be computed is not met: no run stops by accident.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from plunk.conditions.matches import matches
from plunk.conditions.nodes import Condition
from plunk.conditions.operators.workflow import OPERATORS
from plunk.engine.core.answers import SUBSCRIPTION_EVENTS
from plunk.engine.core.effects import SetSubscription, TrackEvent
from plunk.engine.core.facts import Facts
from plunk.engine.core.headers import ConditionWatch, EventWatch, Headers, Watch
from plunk.engine.core.outcomes import Done
from plunk.engine.core.run import Run
from plunk.engine.core.signals import EventArrived, Signal, canonical_name, event_context
from plunk.errors import PlunkError

STOPPED = "stopped"
Happened: TypeAlias = tuple[str, Mapping[str, object] | None]  # an event's name and data


@dataclass(frozen=True, slots=True)
class Watched:
    """What was met: the run with the goals it has reached by now, and why it ends, if it does."""

    run: Run
    reached: tuple[str, ...] = ()
    reason: str | None = None


def watch(headers: Headers, run: Run, facts: Facts, happened: Iterable[Happened] = ()) -> Watched:
    """Return what these events meet, and what the facts meet as they are now."""
    if not headers.is_watching:
        return Watched(run)
    events = list(happened)
    met = [
        goal
        for goal in headers.goals
        if goal.name not in run.goals and is_met(goal.watch, facts, events)
    ]
    reached = tuple(goal.name for goal in met)
    if reached:
        run = replace(run, goals=run.goals | frozenset(reached))
    if any(is_met(stop, facts, events) for stop in headers.stops):
        return Watched(run, reached, STOPPED)
    exits = [goal_reason(goal.name) for goal in met if goal.exits]
    return Watched(run, reached, exits[0] if exits else None)


def goal_reason(name: str) -> str:
    """Return the exit reason of a run that ended at a goal."""
    return f"goal: {name}"


def is_met(one: Watch, facts: Facts, events: Iterable[Happened]) -> bool:
    """Tell whether a watch is met; in the condition on an event, event.* is only what arrived."""
    match one:
        case ConditionWatch(condition):
            return _holds(condition, facts)
        case EventWatch(name, where):
            return any(
                where is None or _holds(where, replace(facts, event=event_context(data)))
                for happened, data in events
                if happened == name
            )


def arrived(signal: Signal) -> list[Happened]:
    """Return the event that a signal brings, if any."""
    if not isinstance(signal, EventArrived):
        return []
    return [(canonical_name(signal.name), signal.data)]


def emitted(outcome: Done) -> list[Happened]:
    """Return the events that a step of the run itself emits."""
    happened: list[Happened] = []
    for effect in outcome.effects:
        match effect:
            case TrackEvent(name, data):
                happened.append((canonical_name(name), data))
            case SetSubscription(subscribed):
                happened.append((SUBSCRIPTION_EVENTS[subscribed], None))
    return happened


def _holds(condition: Condition, facts: Facts) -> bool:
    try:
        return matches(condition, facts, OPERATORS)
    except PlunkError:
        return False
