"""What a workflow as a whole must be: headers, labels, reachable statements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.diagnostics import Diagnostic, note, report
from dsl.graph import TRIGGER
from dsl.naming import LONGEST_NAME
from dsl.walking import blocks, every_item

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dsl.spans import Source

_ONCE = (nodes.Description, nodes.Reentry, nodes.Disabled, nodes.OnManual)
_LONGEST_LABEL = 64


def check_workflow(source: Source, workflow: nodes.Workflow) -> Iterator[Diagnostic]:
    """Report what is wrong with the whole."""
    yield from _starts(source, workflow)
    yield from _headers_once(source, workflow)
    yield from _headers_first(source, workflow)
    yield from _labels(source, workflow)
    yield from _unreachable(source, workflow.body.items)


def _starts(source: Source, workflow: nodes.Workflow) -> Iterator[Diagnostic]:
    starts = any(isinstance(item, nodes.OnEvent | nodes.OnManual) for item in workflow.headers)
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


def prefixes(workflow: nodes.Workflow) -> Iterator[nodes.Prefix]:
    """All written prefixes."""
    for item in every_item(workflow.body.items):
        prefix = getattr(item, "prefix", None)
        if prefix:
            yield prefix
        if isinstance(item, nodes.If):
            yield from (branch.prefix for branch in item.branches if branch.prefix)


def _labels(source: Source, workflow: nodes.Workflow) -> Iterator[Diagnostic]:
    first: dict[str, nodes.Prefix] = {}
    for prefix in prefixes(workflow):
        yield from _label(source, prefix)
        earlier = first.setdefault(prefix.label or "", prefix)
        if prefix.label and earlier is not prefix:
            notes = (note(source, earlier.span, "first written here"),)
            message = f"the label @{prefix.label} is taken; choose another"
            yield report(source, "FLOW-E203", prefix.span, message, notes=notes)


def _label(source: Source, prefix: nodes.Prefix) -> Iterator[Diagnostic]:
    if prefix.label == TRIGGER:
        message = f"@{TRIGGER} is the label of the start; choose another"
        yield report(source, "FLOW-E207", prefix.span, message)
    if prefix.label and len(prefix.label) > _LONGEST_LABEL:
        message = f"a label has at most {_LONGEST_LABEL} characters"
        yield report(source, "FLOW-E313", prefix.span, message)
    if prefix.name is not None and not 0 < len(prefix.name) <= LONGEST_NAME:
        message = f"a display name has 1 to {LONGEST_NAME} characters"
        yield report(source, "FLOW-E313", prefix.span, message)


def _unreachable(source: Source, items: Iterable[nodes.Item]) -> Iterator[Diagnostic]:
    """Yield the first statement of each block that nobody can come to."""
    ended: nodes.Item | None = None
    reported = False
    for item in items:
        if ended and not reported and not isinstance(item, nodes.HEADERS):
            reported = True
            notes = (note(source, ended.span, "every way ends here"),)
            message = "this is never reached; remove it, or the exit before it"
            yield report(source, "FLOW-W401", item.span, message, notes=notes)
        for block in blocks(item):
            yield from _unreachable(source, block)
        ended = ended or (item if _ends(item) else None)


def _ends(item: nodes.Item) -> bool:
    """Whether every way through the statement exits."""
    match item:
        case nodes.Exit():
            return True
        case nodes.If(branches, otherwise) if otherwise:
            return _all_end(*(branch.body for branch in branches), otherwise)
        case nodes.WaitForEvent(body=body, timeout=timeout) if body:
            late = timeout or (None if item.limit else body)
            return late is not None and _all_end(body, late)
    return False


def _all_end(*several: nodes.Block) -> bool:
    return all(any(_ends(item) for item in block.items) for block in several)
