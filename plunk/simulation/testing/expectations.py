"""What a test expects, and how that differs from what there is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from dsl import nodes
from dsl.conditions import tree_json
from dsl.expression_text import text
from dsl.walking import tests
from plunk.conditions import segments
from plunk.conditions.instants import iso
from plunk.conditions.matches import matches, value_of
from plunk.conditions.nodes import MISSING
from plunk.conditions.operators.workflow import OPERATORS
from plunk.conditions.tree import from_json
from plunk.engine.core.facts import Facts
from plunk.engine.core.signals import canonical_name
from plunk.errors import BadRequest, PlunkError
from plunk.simulation.catalogue import by_id
from plunk.simulation.mocks import fits
from plunk.simulation.outbox import Call, Mail
from plunk.simulation.people import Walker
from plunk.simulation.testing.differences import first_difference
from plunk.simulation.testing.outcome import Mismatch
from plunk.simulation.testing.stage import Stage, said
from plunk.simulation.timeline import clock_text, json_text
from plunk.simulation.world import zone_named

CALL_OPTIONS = ("method", "headers", "body")


def check(stage: Stage, item: nodes.TestItem) -> Mismatch | None:  # noqa: PLR0911 -- a table
    """Return how an expectation is not met, or None."""
    match item:
        case nodes.ExpectEmail(template, to):
            return _email(stage, template.value, said(to))
        case nodes.ExpectNoEmail(template):
            return _no_email(stage, said(template))
        case nodes.ExpectWebhook():
            return _webhook(stage, item)
        case nodes.ExpectEvent(event):
            return _event(stage, event.value)
        case nodes.ExpectWaiting(label):
            return _waiting(stage, said(label))
        case nodes.ExpectEnded(outcome, reason):
            return _ended(stage, outcome, said(reason))
        case nodes.ExpectNotEntered():
            return _not_entered(stage)
        case nodes.ExpectGoal(goal):
            return _goal(stage, goal.value)
        case nodes.ExpectCondition(condition):
            return _condition(stage, condition)
    raise BadRequest("this line means nothing in a test")


def _email(stage: Stage, template: str, to: str | None) -> Mismatch | None:
    """Take the next message; it must be this one."""
    expected = f"e-mail {json_text(template)}" + (f" to {to}" if to else "")
    mails = stage.unseen_mails()
    if not mails:
        return Mismatch(expected, f"no more e-mail{_refused(stage, template)}")
    mail = mails[0]
    wanted = {"template": template, **({"to": to} if to else {})}
    found = {"template": mail.template, "to": mail.to}
    difference = first_difference(wanted, found, "e-mail")
    if difference is not None:
        return Mismatch(expected, f"{_shown(stage, mail)} comes next", difference)
    stage.see(mail)
    return None


def _refused(stage: Stage, template: str) -> str:
    errors = (mail.error for mail in stage.world.mails if mail.template == template and mail.error)
    error = next(errors, None)
    return f"; it was not sent: {error}" if error else ""


def _no_email(stage: Stage, template: str | None) -> Mismatch | None:
    mails = [mail for mail in stage.unseen_mails() if template in {None, mail.template}]
    if not mails:
        return None
    expected = "no e-mail" + (f" {json_text(template)}" if template else "")
    return Mismatch(expected, _shown(stage, mails[0]))


def _shown(stage: Stage, mail: Mail) -> str:
    at = clock_text(mail.at, zone_named(stage.zone))
    return f"e-mail {json_text(mail.template)} to {mail.to} of {at}"


def _webhook(stage: Stage, item: nodes.ExpectWebhook) -> Mismatch | None:
    """Take the first call to the address that has all that is expected."""
    wanted = stage.values(item.options)
    unknown = sorted(wanted.keys() - set(CALL_OPTIONS))
    if unknown:
        raise BadRequest(f"a call has {', '.join(CALL_OPTIONS)}, not {unknown[0]!r}")
    expected = f"a call of {item.url.value}" + (f" with {json_text(wanted)}" if wanted else "")
    calls = stage.unseen_calls()
    fitting = [call for call in calls if fits(item.url.value, call.url)]
    differences = [first_difference(wanted, _call_json(call), "call") for call in fitting]
    if None in differences:
        stage.see(fitting[differences.index(None)])
        return None
    if fitting:
        return Mismatch(expected, _call_text(fitting[0]), differences[0])
    others = "; ".join(_call_text(call) for call in calls[:3])
    return Mismatch(expected, f"only {others}" if others else "no more calls")


def _call_json(call: Call) -> dict[str, object]:
    return {"method": call.method, "headers": call.headers, "body": call.body}


def _call_text(call: Call) -> str:
    return f"{call.method} {call.url} with {json_text(call.body)}"


def _event(stage: Stage, name: str) -> Mismatch | None:
    events = stage.unseen_events()
    for event in events:
        if canonical_name(event.name) == canonical_name(name):
            stage.see(event)
            return None
    names = ", ".join(dict.fromkeys(json_text(event.name) for event in events))
    return Mismatch(f"event {json_text(name)}", f"only {names}" if names else "no more events")


def _waiting(stage: Stage, label: str | None) -> Mismatch | None:
    expected = "a run that waits" + (f" at @{label}" if label else "")
    walker = stage.walker()
    if walker is None or walker.run.status != "WAITING":
        return Mismatch(expected, _standing(walker))
    steps = walker.flow.graph.steps
    if label is None:
        return None
    if label not in steps:
        raise BadRequest(f"the workflow has no step @{label}")
    if walker.run.step_id == label:
        return None
    return Mismatch(expected, _standing(walker))


def _standing(walker: Walker | None) -> str:
    """Say where a run stands."""
    if walker is None:
        return "nobody has entered the workflow"
    run = walker.run
    if run.status == "WAITING":
        return f"it waits at @{run.step_id}"
    reason = walker.error if run.status == "FAILED" else run.exit_reason
    return f"it has {run.status.lower()}" + (f": {reason}" if reason else "")


def _ended(stage: Stage, outcome: str, reason: str | None) -> Mismatch | None:
    walker = stage.walker()
    expected = f"a run that has {outcome}" + (f": {reason}" if reason is not None else "")
    if walker is None or walker.run.status != outcome.upper():
        return Mismatch(expected, _standing(walker))
    if reason is None:
        return None
    actual = walker.error if outcome == "failed" else walker.run.exit_reason
    if reason == actual or (outcome == "failed" and reason in (actual or "")):
        return None
    return Mismatch(expected, _standing(walker), first_difference(reason, actual, "reason"))


def _not_entered(stage: Stage) -> Mismatch | None:
    walker = stage.walker()
    if walker is None:
        return None
    at = clock_text(walker.run.started_at, zone_named(stage.zone))
    return Mismatch("nobody in the workflow", f"the contact has entered it on {at}")


def _goal(stage: Stage, goal: str) -> Mismatch | None:
    flow = stage.under_test()
    if goal not in {one.name for one in flow.graph.headers.goals}:
        raise BadRequest(f"the workflow has no goal {goal!r}")
    reached = [
        one for walker in stage.person.walkers if walker.flow is flow for one in walker.goals
    ]
    if goal in reached:
        return None
    names = ", ".join(map(json_text, reached)) or "none"
    return Mismatch(f"goal {json_text(goal)}", f"goals reached: {names}")


def _condition(stage: Stage, condition: nodes.Condition) -> Mismatch | None:
    _ = stage.person
    known = stage.known()
    if matches(from_json(by_id(tree_json(condition)), OPERATORS), known, OPERATORS):
        return None
    values = list(dict.fromkeys(_values(condition, known)))
    return Mismatch(text(condition), "; ".join(values), values[0] if values else None)


def _values(condition: nodes.Condition, known: Facts) -> Iterator[str]:
    """Yield what stands on the left of each comparison."""
    for leaf in tests(condition):
        tree = from_json(by_id(tree_json(leaf)), OPERATORS)
        for test in segments.tests(tree):
            name = text(leaf.subject) if isinstance(leaf, nodes.Test | nodes.Bare) else text(leaf)
            try:
                yield f"{name} is {_value(value_of(test.field, known))}"
            except PlunkError as error:
                yield f"{name} cannot be computed: {error.message}"
            break


def _value(value: object) -> str:
    if value is MISSING:
        return "not there"
    return json_text(iso(value) if isinstance(value, datetime) else value)
