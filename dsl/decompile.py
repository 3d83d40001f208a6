"""Graph → syntax tree, for graphs that structured statements can say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.compile import compile_workflow
from dsl.decompile_structure import NotExpressible, Structure
from dsl.durations import from_seconds
from dsl.graph import TRIGGER, Compiled, EventTrigger, TemplateText, WorkflowGraph
from dsl.parser import parse
from dsl.printer import print_file
from dsl.reading import Unreadable, condition_node

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["NotExpressible", "decompile"]


def decompile(compiled: Compiled) -> nodes.File:
    """Return a file that compiles to the same workflows and templates.

    Raises NotExpressible, which names the step, for a graph with loops, steps that nothing leads
    to, ways that meet where no block ends, or configs that no statement has.
    """
    templates = [_template(template) for template in compiled.templates]
    workflows = [_workflow(workflow) for workflow in compiled.workflows]
    return nodes.File((*templates, *workflows))


def _workflow(graph: WorkflowGraph) -> nodes.Workflow:
    statements = Structure(graph).statements()
    block = nodes.Block((*_headers(graph), *statements))
    workflow = nodes.Workflow(nodes.Text(graph.name), block)
    parsed = parse(print_file(nodes.File((workflow,))))
    if parsed.diagnostics:  # too deep, too long, or texts that no file can hold
        raise NotExpressible(TRIGGER, parsed.diagnostics[0].message)
    _refuse_difference(graph, compile_workflow(workflow))
    return workflow


def _refuse_difference(graph: WorkflowGraph, again: WorkflowGraph) -> None:
    """Refuse a text that would not come out as the graph it was made from."""
    steps = {step.key: (step.type, step.name, step.config) for step in again.steps[1:]}
    for step in graph.steps[1:]:
        if steps.get(step.key) != (step.type, step.name, step.config):
            raise NotExpressible(step.key, "it would come out differently")
    missing = set(graph.transitions) ^ set(again.transitions)
    if missing:
        source = min(transition.source for transition in missing)
        raise NotExpressible(source, "its ways would come out differently")


def _headers(graph: WorkflowGraph) -> Iterator[nodes.Header]:
    if graph.description is not None:
        yield nodes.Description(nodes.Text(graph.description))
    for trigger in graph.triggers:
        yield _trigger(trigger) if isinstance(trigger, EventTrigger) else nodes.OnManual()
    if graph.reentry.policy == "after":
        amount, unit = from_seconds(graph.reentry.after_seconds or 0)
        yield nodes.Reentry("after", nodes.Duration(amount, unit))
    elif graph.reentry.policy == "always":
        yield nodes.Reentry("always")
    if not graph.enabled:
        yield nodes.Disabled()


def _trigger(trigger: EventTrigger) -> nodes.OnEvent:
    try:
        where = condition_node(trigger.where) if trigger.where else None
    except Unreadable as error:
        raise NotExpressible(TRIGGER, str(error)) from error
    return nodes.OnEvent(nodes.Text(trigger.event), where)


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
