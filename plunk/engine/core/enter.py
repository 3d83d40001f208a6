"""Entering a step: one rule per step type."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from plunk.conditions.instants import iso
from plunk.engine.core import branching, steps, waits
from plunk.engine.core.facts import Facts
from plunk.engine.core.graph import Step
from plunk.engine.core.headers import Headers
from plunk.engine.core.local_time import quiet_until, zone_of
from plunk.engine.core.outcomes import Done, Ended, Failed, Held, Outcome, Parked
from plunk.engine.core.requests import call_webhook, queue_email
from plunk.engine.core.run import AwaitedCall
from plunk.engine.core.updates import change_segment, track, update_contact
from plunk.errors import PlunkError

# The outbox gives up long before; this only keeps a lost answer from holding a run for ever (I9).
CALL_LIMIT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Around:
    """What holds for all visits of one advance; a delay counts from `since`."""

    since: datetime
    headers: Headers


def enter(step: Step | None, number: int, facts: Facts, around: Around) -> Outcome:
    """Return what comes of visit `number`."""
    if step is None:
        return Failed("the step no longer exists")
    try:
        return _outcome(step, number, facts, around)
    except PlunkError as error:
        return Failed(error.message)


def _outcome(  # noqa: C901, PLR0911, PLR0912 -- one case per step type
    step: Step, number: int, facts: Facts, around: Around
) -> Outcome:
    match step.action:
        case steps.Trigger(event_name):
            return Done(_triggered(event_name, facts.now))
        case steps.SendEmail() as action:
            held = quiet_until(around.headers, action, facts)
            return queue_email(action, facts) if held is None else Held(held)
        case steps.BinaryCondition() as action:
            return branching.binary(action, facts)
        case steps.MultiCondition() as action:
            return branching.multi(action, facts)
        case steps.ExpressionCondition() as action:
            return branching.expression(action, facts)
        case steps.Split() as action:
            return branching.split(action, step.drawn_by, facts)
        case steps.Delay() as action:
            return waits.delay(action, around.since)
        case steps.DelayUntil() as action:
            return waits.delay_until(action, facts, zone_of(around.headers, facts))
        case steps.DelayUntilTimeOfDay() as action:
            zone = zone_of(around.headers, facts)
            return waits.delay_until_time_of_day(action, around.since, facts, zone)
        case steps.WaitForEvent() as action:
            return waits.wait_for_event(action, facts.now)
        case steps.WaitForCondition() as action:
            return waits.wait_for_condition(action, facts)
        case steps.UpdateContact() as action:
            return update_contact(action, facts)
        case steps.Track() as action:
            return track(action, facts)
        case steps.ChangeSegment() as action:
            return change_segment(action, facts)
        case steps.Webhook() as action:
            return _called(action, number, facts)
        case steps.Exit(reason):
            return Ended({"exited": True, "reason": reason}, reason)
        case steps.Broken(problem):
            return Failed(f"invalid configuration: {problem}")


def _triggered(event_name: str | None, now: datetime) -> dict[str, object]:
    return {"triggered": True, "eventName": event_name or "manual", "timestamp": iso(now)}


def _called(action: steps.Webhook, number: int, facts: Facts) -> Parked:
    deadline = facts.now + CALL_LIMIT
    effect = call_webhook(action, facts)
    return Parked("RUNNING", deadline, AwaitedCall(number, deadline), effects=(effect,))
