"""Telling: what a run does, in words, for the timeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plunk.conditions.instants import instant
from plunk.engine.core import steps
from plunk.engine.core.progress import Progress, Visit
from plunk.engine.core.run import Run
from plunk.simulation.outbox import Call, Mail
from plunk.simulation.people import Walker
from plunk.simulation.timeline import clock_text, json_text
from plunk.simulation.world import World, zone_named


def tell_visit(world: World, walker: Walker, visit: Visit) -> None:
    """Write down what came of a visit, unless something else will tell it."""
    step = walker.flow.graph.steps.get(visit.step_id)
    text = visit.error or (_text(world, step.action, visit) if step else "")
    if text:
        kind = "failed" if visit.error else "step"
        details = {"status": visit.status, "output": visit.output}
        world.tell(kind, text, walker, step=visit.step_id, details=details)


def tell_rest(world: World, walker: Walker, progress: Progress) -> None:
    """Write down where a run stands now, where no visit tells it: at its end, or held up."""
    run = progress.run
    if not run.is_over:
        if run.step_id is not None and run.status == "WAITING" and _is_held(walker, run):
            until = clock_text(run.due_at or world.now, zone_named(world.zone))
            text = f"waits for the end of quiet hours at {until}"
            world.tell("step", text, walker, step=run.step_id)
        return
    reason = walker.error if run.status == "FAILED" else run.exit_reason
    text = run.status.lower() + (f": {reason}" if reason else "")
    world.tell("ended", text, walker, details={"status": run.status, "reason": reason})


def _is_held(walker: Walker, run: Run) -> bool:
    step = walker.flow.graph.steps.get(run.step_id or "")
    return run.awaiting is None and step is not None and step.type != "DELAY"


def tell_mail(world: World, mail: Mail) -> None:
    """Write down a message."""
    what = f"e-mail {json_text(mail.template)} to {mail.to}"
    text = f"no {what}: {mail.error}" if mail.error else f"{what}: {mail.subject}"
    kind = "refused" if mail.error else "email"
    details = {"template": mail.template, "to": mail.to, "subject": mail.subject}
    world.tell(kind, text, mail.walker, step=mail.step, details=details)


def tell_call(world: World, call: Call) -> None:
    """Write down a call with its answer."""
    answer = call.error or f"answered {call.status}"
    note = "" if call.is_mocked else " (not mocked)"
    text = f"{call.method} {call.url} {answer}{note}"
    details = {
        "method": call.method,
        "url": call.url,
        "headers": dict(call.headers),
        "body": call.body,
        "status": call.status,
        "answer": call.answer,
        "error": call.error,
    }
    world.tell("webhook", text, call.walker, step=call.step, details=details)


def _text(  # noqa: PLR0911 -- one per kind of step
    world: World, action: steps.Action, visit: Visit
) -> str:
    output = visit.output or {}
    match action:
        case steps.Delay() | steps.DelayUntil() | steps.DelayUntilTimeOfDay():
            return f"waits until {_clock(world, output.get('resumeAt'))}"
        case steps.WaitForEvent(event_name):
            return _wait(world, visit, f"event {json_text(event_name)}")
        case steps.WaitForCondition():
            return _wait(world, visit, "its condition")
        case steps.BinaryCondition() | steps.ExpressionCondition() | steps.MultiCondition():
            return f"takes the way {output.get('branch')}"
        case steps.Split():
            return f"falls to {output.get('matchedBranch')}"
        case steps.Track(event_name):
            return f"tracks {json_text(event_name)}"
        case steps.UpdateContact(_, subscription):
            changes = [json_text(output.get("updates"))] if output.get("updates") else []
            return ", ".join(["contact", *changes, *([subscription] if not changes else [])])
    return ""


def _wait(world: World, visit: Visit, what: str) -> str:
    if visit.status == "WAITING":
        until = visit.execute_after
        limit = f" until {clock_text(until, zone_named(world.zone))}" if until else ""
        return f"waits for {what}{limit}"
    timed_out = isinstance(visit.output, Mapping) and visit.output.get("timedOut")
    return f"stops waiting for {what}" if timed_out else f"has waited for {what}"


def _clock(world: World, value: Any) -> str:  # noqa: ANN401 - of an output
    at = instant(value)
    return clock_text(at, zone_named(world.zone)) if at else str(value)
