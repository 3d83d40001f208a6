"""What a workflow as a whole must be: something starts it, and its headers come first, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.diagnostics import Diagnostic, note, report
from dsl.walking import blocks, every_item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsl.spans import Source

_ONCE = (
    *(nodes.Description, nodes.Reentry, nodes.Disabled, nodes.OnManual),
    *(nodes.Timezone, nodes.QuietHours),
)
_STARTS = (nodes.OnEvent, nodes.OnSegment, nodes.OnSchedule, nodes.OnDate, nodes.OnManual)


def check_workflow(source: Source, workflow: nodes.Workflow) -> Iterator[Diagnostic]:
    """Report what is wrong with the whole."""
    yield from _starts(source, workflow)
    yield from _headers_once(source, workflow)
    yield from _headers_first(source, workflow)


def _starts(source: Source, workflow: nodes.Workflow) -> Iterator[Diagnostic]:
    starts = any(isinstance(item, _STARTS) for item in workflow.headers)
    if not starts and not any(_is_broken_start(source, item) for item in workflow.body.items):
        message = 'nothing starts this workflow; add: on event "…", or: on manual'
        yield report(source, "FLOW-E301", workflow.name.span, message)
    if not workflow.statements:
        message = "this workflow does nothing; add a statement"
        yield report(source, "FLOW-W407", workflow.name.span, message)


def _is_broken_start(source: Source, item: nodes.Item) -> bool:
    return isinstance(item, nodes.Broken) and source.text.startswith("on", item.span.start)


def _headers_once(source: Source, workflow: nodes.Workflow) -> Iterator[Diagnostic]:
    first: dict[type, nodes.Header] = {}
    for header in workflow.headers:
        earlier = first.setdefault(type(header), header)
        if earlier is not header and isinstance(header, _ONCE):
            notes = (note(source, earlier.span, "first written here"),)
            message = "this header is written twice; remove one of them"
            yield report(source, "FLOW-E302", header.span, message, notes=notes)


def _headers_first(source: Source, workflow: nodes.Workflow) -> Iterator[Diagnostic]:
    """Headers behind a statement, or inside one."""
    message = "headers stand before the first statement of the workflow; move it up"
    seen_statement = False
    for item in workflow.body.items:
        is_header = isinstance(item, nodes.HEADERS)
        if is_header and seen_statement:
            yield report(source, "FLOW-E308", item.span, message)
        seen_statement |= not is_header and not isinstance(item, nodes.Broken)
        for inner in (found for block in blocks(item) for found in every_item(block)):
            if isinstance(inner, nodes.HEADERS):
                yield report(source, "FLOW-E308", inner.span, message)
