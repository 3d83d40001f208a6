"""Things that are allowed and probably not meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.diagnostics import Diagnostic, Fix, fix, report
from dsl.expression_text import text
from dsl.strings import encode
from dsl.values import is_literal
from dsl.walking import conditions, every_item, tests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsl.spans import Source

# Names that look right, and those that are really sent.
_MISNAMED = {
    "email.clicked": "email.click",
    "email.opened": "email.open",
    "email.bounced": "email.bounce",
    "email.delivered": "email.delivery",
    "email.complained": "email.complaint",
    "email.send": "email.sent",
    "contact.subscribe": "contact.subscribed",
    "contact.unsubscribe": "contact.unsubscribed",
}


def check_lints(source: Source, workflow: nodes.Workflow) -> Iterator[Diagnostic]:
    """Report doubts about each statement and header."""
    for item in every_item(workflow.body.items):
        if isinstance(item, nodes.OnEvent | nodes.WaitForEvent):
            yield from _event_name(source, item.event)
        if isinstance(item, nodes.WaitForEvent) and not item.limit:
            message = "this may wait for ever; add a limit: up to 30 days"
            yield report(source, "FLOW-W404", item.event.span, message)
        for condition in conditions(item):
            for test in tests(condition):
                yield from _not_equal(source, test)
                yield from _constant(source, test)


def _event_name(source: Source, event: nodes.Text) -> Iterator[Diagnostic]:
    meant = _MISNAMED.get(event.value)
    if meant:
        message = f"the system event is called {meant!r}; {event.value!r} must come from you"
        edits = (fix(source, event.span, encode(meant)),)
        yield report(source, "FLOW-W403", event.span, message, fixes=edits)


def _not_equal(source: Source, test: nodes.Test | nodes.Bare) -> Iterator[Diagnostic]:
    match test:
        case nodes.Test(nodes.Name() as name, "notEquals", value) if _may_be_missing(name):
            instead = text(nodes.Not(nodes.Test(name, "equals", value)))
            message = f"!= is false when {text(name)} is missing; to include that, write: {instead}"
            edits = _edit(source, test, instead)
            yield report(source, "FLOW-W402", test.span, message, fixes=edits)


def _may_be_missing(name: nodes.Name) -> bool:
    first = name.path[0] if name.path else None
    return name.root in {"data", "event"} or first in {"data", "context"}


def _edit(source: Source, test: nodes.Test, instead: str) -> tuple[Fix, ...]:
    """Return the fix, where the span holds exactly the test (parentheses may stick out of it)."""
    written = " ".join(source.text[test.span.start : test.span.end].split())
    return (fix(source, test.span, instead),) if written == text(test) else ()


def _constant(source: Source, test: nodes.Test | nodes.Bare) -> Iterator[Diagnostic]:
    operands = [test.subject]
    if isinstance(test, nodes.Test) and test.value:
        operands.append(test.value)
    if all(is_literal(operand) for operand in operands):
        message = "this is always true or always false; compare with a field"
        yield report(source, "FLOW-W405", test.span, message)
