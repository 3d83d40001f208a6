"""Graph → syntax tree, for any graph that the product can store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.canonical import difference
from dsl.compile import compile_workflow
from dsl.conditions import SEGMENT
from dsl.decompile_headers import header_nodes
from dsl.decompile_structure import structure
from dsl.decompile_ways import NotExpressible
from dsl.expressions_reading import Unreadable
from dsl.graph import TRIGGER, Compiled, SegmentText, TemplateText, WorkflowGraph
from dsl.parser import parse
from dsl.printer import print_file
from dsl.reading import condition_node

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from dsl.graph import Headers

__all__ = ["NotExpressible", "decompile"]


def decompile(
    compiled: Compiled, made: AbstractSet[str] = frozenset(), raw: AbstractSet[str] = frozenset()
) -> nodes.File:
    """Return a file that compiles to the same workflows, templates and segments.

    Steps whose keys are in `made` get a label only where something must refer to them; those
    whose keys are in `raw` are written as raw steps even where there are words for them. Raises
    NotExpressible, which names the step, for what no text can hold: a graph that is too large for
    a file, or whose texts contain characters that cannot be written.
    """
    templates = [_template(template) for template in compiled.templates]
    segments = [_segment(segment) for segment in compiled.segments]
    workflows = [_workflow(workflow, made, raw) for workflow in compiled.workflows]
    return nodes.File((*templates, *segments, *workflows))


def header_lines(headers: Headers) -> list[str]:
    """Return headers as lines of a file; raises ValueError where there are no words for one."""
    try:
        block = nodes.Block(tuple(header_nodes(headers)))
    except (KeyError, TypeError) as error:
        raise NotExpressible(TRIGGER, str(error)) from error
    printed = print_file(nodes.File((nodes.Workflow(nodes.Text("w"), block),)))
    return [line.strip() for line in printed.splitlines()[1:-1] if line.strip()]


def _workflow(
    graph: WorkflowGraph, made: AbstractSet[str], raw: AbstractSet[str]
) -> nodes.Workflow:
    statements, labels = structure(graph, made, raw)
    try:
        block = nodes.Block((*header_nodes(graph.headers), *statements))
    except (Unreadable, KeyError, TypeError) as error:
        raise NotExpressible(TRIGGER, str(error)) from error
    workflow = nodes.Workflow(nodes.Text(graph.name), block)
    parsed = parse(print_file(nodes.File((workflow,))))
    if parsed.diagnostics:  # too deep, too long, or texts that no file can hold
        raise NotExpressible(TRIGGER, parsed.diagnostics[0].message)
    found = difference(graph, compile_workflow(workflow), labels.known())
    if found:
        raise NotExpressible(*found)
    return workflow


def _segment(segment: SegmentText) -> nodes.Segment:
    items: list[nodes.SegmentItem] = []
    if segment.description is not None:
        items.append(nodes.Description(nodes.Text(segment.description)))
    if segment.condition is None:
        items.append(nodes.Static())
    else:
        items.append(nodes.SegmentWhere(condition_node(segment.condition, SEGMENT)))
    if segment.track_membership:
        items.append(nodes.Keep())
    return nodes.Segment(nodes.Text(segment.name), tuple(items))


def _template(template: TemplateText) -> nodes.Template:
    texts = {
        "subject": template.subject,
        "from": template.sender,
        "fromName": template.sender_name,
        "replyTo": template.reply_to,
        "description": template.description,
        "body": template.body,
    }
    kind = nodes.Pair(nodes.Text("type"), nodes.Name(template.type.lower()))
    pairs = (
        nodes.Pair(nodes.Text(key), nodes.Literal(value))
        for key, value in texts.items()
        if value is not None
    )
    return nodes.Template(nodes.Text(template.name), nodes.Object((kind, *pairs)))
