"""One condition as text: to and from the JSON filter tree."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dsl import nodes
from dsl.bundle import read_bundle
from dsl.check import check
from dsl.conditions import SEGMENT, WORKFLOW, Place, tree_json
from dsl.diagnostics import Diagnostic, report
from dsl.expression_text import text
from dsl.reading import condition_node
from dsl.spans import Position, Range, Source, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsl.bundle import Bundle
    from dsl.graph import JsonObject

# The condition stands on lines of its own, so that only the line numbers have to be moved.
_HEADS = {
    SEGMENT: 'segment "condition" { where\n',
    WORKFLOW: 'workflow "condition" { on event "condition" where\n',
}
_FILE = "condition.flow"


def read_condition(
    written: str, place: Place = WORKFLOW
) -> tuple[JsonObject | None, list[Diagnostic]]:
    """Return the tree of a condition, or None when one of the diagnostics is an error."""
    bundle = read_bundle({_FILE: _HEADS[place] + written + "\n}\n"})
    source = Source.of(_FILE, written)
    found = [
        _moved(one, source)
        for one in check(bundle)
        if 1 < one.range.start.line <= len(source.line_starts) + 1 or one.is_error
    ]
    condition = _only(bundle)
    if condition is None and not any(one.is_error for one in found):
        message = "write one condition, and nothing behind it"
        found.append(report(source, "FLOW-E101", Span(0, len(written)), message))
    if condition is None or any(one.is_error for one in found):
        return None, found
    return tree_json(condition, place), found


def write_condition(tree: Any, place: Place = WORKFLOW) -> str:  # noqa: ANN401 - JSON
    """Return a tree as text; raises ValueError where it is no tree."""
    return text(condition_node(tree, place))


def _only(bundle: Bundle) -> nodes.Condition | None:
    """Return the one condition of the file; None when something else stands in it."""
    (parsed,) = bundle.files
    match parsed.file.declarations:
        case (nodes.Segment(items=(nodes.SegmentWhere(condition),)),):
            return condition
        case (nodes.Workflow(body=nodes.Block((nodes.OnEvent(_, condition),))),):
            return condition
    return None


def _moved(diagnostic: Diagnostic, source: Source) -> Diagnostic:
    """Return a diagnostic about the text without what stands around it."""
    start, end = (_within(one, source) for one in (diagnostic.range.start, diagnostic.range.end))
    return replace(diagnostic, range=Range(start, end), fixes=tuple(_fixes(diagnostic, source)))


def _fixes(diagnostic: Diagnostic, source: Source) -> Iterator[Any]:
    for one in diagnostic.fixes:
        start, end = (_within(place, source) for place in (one.range.start, one.range.end))
        yield replace(one, range=Range(start, end))


def _within(place: Position, source: Source) -> Position:
    first, last = Position(1, 1), source.position(len(source.text))
    return min(max(Position(place.line - 1, place.column), first), last)
