"""Steps that let time pass: delays, and waits for an event or a condition."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from plunk.conditions.instants import iso
from plunk.conditions.matches import matches
from plunk.conditions.operators.workflow import OPERATORS
from plunk.engine.core import steps
from plunk.engine.core.facts import Facts
from plunk.engine.core.outcomes import Done, Ended, Parked
from plunk.engine.core.run import AwaitedCondition, AwaitedEvent
from plunk.engine.core.signals import canonical_name
from plunk.engine.core.zones import next_time_of_day, shifted, time_in
from plunk.expressions import compute

TIME_PAST = "time_past"


def delay(action: steps.Delay, since: datetime) -> Parked:
    """Stand still for a length of time, counted from `since`."""
    due_at = since + action.length
    output = {
        "delayAmount": action.amount,
        "delayUnit": action.unit,
        "resumeAt": iso(due_at),
    }
    return Parked("COMPLETED", due_at, output=output)


def delay_until(action: steps.DelayUntil, facts: Facts, zone: ZoneInfo) -> Done | Parked | Ended:
    """Stand still until a time; a bare date means the start of that day in the zone."""
    due_at = time_in(compute(action.time, facts), zone)
    if action.offset is not None:
        due_at = shifted(due_at, action.offset.amount, action.offset.unit, zone)
    if due_at <= facts.now and action.exits_when_past:
        output = {"exited": True, "reason": TIME_PAST, "resumeAt": iso(due_at)}
        return Ended(output, TIME_PAST)
    return _until(due_at, facts)


def delay_until_time_of_day(
    action: steps.DelayUntilTimeOfDay, since: datetime, facts: Facts, zone: ZoneInfo
) -> Done | Parked:
    """Stand still until the zone's clocks next show a time.

    Strictly later: who comes at nine o'clock for "until 09:00" waits for the next day's, so that
    a loop around such a wait turns once a day.
    """
    return _until(next_time_of_day(since, action.at, zone, action.days), facts)


def _until(due_at: datetime, facts: Facts) -> Done | Parked:
    output = {"resumeAt": iso(due_at)}
    if due_at <= facts.now:
        return Done(output)
    return Parked("COMPLETED", due_at, output=output)


def wait_for_event(action: steps.WaitForEvent, now: datetime) -> Parked:
    """Stand still until an event arrives."""
    deadline = now + action.timeout if action.timeout else None
    awaited = AwaitedEvent(canonical_name(action.event_name), action.where, deadline)
    return Parked("WAITING", deadline, awaited)


def wait_for_condition(action: steps.WaitForCondition, facts: Facts) -> Done | Parked:
    """Stand still until a condition holds; where it holds already, go on at once."""
    if matches(action.condition, facts, OPERATORS):
        return Done(met(facts.now), has_arrived=True)
    deadline = facts.now + action.timeout if action.timeout else None
    awaited = AwaitedCondition(action.condition, deadline)
    return Parked("WAITING", awaited.next_look(facts.now), awaited)


def met(now: datetime) -> dict[str, object]:
    """Return the output of a wait whose condition holds."""
    return {"conditionMet": True, "metAt": iso(now)}
