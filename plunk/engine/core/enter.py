"""Entering a step: one rule per step type."""

from __future__ import annotations

from datetime import datetime, timedelta

from plunk.conditions.instants import iso
from plunk.conditions.matches import expected, holds, matches, value_of
from plunk.conditions.nodes import MISSING
from plunk.conditions.operators.workflow import OPERATORS
from plunk.engine.core import steps
from plunk.engine.core.facts import Facts
from plunk.engine.core.graph import Step
from plunk.engine.core.outcomes import Done, Ended, Failed, Outcome, Parked
from plunk.engine.core.requests import call_webhook, queue_email
from plunk.engine.core.run import AwaitedCall, AwaitedEvent
from plunk.engine.core.signals import canonical_name
from plunk.engine.core.updates import update_contact
from plunk.errors import PlunkError

# The outbox gives up long before; this only keeps a lost answer from holding a run for ever (I9).
CALL_LIMIT = timedelta(hours=24)


def enter(step: Step | None, number: int, facts: Facts, since: datetime) -> Outcome:
    """Return what comes of visit `number`; a delay counts from `since`."""
    if step is None:
        return Failed("the step no longer exists")
    try:
        return _outcome(step.action, number, facts, since)
    except PlunkError as error:
        return Failed(error.message)


def _outcome(  # noqa: C901, PLR0911 -- one case per step type
    action: steps.Action, number: int, facts: Facts, since: datetime
) -> Outcome:
    match action:
        case steps.Trigger(event_name):
            return Done(_triggered(event_name, facts.now))
        case steps.SendEmail():
            return queue_email(action, facts)
        case steps.BinaryCondition():
            return _binary(action, facts)
        case steps.MultiCondition():
            return _multi(action, facts)
        case steps.ExpressionCondition():
            return _expression(action, facts)
        case steps.Delay():
            return _delay(action, since)
        case steps.WaitForEvent():
            return _wait(action, facts.now)
        case steps.UpdateContact():
            return update_contact(action, facts)
        case steps.Webhook():
            deadline = facts.now + CALL_LIMIT
            effect = call_webhook(action, facts)
            return Parked("RUNNING", deadline, AwaitedCall(number, deadline), effects=(effect,))
        case steps.Exit(reason):
            return Ended({"exited": True, "reason": reason}, reason)
        case steps.Broken(problem):
            return Failed(f"invalid configuration: {problem}")


def _triggered(event_name: str | None, now: datetime) -> dict[str, object]:
    return {"triggered": True, "eventName": event_name or "manual", "timestamp": iso(now)}


def _delay(action: steps.Delay, since: datetime) -> Parked:
    due_at = since + action.length
    output = {
        "delayAmount": action.amount,
        "delayUnit": action.unit,
        "resumeAt": iso(due_at),
    }
    return Parked("COMPLETED", due_at, output=output)


def _wait(action: steps.WaitForEvent, now: datetime) -> Parked:
    deadline = now + action.timeout if action.timeout else None
    awaited = AwaitedEvent(canonical_name(action.event_name), action.where, deadline)
    return Parked("WAITING", deadline, awaited)


def _binary(action: steps.BinaryCondition, facts: Facts) -> Done:
    test = action.test
    actual, wanted = value_of(test.field, facts), expected(test, facts)
    result = OPERATORS[test.operator](actual, wanted)
    branch = "yes" if result else "no"
    output = {
        "field": action.shown,
        "operator": test.operator,
        "expectedValue": _shown(wanted),
        "actualValue": _shown(actual),
        "result": result,
        "branch": branch,
    }
    return Done(output, branch)


def _multi(action: steps.MultiCondition, facts: Facts) -> Done:
    actual = value_of(action.field, facts)
    held = (branch for branch in action.branches if holds(branch.test, actual, facts, OPERATORS))
    match = next(held, None)
    branch = match.id if match else "default"
    output = {
        "field": action.shown,
        "mode": "multi",
        "matchedBranch": match.name if match else "default",
        "actualValue": _shown(actual),
        "branch": branch,
    }
    return Done(output, branch)


def _expression(action: steps.ExpressionCondition, facts: Facts) -> Done:
    result = matches(action.condition, facts, OPERATORS)
    branch = "yes" if result else "no"
    return Done({"mode": "expression", "result": result, "branch": branch}, branch)


def _shown(value: object) -> object:
    return None if value is MISSING else value
