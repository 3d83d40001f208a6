"""Which steps of a graph nobody could have written, though the language has words for them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dsl import nodes
from dsl.bundle import read_bundle
from dsl.check import check
from dsl.decompile_structure import structure
from dsl.graph import TRIGGER
from dsl.printer import print_file
from dsl.walking import every_item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsl.graph import WorkflowGraph
    from dsl.spans import Position, Source, Span

_FILE = "refused.flow"


def refused(graph: WorkflowGraph) -> set[str]:
    """Return the keys of the steps in whose statements the checker finds mistakes.

    They are found by writing the graph down with every step labelled by its key.
    """
    steps = (replace(step, label=step.key) for step in graph.steps if step.key != TRIGGER)
    trigger = (step for step in graph.steps if step.key == TRIGGER)
    statements, _ = structure(replace(graph, steps=(*trigger, *steps)), frozenset())
    body = nodes.Block((nodes.OnManual(), *statements))
    text = print_file(nodes.File((nodes.Workflow(nodes.Text(graph.name), body),)))
    bundle = read_bundle({_FILE: text})
    source = bundle.files[0].source
    places = [place for _, workflow in bundle.workflows() for place in _labelled(workflow)]
    wrong = (found.range.start for found in check(bundle) if found.is_error)
    return {label for start in wrong if (label := _innermost(source, places, start))}


def _labelled(workflow: nodes.Workflow) -> Iterator[tuple[str, Span]]:
    for item in every_item(workflow.body.items):
        prefix = getattr(item, "prefix", None)
        if prefix and prefix.label:
            yield prefix.label, item.span
        for branch in item.branches if isinstance(item, nodes.If) else ():
            if branch.prefix and branch.prefix.label:
                yield branch.prefix.label, branch.span


def _innermost(source: Source, places: list[tuple[str, Span]], at: Position) -> str | None:
    """Return the label of the smallest statement around a place."""
    around = [
        (span.end - span.start, label)
        for label, span in places
        if source.range(span).start <= at <= source.range(span).end
    ]
    return min(around)[1] if around else None
