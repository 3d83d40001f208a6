"""Things that are allowed and probably not meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.check_constants import check_choice, check_constants, may_be_missing
from dsl.diagnostics import Diagnostic, Fix, fix, report
from dsl.expression_text import text
from dsl.strings import encode
from dsl.suggestions import Advice, advice
from dsl.walking import conditions, every_item, every_operand, is_condition, tests, values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsl.spans import Source

# Names that look right, and those that are really stored: the first ones are read as the second.
_ALIASES = {
    "email.clicked": "email.click",
    "email.opened": "email.open",
    "email.bounced": "email.bounce",
    "email.delivered": "email.delivery",
    "email.complained": "email.complaint",
}
_SYSTEM = {
    "email": ("email.sent", *sorted(_ALIASES.values())),
    "contact": ("contact.subscribed", "contact.unsubscribed"),
}


def check_lints(source: Source, workflow: nodes.Workflow) -> Iterator[Diagnostic]:
    """Report doubts about each statement and header."""
    for item in every_item(workflow.body.items):
        yield from _event_names(source, item)
        yield from _endless(source, item)
        for condition in conditions(item):
            yield from lint_condition(source, condition)
        for value in values(item):
            yield from _asked_events(source, value)
        yield from check_choice(source, item)


def lint_condition(source: Source, condition: nodes.Condition) -> Iterator[Diagnostic]:
    """Report doubts about one condition, wherever it stands."""
    for test in tests(condition):
        yield from _not_equal(source, test)
    yield from check_constants(source, condition)
    yield from _asked_events(source, condition)


def _event_names(source: Source, item: nodes.Item) -> Iterator[Diagnostic]:
    match item:
        case nodes.OnEvent(event) | nodes.WaitForEvent(event):
            yield from _event_name(source, event)
        case nodes.Stop(nodes.EventHappens(event)) | nodes.Goal(_, nodes.EventHappens(event)):
            yield from _event_name(source, event)


def _asked_events(source: Source, operand: nodes.Operand) -> Iterator[Diagnostic]:
    for inner in every_operand(operand):
        if isinstance(inner, nodes.Triggered | nodes.Counted):
            yield from _event_name(source, inner.event)


def _event_name(source: Source, event: nodes.Text) -> Iterator[Diagnostic]:
    """Report names that begin like a system event and are none."""
    name = event.value
    family = name.partition(".")[0]
    hint, edits = Advice()
    if name in _ALIASES:
        meant = _ALIASES[name]
        edits = (fix(source, event.span, encode(meant)),)
        message = f"the event is called {meant!r}; write it like this everywhere"
    elif family in _SYSTEM and "." in name and name not in _SYSTEM[family]:
        known = _SYSTEM[family]
        hint, edits = advice(source, event.span, name, known, encode)
        if family == "contact" and not hint and not edits:
            return  # the product has only two such names; others may be the application's
        message = f"the product sends no {name!r}, only {', '.join(known)}"
    else:
        return
    yield report(source, "FLOW-W403", event.span, message, hint=hint, fixes=edits)


def _endless(source: Source, item: nodes.Item) -> Iterator[Diagnostic]:
    """Report waits without an end, unless a worse mistake says the same."""
    match item:
        case nodes.WaitForEvent(event, limit=None, timeout=None) if event.value.strip():
            span = event.span
        case nodes.WaitUntil(moment, limit=None, timeout=None) if is_condition(moment):
            span = moment.span
        case _:
            return
    message = "this may wait for ever; add a limit: up to 30 days"
    yield report(source, "FLOW-W404", span, message)


def _not_equal(source: Source, test: nodes.Leaf) -> Iterator[Diagnostic]:
    match test:
        case nodes.Test(nodes.Name(), "notEquals", nodes.Literal(None)):
            return  # that is what missing means
        case nodes.Test(nodes.Name() as name, "notEquals", value) if may_be_missing(name):
            instead = text(nodes.Not(nodes.Test(name, "equals", value)))
            message = f"!= is false when {text(name)} is missing; to include that, write: {instead}"
            edits = _edit(source, test, instead)
            yield report(source, "FLOW-W402", test.span, message, fixes=edits)


def _edit(source: Source, test: nodes.Test, instead: str) -> tuple[Fix, ...]:
    """Return the fix, where the span holds exactly the test (parentheses may stick out of it)."""
    written = " ".join(source.text[test.span.start : test.span.end].split())
    return (fix(source, test.span, instead),) if written == text(test) else ()
